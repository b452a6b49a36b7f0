"""Whether folders taken as classes are hospitals, each with the classes below (paths -> warning).

`PARENT/north/covid/1.png` has the class `north` if PARENT is given, and nothing else would say so.
Folders of patients, studies or views below those of the classes look alike, so that only names tell
the two apart: a class such as `normal` on the lower level, or the same few words below all folders.
"""

import os
import shlex

from cxrtool.core.negative_names import is_negative, plain
from cxrtool.core.progress import note
from cxrtool.data.collections import folder

# More folders below one are patients or studies, not classes.
MOST = 12
# What folders below classes are named by, besides patients: views and sexes.
VIEWS = ("pa", "ap", "apsupine", "frontal", "front", "lateral", "l", "ll", "left", "right", "side")
SEXES = ("m", "f", "male", "female")


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
        named = shlex.join(os.path.join(self.root, name) for name in above)
        note(
            f"warning: {self.root}: the labels are {', '.join(above)}, and the folders in these "
            f"are {', '.join(below)}; if those are the classes, name the folders that hold them, "
            f"each a source: cxrtool ingest {named}"
        )

    def _are_hospitals(self) -> bool:
        lower = list(self._below.values())
        if self._is_plain or not lower or any(len(names) > MOST for names in lower):
            return False
        if len(lower) > MOST or any(map(is_negative, self._below)):
            return False
        if any(is_negative(name) for names in lower for name in names):
            return True
        same = len(lower) > 1 and len(lower[0]) > 1 and all(names == lower[0] for names in lower)
        return same and not any(map(_is_of_an_image, lower[0]))


def _is_of_an_image(name: str) -> bool:
    """Tell whether a folder is named by a patient, a study, a view or a sex."""
    return any(c.isdigit() for c in name) or plain(name) in (*VIEWS, *SEXES)
