"""The names of plain choices, each list once: for the command line, and for readers of files."""

from typing import Literal, get_args

# How an image becomes square.
FITS = ("squash", "crop", "pad")
# How grey levels are scaled for a network.
NORMALIZATIONS = ("auto", "unit", "dataset", "imagenet", "none", "xrv")
# OpenCV's names of these are INTER_AREA and so on.
INTERPOLATIONS = ("area", "cubic", "linear", "nearest")
# Matplotlib's names of colour scales that are even to the eye, and of the uneven one in papers.
EVEN_COLORMAPS = ("cividis", "inferno", "magma", "plasma", "viridis")
COLORMAPS = (*EVEN_COLORMAPS, "jet")
# Where heat maps take the lungs from, and lesions; which signs of the heat are shown.
LUNG_MASKS = ("column", "auto", "none")
LESION_MASKS = ("column", "none")
SIGNS = ("positive", "both")
# What segment keeps of an image, and how the edge of a mask is softened.
KEEP = ("lungs", "background", "box", "mask")
BLURS = ("gaussian", "box")
# What a run does, and by which figures of val its epochs are judged: is more better?
TASKS = ("classify", "segment", "findings")
MONITORS = {
    "classify": {"loss": False, "accuracy": True, "balanced_accuracy": True, "auc": True},
    "segment": {"loss": False, "dice": True},
    "findings": {"loss": False, "auc": True},
}
# How the classes are weighted in a loss.
CLASS_WEIGHTS = ("none", "balanced", "max")
# What becomes of colour weights where a network takes grey images.
First = Literal["red", "sum"]
FIRST_LAYERS = get_args(First)
