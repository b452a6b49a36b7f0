"""Heat maps of a run's network, and of the same network with random weights (images -> arrays)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cxrtool.audit import untrained
from cxrtool.audit.changed_images import Changed
from cxrtool.core.errors import CxrtoolError
from cxrtool.explain import heat
from cxrtool.explain.explanation import Explainer
from cxrtool.learn import inference
from cxrtool.learn.inference import Model
from cxrtool.stats.metrics import Floats, Ints

if TYPE_CHECKING:
    from cxrtool.audit.audited_run import AuditedRun
    from cxrtool.audit.case import Case

METHOD, OF = "gradcam", "predicted"
# Maps and masks are compared on a grid of so many cells along a side.
CELLS = 64


@dataclass(frozen=True)
class PairedHeat:
    """Heat of the predicted class and lungs of the same images, cell by cell."""

    rows: Ints  # of the case
    trained: Floats  # (rows, cells)
    random: Floats  # of the same network with random weights
    lungs: Floats  # the share of each cell that is lung
    alike: Floats  # the rank correlation of both maps, NaN where one is flat


def of_sample(run: "AuditedRun", case: "Case", most: int) -> PairedHeat:
    """Look at a sample of the images with and without the training."""
    rows, empty = list[int](), np.zeros((0, CELLS**2))
    parts = [(empty, empty, empty, np.zeros(0))]
    for some, found in run.asked(case, "lungs", most, heat_and_lungs):
        rows += some
        parts.append(found)
    return PairedHeat(np.array(rows, np.int64), *map(np.concatenate, zip(*parts, strict=True)))


def heat_and_lungs(
    model: Model, changed: Sequence[Changed]
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the numbers of `PairedHeat` for a batch of images: what is asked of a network."""
    images = np.concatenate([one.versions for one in changed])
    trained = _maps(model, images)
    try:
        random = _maps(untrained.with_random_weights(model), images)
    except CxrtoolError:
        # Weights that were never trained may give no finite numbers: there is no heat.
        random = [np.zeros_like(one) for one in trained]
    return (
        np.array([_cells(one) for one in trained]),
        np.array([_cells(one) for one in random]),
        np.array([_shares(one.lungs) for one in changed if one.lungs is not None]),
        np.array([_correlation(*both) for both in zip(trained, random, strict=True)]),
    )


def _maps(model: Model, images: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    explainer = Explainer(model, METHOD, OF)
    step = inference.bounded(len(images), model.about.size)
    parts = [images[part] for part in inference.batches(len(images), step)]
    found = [one for part in parts for one in explainer.look(part, [""] * len(part))]
    return [np.maximum(one.map, 0) for one in found]


def _cells(one: NDArray[np.float32]) -> Floats:
    """Lay a map over the grid, as it is laid over an image."""
    laid = heat.placed(one, (CELLS, CELLS), heat.Window(0, 0, 1, 1))
    return laid.ravel().astype(np.float64)


def _shares(lungs: NDArray[np.bool_]) -> Floats:
    white = lungs.astype(np.float32)
    area = cv2.resize(white, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(area, np.float64).ravel()


def _correlation(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    if not np.ptp(first) > 0 or not np.ptp(second) > 0:
        return float("nan")
    return float(stats.spearmanr(first.ravel(), second.ravel()).statistic)
