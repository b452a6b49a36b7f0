"""The versions of what a run is made with."""

import platform

import numpy as np
import torch

from cxrtool import __version__


def used() -> dict[str, str]:
    """Return the versions by name."""
    return {
        "cxrtool": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }
