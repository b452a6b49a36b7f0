"""Histogram matching: the grey levels of another picture, in the same order."""

import os
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.registry import File
from cxrtool.files import image as images
from cxrtool.files.grey_levels import Grey
from cxrtool.preprocess.equalizers import _levels


def equalize(image: Grey, bits: int = 8, *, reference: File) -> Grey:
    """Give every level the level that has the same share of darker pixels in the reference.

    Between the shares of the reference's levels, and of the image's own, is interpolated; the
    result is cut to whole numbers, as in the notebooks of COVID-CXNet. What is darker than the
    darkest share gets the reference's lowest level.
    """
    template = _levels.kept(
        _read(reference, os.stat(reference).st_mtime_ns),
        bits if _levels.top(image, bits) > 255 else 8,
    )
    if _levels.is_constant(image):
        return _levels.kept(image, bits)
    levels, shares = _quantiles(image)
    theirs, their_shares = _quantiles(template)
    table = np.zeros(max(256, levels[-1] + 1), template.dtype)
    table[levels] = np.interp(shares, their_shares, theirs)
    return _levels.looked_up(image, table)


@lru_cache(maxsize=1)
def _read(path: str, changed: int) -> Grey:
    # A worker may outlive the reference that it has read.
    return images.read(path).grey


def _quantiles(image: Grey) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """List the levels that occur, and the share of the pixels up to each."""
    counts = _levels.counts(image)
    levels = np.flatnonzero(counts)
    return levels, np.cumsum(counts[levels]) / image.size
