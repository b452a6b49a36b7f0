"""What is measured in a heat map that is laid over its image: where the heat is, and flags."""

import math

import numpy as np
from numpy.typing import NDArray

from cxrtool.explain import heat
from cxrtool.explain.explanation import Explanation
from cxrtool.explain.image_view import Region, View
from cxrtool.figures import numbers

Row = dict[str, str]

# More of the heat than this on what an image was padded with is worth a flag.
BESIDE = 0.5
EMPTY, PADDING = "empty map", "heat on the padding"
# What is measured of the lungs, and of a lesion.
LUNGS = ("in_lung", "lung_fraction", "enrichment")
LESION = ("in_lesion", "lesion_fraction", "lesion_enrichment")


def measured(view: View, result: Explanation) -> tuple[Row, NDArray[np.float32]]:
    """Lay a map over its image: the cells that tell of it, and the heat of every pixel."""
    cells = {
        "pred": result.pred,
        "class": result.of,
        "score": numbers.measure(result.score),
        "method": result.method,
        "peak_x": "",
        "peak_y": "",
        "flag": heat.wrong(result.map),
        **worded(LUNGS, shares(None, view.lungs)),
        **worded(LESION, shares(None, view.lesion)),
    }
    if cells["flag"] == EMPTY:
        return cells, np.zeros(view.picture.shape, np.float32)
    window = heat.window(view.shape, result.fit)
    laid = heat.placed(result.map, view.picture.shape, window)
    if cells["flag"]:
        return cells, laid
    if not laid.max() > 0:
        return cells | {"flag": PADDING}, laid
    place = heat.peak(laid, view.shape)
    cells |= {"peak_x": str(place[0]), "peak_y": str(place[1])}
    lungs, lesion = shares(laid, view.lungs), shares(laid, view.lesion)
    cells |= worded(LUNGS, lungs) | worded(LESION, lesion)
    flags = {
        "peak at the edge": heat.is_at_edge(place, view.shape),
        PADDING: heat.beside(result.map, window) > BESIDE,
    }
    if view.lungs is not None:
        flags |= {"no lungs": not view.lungs.fraction, "outside the lungs": lungs[2] < 1}
    cells["flag"] = "; ".join(name for name, holds in flags.items() if holds)
    return cells, laid


def shares(laid: NDArray[np.float32] | None, region: Region | None) -> tuple[float, float, float]:
    """Return the share of the heat in a region, the region's share of the image, their ratio."""
    fraction = math.nan if region is None else region.fraction
    inside = math.nan if laid is None or region is None else heat.share(laid, region.mask)
    return inside, fraction, inside / fraction if fraction else math.nan


def worded(names: tuple[str, str, str], values: tuple[float, float, float]) -> Row:
    """Write such shares into their columns."""
    return dict(zip(names, map(numbers.measure, values), strict=True))
