"""Start worker processes from a clean server process, which prints nothing and ignores signals."""

import contextlib
import errno
import multiprocessing
import os
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator
from typing import Any

# Seconds after which it is tried again to start a process: a server that was killed needs a moment
# to be gone.
PAUSES = (0.1, 0.3, 1.0, 0.0)
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
SAFE = "PYTHONSAFEPATH"  # Python then leaves the working folder out of where it looks for modules.


@contextlib.contextmanager
def without_main() -> Iterator[None]:
    """Keep each worker from importing again the script that started this process.

    It is not needed there, and it may not be importable: a name on standard input, say.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def started(make: Callable[[], Any]) -> Any:
    """Start a process; where the server was killed meanwhile, again from another one.

    The kernel kills one where memory runs out, as it does a worker.
    """
    for pause in PAUSES:
        process = make()
        try:
            with without_main():
                process.start()
            return process
        except (EOFError, ConnectionError) as e:
            if not pause or "forkserver" not in multiprocessing.get_all_start_methods():
                raise OSError(errno.ECHILD, "the server of the workers was killed") from e
            time.sleep(pause)
            _start_server()
    raise AssertionError  # It has returned, or raised.


def context(modules: list[str]) -> Any:
    """Start workers from a clean server that has imported the modules already.

    A fork of this process would copy its threads' locks; a spawned worker would import anew.
    """
    # More threads inside a worker than cores outside would only fight.
    for name in THREADS:
        os.environ.setdefault(name, "1")
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    workers = multiprocessing.get_context("forkserver")
    workers.set_forkserver_preload(modules)
    _start_server()
    return workers


def prepare(modules: list[str]) -> None:
    """Start the server early; libraries that are yet to be imported here keep their threads."""
    before = {name: os.environ.get(name) for name in THREADS}
    context(modules)
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)


def _start_server() -> None:
    """Start the server so that no signal of the terminal or of a cluster shows a traceback.

    It ends when this process does. Its standard error, and that of its workers, is discarded.
    """
    from multiprocessing import forkserver, resource_tracker

    resource_tracker.ensure_running()  # It would end the blocking below.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        with _silence(), _own_modules():
            forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _own_modules() -> Iterator[None]:
    """Keep what is started meanwhile from importing what lies in the working folder.

    A folder `cxrtool` there, such as a clone, would be taken for the package, unless this process
    runs from it.
    """
    package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if SAFE in os.environ or os.path.realpath(package) == os.path.realpath(os.curdir):
        yield
        return
    os.environ[SAFE] = "1"
    try:
        yield
    finally:
        del os.environ[SAFE]


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Discard the standard error of what is started meanwhile."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
