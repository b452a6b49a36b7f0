"""By what the image of a prediction is known: by its raw file, or else by its own path."""

import numpy as np

from cxrtool.files.predictions import Predictions
from cxrtool.files.text_columns import Coded
from cxrtool.stats.metrics import Ints
from cxrtool.stats.within import Marks


def image_keys(judged: Predictions) -> tuple[Ints, Marks]:
    """Return the key of each prediction, and mark those whose raw file names another image too.

    The key is the raw file, if that is known. Only the path tells images apart where one model
    judges two of one raw file, such as an image and its mirror image, and where the name of the
    raw file is that of two radiographs: `images/1.png` of one hospital, and of another one.
    """
    path = judged.same["path"]
    key = np.where(judged.same["raw"] != 0, judged.same["raw"], path)
    image = np.unique(key, return_inverse=True)[1].ravel()
    _, pair, times = np.unique(
        np.column_stack([judged.coded["model"].codes, image]),
        axis=0,
        return_inverse=True,
        return_counts=True,
    )
    both = np.isin(image, image[times[pair.ravel()] > 1])
    unlike = _differs(image, path) & _is_of_several(judged, image) & ~both
    return np.where(both | unlike, path, key), unlike


def _is_of_several(judged: Predictions, image: Ints) -> Marks:
    """Mark the rows of each image that has two patients, sources or labels; unknown is none."""
    patient = np.where(judged.patient == judged.same["path"], 0, judged.patient)
    source = judged.coded["source"]
    source = Coded.of(["", *(name.strip() for name in source.names)], source.codes + 1)
    return (
        _differs(image, patient, patient != 0)
        | _differs(image, source.codes, source.codes != 0)
        | _differs(image, judged.label)
    )


def _differs(image: Ints, values: Ints, known: Marks | None = None) -> Marks:
    """Mark the rows of each image whose known values are not all the same."""
    rows = np.arange(len(image)) if known is None else np.flatnonzero(known)
    number = int(image.max()) + 1 if len(image) else 0
    one = np.zeros(number, np.int64)
    one[image[rows]] = values[rows]
    differs = np.zeros(number, bool)
    differs[image[rows[values[rows] != one[image[rows]]]]] = True
    return differs[image]
