"""The pictures of heat of one call: their table, their sheet, and what is said of them."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from cxrtool.core.errors import Skip
from cxrtool.core.parallel import Crew
from cxrtool.core.progress import bar, note
from cxrtool.explain import earlier_maps, pictures
from cxrtool.explain.cascade import Cascade
from cxrtool.explain.earlier_maps import EarlierMaps
from cxrtool.explain.explanation import Explainer, Row
from cxrtool.explain.heat_measures import EMPTY, LESION, LUNGS
from cxrtool.explain.image_view import Viewing
from cxrtool.explain.pictures import Pictures, RemotePictures
from cxrtool.figures import numbers, sheet
from cxrtool.figures.heat_overlay import Style
from cxrtool.files import disk
from cxrtool.files.failures import Failures
from cxrtool.learn.inference import bounded

COLUMNS = (
    "path",
    "label",
    "pred",
    "class",
    "score",
    "method",
    "overlay",
    "in_lung",
    "lung_fraction",
    "enrichment",
    "peak_x",
    "peak_y",
    "flag",
    *LESION,
    "raw",
)
# What of a row is needed.
READS = ("path", "raw", "label", "finding", "mask", "lesion")


def steps(explainer: Explainer | Cascade, style: Style, mask: str, lesion: str) -> str:
    """Write down all that changes a picture, whatever its image."""
    runs = [
        (a.weights, a.arch, a.size, a.channels, a.fit, a.mean, a.std, a.classes)
        for a in explainer.abouts
    ]
    chosen = (explainer.steps, explainer.of, repr(style), mask, lesion)
    return hashlib.sha256(repr((runs, chosen)).encode()).hexdigest()


@dataclass
class Gallery:
    """The pictures of one run; the first `most` are kept in mind for a sheet.

    On the sheet, each is beside those of the same image that earlier calls made.
    """

    explainer: Explainer | Cascade
    viewing: Viewing
    style: Style
    crew: Crew
    batch: int = 32
    most: int = 0
    earlier: Sequence[EarlierMaps] = ()
    remote: RemotePictures | None = None  # makes the pictures, where the crew is a cluster
    prints: list[sheet.Print | None] = field(default_factory=list)
    drawn: int = 0
    empty: int = 0
    inside: dict[str, list[tuple[float, float]]] = field(
        default_factory=lambda: {"lungs": [], "lesions": []}
    )

    def claim(self, *outputs: str) -> None:
        """Make the folder, and check that the other outputs can be written."""
        place = self.viewing.folder.place
        # A table or a sheet may go into the folder that is yet to be made.
        within = [o for o in outputs if o != "-" and os.path.dirname(os.path.abspath(o)) == place]
        for output in set(outputs) - set(within):
            disk.check_output(output)
        disk.make_folder(place)
        disk.claim(place)
        for output in within:
            disk.check_output(output)

    def rows(
        self, source: Iterable[Row], number: int | None, skipped: Failures, progress: str
    ) -> Iterator[Row]:
        """Yield the row of every picture, in order, as soon as its batch is done."""
        with closing(self._pictures(source)) as every:
            for row, one in bar(every, number, "images", progress):
                if isinstance(one, Skip):
                    skipped.add(one)
                    continue
                for warning in one.warnings:
                    note(f"{row['path']}: warning: {warning}")
                named = {name: row.get(name, "") for name in ("path", "raw")}
                named["label"] = self.explainer.truth_of(row)
                text = {**named, **one.cells, "overlay": one.place.shown}
                self._see(text, one.place.file)
                yield text

    def _pictures(self, source: Iterable[Row]) -> Pictures:
        explainer = self.explainer
        largest = max(about.size for about in explainer.abouts)
        batch = 1 if explainer.alone else bounded(self.batch, largest)
        rows = ({c: row[c] for c in READS if c in row} for row in source)
        if self.remote:
            return pictures.there(rows, self.remote, batch, self.crew)
        return pictures.here(rows, explainer, self.viewing, self.style, batch, self.crew)

    def _see(self, row: Row, file: str) -> None:
        """Keep what there is to say at the end, and what goes on the sheet."""
        self.drawn += 1
        self.empty += row["flag"] == EMPTY
        for name, (inside, _, enrichment) in (("lungs", LUNGS), ("lesions", LESION)):
            if row[enrichment]:
                self.inside[name].append((float(row[inside]), float(row[enrichment])))
        for maps in self.earlier:
            maps.compare(row, self.explainer.classes)
        if self.drawn <= self.most:
            self.prints += [maps.picture(row) for maps in self.earlier]
            self.prints.append(earlier_maps.print_of(row, file))

    def hang(self, path: str, own: str) -> None:
        """Write the sheet, where there are pictures; `own` heads those of this call."""
        if not self.prints:
            return
        of = {"predicted": "the predicted class", "label": "the true class"}
        what = of.get(self.explainer.of, self.explainer.of)
        title = f"{self.explainer.name}: {self.explainer.method} of {what}"
        if self.inside["lesions"]:
            title += "; cyan: the lesion"
        headings = [*(maps.name for maps in self.earlier), own] if self.earlier else []
        sheet.write(path, self.prints, title, self.style, headings)

    def note_summary(self) -> None:
        """Say how much of the heat is in lungs and lesions, and how many maps are empty."""
        for name, shares in self.inside.items():
            if not shares:
                continue
            inside, enrichment = np.mean(shares, axis=0)
            note(
                f"{numbers.percent(inside)} of the heat lies in the {name}, "
                f"{numbers.value(enrichment)} times their share of the image "
                f"(mean of {len(shares)})"
            )
        for maps in self.earlier:
            note(maps.sentence)
        if self.empty:
            remedy = "Try --method occlusion, or a run of a larger --size"
            what = f"maps are empty (flag '{EMPTY}'): every place has the same heat"
            note(f"{self.empty} of {self.drawn} {what}. {remedy}.")
