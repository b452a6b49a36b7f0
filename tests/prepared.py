"""A process that has imported everything, and forks one for each command that a test runs.

To start Python and to import its libraries takes longer than most commands of the tests. What
depends on the start itself (locale, missing packages, signals, start times) is tested in processes
of its own.
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

MOST_BYTES = 1 << 20
# Everything but what needs optional packages, and what is tried by its import alone.
PACKAGES = ("audit", "cli", "commands", "compare", "core", "data", "figures", "files", "images")


class Prepared:
    """Runs commands in copies of one process that is started at first use."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
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


def _become(request: dict[str, Any], descriptors: list[int]) -> None:
    """Run the command as a new process would, and end."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["env"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
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


def main() -> None:
    for package in map("cxrtool.{}".format, PACKAGES):
        folder = importlib.import_module(package)
        for module in pkgutil.walk_packages(folder.__path__, f"{package}."):
            importlib.import_module(module.name)
    importlib.import_module("torch")
    gc.collect()
    gc.freeze()  # What was imported is not written to by the copies.
    serve(socket.socket(fileno=int(sys.argv[1])))


if __name__ == "__main__":
    main()
