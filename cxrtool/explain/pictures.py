"""From rows to pictures of heat, a batch at a time: here, or on the workers of a cluster."""

import itertools
import json
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from cxrtool.core import parallel
from cxrtool.core.errors import Skip
from cxrtool.core.parallel import Crew, Lost
from cxrtool.explain import explanation, heat_measures
from cxrtool.explain.cascade import Cascade
from cxrtool.explain.explanation import Explainer, Explanation, Row
from cxrtool.explain.image_view import Drawn, View, Viewing
from cxrtool.figures import heat_overlay
from cxrtool.figures.heat_overlay import Style
from cxrtool.files import disk, image
from cxrtool.files.run_folder import Run
from cxrtool.learn import remote_batches
from cxrtool.learn.inference import Model
from cxrtool.learn.remote_batches import Batch, RemotePlace

Pictures = Generator[tuple[Row, Drawn | Skip], None, None]
# Does the work of networks.
Place = Callable[[Callable[[], list[Explanation]]], list[Explanation]]

REMEDY = "Leave it out, or make it smaller."


@dataclass(frozen=True)
class ExplanationRequest:
    """The runs to explain (one, or the two levels of a hierarchy), the method and the class."""

    runs: tuple[Run, ...]
    method: str
    of: str
    branch: str | None = None

    def explainer(self, model: Callable[[Run], Model]) -> Explainer | Cascade:
        """Make what answers it, of networks that `model` loads."""
        models = [model(run) for run in self.runs]
        if len(models) == 1:
            return explanation.explainer(models[0], self.method, self.of, self.branch)
        return Cascade(models[0], models[1], self.method, self.of, self.branch)


def here(
    source: Iterable[Row],
    explainer: Explainer | Cascade,
    viewing: Viewing,
    style: Style,
    batch: int,
    crew: Crew,
) -> Pictures:
    """Yield every row with its picture; workers of this machine read the images."""
    given, waiting = itertools.tee(source)
    with closing(parallel.each(viewing, given, crew)) as results:
        pairs = zip(waiting, results, strict=True)
        while some := list(itertools.islice(pairs, batch)):
            rows, seen = zip(*some, strict=True)
            yield from zip(rows, drawn(explainer, style, rows, seen), strict=True)


@dataclass(frozen=True)
class RemotePictures:
    """The work on a batch of rows where the workers of a cluster do all of it."""

    request: ExplanationRequest
    viewing: Viewing
    style: Style
    place: RemotePlace

    def reader(self, _: Batch) -> Viewing:
        """Return what reads an image."""
        return self.viewing

    def __call__(self, batch: Batch) -> list[Drawn | Skip]:
        """Make the pictures."""
        rows, place = batch.images, self.place
        with remote_batches.reading(self.viewing):
            seen = [batch.lost.get(n) or self.viewing(row) for n, row in enumerate(rows)]
        explainer = place.run(lambda: self.request.explainer(place.model))
        return list(drawn(explainer, self.style, rows, seen, place.run))


def there(source: Iterable[Row], work: RemotePictures, batch: int, crew: Crew) -> Pictures:
    """Yield every row with its picture, which the workers of a cluster make."""
    waiting = iter(source)
    batches = iter(lambda: Batch(tuple(itertools.islice(waiting, batch))), Batch(()))
    try:
        with closing(remote_batches.done(work, batches, crew)) as results:
            for given, pictures in results:
                yield from zip(given.images, pictures, strict=True)
    finally:
        disk.sweep(work.viewing.folder.place)  # of what a worker that was killed was writing


def drawn(
    explainer: Explainer | Cascade,
    style: Style,
    rows: Sequence[Row],
    seen: Sequence[View | Drawn | Skip | Lost],
    place: Place = lambda work: work(),
) -> Iterator[Drawn | Skip]:
    """Look at a batch of images, and draw those that have no picture yet."""
    every = [explainer.refused(row) or one for row, one in zip(rows, seen, strict=True)]
    explanations = place(lambda: _looked(explainer, rows, every))
    for n, (row, one) in enumerate(zip(rows, every, strict=True)):
        if isinstance(one, View):
            yield _drawn(one, explanations[n], style)
        elif isinstance(one, Lost):
            yield Skip(row["path"], one.reason, REMEDY)
        else:
            yield one


def _looked(
    explainer: Explainer | Cascade, rows: Sequence[Row], seen: Sequence[object]
) -> list[Explanation]:
    """Look at all images of a batch that have no picture yet.

    The others are black in it: what a row gets does not hang on what was done before, for batches
    of another size are rounded in another way.
    """
    views = {n: one for n, one in enumerate(seen) if isinstance(one, View)}
    if not views:
        return []
    blank = [np.zeros_like(one) for one in next(iter(views.values())).framed]
    every = [views[n].framed if n in views else blank for n in range(len(rows))]
    images = [np.stack(of_network) for of_network in zip(*every, strict=True)]
    wanted = [explainer.of_row(row) if n in views else "" for n, row in enumerate(rows)]
    return explainer.look_framed(images, wanted)


def _drawn(view: View, result: Explanation, style: Style) -> Drawn:
    """Draw the picture of an image, and measure its map."""
    cells, laid = heat_measures.measured(view, result)
    picture = heat_overlay.overlay(view.picture, laid, style)
    if view.lesion is not None:
        heat_overlay.outline(picture, view.lesion.mask, heat_overlay.CYAN)
    image.write_png(view.place.file, picture, view.place.made_with, json.dumps(cells))
    return Drawn(view.place, cells, view.warnings)
