"""Opening files: standard streams, whole-or-nothing writes, and errors in the user's words."""

import contextlib
import errno
import hashlib
import os
import platform
import re
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from cxrtool.core import file_identity, outputs
from cxrtool.core.errors import BrokenRun, CxrtoolError
from cxrtool.files import wrong_inputs

# What makes an output impossible from the start: a mistake of the command line, not of the disk.
_WRONG_PLACE = {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EACCES, errno.EPERM, errno.EROFS}


def shown(path: str | os.PathLike[str]) -> str:
    """Name a file in a message; `-` is a standard stream."""
    return os.fspath(path)


def temporary() -> IO[bytes]:
    """Open a file without a name, which is gone when it is closed."""
    return tempfile.TemporaryFile()


def read_bytes(path: str | os.PathLike[str], limit: int) -> bytes:
    """Read a whole regular file, at most `limit` bytes of it; ValueError says why not."""
    with open(path, "rb", opener=_without_waiting) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ValueError("it is not a regular file")
        outputs.current().protect_open(about, shown(path), resumed=True)
        if about.st_size > limit:
            raise ValueError(f"it has {about.st_size >> 20} MiB, more than {limit >> 20}")
        # Asked for more than there is, Python takes memory for all of it first.
        return file.read(about.st_size)


def _without_waiting(path: str, flags: int) -> int:
    # A FIFO without a writer would block the open for ever.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def open_input(path: str) -> BinaryIO:
    """Open a file for reading, or standard input for `-`."""
    if path == "-":
        if sys.stdin is None:
            raise CxrtoolError("standard input is closed", "Name a file instead of '-'.")
        with contextlib.suppress(OSError):  # A replacement of it need not be a file.
            about = os.fstat(sys.stdin.fileno())
            outputs.current().protect_open(about, "standard input")
        return sys.stdin.buffer
    try:
        outputs.current().protect(path, "which is read", later=True)
        return open(path, "rb")
    except IsADirectoryError as e:
        what = f"{shown(path)}: is a folder, not a table"
        raise CxrtoolError(what, wrong_inputs.of_folder(path)) from e
    except OSError as e:
        raise CxrtoolError(f"{shown(path)}: {_why(e)}", "Check the path.") from e


def close_input(stream: BinaryIO) -> None:
    """Close what `open_input` opened; standard input stays open."""
    if sys.stdin is None or stream is not getattr(sys.stdin, "buffer", None):
        stream.close()


def make_folder(folder: str | os.PathLike[str]) -> None:
    """Make a folder for outputs, with its parents, unless it is there."""
    outputs.current().enter(os.path.join(folder, ""))
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as e:
        raise output_error(folder, e) from e
    if not os.access(folder, os.W_OK | os.X_OK):
        raise output_error(folder, OSError(errno.EACCES, os.strerror(errno.EACCES)))
    sweep(folder)


# The folders that this run writes into, and what holds them.
_claimed: dict[str, int] = {}
CLAIMED = "Wait for its end, or name another folder: commands of one pipe need one each."


def claim(folder: str) -> None:
    """Keep any other run out of a folder until this one ends, in whatever way.

    Two runs would take turns at the same files, and the later would overwrite the earlier's list of
    skipped inputs.
    """
    place = os.path.realpath(folder)
    if place in _claimed or sys.platform == "win32":
        return
    import fcntl

    try:
        descriptor = os.open(place, os.O_RDONLY)
    except OSError:
        return  # It can be written, but not read: what is made there is whole all the same.
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        what = f"{shown(folder)}: another run is writing into it"
        raise CxrtoolError(what, CLAIMED) from None
    except OSError:
        pass  # Some network file systems cannot lock; every file is whole all the same.
    _claimed[place] = descriptor


def check_output(path: str) -> None:
    """Refuse early an output that could not be written at the end of a long run."""
    if path == "-":
        # The command line holds a closed standard output open, for reading only.
        if sys.stdout is None or not _is_writable(sys.stdout.fileno()):
            raise BrokenRun(
                "standard output is closed", "Name an output file.", settings=["output"]
            )
        return
    target = file_identity.followed(path)
    if os.path.isdir(target):
        raise CxrtoolError(f"{shown(path)}: is a folder", "Name a file in it.")
    folder = os.path.dirname(target)
    device = os.path.exists(target) and not os.path.isfile(target)
    if not os.path.isdir(folder):
        raise output_error(path, OSError(errno.ENOENT, "no such folder"))
    if not os.access(target if device else folder, os.W_OK):
        raise output_error(path, OSError(errno.EACCES, os.strerror(errno.EACCES)))


