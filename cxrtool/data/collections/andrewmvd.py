"""COVID-19 X rays (Kaggle, andrewmvd): a folder of radiographs, all of COVID-19.

The layout was not verified: every image below the folder is taken, and labelled `covid`. Patients
are not known. The images come from public case reports, and so do many of Cohen's (preset cohen):
look at `dup_group` after joining both. The paper that tested on this collection used 73 images;
the archive may hold more (split --cap covid=73 takes as many).
Source: https://www.kaggle.com/datasets/andrewmvd/convid19-x-rays
"""

from collections.abc import Iterator

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.files.tree import images


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every image."""
    some = False
    for path in images(root):
        if isinstance(path, Skip):
            yield path
        else:
            some = True
            yield {"path": path, "label": "covid", "finding": "COVID-19"}
    if not some:
        raise CxrtoolError(
            f"{root}: no images", "Name the folder that the archive was unpacked to."
        )
