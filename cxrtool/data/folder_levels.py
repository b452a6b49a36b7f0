"""Whether folders taken as classes are hospitals, each with the classes below (paths -> warning).

`PARENT/north/covid/1.png` has the class `north` if PARENT is given, and nothing else would say so.
Folders of patients, studies, views or hospitals below those of the classes look alike. So only a
class such as `normal` tells: if the lower level has one and the upper has none, it is the classes.
"""

import os
import shlex

from cxrtool.core.negative_names import is_negative
from cxrtool.core.progress import note
from cxrtool.data.collections import folder

# More folders below one are patients or studies, not classes.
MOST = 12


class FolderLevels:
    """The folders that classes are named by below one root, and the folders in these."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._below: dict[str, set[str]] = {}
        self._is_plain = False  # an image lies in a class's own folder, or in the root

    def add(self, path: str) -> None:
        """Note the folders of an image."""
        names = folder.named_folders(path, self.root)
        if len(names) < 2:
            self._is_plain = True
        elif len(below := self._below.setdefault(names[0], set())) <= MOST:
            below.add(names[1])

    def warn(self) -> None:
        """Warn if the folders seem to be hospitals, and say how to read them."""
        if not self._are_hospitals():
            return
        above, below = sorted(self._below), sorted(set.union(*self._below.values()))
        note(
            f"warning: {self.root}: the labels are {', '.join(above)}, and the folders in these "
            f"are {', '.join(below)}; if those are the classes, name the folders that hold them, "
            f"each a source{self._command(above)}"
        )

    def _are_hospitals(self) -> bool:
        lower = list(self._below.values())
        if self._is_plain or any(len(names) > MOST for names in lower):
            return False
        if any(map(is_negative, self._below)):
            return False
        return any(is_negative(name) for names in lower for name in names)

    def _command(self, above: list[str]) -> str:
        """Name the folders, unless some are below a part of a split or a folder `images`."""
        places = [os.path.join(self.root, name) for name in above]
        return f": cxrtool ingest {shlex.join(places)}" if all(map(os.path.isdir, places)) else ""
