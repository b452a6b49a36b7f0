"""Names of sources after the folders that were given (folders -> names)."""

import os
from collections.abc import Iterable
from pathlib import Path

from cxrtool.core.progress import note

SHOWN = 6  # names in the note, at most


class FolderNames:
    """Names every folder by its last name, or by more of its path where others have that name.

    Two hospitals often keep their images in folders of the same name: `north/xray` and
    `south/xray`. As one source, they would hide that each has a class of its own.
    """

    def __init__(self, folders: Iterable[str]) -> None:
        # A folder that is given twice, or through a link, has the name that was given first.
        first: dict[str, str] = {}
        for folder in dict.fromkeys(folders):
            first.setdefault(os.path.realpath(folder), os.path.abspath(folder))
        alike: dict[str, list[str]] = {}
        for real, path in first.items():
            alike.setdefault(os.path.basename(path), []).append(real)
        self._names: dict[str, str] = {}
        for reals in alike.values():
            if len(reals) > 1:
                self._names.update(_told_apart({real: first[real] for real in reals}))
        self._of: dict[str, str] = {}
        self._noted = False

    def of(self, folder: str) -> str:
        """Name a folder; the first name that is longer than usual is told of."""
        if folder not in self._of:
            usual = os.path.basename(os.path.abspath(folder))
            self._of[folder] = self._names.get(os.path.realpath(folder), usual)
            if self._of[folder] != usual:
                self._note()
        return self._of[folder]

    def _note(self) -> None:
        if self._noted:
            return
        self._noted = True
        names = list(self._names.values())
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        note(
            "folders of the same name are sources of their own: "
            f"{', '.join(names[:SHOWN])}{more} (--source NAME makes them one)"
        )


def _told_apart(paths: dict[str, str]) -> dict[str, str]:
    """Name each folder by the shortest end of its path that no other has; keys are real paths."""
    if len(set(paths.values())) < len(paths):
        # `link/..` may be another folder than its text says.
        paths = {real: real for real in paths}
    parts = {real: Path(path).parts for real, path in paths.items()}
    longest = max(map(len, parts.values()))
    names: dict[str, str] = {}
    for length in range(2, longest + 1):
        ends: dict[tuple[str, ...], list[str]] = {}
        for real, of_path in parts.items():
            ends.setdefault(of_path[-length:], []).append(real)
        for end, reals in ends.items():
            if len(reals) == 1:
                names.setdefault(reals[0], "/".join(end).replace("//", "/"))
    return names
