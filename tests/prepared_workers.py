"""The server of the workers, for commands that are copies of a prepared process.

A command that starts workers starts a new Python for their server, which takes longer than most
work of the tests. Here another copy of the prepared process waits, made before the command has done
anything, and becomes the server as soon as it is asked for. Where it was killed and another one is
asked for, that is a new Python.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
from collections.abc import Iterable
from multiprocessing import util

MOST_BYTES = 1 << 20
# Descriptors from here on are free in a process that has just been copied.
FREE = 512
COMMANDS = ("audit", "equalize", "ingest", "phantom", "segment")


class Waiting:
    """A process that waits to become the server of the workers."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid = os.fork()
        if not self._pid:
            self._channel.close()
            _wait(theirs)
        theirs.close()
        self._anew = util.spawnv_passfds
        util.spawnv_passfds = self.start

    def start(self, path: str, args: list[str], descriptors: Iterable[int]) -> int:
        """Start a process of multiprocessing: the server is there already."""
        if "forkserver" not in args[-1] or not self._pid:
            return int(self._anew(path, args, descriptors))
        numbers = [*descriptors]
        request = {"code": args[-1], "numbers": numbers, "env": dict(os.environ)}
        socket.send_fds(self._channel, [json.dumps(request).encode()], numbers)
        self._channel.close()
        pid, self._pid = self._pid, 0
        return pid


def _wait(channel: socket.socket) -> None:
    """Run the code that comes, with its descriptors; end where none comes."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    message, descriptors, _, _ = socket.recv_fds(channel, MOST_BYTES, 2)
    if not message:
        os._exit(0)
    request = json.loads(message)
    kept = [fcntl.fcntl(number, fcntl.F_DUPFD, FREE) for number in descriptors]
    os.closerange(3, FREE)
    for number, wanted in zip(kept, request["numbers"], strict=True):
        os.dup2(number, wanted)
        os.close(number)
    os.environ.clear()
    os.environ.update(request["env"])
    # As in a process that is started while they are blocked.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        exec(request["code"], {"__name__": "__main__"})
    finally:
        os._exit(0)
