"""What SIGTERM and Ctrl-C do while a command works, and after it.

While a command works, a signal raises an exception, so that unfinished files are removed and
workers end. Once the exit code is known, it stands: what the code says has happened.
"""

import atexit
import contextlib
import gc
import os
import signal
import sys
import weakref
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn

from cxrtool.core.errors import Interrupted, Terminated

KINDS: dict[int, type[BaseException]] = {
    signal.SIGTERM: Terminated,
    signal.SIGINT: Interrupted,
}
# Seconds after which an exception that was swallowed is raised again.
AGAIN = 0.1
# Seconds after which it is looked whether an import has ended.
SOON = 0.005
# Seconds that the clean-up at the end may still take after a signal.
PATIENCE = 3.0


class _State:
    """What the handlers know; they are called with nothing of ours."""

    works = False
    code: int | None = None
    received = 0
    raised: Callable[[], BaseException | None] | None = None


_state = _State()


def received() -> BaseException | None:
    """Return the exception that stands for the signal that has arrived, if one has."""
    return KINDS[_state.received]() if _state.received else None


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """Let SIGTERM and SIGINT raise exceptions while the block runs, unless they are ignored."""
    _state.works = True
    sys.unraisablehook = _unraisable
    for number in KINDS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _answer)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, _look_again)
    try:
        yield
    finally:
        settle()


def settle() -> None:
    """Raise nothing from here on: a signal has been answered, or the work is over."""
    _state.works = False


def leave(code: int) -> NoReturn:
    """Do what modules have registered for the end, and end the process with the code.

    The interpreter's own end takes half a second where PyTorch is loaded, in which a signal would
    show a traceback and change the code.
    """
    settle()
    _state.code = code
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    with contextlib.suppress(OSError):
        # All has been said: nobody wants to read what libraries say as they end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    if code:
        gc.collect()  # What was given up half-way may still hold an unfinished file.
    atexit._run_exitfuncs()
    os._exit(code)


def _answer(number: int, frame: FrameType | None) -> None:
    _state.received = _state.received or number
    if _state.works:
        _raise(frame)
    else:
        _set_alarm(PATIENCE)


def _look_again(_: int, frame: FrameType | None) -> None:
    if _state.works:
        _raise(frame)
    else:
        os._exit(128 + _state.received if _state.code is None else _state.code)


def _raise(frame: FrameType | None) -> None:
    """Raise the exception of the signal, unless it is on its way: another would end the clean-up.

    One that no longer exists was swallowed, by a destructor or by a library that catches all. While
    modules are imported, it waits: C++ code of PyTorch that calls Python then ends the process.
    """
    if _imports(frame):
        return _set_alarm(SOON)
    _set_alarm(AGAIN)
    if _state.raised is None or _state.raised() is None:
        # No variable may hold it, which would keep it alive through its own traceback.
        raise _new_exception()


def _imports(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _new_exception() -> BaseException:
    exception = KINDS[_state.received]()
    _state.raised = weakref.ref(exception)
    return exception


def _set_alarm(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _unraisable(about: "sys.UnraisableHookArgs") -> None:
    """Say nothing of what a signal does to destructors, which cannot raise."""
    if not _state.received:
        sys.__unraisablehook__(about)
