"""failures.csv: every input that does not reach the output, why, and what to do about it."""

import contextlib
import os
from collections import Counter

from cxrtool import outputs, progress
from cxrtool.artifacts import files, table
from cxrtool.errors import CxrtoolError, ExitCode, NoImage, Skip, one_line

COLUMNS = ("path", "reason", "remedy")
MOST_BYTES = 1 << 30
# How many kinds of files are named in a line, and the endings before which another one stands.
MOST_KINDS = 12
PACKED = (".gz", ".bz2", ".xz", ".zst")


class Failures:
    """Collects what a run skips; at the end the list is written and gives the exit code.

    The list goes where `--failures` says, else into the command's folder, else beside its
    output. Without any of these places, standard error alone tells. What failed is told line by
    line, what is left out by rule is counted. A run that skips nothing writes an empty list where
    it was asked for one and removes the old one from its own folder; the one beside its output it
    leaves alone, as it may be another command's.
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
        self._asked, self._own = failures is not None, folder is not None
        if failures is not None:
            files.check_output(failures)
        self._skips: list[tuple[str, str, str]] = []
        self._left_out: Counter[str] = Counter()
        self._no_images: Counter[str] = Counter()
        self.file = failures or outputs.list_beside(folder, output)
        # A file of the user's own that happens to have the name is not to be lost.
        if failures is None and self.file and os.path.exists(self.file) and not _is_list(self.file):
            what = f"{self.file}: in the way of the list of skipped inputs"
            raise CxrtoolError(what, "Say with --failures FILE where the list is to go.")

    def __len__(self) -> int:
        return len(self._skips)

    def add(self, skip: Skip) -> None:
        """Note one skipped input; with --strict, one that failed ends the run."""
        if isinstance(skip, NoImage):
            self._no_images[_kind(skip.path)] += 1
            progress.detail(f"{skip.path}: {skip.reason}")
            return
        if skip.failed:
            what = f"{skip.path}: {skip.reason}"
            if self.strict:
                raise CxrtoolError(what, skip.remedy)
            progress.error(CxrtoolError(what, skip.remedy))
            self.failed += 1
        else:
            self._left_out[skip.reason] += 1
        self._skips.append((skip.path, skip.reason, skip.remedy))

    def tell(self) -> None:
        """Count what is left out by rule."""
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
        """Tell the counts and write the list: the exit code."""
        self.tell()
        if self.file is not None:
            if self._skips or self._asked:
                table.write(self.file, COLUMNS, (_clean(s) for s in self._skips))
            elif self._own and _is_list(self.file):
                os.unlink(self.file)
            if self._skips:
                progress.note(f"{len(self._skips)} skipped, listed in {self.file}")
        return ExitCode.SOME_INPUTS_FAILED if self.failed else ExitCode.DONE


def _kind(path: str) -> str:
    """Name the kind of a file by its ending: .txt, .nii.gz."""
    name = os.path.basename(path).lower()
    if name.startswith("."):
        return "hidden"
    stem, ending = os.path.splitext(name)
    inner = os.path.splitext(stem)[1] if ending in PACKED else ""
    return one_line(inner + ending) or "without ending"


def _clean(cells: tuple[str, str, str]) -> tuple[str, ...]:
    # A name that is not UTF-8 is shown with its bytes escaped, so that the list stays UTF-8.
    return tuple(c.encode("utf-8", "backslashreplace").decode() for c in cells)


def _is_list(file: str) -> bool:
    if os.path.islink(file):
        return True  # It is replaced, and what it leads to stays.
    with contextlib.suppress(OSError, ValueError):
        data = files.read_bytes(file, MOST_BYTES)
        return data.partition(b"\n")[0].strip() == ",".join(COLUMNS).encode()
    return False
