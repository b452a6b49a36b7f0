"""Everything that goes to standard error: notes, warnings, errors and progress bars."""

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from cxrtool.core.errors import one_line, shortened

T = TypeVar("T")
MUTE = -2
# No line is longer, whatever text of a file it shows; lists of names are shorter.
LONGEST = 2000


class _Voice:
    """How loudly this process speaks, and in whose name."""

    def __init__(self) -> None:
        self.name = "cxrtool"
        self.level = 0
        self.bar: Any = None


voice = _Voice()


def speak(name: str, level: int = 0) -> None:
    """Start a command: its name goes before every line; level is -1 (quiet), 0 or 1."""
    voice.name, voice.level = name, level


def mute() -> None:
    """Say nothing at all: another process speaks for this one."""
    voice.level = MUTE


def set_level(level: int) -> None:
    """Make the command quieter (-1) or more talkative (1)."""
    voice.level = level


def error(text: object) -> None:
    """Print one line that is never held back."""
    if voice.level == MUTE:
        return
    line = f"{voice.name}: {one_line(shortened(str(text), LONGEST))}\n"
    try:
        if voice.bar is not None:
            voice.bar.clear()
        os.write(2, line.encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # Standard error is closed; the exit code still reports the error.


def note(text: object) -> None:
    """Print one line unless the command is to be quiet."""
    if voice.level >= 0:
        error(text)


def detail(text: object) -> None:
    """Print one line only when asked for more with -v."""
    if voice.level >= 1:
        error(text)


def bar(items: Iterable[T], total: int | None, unit: str, when: str = "auto") -> Iterator[T]:
    """Pass the items on while a bar on standard error counts them and shows the time left."""
    if not _is_shown(when):
        yield from items
        return
    from tqdm import tqdm

    # tqdm's monitor thread would live on into forked workers; a slow step needs no watchdog.
    tqdm.monitor_interval = 0
    with tqdm(items, total=total, unit=f" {unit}", dynamic_ncols=True, leave=False) as counted:
        voice.bar = counted
        try:
            yield from counted
        finally:
            voice.bar = None


@contextlib.contextmanager
def counter(total: int, done: int, unit: str, when: str = "auto") -> Iterator[Callable[[int], Any]]:
    """Give a function that counts things done, of so many in all, on a bar on standard error."""
    if not _is_shown(when):
        yield lambda number: None
        return
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    with tqdm(total=total, initial=done, unit=f" {unit}", dynamic_ncols=True, leave=False) as bar:
        voice.bar = bar
        try:
            yield bar.update
        finally:
            voice.bar = None


def _is_shown(when: str) -> bool:
    return when == "always" or (when == "auto" and voice.level >= 0 and _is_terminal())


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
