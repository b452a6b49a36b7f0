"""CheXNet: DenseNet-121 with the 14 findings of ChestX-ray14 (Rajpurkar et al. 2017).

Each output is a sigmoid unit of its own: an image has any number of findings.
"""

from cxrtool.learn.architectures import _torchvision
from cxrtool.learn.architectures._network import Network

SIZE = 224
PROVIDER = "torchvision"

LABELS = (
    "Atelectasis",
    "Cardiomegaly",
    "Effusion",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pneumonia",
    "Pneumothorax",
    "Consolidation",
    "Edema",
    "Emphysema",
    "Fibrosis",
    "Pleural_Thickening",
    "Hernia",
)


def build(classes: int = len(LABELS), channels: int = 3, size: int = SIZE) -> Network:
    """Build it with its 14 outputs, however many classes the images have."""
    return _torchvision.network("densenet121", len(LABELS), channels, size)
