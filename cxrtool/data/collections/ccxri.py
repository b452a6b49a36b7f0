"""COVID-19 Radiography Database (Chowdhury et al., 2020): COVID/, Normal/, Viral Pneumonia/

The classes are `covid`, `normal`, `virus` (Viral Pneumonia) and `other` (Lung_Opacity: an infection
other than COVID-19); `finding` is the folder. Read are the releases with COVID/images/ and
COVID/masks/ (whose lung masks are smaller than the images) and the older ones with COVID-19/ and
NORMAL/ that hold the images themselves. Patients are not known. The images were collected from
other collections: Cohen's and the BIMCV's for COVID-19, RSNA's and Kermany's for the rest; look at
`dup_group` after joining them. The tables of the origins are Excel files, which are not read.
Source: https://www.kaggle.com/datasets/tawsifurrahman/covid19-radiography-database
"""

import os
from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections._classed import Classed, classed

CLASSES = {
    "covid": "covid",
    "covid-19": "covid",
    "normal": "normal",
    "viral pneumonia": "virus",
    "lung_opacity": "other",
}


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image, with its lung mask where there is one."""
    expected = "COVID/, Normal/, Lung_Opacity/ and Viral Pneumonia/"
    remedy = "Name the folder COVID-19_Radiography_Dataset/."
    found = list(classed(root, CLASSES, expected=expected, remedy=remedy))
    masks = {_place(f[0]): f[0] for f in found if not isinstance(f, Skip) and _is_mask(f)}
    for entry in found:
        if isinstance(entry, Skip):
            yield entry
        elif not _is_mask(entry):
            path, folder, label = entry
            mask = masks.get(_place(path), "")
            yield {"path": path, "label": label, "finding": folder, "mask": mask}


def _is_mask(entry: Classed) -> bool:
    return os.path.basename(os.path.dirname(entry[0])).lower() == "masks"


def _place(path: str) -> tuple[str, str]:
    """Name the class's folder and the file, which an image and its mask share."""
    folder, name = os.path.split(path)
    return os.path.dirname(folder), os.path.splitext(name)[0]
