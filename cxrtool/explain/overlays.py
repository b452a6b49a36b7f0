"""From rows of a manifest to pictures of heat, and what is measured in them, a batch at a time."""

import hashlib
import itertools
import json
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cxrtool.core import parallel
from cxrtool.core.errors import Skip
from cxrtool.core.parallel import Crew, Lost
from cxrtool.core.progress import bar, note
from cxrtool.explain import heat
from cxrtool.explain.explanation import Explainer, Explanation, Row
from cxrtool.explain.image_view import Kept, View, Viewing
from cxrtool.figures import numbers, sheet
from cxrtool.files import disk, image
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
)
REMEDY = "Leave it out, or make it smaller."
# What of a row the workers need.
READS = ("path", "raw", "label", "mask")
# More of the heat than this on what an image was padded with is worth a flag.
BESIDE = 0.5
EMPTY, PADDING = "empty map", "heat on the padding"


@dataclass(frozen=True)
class Style:
    """How the pictures look."""

    colormap: str = "inferno"
    threshold: float = 0.6


def steps(explainer: Explainer, style: Style, mask: str) -> str:
    """Write down all that changes a picture, whatever its image."""
    about = explainer.about
    run = (about.weights, about.arch, about.size, about.channels, about.fit, about.mean, about.std)
    chosen = (explainer.steps, explainer.of, style.colormap, style.threshold, mask)
    return hashlib.sha256(repr((run, about.classes, chosen)).encode()).hexdigest()


@dataclass
class Gallery:
    """The pictures of one run; the first `most` are kept in mind for a sheet."""

    explainer: Explainer
    viewing: Viewing
    style: Style
    crew: Crew
    batch: int = 32
    most: int = 0
    prints: list[sheet.Print] = field(default_factory=list)
    drawn: int = 0
    empty: int = 0
    inside: list[tuple[float, float]] = field(default_factory=list)

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

    def rows(self, source: Iterable[Row], skipped: Failures, progress: str) -> Iterator[Row]:
        """Yield the row of every picture, in order, as soon as its batch is done."""
        given, waiting = itertools.tee(source)
        text = ({c: row[c] for c in READS if c in row} for row in given)
        with closing(parallel.each(self.viewing, text, self.crew)) as results:
            pairs = zip(waiting, bar(results, None, "images", progress), strict=True)
            while some := list(itertools.islice(pairs, self._step)):
                yield from self._batch(some, skipped)

    @property
    def _step(self) -> int:
        return 1 if self.explainer.alone else bounded(self.batch, self.explainer.about.size)

    def _batch(
        self, some: Sequence[tuple[Row, View | Kept | Skip | Lost]], skipped: Failures
    ) -> Iterator[Row]:
        results = [self.explainer.refused(row) or seen for row, seen in some]
        result = self._looked([row for row, _ in some], results)
        for n, ((row, _), seen) in enumerate(zip(some, results, strict=True)):
            if isinstance(seen, Lost):
                seen = Skip(row["path"], seen.reason, REMEDY)
            if isinstance(seen, Skip):
                skipped.add(seen)
                continue
            cells = self._drawn(row, seen, result[n]) if isinstance(seen, View) else seen.cells
            named = {"method": self.explainer.method, "overlay": seen.place.shown}
            text = {"path": row["path"], "label": row.get("label", ""), **cells, **named}
            self._see(text, seen.place.file)
            yield text

    def _looked(self, rows: Sequence[Row], results: Sequence[object]) -> list[Explanation]:
        """Look at all images of a batch that have no picture yet.

        The others are black in it: what a row gets does not hang on what was done before, for
        batches of another size are rounded in another way.
        """
        views = {n: seen for n, seen in enumerate(results) if isinstance(seen, View)}
        if not views:
            return []
        blank = np.zeros_like(next(iter(views.values())).framed)
        images = np.stack([views[n].framed if n in views else blank for n in range(len(rows))])
        wanted = [self.explainer.of_row(row) if n in views else "" for n, row in enumerate(rows)]
        return self.explainer.look(images, wanted)

    def _drawn(self, row: Row, view: View, result: Explanation) -> Row:
        """Draw the picture of a row, and measure its map."""
        for warning in view.warnings:
            note(f"{row['path']}: warning: {warning}")
        cells, laid = measured(view, result, self.viewing.frame.fit)
        picture = sheet.overlay(view.picture, laid, self.style.colormap, self.style.threshold)
        image.write_png(view.place.file, picture, view.place.made_with, json.dumps(cells))
        return cells

    def _see(self, row: Row, file: str) -> None:
        """Keep what there is to say at the end, and what goes on the sheet."""
        self.drawn += 1
        self.empty += row["flag"] == EMPTY
        if row["enrichment"]:
            self.inside.append((float(row["in_lung"]), float(row["enrichment"])))
        if len(self.prints) < self.most:
            text = (row["label"], row["pred"], row["class"], row["score"], row["flag"])
            self.prints.append(sheet.Print(file, *text))

    def hang(self, path: str, name: str) -> None:
        """Write the sheet, where there are pictures."""
        if not self.prints:
            return
        of = {"predicted": "the predicted class", "label": "the true class"}
        what = of.get(self.explainer.of, self.explainer.of)
        title = f"{name}: {self.explainer.method} of {what}"
        sheet.write(path, self.prints, title, self.style.colormap, self.style.threshold)

    def note_summary(self) -> None:
        """Say how much of the heat is in the lungs, and how many maps are empty."""
        if self.inside:
            inside, enrichment = np.mean(self.inside, axis=0)
            note(
                f"{numbers.percent(inside)} of the heat lies in the lungs, "
                f"{numbers.value(enrichment)} times their share of the image "
                f"(mean of {len(self.inside)})"
            )
        if self.empty:
            remedy = "Try --method occlusion, or a run of a larger --size"
            what = f"maps are empty (flag '{EMPTY}'): every place has the same heat"
            note(f"{self.empty} of {self.drawn} {what}. {remedy}.")


def measured(view: View, result: Explanation, fit: str) -> tuple[Row, NDArray[np.float32]]:
    """Lay a map over its image: the cells that tell of it, and the heat of every pixel."""
    cells = {
        "pred": result.pred,
        "class": result.of,
        "score": numbers.measure(result.score),
        "in_lung": "",
        "lung_fraction": numbers.measure(view.lung_fraction),
        "enrichment": "",
        "peak_x": "",
        "peak_y": "",
        "flag": heat.wrong(result.map),
    }
    if cells["flag"]:
        return cells, np.zeros(view.picture.shape, np.float32)
    window = heat.window(view.shape, fit)
    laid = heat.placed(result.map, view.picture.shape, window)
    if not laid.max() > 0:
        return cells | {"flag": PADDING}, laid
    place = heat.peak(laid, view.shape)
    cells |= {"peak_x": str(place[0]), "peak_y": str(place[1])}
    flags = {
        "peak at the edge": heat.is_at_edge(place, view.shape),
        PADDING: heat.beside(result.map, window) > BESIDE,
    }
    if view.lungs is not None:
        inside = heat.share(laid, view.lungs)
        enrichment = inside / view.lung_fraction if view.lung_fraction else math.nan
        cells |= {"in_lung": numbers.measure(inside), "enrichment": numbers.measure(enrichment)}
        flags |= {"no lungs": not view.lung_fraction, "outside the lungs": enrichment < 1}
    cells["flag"] = "; ".join(name for name, holds in flags.items() if holds)
    return cells, laid
