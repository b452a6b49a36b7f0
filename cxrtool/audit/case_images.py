"""The measurements of the images of a case (case -> array), made once for all checks."""

import functools
import os
from dataclasses import replace

import numpy as np

from cxrtool.audit import image_measurements
from cxrtool.audit.case import Case
from cxrtool.audit.changed_images import Place
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
    places = (place(case, row) for row in rows.tolist())
    items = [Item(one.path, one.file, mask=one.mask) for one in places]
    values = np.full((len(images), len(image_measurements.NAMES)), np.nan)
    values[rows] = image_measurements.measure(items, crew, folder, skipped, when).values
    return values


def place(case: Case, row: int) -> Place:
    """Return where an image and its lung mask are, for workers that may run in another folder."""
    path = case.images.paths(row)
    column = case.images.columns.get("mask")
    mask = "" if column is None else column.names[column.codes[row]]
    file, lungs = (resolve(name, case.root) for name in (path, mask))
    return Place(path, os.path.abspath(file), os.path.abspath(lungs) if mask else "")
