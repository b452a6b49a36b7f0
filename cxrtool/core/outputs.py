"""The files of one command: no output takes the place of an input, or of another output.

A command reserves its outputs before it reads anything. Every file that it then reads, and every
file that a table it reads names, is compared with them by what the file system says it is: links,
`..` and the case of letters lead to the same file. An output is written beside its place and
renamed into it at the end, so a command that is refused midway has replaced nothing.

Nothing is opened here.
"""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cxrtool.core import file_identity
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.file_identity import Identity

# The columns of a table that name files.
COLUMNS = ("path", "raw", "mask", "lesion", "mask_left", "mask_right")
LIST = "failures.csv"
MOST_KNOWN = 10_000  # folders, as the rows of a table come mostly from a few


@dataclass(frozen=True)
class Output:
    """A file that will be written: the option that names it, and its path."""

    option: str
    path: str
    named: bool = True  # by the user, who may name a link: it keeps pointing where it points
    resumed: bool = False  # the command itself reads it, to go on from there

    def __str__(self) -> str:
        return "standard output" if self.path == "-" else f"{self.option} {self.path}"

    @property
    def place(self) -> str:
        """Where it will be written: a link that the user did not name is replaced."""
        resolve = file_identity.followed if self.named else file_identity.unfollowed
        return resolve(self.path)

    @property
    def identity(self) -> Identity | None:
        """What is there already; None of a device, of nothing, or of a link to be replaced."""
        if self.path == "-":
            return file_identity.identity(1, stat.S_IFREG)
        return (
            None if os.path.islink(self.place) else file_identity.identity(self.place, stat.S_IFREG)
        )


@dataclass
class FilledFolder:
    """A folder that will be filled, with files of any name or with such endings."""

    option: str
    path: str
    endings: tuple[str, ...] = ("",)
    inputs: set[str] = field(default_factory=set)  # names in it that no output may have

    def __post_init__(self) -> None:
        self.absolute, self.place = os.path.abspath(self.path), os.path.realpath(self.path)
        self.identity = file_identity.identity(self.path, stat.S_IFDIR)
        self.is_empty = True
        with contextlib.suppress(OSError):
            self.is_empty = not os.listdir(self.path)

    @property
    def takes_images(self) -> bool:
        """Whether it gets images while rows are read, whose names follow from the rows."""
        return self.endings != ("",)

    def holds(self, path: str) -> bool:
        """Whether a path is below the folder, wherever links on it lead."""
        absolute = os.path.abspath(path)
        return any(absolute.startswith(os.path.join(f, "")) for f in (self.absolute, self.place))

    def keep(self, name: str) -> None:
        """Note a file in the folder that no output may replace."""
        if name.endswith(self.endings):
            # For some file systems, names that differ by their case alone are one.
            self.inputs.add(name.casefold())


