"""The one place that maps a function over many inputs.

Here, each input is worked on in a worker process under a guard: at most so many seconds, at most so
much memory, and a crash of a decoder is one lost input, not the end of the run. Results come back
in the order of the inputs, with a bounded number of them in flight. Measured on two cores, threads
equalize images a tenth faster than these processes (2.06 and 1.89 times one worker), but no guard
can stop a thread. On a Dask cluster (`cluster.py`) the guard is the cluster's own.
"""

import contextlib
import importlib
import multiprocessing
import os
import signal
import sys
import time
import traceback
import types
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from multiprocessing import connection
from typing import Any

from cxrtool import heap, progress
from cxrtool.errors import BrokenRun, CxrtoolError

# What one hostile file may cost.
SECONDS = 10.0
MEMORY = 1 << 30
# What a worker may take to start, on a machine that is busy.
START = 60.0
# Inputs that a worker has at a time, so that it need not wait for the next.
DEPTH = 2
# Results that may wait for an earlier one, a worker.
AHEAD = 8


@dataclass(frozen=True)
class Crew:
    """Who does the work: so many workers here, or those of the Dask scheduler at an address."""

    jobs: int = 1
    dask: str = ""

    def of(self, most: int) -> "Crew":
        """Take no more workers than there is work."""
        return replace(self, jobs=max(1, min(self.jobs, most)))


@dataclass(frozen=True)
class Lost:
    """An input whose worker did not come back with a result, and why."""

    reason: str


@dataclass(frozen=True)
class _Fault:
    """A fault of the function itself: its kind, and its traceback."""

    kind: str
    text: str


@dataclass(frozen=True)
class _End:
    """What ends the run, such as a full disk."""

    error: CxrtoolError


class _Worker:
    """One process that takes inputs through a pipe and sends results back."""

    def __init__(self, context: Any, function: Callable[[Any], Any]) -> None:
        self.pipe, far = context.Pipe()
        self.process = context.Process(target=_serve, args=(far, function), daemon=True)
        try:
            with _without_main():
                self.process.start()
        except OSError as e:
            what = f"cannot start a worker: {(e.strerror or str(e)).lower()}"
            raise BrokenRun(what, "Allow more processes, or use fewer workers (-j 1).") from e
        far.close()
        # The first task is being worked on, the next waits in the pipe.
        self.tasks: deque[tuple[int, Any]] = deque()
        self.deadline = float("inf")
        self.ready = False

    def give(self, number: int, item: Any, seconds: float) -> None:
        self.tasks.append((number, item))
        if len(self.tasks) == 1:
            self.begin(seconds)
        with contextlib.suppress(OSError):  # It died: the closed pipe tells on reading.
            self.pipe.send(item)

    def begin(self, seconds: float) -> None:
        # The time of an input begins when its worker is up and done with the one before.
        begun = time.monotonic() + (seconds if self.ready else START)
        self.deadline = begun if self.tasks else float("inf")

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def crash(self) -> str:
        self.process.join(5)
        code = self.process.exitcode or 0
        return f"crashed the decoder ({signal.Signals(-code).name if code < 0 else f'exit {code}'})"


def _serve(pipe: connection.Connection, function: Callable[[Any], Any]) -> None:
    """Work on inputs until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):  # The server that it comes from has blocked them.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    _hush()
    # A server that was started for other work has not imported them.
    for name in getattr(function, "modules", ()):
        importlib.import_module(name)
    _limit_memory()
    _tune()
    pipe.send(None)
    with contextlib.suppress(EOFError, OSError):
        while True:
            pipe.send(attempt(function, pipe.recv()))


def attempt(function: Callable[[Any], Any], item: Any) -> Any:
    """Work on one input; what goes wrong comes back as a value."""
    try:
        return function(item)
    except MemoryError:
        return Lost(f"needs more than {MEMORY >> 30} GiB of memory")
    except CxrtoolError as e:
        return _End(e)
    except Exception as e:
        return _Fault(type(e).__name__, traceback.format_exc())


def judged(result: Any) -> Any:
    """Raise what ends the run, and let a fault of this program cost no other input its result."""
    if isinstance(result, _End):
        raise result.error
    if isinstance(result, _Fault):
        progress.detail(result.text)
        return Lost(f"met a fault of cxrtool itself ({result.kind}): please report it")
    return result


def _hush() -> None:
    """Silence C libraries that write to standard error by themselves."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _tune() -> None:
    """Spare what costs time: threads beside a worker a core, and memory fetched anew.

    A thousand pages to be cleared for the next image are a third of the time of decoding it.
    """
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)
    heap.tune(mmap_threshold=32 << 20, trim_threshold=128 << 20)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        with open("/proc/self/statm") as statm:
            mapped, resident = (int(n) * resource.getpagesize() for n in statm.read().split()[:2])
        # What is mapped need not be in memory: what is there already counts towards the limit.
        most = mapped - resident + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def each(
    function: Callable[[Any], Any], items: Iterable[Any], crew: Crew, seconds: float = SECONDS
) -> Generator[Any, None, None]:
    """Yield `function(item)` for every item in order, or `Lost` for one that its worker lost.

    The function is a plain one of its item, importable as it is or as the class of a callable
    object, and catches what it expects to go wrong.
    """
    if crew.dask:
        from cxrtool import cluster

        return cluster.each(function, items, crew.dask)
    return _here(function, items, crew.jobs, seconds)


