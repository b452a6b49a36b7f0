"""From rows of a manifest to pictures of heat, and what is measured in them, a batch at a time."""

import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from cxrtool.core import parallel
from cxrtool.core.errors import Skip
from cxrtool.core.parallel import Crew, Lost
from cxrtool.core.progress import bar, note
from cxrtool.explain import earlier_maps, heat_measures
from cxrtool.explain.cascade import Cascade
from cxrtool.explain.earlier_maps import EarlierMaps
from cxrtool.explain.explanation import Explainer, Explanation, Row
from cxrtool.explain.heat_measures import EMPTY, LESION, LUNGS
from cxrtool.explain.image_view import Kept, View, Viewing
from cxrtool.figures import heat_overlay, numbers, sheet
from cxrtool.figures.heat_overlay import Style
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
    *LESION,
    "raw",
)
REMEDY = "Leave it out, or make it smaller."
# What of a row the workers need.
READS = ("path", "raw", "label", "mask", "lesion")


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
        largest = max(about.size for about in self.explainer.abouts)
        return 1 if self.explainer.alone else bounded(self.batch, largest)

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
            named = {name: row.get(name, "") for name in ("path", "raw")}
            named["label"] = self.explainer.truth_of(row)
            text = {**named, **cells, "overlay": seen.place.shown}
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
        blank = [np.zeros_like(one) for one in next(iter(views.values())).framed]
        every = [views[n].framed if n in views else blank for n in range(len(rows))]
        images = [np.stack(of_network) for of_network in zip(*every, strict=True)]
        wanted = [self.explainer.of_row(row) if n in views else "" for n, row in enumerate(rows)]
        return self.explainer.look_framed(images, wanted)

    def _drawn(self, row: Row, view: View, result: Explanation) -> Row:
        """Draw the picture of a row, and measure its map."""
        for warning in view.warnings:
            note(f"{row['path']}: warning: {warning}")
        cells, laid = heat_measures.measured(view, result)
        picture = heat_overlay.overlay(view.picture, laid, self.style)
        if view.lesion is not None:
            heat_overlay.outline(picture, view.lesion.mask, heat_overlay.CYAN)
        image.write_png(view.place.file, picture, view.place.made_with, json.dumps(cells))
        return cells

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
