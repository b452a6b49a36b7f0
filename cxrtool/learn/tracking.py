"""What follows a training beside history.csv: the trackers that `train --log` names."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, Self

from cxrtool.core import progress, registry
from cxrtool.core.errors import CxrtoolError


class Tracker(Protocol):
    """What a plug-in in files/trackers offers."""

    def begin(self, rows: list[dict[str, Any]]) -> None:
        """Start, with the epochs that are done."""

    def add(self, row: dict[str, Any]) -> None:
        """Add an epoch."""

    def end(self) -> None:
        """Finish."""


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """Return each tracker once; those whose packages are not installed are refused."""
    for name in names:
        missing = [
            package
            for package in registry.module("trackers", name).PACKAGES
            if importlib.util.find_spec(package) is None
        ]
        if missing:
            what = f"{name} needs the package {missing[0]}, which is not installed"
            raise CxrtoolError(what, f"pip install 'cxrtool[{name}]'", settings=["log"])
    return tuple(dict.fromkeys(names))


class Tracking:
    """The trackers of one run; whatever happens to them, the training goes on."""

    def __init__(self, trackers: Mapping[str, Tracker]) -> None:
        self.trackers = dict(trackers)

    @classmethod
    def of(cls, names: Sequence[str], folder: str, key: str, options: Mapping[str, Any]) -> Self:
        """Make the trackers of a run, which has the given options."""
        shown = {name: str(value) for name, value in options.items()}
        made = {n: registry.module("trackers", n).Tracker(folder, key, shown) for n in names}
        return cls(made)

    def begin(self, rows: list[dict[str, Any]]) -> None:
        """Start them with the epochs that are done; here an error ends the command."""
        for tracker in self.trackers.values():
            tracker.begin(rows)

    def add(self, row: dict[str, Any]) -> None:
        """Add an epoch."""
        self._each(lambda tracker: tracker.add(row))

    def end(self) -> None:
        """Finish."""
        self._each(lambda tracker: tracker.end())

    def _each(self, step: Callable[[Tracker], None]) -> None:
        for name, tracker in list(self.trackers.items()):
            try:
                step(tracker)
            except Exception as e:  # A full disk, a server that is gone: history.csv has it all.
                del self.trackers[name]
                progress.note(
                    f"warning: {name} is not followed any more ({type(e).__name__}: {e}). "
                    "history.csv has all epochs"
                )
