"""Montgomery County (Jaeger et al., 2014): MontgomerySet/ with CXR_png/ and ManualMask/.

The classes are `normal` and `tuberculosis`, from the `_0` or `_1` at the end of the file's name;
`finding` is the text in ClinicalReadings/, which also has age and sex. One image a person, all PA.
The lung masks come in halves, `mask_left` and `mask_right`, named as their folders are, of which
`--join-masks DIR` makes the `mask`; it is set where a copy has them joined in a folder masks/.
Source: https://data.lhncbc.nlm.nih.gov/public/Tuberculosis-Chest-X-ray-Datasets/Montgomery-County-CXR-Set/MontgomerySet/index.html
"""

from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections import _nlm


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every radiograph."""
    yield from _nlm.rows(root, "MCUCXR", ("mask", "mask_left", "mask_right"))
