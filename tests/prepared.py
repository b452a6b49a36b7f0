"""Processes that have imported everything, and fork one for each command that a test runs.

To start Python and to import its libraries takes longer than most commands of the tests. What
depends on the start itself (locale, missing packages, signals, start times) is tested in processes
of its own.

There are two: to copy a process with PyTorch takes five times as long as to copy one without.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import prepared_workers

MOST_BYTES = 1 << 20
# Everything but what needs optional packages, and what is tried by its import alone.
PACKAGES = (
    "audit",
    "cli",
    "commands",
    "compare",
    "core",
    "data",
    "figures",
    "files",
    "images",
    "phantoms",
    "recipes",
    "stats",
)
# What commands import only when they draw, and when they train or show features.
FOR_PLOTS = (
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
)
TORCH = "torch"
FOR_LEARNING = (
    "cxrtool.learn.trainer",
    "cxrtool.learn.prediction",
    "sklearn.linear_model",
    "sklearn.manifold",
    "torch._dynamo",  # the first step of an optimiser imports it
)
NEED_TORCH = ("train", "evaluate", "cam", "tsne")


class Prepared:
    """Runs commands in copies of two processes, each started at its first use."""

    def __init__(self) -> None:
        self._copied: dict[bool, Copied] = {}

    def run(
        self, args: list[str], given: bytes | None, folder: str, env: dict[str, str], limit: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `cxrtool ARGS` and wait for it."""
        torch = (args[:1] and args[0] in NEED_TORCH) or "--run" in args
        if torch not in self._copied:
            self._copied[torch] = Copied(torch)
        return self._copied[torch].run(args, given, folder, env, limit)

    def close(self) -> None:
        """End the processes."""
        for process in self._copied.values():
            process.close()


def started(channel: socket.socket, name: str) -> subprocess.Popen[bytes]:
    """Start a process that answers there; `torch` has imported PyTorch, too."""
    return subprocess.Popen(
        [sys.executable, __file__, str(channel.fileno()), name],
        pass_fds=[channel.fileno()],
        stdin=subprocess.DEVNULL,
    )


class Copied:
    """Runs commands in copies of one process."""

    def __init__(self, torch: bool) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = started(theirs, TORCH if torch else "")
        theirs.close()

    def run(
        self, args: list[str], given: bytes | None, folder: str, env: dict[str, str], limit: float
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `cxrtool ARGS` and wait for it."""
        request = json.dumps({"args": args, "folder": folder, "env": env}).encode()
        reads, feeding = _fed(given)
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        socket.send_fds(self._channel, [request], [reads, out_end, err_end])
        for end in (reads, out_end, err_end):
            os.close(end)
        with ThreadPoolExecutor(2) as pool:
            texts = [pool.submit(_all_of, end) for end in (out, err)]
            code = self._code(int(self._channel.recv(MOST_BYTES)), limit)
        feeding.join()
        return subprocess.CompletedProcess(args, code, *(text.result() for text in texts))

    def _code(self, pid: int, limit: float) -> int:
        self._channel.settimeout(limit)
        try:
            return int(self._channel.recv(MOST_BYTES))
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            self._channel.settimeout(None)
            self._channel.recv(MOST_BYTES)
            raise subprocess.TimeoutExpired(str(pid), limit) from None
        finally:
            self._channel.settimeout(None)

    def close(self) -> None:
        """End the process."""
        self._channel.close()
        self._process.wait()


def _fed(given: bytes | None) -> tuple[int, threading.Thread]:
    """Return where the command reads its standard input, and what writes it."""
    if given is None:
        reads, writes = os.open(os.devnull, os.O_RDONLY), os.open(os.devnull, os.O_WRONLY)
    else:
        reads, writes = os.pipe()
    feeding = threading.Thread(target=_feed, args=(writes, given or b""))
    feeding.start()
    return reads, feeding


def _feed(writes: int, given: bytes) -> None:
    # The command may close its end early.
    with contextlib.suppress(BrokenPipeError), os.fdopen(writes, "wb") as pipe:
        pipe.write(given)


def _all_of(end: int) -> bytes:
    with os.fdopen(end, "rb") as pipe:
        return pipe.read()


def serve(channel: socket.socket) -> None:
    """Fork a process for each request, until the other end is closed."""
    while True:
        request, descriptors, _, _ = socket.recv_fds(channel, MOST_BYTES, 3)
        if not request:
            return
        pid = os.fork()
        if not pid:
            channel.close()
            _become(json.loads(request), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        channel.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        channel.send(str(os.waitstatus_to_exitcode(status)).encode())


def receive(door: socket.socket) -> None:
    """Fork a process for each one that comes to the door; several run at once."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        channel, _ = door.accept()
        if not os.fork():
            door.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            serve(channel)
            os._exit(0)
        channel.close()


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Run the command as a new process would, and end."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if TORCH not in sys.modules and request["args"][:1] in [[c] for c in prepared_workers.COMMANDS]:
        prepared_workers.Waiting()
    from cxrtool import __main__ as program

    sys.argv = [str(program.__file__), *request["args"]]
    sys.modules["__main__"] = program
    code: Any = 0
    try:
        program.main()
    except SystemExit as e:
        code = e.code
    except BaseException:
        sys.excepthook(*sys.exc_info())
        code = 1
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 120
    os._exit(code if isinstance(code, int) else int(code is not None))


class WithoutTorch:
    """Lets the import of PyTorch fail."""

    @staticmethod
    def find_spec(name: str, *_: Any) -> None:
        if name == TORCH:
            raise ModuleNotFoundError(name)


def prepare(torch: bool) -> None:
    """Import what commands import: all of it, or what does without PyTorch."""
    for name in (*FOR_PLOTS, *(FOR_LEARNING if torch else ())):
        importlib.import_module(name)
    if not torch:
        sys.meta_path.insert(0, WithoutTorch)  # type: ignore[arg-type]
    for package in map("cxrtool.{}".format, PACKAGES):
        folder = importlib.import_module(package)
        for module in pkgutil.walk_packages(folder.__path__, f"{package}."):
            with contextlib.nullcontext() if torch else contextlib.suppress(ImportError):
                importlib.import_module(module.name)
    if not torch:
        sys.meta_path.remove(WithoutTorch)  # type: ignore[arg-type]
    gc.collect()
    gc.freeze()  # What was imported is not written to by the copies.


def main() -> None:
    prepare(TORCH in sys.argv[2:])
    channel = socket.socket(fileno=int(sys.argv[1]))
    listens = channel.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    receive(channel) if listens else serve(channel)


if __name__ == "__main__":
    main()
