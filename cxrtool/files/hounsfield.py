"""Windows of Hounsfield units (values of CT -> grey levels)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[Any]

# CT files without a header hold units above -1024, so that no value is negative.
OFFSET = 1024


@dataclass(frozen=True)
class HounsfieldWindow:
    """The units that are shown from black to white: `width` of them around `center`."""

    center: float
    width: float

    def grey(self, units: "Pixels") -> "NDArray[Any]":
        """Show units as 16-bit grey levels (DICOM PS3.3, C.11.2.1.2.1).

        >>> import numpy as np
        >>> HounsfieldWindow(-600, 1500).grey(np.array([-2000, -1350, -600, 150, 400])).tolist()
        [0, 0, 32789, 65535, 65535]
        """
        import numpy as np

        shift = units.astype(np.float64) - (self.center - 0.5)
        share = np.clip(shift / (self.width - 1) + 0.5, 0, 1)
        return np.rint(np.nan_to_num(share) * 65535).astype(np.uint16)

    def __str__(self) -> str:
        return f"{self.center:g},{self.width:g}"


# As radiologists set them.
NAMED = {
    "lung": HounsfieldWindow(-600, 1500),
    "mediastinum": HounsfieldWindow(50, 350),
    "bone": HounsfieldWindow(400, 1800),
}


def window_of(text: str) -> HounsfieldWindow:
    """Read the name of a window, or its center and width.

    >>> window_of("lung") == window_of("-600,1500")
    True
    """
    if text in NAMED:
        return NAMED[text]
    center, comma, width = text.partition(",")
    window = HounsfieldWindow(float(center), float(width)) if comma else None
    if window is None or not (abs(window.center) < 1e6 and 1 < window.width < 1e6):
        raise ValueError(f"'{text}' is not CENTER,WIDTH")
    return window


def units_of(values: "Pixels") -> "Pixels | None":
    """Take the units of a picture without a header; None if it has none, as of 8 bits.

    Negative values are units themselves; whole numbers from 0 on are units above -1024.
    """
    import numpy as np

    if values.dtype == np.uint8 or values.dtype.kind not in "iuf" or not values.size:
        return None
    if np.nanmin(values) < 0:
        return values
    return None if values.dtype.kind == "f" else values.astype(np.int64) - OFFSET