def _is_writable(descriptor: int) -> bool:
    if sys.platform == "win32":
        return True
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE != os.O_RDONLY


def user_cache() -> str:
    """Return the folder for files that can be recreated; not absolute where there is no home."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(cache, "cxrtool")


def output_error(path: str | os.PathLike[str], e: OSError) -> CxrtoolError:
    """Turn a failed write into an error for the user."""
    if e.errno in _WRONG_PLACE or isinstance(e, FileExistsError):
        return CxrtoolError(f"{shown(path)}: {_why(e)}", "Choose a place that can be written.")
    return BrokenRun(f"{shown(path)}: {_why(e)}", "Make room, then run the same command again.")


def _why(e: OSError) -> str:
    return (e.strerror or str(e)).lower()


@contextlib.contextmanager
def atomic(path: str | os.PathLike[str], *, fresh: bool = False) -> Iterator[BinaryIO]:
    """Write a file that gets its name only when it is complete and on the disk.

    A link that the user named as an output keeps pointing where it points; any other is replaced.
    With `fresh`, FileExistsError means that the name is taken by then.
    """
    target = Path(outputs.current().target(shown(path)))
    is_link = target.is_symlink() and not outputs.current().is_named(shown(path))
    if target.is_dir() and not is_link:
        raise CxrtoolError(f"{shown(path)}: is a folder", "Name a file in it.")
    if target.exists() and not target.is_file() and not is_link:
        # /dev/null, a FIFO or a pipe of the shell: there is nothing to rename over.
        with _reported(path), open(target, "wb") as file:
            yield file
        return
    try:
        handle, part = tempfile.mkstemp(".part", _part_prefix(), target.parent)
    except OSError as e:
        raise output_error(path, e) from e
    try:
        with _reported(path):
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fchmod(file.fileno(), 0o666 & ~_umask())
                os.fsync(file.fileno())
            if fresh:
                _place(part, target)
            else:
                os.replace(part, target)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(part)


def _place(part: str, target: Path) -> None:
    """Give a file its name, unless that is taken."""
    try:
        # A link, unlike a rename, takes no place that is taken.
        os.link(part, target)
    except FileExistsError:
        raise
    except OSError:
        os.replace(part, target)  # This file system has no links.


def create(path: str, data: bytes) -> None:
    """Write a secret whole, for this user's eyes, unless a run beside this one was first."""
    try:
        handle, part = tempfile.mkstemp(".part", _part_prefix(), os.path.dirname(path))
    except OSError as e:
        raise output_error(path, e) from e
    try:
        with _reported(path), os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, takes no place that is taken.
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        os.unlink(part)


@contextlib.contextmanager
def _reported(path: str | os.PathLike[str]) -> Iterator[None]:
    """Name the output in the errors of writing it, and leave those of other files alone."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as e:
        if e.filename is not None:
            raise
        raise output_error(path, e) from e


def _part_prefix(pid: int | None = None) -> str:
    host = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
    return f".cxrtool-{host}-{pid or os.getpid()}-"


def sweep(folder: str | os.PathLike[str]) -> None:
    """Remove the unfinished files that killed runs of this machine left in a folder."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            match = re.fullmatch(r"\.cxrtool-\w+-(\d+)-.*\.part", entry.name)
            if match and entry.name.startswith(_part_prefix(int(match[1]))):
                _remove_if_dead(entry.path, int(match[1]))


def _remove_if_dead(part: str, pid: int) -> None:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        with contextlib.suppress(OSError):
            os.unlink(part)
    except (PermissionError, OverflowError):
        pass  # Alive and somebody else's, or no process at all.


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def open_output(path: str) -> Iterator[BinaryIO]:
    """Open FILE to be written whole, or standard output for `-`."""
    if path != "-":
        sweep(Path(path).parent)
        with atomic(path) as file:
            yield file
        return
    check_output(path)
    out = sys.stdout.buffer
    with standard_output():
        yield out
        out.flush()


@contextlib.contextmanager
def standard_output() -> Iterator[None]:
    """Let a failed write to standard output (a full disk) end the run with its one line."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as e:
        raise BrokenRun(f"standard output: {_why(e)}", "Free some space, then run it again.") from e
