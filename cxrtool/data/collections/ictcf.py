"""iCTCF (Ning et al., 2020): the single slices in pCT/, nCT/ and NiCT/.

The classes are `covid` (pCT, positive slices) and `negative` (nCT); slices that show no lung (NiCT)
are left out, unless `uninformative=keep` labels them `other`. `finding` is the folder. The files
are numbered (pCT12.jpg), and the patients are not known. The folders of whole patients that the
site also offers (Patient 1/CT/ and so on) are not read.
Source: https://ngdc.cncb.ac.cn/ictcf/HUST-19.php
"""

from collections.abc import Iterator
from typing import Literal

from cxrtool.core.errors import Skip
from cxrtool.data.collections._classed import classed

CLASSES = {"pct": "covid", "nct": "negative", "nict": "other"}

Uninformative = Literal["skip", "keep"]


def rows(root: str, *, uninformative: Uninformative = "skip") -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every slice."""
    remedy = "Name the folder that holds them; whole patients are not read."
    for found in classed(root, CLASSES, expected="pCT/, nCT/ and NiCT/", remedy=remedy):
        if isinstance(found, Skip):
            yield found
            continue
        path, folder, label = found
        if label == "other" and uninformative == "skip":
            yield Skip(path, "a slice without lung (NiCT)", failed=False)
        else:
            yield {"path": path, "label": label, "view": "Axial", "finding": folder}
