"""What came in, in a few lines at the end of ingest (rows -> notes)."""

from collections import Counter
from collections.abc import Collection

from cxrtool.core.progress import detail, note
from cxrtool.data import measurement
from cxrtool.data.packed_rows import Row
from cxrtool.figures.numbers import counted, counted_that


class IngestionSummary:
    """Counts of the rows of a manifest, and what they lack."""

    def __init__(self) -> None:
        self._labels = Counter[str]()
        self._people: set[int] = set()
        self._sources: set[str] = set()
        self._views: set[str] = set()
        self._halved = 0  # rows whose mask is in halves
        self._boxed = 0  # rows whose lesion has boxes and no mask
        self._unwindowed = 0  # images that have no Hounsfield units, where a window is asked for
        self._burned = 0  # images whose header says that text is burnt into them

    def count(self, row: Row) -> None:
        """Count a row."""
        self._labels[row["label"] or "(no label)"] += 1
        self._people.add(hash(row["patient"]))
        self._sources.add(row["source"])
        self._views.add(row["view"].upper())
        self._halved += bool(measurement.mask_halves(row))
        self._boxed += bool(measurement.lesion_boxes_of(row))

    def count_windowed(self, is_windowed: bool) -> None:
        """Count an image that the window was not applied to."""
        self._unwindowed += not is_windowed

    def count_burned(self, path: str) -> None:
        """Count an image whose header says that text is burnt into it."""
        self._burned += 1
        detail(f"{path}: its header says that text is burnt into it (BurnedInAnnotation)")

    def note_counts(self, views: Collection[str] = (), joins: bool = False) -> None:
        """Say what came in, so that a missing label, patient or requested view is noticed.

        `joins` is true where masks of single lungs were joined.
        """
        total, unknown = self._labels.total(), hash("") in self._people
        people = counted(len(self._people) - unknown, "patient")
        if unknown:
            people = f"{people} and unknown ones" if len(self._people) > 1 else "unknown patients"
        sources = counted(len(self._sources), "source")
        classes = ", ".join(f"{label} {n}" for label, n in self._labels.most_common(12))
        note(f"{counted(total, 'image')} of {people}, {sources}: {classes}")
        if set(self._labels) == {"(no label)"}:
            note(
                "no image has a label: for training, put each class into a folder of its own and "
                "name the folder above them, or describe the images in a table (--metadata)"
            )
        if self._unwindowed:
            which = "all" if self._unwindowed == total else f"{self._unwindowed} of {total}"
            note(f"warning: the window has no effect on {which} images: no CT of over 8 bits")
        if self._burned:
            note(
                f"{counted_that(self._burned, 'image', 'has', 'have')} burnt-in text according "
                "to the header (BurnedInAnnotation); cxrtool equalize can cover it"
            )
        if self._halved and not joins:
            note(
                f"{counted_that(self._halved, 'image', 'has', 'have')} a mask of each lung, but "
                "none of both; cxrtool ingest can join them"
            )
        if self._boxed and not joins:
            note(
                f"{counted_that(self._boxed, 'image', 'has', 'have')} boxes around a lesion "
                "and no mask of it: --convert DIR or --join-masks DIR draws it (lesion)"
            )
        for view in sorted(set(views) - self._views):
            note(f"warning: no image has the view {view}")
