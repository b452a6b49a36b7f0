"""SARS-CoV-2 CT scans (Soares et al., 2020): slices in COVID/ and non-COVID/.

The classes are `covid` and `negative` (patients without COVID-19, who may have other diseases);
`finding` is the folder. The files are numbered (Covid (1).png), and neither patients nor scans are
known: neighbouring slices of one patient may come into different parts of a split. The slices are
pictures of a window that is not stated, with their margins as the authors cut them.
Source: https://www.kaggle.com/datasets/plameneduardo/sarscov2-ctscan-dataset
"""

from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections._classed import classed

CLASSES = {"covid": "covid", "non-covid": "negative"}


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every slice."""
    remedy = "Name the folder that holds both."
    for found in classed(root, CLASSES, expected="COVID/ and non-COVID/", remedy=remedy):
        if isinstance(found, Skip):
            yield found
        else:
            path, folder, label = found
            yield {"path": path, "label": label, "view": "Axial", "finding": folder}