class Reservation:
    """What one command reads and writes; `demo` runs commands, each within its own."""

    def __init__(self, root: str = "", title: str = "", outer: "Reservation | None" = None) -> None:
        self.root, self.title, self.outer = root, title, outer
        self._outputs: dict[str, Output] = {}  # by their real paths
        self._there: dict[Identity, Output] = {}  # those that exist already
        self._links: dict[str, str] = {}  # where the paths lead that the user named
        self._inputs: dict[Identity, tuple[str, str]] = {}
        self._folders: list[FilledFolder] = []
        self._known: dict[str, Identity | None] = {}

    @property
    def watches(self) -> bool:
        """Whether there is anything yet that an output could replace."""
        return bool(self._there) or any(not f.is_empty for f in self._folders)

    @property
    def fills(self) -> bool:
        """Whether images are written, while rows are read, where they could replace a file."""
        return any(f.takes_images and (f.inputs or not f.is_empty) for f in self._folders)

    @property
    def may_collide(self) -> bool:
        """Whether an input lies where images are written while rows are read."""
        return any(f.takes_images and f.inputs for f in self._folders)

    def add(self, output: Output) -> None:
        """Reserve a file."""
        place, identity = output.place, output.identity
        if output.named and output.path != "-" and self.outer is None:
            self._links[file_identity.absolute(output.path)] = place
        if identity is None and (output.path == "-" or file_identity.is_device_or_folder(place)):
            return  # Any number of outputs may go to /dev/null.
        other = self._outputs.get(place) or (identity and self._there.get(identity))
        if other:
            raise CxrtoolError(f"{output} is {other.option} too", "Name two files.")
        if identity is not None:
            if identity in self._inputs:
                raise _overwritten(output, *self._inputs[identity])
            self._there[identity] = output
        if output.path != "-":
            self._outputs[place] = output
            self._keep(output.path)
            if self.outer is not None:
                self.outer.enter(output.path)

    def fill(self, folder: FilledFolder) -> None:
        """Reserve a folder."""
        if self.outer is not None:
            self.outer.enter(os.path.join(folder.path, ""))
        self._folders.append(folder)
        for output in self._outputs.values():
            self._keep(output.path)
        # A folder inside of another one is reserved when its inputs are known already.
        for path, _ in self._inputs.values():
            self._keep(path)

    def search(self, folder: str) -> None:
        """Refuse to fill a folder inside one in which images are looked for."""
        outer = os.path.realpath(folder)
        for filled in self._folders:
            if os.path.commonpath([filled.place, outer]) == outer:
                what = f"{filled.path} is inside {folder}, where the next run would read its images"
                raise CxrtoolError(what, f"Name another folder with {filled.option}.")

    def protect(self, path: str, why: str, *, later: bool = False) -> None:
        """Refuse the outputs that are this file; with `later`, those too that are yet to come."""
        if later or self._there:
            try:
                about = os.stat(path)
            except (OSError, ValueError):
                return  # What is not there cannot be lost.
            self.protect_open(about, path, why)
            if later and stat.S_ISREG(about.st_mode):
                self._inputs[about.st_dev, about.st_ino] = path, why
        self._keep(path)

    def protect_open(
        self, about: os.stat_result, path: str, why: str = "which is read", *, resumed: bool = False
    ) -> None:
        """Refuse the outputs that are this file, by what the file system says of it."""
        output = self._there.get((about.st_dev, about.st_ino))
        if output is not None and not (resumed and output.resumed):
            raise _overwritten(output, path, why)

    def _keep(self, path: str) -> None:
        """Note a file in the folders that will be filled."""
        folders = [f for f in self._folders if f.identity is not None]
        for step in file_identity.steps(path) if folders else ():
            head, name = os.path.split(step)
            if head not in self._known:
                if len(self._known) >= MOST_KNOWN:
                    self._known.clear()
                self._known[head] = file_identity.identity(head or os.curdir, stat.S_IFDIR)
            for folder in folders:
                if folder.identity == self._known[head]:
                    folder.keep(name)

    def check(self, paths: Iterable[str], whose: str = "") -> None:
        """Refuse to make files in a folder where inputs, or the command's table, have their names.

        `whose` names their source, for the message.
        """
        filled = [f for f in self._folders if f.inputs]
        for path in paths if filled else ():
            head, name = os.path.split(path)
            for folder in filled:
                if name.casefold() in folder.inputs and os.path.realpath(head) == folder.place:
                    what = f"{whose or folder.option}: {path} would overwrite an input or the table"
                    raise CxrtoolError(what, f"Name another folder with {folder.option}.")

    def check_images(self, stems: Iterable[str], whose: str) -> None:
        """Refuse to make images of such names where inputs have them."""
        for folder in self._folders:
            if folder.takes_images and folder.inputs:
                names = (stem + ending for stem in stems for ending in folder.endings)
                self.check((os.path.join(folder.path, name) for name in names), whose)

    def enter(self, path: str) -> None:
        """Refuse a path to a file or folder (`x/`) on which a link leads out of a filled folder."""
        if self.outer is not None:
            self.outer.enter(path)
        head = os.path.dirname(path)
        for folder in self._folders:
            real = os.path.join(os.path.realpath(head), "")
            if folder.holds(head) and not real.startswith(os.path.join(folder.place, "")):
                what = f"{head}: is a link that leads out of {folder.path}"
                raise CxrtoolError(what, f"Remove it, or name another folder with {folder.option}.")

    def is_named(self, path: str) -> bool:
        """Whether the user named this output, so that a link that it is may be followed."""
        return file_identity.absolute(path) in self._links

    def target(self, path: str) -> str:
        """Return where a file is to be written; a link is followed only where the user named it."""
        if self.is_named(path):
            return self._links[file_identity.absolute(path)]
        self.enter(path)
        place = file_identity.unfollowed(path)
        if place not in self._outputs:
            self.check([path])
        return place


def _overwritten(output: Output, path: str, why: str) -> CxrtoolError:
    what = f"{output} would overwrite {path}, {why}"
    return CxrtoolError(what, f"Name another place with {output.option}.")


def list_beside(folder: str | None, output: str) -> str | None:
    """Return where the list of skipped inputs goes: into the folder, else beside the table."""
    # Beside /dev/null there is no room for a list.
    device = os.path.exists(output) and not os.path.isfile(output)
    if folder is None and (output == "-" or device):
        return None
    return os.path.join(os.path.dirname(output) if folder is None else folder, LIST)


_running: list[Reservation] = []


def current() -> Reservation:
    """Return the reservation of the command that runs; where none does it is empty."""
    return _running[-1] if _running else Reservation()


@contextlib.contextmanager
def reserved(
    inputs: Sequence[tuple[str, str]],
    outputs: Sequence[Output],
    folders: Sequence[FilledFolder] = (),
    root: str = "",
    title: str = "",
) -> Iterator[Reservation]:
    """Reserve the outputs of a command while it runs; an input is a path and why it is one."""
    reservation = Reservation(root, title, _running[-1] if _running else None)
    for folder in folders:
        reservation.fill(folder)
    for output in outputs:
        reservation.add(output)
    for path, why in inputs:
        reservation.protect(path, why, later=True)
    _running.append(reservation)
    try:
        yield reservation
    finally:
        _running.pop()