def _here(
    function: Callable[[Any], Any], items: Iterable[Any], jobs: int, seconds: float
) -> Generator[Any, None, None]:
    pool = _Pool(function, seconds)
    tasks = enumerate(items)
    done: dict[int, Any] = {}
    following = given = 0
    more = True
    try:
        while more or given > following:
            while more and given - following < AHEAD * jobs and pool.has_room(jobs):
                task = next(tasks, None)
                if task is None:
                    more = False
                else:
                    pool.give(*task, jobs)
                    given += 1
            if following not in done and given > following:
                done.update(pool.collect())
            while following in done:
                yield done.pop(following)
                following += 1
    finally:
        pool.stop()


class _Pool:
    """Workers of one function, each replaced when it is lost."""

    def __init__(self, function: Callable[[Any], Any], seconds: float) -> None:
        self.function, self.seconds = function, seconds
        # `modules` are those that a callable object will import: better before the memory limit.
        self.context = _context([function.__module__, *getattr(function, "modules", ())])
        self.workers: list[_Worker] = []

    def has_room(self, jobs: int) -> bool:
        """Tell whether a task can be given; workers are started as there is work for them."""
        return len(self.workers) < jobs or any(len(w.tasks) < DEPTH for w in self.workers)

    def give(self, number: int, item: Any, jobs: int) -> None:
        """Give a task to the worker that has least to do."""
        if len(self.workers) < jobs:
            self.workers.append(_Worker(self.context, self.function))
        least = min(self.workers, key=lambda w: len(w.tasks))
        least.give(number, item, self.seconds)

    def collect(self) -> dict[int, Any]:
        """Wait for results, a crash or a deadline, and return what came of which task."""
        busy = [w for w in self.workers if w.tasks]
        patience = max(0.0, min(w.deadline for w in busy) - time.monotonic())
        ready = connection.wait([w.pipe for w in busy], patience)
        found = {}
        for worker in busy:
            if worker.pipe in ready:
                result = self._receive(worker)
            elif time.monotonic() > worker.deadline:
                result = Lost(f"took longer than {self.seconds:g} s")
            else:
                continue
            if result is not _UP:
                found[worker.tasks.popleft()[0]] = result
                worker.begin(self.seconds)
            if isinstance(result, Lost):
                self._replace(worker)
        return found

    def _receive(self, worker: _Worker) -> Any:
        try:
            result = worker.pipe.recv()
        except (EOFError, OSError):
            if not worker.ready:
                what = f"a worker cannot start (exit {worker.process.exitcode})"
                raise BrokenRun(what, "Check the installation and the free memory.") from None
            return Lost(worker.crash())
        if not worker.ready:
            worker.ready = True
            worker.begin(self.seconds)
            return _UP
        return judged(result)

    def _replace(self, worker: _Worker) -> None:
        """Start another worker, which takes over what was waiting in the pipe."""
        worker.stop()
        fresh = _Worker(self.context, self.function)
        self.workers[self.workers.index(worker)] = fresh
        for task in worker.tasks:
            fresh.give(*task, self.seconds)

    def stop(self) -> None:
        """End all workers, whatever they are at."""
        for worker in self.workers:
            worker.stop()


_UP = object()  # A worker's first word: it has started.


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keep each worker from importing again the script that started this process.

    It is not needed there, and it may not be importable: a name on standard input, say.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _context(modules: list[str]) -> Any:
    """Start workers from a clean server that has imported the modules already.

    A fork of this process would copy its threads' locks; a spawned worker would import anew.
    """
    # More threads inside a worker than cores outside would only fight.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(modules)
    _start_server()
    return context


def _start_server() -> None:
    """Start the server so that no signal of the terminal or of a cluster shows a traceback.

    It ends when this process does. What it says on standard error is for nobody: neither it nor
    its workers are there to be seen.
    """
    from multiprocessing import forkserver, resource_tracker

    resource_tracker.ensure_running()  # It would end the blocking below.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        with _silence():
            forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Let what is started meanwhile have a standard error that nobody reads."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)
