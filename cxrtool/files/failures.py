"""failures.csv: every input that does not reach the output, why, and what to do about it."""

import contextlib
import csv
import errno
import io
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NoReturn, TypeVar

from cxrtool.core import outputs, progress
from cxrtool.core.errors import CxrtoolError, ExitCode, FailedInput, NoImage, Skip, one_line
from cxrtool.files import disk, table

COLUMNS = ("path", "reason", "remedy", "command")
OLD_COLUMNS = COLUMNS[:3]  # as earlier versions wrote them
MOST_BYTES = 1 << 30
NO_FILE = os.strerror(errno.ENOENT).lower()

# How many kinds of files are named in a line, and endings that follow another one (.nii.gz).
MOST_KINDS = 12
PACKED = (".gz", ".bz2", ".xz", ".zst")

Entry = tuple[str, ...]
Used = TypeVar("Used")


class Failures:
    """Collects what a run skips; at the end the list is written and gives the exit code.

    The list goes into the file `failures`, else into the command's folder, else beside its output.
    Without any of these places, the list is on standard error alone. Each failed input is one line;
    inputs that are left out by a rule are counted.

    A file that the user names is this run's own. A failures.csv may hold the rows of other
    commands that share the folder: a run replaces those of the same command on the same files, and
    leaves the others; one that no row is left of is removed.
    """

    def __init__(
        self,
        failures: str | None,
        *,
        folder: str | None = None,
        output: str = "-",
        strict: bool = False,
    ) -> None:
        self.strict = strict
        self.failed = 0
        self._asked = failures is not None
        self.command = outputs.current().title
        if failures is not None:
            disk.check_output(failures)
        self._skips: list[Entry] = []
        self._left_out: Counter[str] = Counter()
        self._no_images: Counter[str] = Counter()
        self.file = failures or outputs.list_beside(folder, output)
        # A file of the user's own that happens to have the name is not to be lost.
        if failures is None and self.file and os.path.exists(self.file) and not _is_list(self.file):
            what = f"{self.file}: exists and is not a list of skipped inputs"
            raise CxrtoolError(what, "Name another file for the list.", settings=["failures"])

    def __len__(self) -> int:
        return len(self._skips)

    def add(self, skip: Skip) -> None:
        """Add one skipped input; in a strict run, one that failed ends it."""
        if isinstance(skip, NoImage):
            self._no_images[_kind(skip.path)] += 1
            progress.detail(f"{skip.path}: {skip.reason}")
            return
        if skip.failed:
            what = f"{skip.path}: {skip.reason}"
            if self.strict:
                raise FailedInput(what, skip.remedy)
            progress.error(CxrtoolError(what, skip.remedy))
            self.failed += 1
        else:
            self._left_out[skip.reason] += 1
        self._skips.append((skip.path, skip.reason, skip.remedy))

    def checked(self, rows: Iterable[Used]) -> Iterator[Used]:
        """Yield what is made of the inputs; where none could be used, refuse the run."""
        some = False
        for row in rows:
            some = True
            yield row
        if not some:
            self.refuse()

    def refuse(self) -> NoReturn:
        """Write the list, and end a run in which no input could be used: it makes nothing."""
        self.close()
        if self._skips and all(reason == NO_FILE for _, reason, _ in self._skips):
            remedy = "Run the command in the folder where the paths begin, or name this folder."
            raise CxrtoolError("no image was found", remedy, settings=["root"])
        raise CxrtoolError("no image could be used", "See the reasons above.")

    def note_counts(self) -> None:
        """Print how many inputs are left out by a rule, and how many files are not images."""
        for reason, count in self._left_out.most_common():
            progress.note(f"left out {count}: {reason}")
        if self._no_images:
            kinds = sorted(self._no_images.items(), key=lambda kind: (-kind[1], kind[0]))
            listed = ", ".join(f"{kind} {count}" for kind, count in kinds[:MOST_KINDS])
            more = ", ..." * (len(kinds) > MOST_KINDS)
            number = self._no_images.total()
            files = "1 file is not an image" if number == 1 else f"{number} files are not images"
            progress.note(f"{files}: {listed}{more} (-v lists them)")

    def close(self) -> ExitCode:
        """Print the counts, write the list, and return the exit code."""
        self.note_counts()
        if self.file is not None:
            mine = [_clean((*skip, self.command)) for skip in self._skips]
            if self._asked:
                table.write(self.file, COLUMNS, mine)
            else:
                _merge(self.file, mine, _clean((self.command,))[0])
            if self._skips:
                what = "skipped" if self.failed else "left out"
                progress.note(f"{len(self._skips)} {what}, listed in {self.file}")
        return ExitCode.SOME_INPUTS_FAILED if self.failed else ExitCode.DONE


def _kind(path: str) -> str:
    """Name the kind of a file by its ending: .txt, .nii.gz."""
    name = os.path.basename(path).lower()
    if name.startswith("."):
        return "hidden"
    stem, ending = os.path.splitext(name)
    inner = os.path.splitext(stem)[1] if ending in PACKED else ""
    return one_line(inner + ending) or "without ending"


def _clean(cells: Entry) -> Entry:
    # A name that is not UTF-8 is shown with its bytes escaped, so that the list stays UTF-8.
    return tuple(c.encode("utf-8", "backslashreplace").decode() for c in cells)


def _is_list(file: str) -> bool:
    return os.path.islink(file) or _entries(_bytes(file)) is not None


def _bytes(file: str) -> bytes:
    with contextlib.suppress(OSError, ValueError):
        return disk.read_bytes(file, MOST_BYTES)
    return b""


def _entries(data: bytes) -> list[Entry] | None:
    """Read a list, without the rows that do not say which command they are of; None of others."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    if not rows or tuple(rows[0]) not in (COLUMNS, OLD_COLUMNS):
        return None
    return [tuple(row) for row in rows[1:] if len(row) == len(COLUMNS) and row[-1]]


def _merge(file: str, mine: list[Entry], command: str) -> None:
    """Put the rows of a command in the place of those that it has in the list.

    Commands that run side by side take turns.
    """
    if os.path.islink(file):
        if mine:
            _write(file, mine)
        return
    while (held := _held(file)) is None:
        if not mine:
            return
        with contextlib.suppress(FileExistsError):  # Another command was first: merge with it.
            return _write(file, mine, fresh=True)
    try:
        others = [e for e in _entries(_bytes(file)) or () if e[-1] != command]
        if others or mine:
            _write(file, [*others, *mine])
        elif _is_list(file):
            os.unlink(file)
    finally:
        os.close(held)


def _held(file: str) -> int | None:
    """Keep other commands from replacing a list, until the descriptor is closed; None: no list."""
    while True:
        try:
            descriptor = os.open(file, os.O_RDONLY)
        except FileNotFoundError:
            return None
        except OSError as e:
            raise disk.output_error(file, e) from e
        if sys.platform != "win32":
            import fcntl

            with contextlib.suppress(OSError):  # Some network file systems cannot lock.
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(file)):
                return descriptor
        os.close(descriptor)  # It was replaced while this command waited.


def _write(file: str, entries: list[Entry], *, fresh: bool = False) -> None:
    with disk.atomic(file, fresh=fresh) as stream:
        stream.write(table.lines([COLUMNS, *entries]).encode())
