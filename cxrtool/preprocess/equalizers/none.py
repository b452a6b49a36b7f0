"""Leave the grey levels as they are; 16 bits are spread over 8 from the lowest to the highest."""

from cxrtool.files.grey_levels import Grey
from cxrtool.preprocess.equalizers import _levels


def equalize(image: Grey, bits: int = 8) -> Grey:
    """Change nothing but the depth."""
    return _levels.kept(image, bits)
