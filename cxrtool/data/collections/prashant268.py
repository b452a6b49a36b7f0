"""Chest X-ray (Kaggle, prashant268): Data/train/ and test/ of COVID19/, NORMAL/ and PNEUMONIA/.

The classes are `covid`, `normal` and `pneumonia`; `finding` is the folder and `folder` the
published part. The images were renamed (COVID19(0).jpg), so that patients are not known: a split
by patient keeps only copies of one picture together (`dup_group`). The normal and pneumonia images
are those of Kermany et al. (preset kermany), where the patients are known.
Source: https://www.kaggle.com/datasets/prashant268/chest-xray-covid19-pneumonia
"""

import os
from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections._classed import classed

CLASSES = {"covid19": "covid", "normal": "normal", "pneumonia": "pneumonia"}
PARTS = ("train", "test")


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image in a folder of a class."""
    expected, remedy = "Data/train/COVID19/, NORMAL/ and PNEUMONIA/", "Name the folder Data/."
    for found in classed(root, CLASSES, expected=expected, remedy=remedy):
        if isinstance(found, Skip):
            yield found
        else:
            path, folder, label = found
            part = os.path.abspath(path).split(os.sep)[-3]
            part = part if part in PARTS else ""
            yield {"path": path, "label": label, "finding": folder, "folder": part}
