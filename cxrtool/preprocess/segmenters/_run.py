"""Lungs by a run that was trained for segmentation."""

from functools import cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from cxrtool.core.errors import CxrtoolError, is_memory
from cxrtool.files import pixel_cache, run_folder
from cxrtool.files.grey_levels import Grey, to8
from cxrtool.learn import inference


def segment(image: Grey, *, folder: str) -> NDArray[np.bool_]:
    """Mask what the run takes for lungs with a probability over a half."""
    model = _model(folder)
    small = pixel_cache.framed_by(to8(image), model.about.size, "squash")
    try:
        logits = model.logits(torch.from_numpy(small)[None, None])[0, 0].numpy()
    except RuntimeError as e:
        if not is_memory(e):
            raise
        # A worker that is out of memory is known by this.
        raise MemoryError from e
    return np.asarray(cv2.resize(logits, image.shape[::-1]) > 0)


def opened(folder: str) -> run_folder.Run:
    """Read a run, which must be one that draws masks."""
    run = run_folder.read(folder)
    if run.about.task != "segment":
        what = f"{folder}: is a classifier, not a segmentation run"
        raise CxrtoolError(what, "Train one for segmentation with cxrtool train.")
    return run


@cache
def _model(folder: str) -> inference.Model:
    """Load the run once a process."""
    return inference.Model(opened(folder), torch.device("cpu"))
