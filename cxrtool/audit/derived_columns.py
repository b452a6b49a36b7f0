"""Columns of the audit that follow from others: bands of the age, and sizes of many images."""

import numpy as np

from cxrtool.data import label_columns
from cxrtool.files.text_columns import Coded

AGE_BANDS = ((18, "0-17"), (40, "18-39"), (60, "40-59"), (80, "60-79"))


def age_bands(age: Coded) -> Coded:
    """Name the bands of ages."""
    return Coded.of([*map(_age_band, age.names)], age.codes)


def _age_band(text: str) -> str:
    """Name the band of an age in years, such as `57`, `057Y` or `90+`; unknown is empty."""
    digits = text.strip().rstrip("+Yy").strip()
    try:
        age = float(digits)
    except ValueError:
        return ""
    if not 0 <= age < 150:
        return ""
    return next((band for end, band in AGE_BANDS if age < end), "80+")


def common_sizes(width: Coded, height: Coded) -> Coded:
    """Name the sizes that many images have."""
    pairs, codes = np.unique(
        np.column_stack([width.codes, height.codes]), axis=0, return_inverse=True
    )
    cells = [(width.names[w], height.names[h]) for w, h in pairs.tolist()]
    sizes = Coded.of([" x ".join(cell) if all(cell) else "" for cell in cells], codes.ravel())
    common = dict(zip(sizes.names, label_columns.common(sizes).tolist(), strict=True))
    names = [name if not name or common[name] else "other sizes" for name in sizes.names]
    return Coded.of(names, sizes.codes)
