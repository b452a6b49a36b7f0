"""A phantom on the disk: its image, the mask of its lungs, the mask of its opacity."""

import hashlib
import os
from dataclasses import astuple, dataclass

from cxrtool import __version__
from cxrtool.files import image, manifest
from cxrtool.images import fingerprints
from cxrtool.phantoms import PhantomCase, layouts, render, render_slice

TRUTH = ("masks", "lesions")
FOLDERS = ("images", *TRUTH)
COLUMNS = (*manifest.COLUMNS, "lesion")


@dataclass(frozen=True)
class Order:
    """One phantom to be made."""

    case: PhantomCase
    size: int
    folder: str
    root: str | None
    force: bool
    slices: str = layouts.NONE

    def paths(self) -> list[str]:
        """Name the three files."""
        name = f"phantom-{self.case.index + 1:06d}.png"
        image_path = layouts.image_path(self.case, self.slices)
        truth = (os.path.join(part, name) for part in TRUTH)
        return [os.path.join(self.folder, path) for path in (image_path, *truth)]

    @property
    def options(self) -> str:
        """Return a digest of what the images depend on."""
        said = (astuple(self.case), self.size)
        sliced = (*said, self.slices) if self.slices != layouts.NONE else said
        return hashlib.sha256(repr(sliced).encode()).hexdigest()[:16]


def make(order: Order) -> list[str]:
    """Write a phantom's files, unless they are there and whole, and return its row."""
    paths, case = order.paths(), order.case
    made_with = f"phantom {__version__} {order.options}"
    if order.force or not all(image.is_made(path, made_with) for path in paths):
        drawer = render if order.slices == layouts.NONE else render_slice
        phantom = drawer(case, order.size)
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
        "view": case.view if order.slices == layouts.NONE else "Axial",
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
