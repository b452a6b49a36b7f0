"""Worker processes on this machine, each input under a guard.

An input may cost so many seconds of processor time and so much memory, and a crash of a decoder
loses that input, not the run. On a busy machine nothing is lost: the time that a worker waits for a
core does not count, and one that is killed from outside is replaced and tries again. Measured on
two cores, threads equalize images a tenth faster than these processes (2.06 and 1.89 times one
worker), but no guard can stop a thread.
"""

import contextlib
import importlib
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing import connection
from typing import Any

from cxrtool.core import memory, worker_server
from cxrtool.core.attempts import AHEAD, MEMORY, Lost, attempt, judged
from cxrtool.core.errors import BrokenRun

# What one hostile file may cost, in seconds of processor time.
SECONDS = 10.0
# Seconds after which a worker that uses no processor time is given up (a network folder that
# hangs), and after which one is that uses ever so little.
STILL, MOST = 60.0, 1200.0
# Seconds between two looks at workers that are at work.
LOOK = 1.0
# Signals that come from outside, such as the kernel's when memory runs out; a decoder that crashes
# gets others.
OUTSIDE = {-signal.SIGTERM, -signal.SIGINT} | {
    -getattr(signal, name) for name in ("SIGKILL", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
}
# What multiprocessing says of a worker whose server was killed too.
OUTSIDE |= {255}
# Inputs that a worker has at a time, so that it need not wait for the next.
DEPTH = 2


class _Worker:
    """One process that takes inputs through a pipe and sends results back."""

    def __init__(self, context: Any, function: Callable[[Any], Any], seconds: float) -> None:
        self.pipe, far = context.Pipe()
        given = {"target": _serve, "args": (far, function, seconds), "daemon": True}
        try:
            self.process = worker_server.started(lambda: context.Process(**given))
        except OSError as e:
            what = f"cannot start a worker: {(e.strerror or str(e)).lower()}"
            raise BrokenRun(what, "Allow more processes, or use fewer workers.") from e
        far.close()
        # The first task is being worked on, the next waits in the pipe.
        self.tasks: deque[tuple[int, Any]] = deque()
        self.ready = False
        self.begin()

    def give(self, number: int, item: Any) -> None:
        self.tasks.append((number, item))
        with contextlib.suppress(OSError):  # It died: reading from its pipe will show that.
            self.pipe.send(item)

    def begin(self) -> None:
        """Count anew how long the worker takes."""
        self.used = self.still = self.waited = 0.0

    def wait(self, seconds: float) -> str:
        """Count time in which nothing came, and say why no more is to be waited for."""
        used = _processor_seconds(self.process.pid)
        self.still = 0.0 if used > self.used else self.still + seconds
        self.used, self.waited = used, self.waited + seconds
        if self.still >= STILL:
            return f"made no progress for {STILL:g} s"
        return f"took longer than {MOST:g} s" if self.waited >= MOST else ""

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def exit_code(self) -> int:
        self.process.join(5)
        return self.process.exitcode or 0


def _processor_seconds(pid: int | None) -> float:
    """Return the processor time that a process has used; 0 where the system does not say."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            user, system = file.read().rpartition(") ")[2].split()[11:13]
    except (OSError, ValueError):
        return 0.0
    return float(int(user) + int(system))


def _serve(pipe: connection.Connection, function: Callable[[Any], Any], seconds: float) -> None:
    """Work on inputs until the pipe closes; one that takes too long ends the process."""
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
            item = pipe.recv()
            with _limited_time(seconds):
                result = attempt(function, item)
            pipe.send(result)


@contextlib.contextmanager
def _limited_time(seconds: float) -> Iterator[None]:
    """Let the kernel end this process when it has used so much processor time."""
    if not hasattr(signal, "ITIMER_PROF"):
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _hush() -> None:
    """Silence C libraries that write to standard error by themselves."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _tune() -> None:
    """Spare what costs time: threads beside a worker a core, and memory fetched anew.

    A thousand pages to be cleared for the next image are a third of the time of decoding it.
    """
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)
    memory.tune(mmap_threshold=32 << 20, trim_threshold=128 << 20)


def _limit_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        with open("/proc/self/statm") as statm:
            mapped, resident = (int(n) * resource.getpagesize() for n in statm.read().split()[:2])
        # What is mapped need not be in memory: what is there already counts towards the limit.
        most = mapped - resident + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def each(
    function: Callable[[Any], Any], items: Iterable[Any], jobs: int, seconds: float
) -> Generator[Any, None, None]:
    """Yield `function(item)` for every item in order; a bounded number is under way."""
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
        modules = [function.__module__, *getattr(function, "modules", ())]
        self.context = worker_server.context(modules)
        self.workers: list[_Worker] = []
        self.repeated: set[int] = set()  # tasks whose worker was killed from outside

    def has_room(self, jobs: int) -> bool:
        """Whether a task can be given; workers are started when there is work for them."""
        return len(self.workers) < jobs or any(len(w.tasks) < DEPTH for w in self.workers)

    def give(self, number: int, item: Any, jobs: int) -> None:
        """Give a task to the worker that has least to do."""
        if len(self.workers) < jobs:
            self.workers.append(self._worker())
        min(self.workers, key=lambda w: len(w.tasks)).give(number, item)

    def _worker(self) -> _Worker:
        return _Worker(self.context, self.function, self.seconds)

    def collect(self) -> dict[int, Any]:
        """Wait for results, a crash or too long a time, and return what came of which task."""
        busy = [w for w in self.workers if w.tasks]
        ready = connection.wait([w.pipe for w in busy], LOOK)
        outcome = {}
        for worker in busy:
            if worker.pipe in ready:
                result = self._receive(worker)
            # While this process is stopped (Ctrl-Z) no time is counted.
            elif not ready and (reason := worker.wait(LOOK)):
                result = Lost(reason)
            else:
                continue
            if result is not _UP and result is not _AGAIN:
                outcome[worker.tasks.popleft()[0]] = result
            worker.begin()
            if result is _AGAIN or isinstance(result, Lost):
                self._replace(worker)
        return outcome

    def _receive(self, worker: _Worker) -> Any:
        try:
            result = worker.pipe.recv()
        except (EOFError, OSError):
            return self._ended(worker)
        if not worker.ready:
            worker.ready = True
            return _UP
        return judged(result)

    def _ended(self, worker: _Worker) -> Any:
        """Judge a worker that has ended: who is to blame, and whether to try again."""
        code = worker.exit_code()
        name = signal.Signals(-code).name if code < 0 else f"exit {code}"
        number = worker.tasks[0][0]
        if code in OUTSIDE and number not in self.repeated:
            self.repeated.add(number)
            return _AGAIN
        if not worker.ready:
            what = f"a worker cannot start ({name})"
            raise BrokenRun(what, "Check the installation and the free memory.")
        if code in OUTSIDE and code < 0:
            return Lost(f"its worker was killed ({name}), twice")
        if name == "SIGPROF":
            return Lost(f"took more than {self.seconds:g} s of processor time")
        return Lost(f"crashed the decoder ({name})")

    def _replace(self, worker: _Worker) -> None:
        """Start another worker, which takes over what was waiting in the pipe."""
        worker.stop()
        fresh = self._worker()
        self.workers[self.workers.index(worker)] = fresh
        for task in worker.tasks:
            fresh.give(*task)

    def stop(self) -> None:
        """End all workers, whatever they are at."""
        for worker in self.workers:
            worker.stop()


_UP = object()  # A worker's first word: it has started.
_AGAIN = object()  # A worker was killed: another is to try.
