"""Everything that goes to standard error: notes, warnings, errors and progress bars."""

import contextlib
import os
import sys
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, TypeVar

from cxrtool.core.errors import one_line, shortened

T = TypeVar("T")
Count = Callable[[int], object]
MUTE = -2
# No line is longer, whatever text of a file it shows; lists of names are shorter.
LONGEST = 2000
# Without a terminal, seconds of work before the first line, and the fewest between two lines. Work
# of many hours has fewer lines: the time between them grows by this share of what has passed.
FIRST, EVERY, SHARE = 30, 60, 0.1
clock = time.monotonic


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
    """Pass the items on while a bar on standard error counts them and shows the time left.

    Where standard error is no terminal, work of more than `FIRST` seconds has lines instead.
    """
    if not _is_shown(when):
        yield from _logged(items, total, unit) if _is_logged(when) else items
        return
    from tqdm import tqdm

    # tqdm's monitor thread would live on into forked workers; a slow step needs no watchdog.
    tqdm.monitor_interval = 0
    counted = tqdm(items, total=total, unit=f" {unit}", dynamic_ncols=True, leave=False)
    with counted, _shown(counted):
        yield from counted


@contextlib.contextmanager
def counter(total: int | None, done: int, unit: str, when: str = "auto") -> Iterator[Count]:
    """Give a function that counts things done, of so many if known, on a bar on standard error."""
    if not _is_shown(when):
        log = _Log(total, unit, done)
        yield log.count if _is_logged(when) else lambda number: None
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
    outer, speaker.bar = speaker.bar, bar
    try:
        yield
    finally:
        speaker.bar = outer


class _Log:
    """Lines about work that takes long, for the log of a job without a terminal."""

    def __init__(self, total: int | None, unit: str, done: int = 0) -> None:
        self.total, self.unit, self.done = total, unit, done
        self._before, self._start = done, clock()
        self._due = self._start + FIRST

    def count(self, number: int = 1) -> None:
        """Count things done; say how many there are, if it is time."""
        self.done += number
        now = clock()
        if now >= self._due:
            passed = now - self._start
            self._due = now + max(EVERY, SHARE * passed)
            note(self._line(passed))

    def _line(self, passed: float) -> str:
        if not self.total or self.done <= self._before:
            return f"{self.done} {self.unit} after {_lasting(passed)}"
        left = passed / (self.done - self._before) * (self.total - self.done)
        of = f"{self.done} of {self.total} {self.unit} after {_lasting(passed)}"
        return f"{of}, about {_lasting(left)} left" if left > 0 else of


def _logged(items: Iterable[T], total: int | None, unit: str) -> Iterator[T]:
    log, iterator = _Log(total, unit), iter(items)
    try:
        for item in iterator:
            yield item
            log.count()
    finally:
        # Whoever stops early lets the items end what they have begun, such as workers.
        if isinstance(iterator, Generator):
            iterator.close()


def _lasting(seconds: float) -> str:
    """Write a time as a person would say it."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _is_logged(when: str) -> bool:
    """Whether there is no terminal: a bar would fill a file, and a line now and then does not."""
    return when == "auto" and _speakers[-1].level >= 0 and not _is_terminal()


def _is_shown(when: str) -> bool:
    level = _speakers[-1].level
    if level == MUTE:
        return False
    return when == "always" or (when == "auto" and level >= 0 and _is_terminal())


def _is_terminal() -> bool:
    """Whether a bar can be drawn: a terminal without a width, as a container has, shows none."""
    if sys.stderr is None or not sys.stderr.isatty():
        return False
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0
    except (OSError, ValueError):
        return True
