"""A phantom on the disk: its image, the mask of its lungs, the mask of its opacity."""

import hashlib
import os
from dataclasses import astuple, dataclass

from cxrtool import __version__
from cxrtool.files import image, manifest
from cxrtool.images import fingerprints
from cxrtool.phantoms import Case, render

FOLDERS = ("images", "masks", "lesions")
COLUMNS = (*manifest.COLUMNS, "lesion")


@dataclass(frozen=True)
class Order:
    """One phantom to be made."""

    case: Case
    size: int
    folder: str
    root: str | None
    force: bool

    def paths(self) -> list[str]:
        """Name the three files."""
        name = f"phantom-{self.case.index + 1:06d}.png"
        return [os.path.join(self.folder, part, name) for part in FOLDERS]


def make(order: Order) -> list[str]:
    """Write a phantom's files, unless they are there and whole, and return its row."""
    paths, case = order.paths(), order.case
    options = hashlib.sha256(repr((astuple(case), order.size)).encode()).hexdigest()[:16]
    made_with = f"phantom {__version__} {options}"
    if order.force or not all(image.is_made(path, made_with) for path in paths):
        phantom = render(case, order.size)
        data, *_ = [image.write_png(p, x, made_with) for p, x in zip(paths, phantom, strict=True)]
        digest = hashlib.sha256(data).hexdigest()
        drawn = phantom.image
    else:
        picture = image.read(paths[0])
        digest, drawn = picture.sha256, picture.grey
    dhash, fingerprint, _ = fingerprints.hashed(drawn)
    shown = [manifest.relative(path, order.root) for path in paths]
    row = {
        "path": shown[0],
        "raw": shown[0],
        "label": case.label,
        "patient": f"{case.source}/{case.patient}",
        "source": case.source,
        "view": case.view,
        "age": case.age,
        "sex": case.sex,
        "width": str(order.size),
        "height": str(order.size),
        "sha256": digest,
        "dhash": dhash,
        "fingerprint": fingerprint,
        "mask": shown[1],
        "lesion": shown[2],
    }
    return [row.get(column, "") for column in COLUMNS]
