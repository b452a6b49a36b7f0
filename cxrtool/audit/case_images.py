"""The measurements of the images of a case (case -> array), made once for all checks."""

import functools
from dataclasses import replace

import numpy as np

from cxrtool.audit import image_measurements
from cxrtool.audit.case import Case
from cxrtool.audit.image_measurements import Item
from cxrtool.core.parallel import Crew
from cxrtool.files.failures import Failures
from cxrtool.files.manifest import resolve
from cxrtool.stats.metrics import Floats


def with_images(case: Case, crew: Crew, folder: str, skipped: Failures, when: str) -> Case:
    """Let the checks measure the images of the manifest; predictions alone have none."""
    if not case.images.of_manifest.any():
        return case
    return replace(
        case, measured=functools.cache(lambda: _measured(case, crew, folder, skipped, when))
    )


def _measured(case: Case, crew: Crew, folder: str, skipped: Failures, when: str) -> Floats:
    """Measure the images with a label that is judged; the other rows are NaN."""
    images = case.images
    rows = np.flatnonzero(images.of_manifest & (images.positive >= 0))
    paths = [images.paths(row) for row in rows.tolist()]
    items = [
        Item(path, resolve(path, case.root), mask=resolve(_mask(case, row), case.root))
        for path, row in zip(paths, rows.tolist(), strict=True)
    ]
    values = np.full((len(images), len(image_measurements.NAMES)), np.nan)
    values[rows] = image_measurements.measure(items, crew, folder, skipped, when).values
    return values


def _mask(case: Case, row: int) -> str:
    """Return the cell of the lung mask of an image; empty if there is none."""
    column = case.images.columns.get("mask")
    return "" if column is None else column.names[column.codes[row]]
