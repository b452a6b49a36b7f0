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


class Speaker:
    """In whose name lines are printed, and how many.

    The level is -1 (quiet), 0, 1 (verbose), or MUTE.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.level = 0
        self.bar: Any = None


# The last one speaks. A command has one for as long as it runs.
_speakers = [Speaker("cxrtool")]


@contextlib.contextmanager
def speaking(name: str) -> Iterator[Speaker]:
    """Print every line in this name from here to the end of the block."""
    speaker = Speaker(name)
    _speakers.append(speaker)
    try:
        yield speaker
    finally:
        _speakers.remove(speaker)


def mute() -> None:
    """Say nothing to the end of the command: another process speaks for this one."""
    for speaker in _speakers[1:]:
        speaker.level = MUTE


def name() -> str:
    """In whose name lines are printed: that of the command."""
    return _speakers[-1].name


def is_verbose() -> bool:
    """Whether -v asks for more lines."""
    return _speakers[-1].level > 0


def error(text: object) -> None:
    """Print one line that is never held back."""
    speaker = _speakers[-1]
    if speaker.level == MUTE:
        return
    line = f"{speaker.name}: {one_line(shortened(str(text), LONGEST))}\n"
    try:
        if speaker.bar is not None:
            speaker.bar.clear()
        os.write(2, line.encode("utf-8", "backslashreplace"))
    except OSError:
        pass  # Standard error is closed; the exit code still reports the error.


def note(text: object) -> None:
    """Print one line unless the command is to be quiet."""
    if _speakers[-1].level >= 0:
        error(text)


def detail(text: object) -> None:
    """Print one line only when asked for more with -v."""
    if is_verbose():
        error(text)


def bar(items: Iterable[T], total: int | None, unit: str, when: str = "auto") -> Iterator[T]:
    """Pass the items on while a bar on standard error counts them and shows the time left."""
    if not _is_shown(when):
        yield from items
        return
    from tqdm import tqdm

    # tqdm's monitor thread would live on into forked workers; a slow step needs no watchdog.
    tqdm.monitor_interval = 0
    counted = tqdm(items, total=total, unit=f" {unit}", dynamic_ncols=True, leave=False)
    with counted, _shown(counted):
        yield from counted


@contextlib.contextmanager
def counter(total: int, done: int, unit: str, when: str = "auto") -> Iterator[Callable[[int], Any]]:
    """Give a function that counts things done, of so many in all, on a bar on standard error."""
    if not _is_shown(when):
        yield lambda number: None
        return
    from tqdm import tqdm

    tqdm.monitor_interval = 0
    bar = tqdm(total=total, initial=done, unit=f" {unit}", dynamic_ncols=True, leave=False)
    with bar, _shown(bar):
        yield bar.update


@contextlib.contextmanager
def _shown(bar: Any) -> Iterator[None]:
    """Let lines that are printed meanwhile take the place of the bar."""
    speaker = _speakers[-1]
    speaker.bar = bar
    try:
        yield
    finally:
        speaker.bar = None


def _is_shown(when: str) -> bool:
    level = _speakers[-1].level
    if level == MUTE:
        return False
    return when == "always" or (when == "auto" and level >= 0 and _is_terminal())


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
