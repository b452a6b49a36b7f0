"""Shenzhen Hospital (Jaeger et al., 2014): ChinaSet_AllFiles/ with CXR_png/.

The classes are `normal` and `tuberculosis`, from the `_0` or `_1` at the end of the file's name;
`finding` is the text in ClinicalReadings/, which also has age and sex. One image a person, PA.
Masks are another group's (Stirenko et al., 2018) and cover 566 of the 662 images: any below the
folder named `CHNCXR_0001_0_mask.png` becomes `mask`.
Source: https://data.lhncbc.nlm.nih.gov/public/Tuberculosis-Chest-X-ray-Datasets/Shenzhen-Hospital-CXR-Set/index.html
"""

from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections import _nlm


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every radiograph."""
    yield from _nlm.rows(root, "CHNCXR", ("mask",))
