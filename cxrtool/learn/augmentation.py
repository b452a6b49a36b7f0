"""Augmentation of a whole batch on the device it is trained on, by one resampling.

The keys mean what they mean in Keras, whose generators the papers used: every value is drawn anew
for every image, the geometric ones are joined to one affine map about the centre, then come the
flips, then the brightness. The chance comes from the place of an image in the epoch alone, so that
it does not depend on how many processes share the batch.
"""

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional

from cxrtool.core import commas, registry
from cxrtool.core.errors import CxrtoolError


@dataclass(frozen=True)
class Augmentation:
    """What may happen to an image; ranges are symmetric unless they are written LOW..HIGH.

    A value may end in the probability that it happens at all: `rotate=10@0.45`.
    """

    rotate: str = "0"  # degrees
    shift: str = "0"  # share of the side, both ways
    shift_x: str = "0"
    shift_y: str = "0"
    shear: str = "0"  # degrees
    zoom: str = "0"  # of each axis; above 1 shrinks, 0.1 is 0.9..1.1
    scale: str = "1..1"  # of both axes together; above 1 enlarges
    hflip: str = "0"  # probability
    vflip: str = "0"
    brightness: str = "1..1"
    contrast: str = "1..1"
    fill: str = "nearest"  # or constant: black

    @property
    def is_none(self) -> bool:
        """Whether no image is changed."""
        return self == Augmentation(fill=self.fill)

    @property
    def needs_fill(self) -> bool:
        """Whether places outside the image may come into view, which flips never do."""
        still = Augmentation(
            hflip=self.hflip,
            vflip=self.vflip,
            brightness=self.brightness,
            contrast=self.contrast,
            fill=self.fill,
        )
        return self != still

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Return the range of every value."""
        return {f.name: _range(f.name, getattr(self, f.name)) for f in fields(self)[:-1]}

    def probabilities(self) -> dict[str, float]:
        """Return how often a value is drawn at all, of those that do not always happen."""
        texts = {f.name: getattr(self, f.name) for f in fields(self)[:-1]}
        return {name: _probability(name, text) for name, text in texts.items() if "@" in text}


KEYS = [f.name.replace("_", "-") for f in fields(Augmentation)]
# Keys whose single number is a distance from this middle; the others are probabilities.
MIDDLE = {
    "rotate": 0.0,
    "shift": 0.0,
    "shift_x": 0.0,
    "shift_y": 0.0,
    "shear": 0.0,
    "zoom": 1.0,
    "scale": 1.0,
    "brightness": 1.0,
    "contrast": 1.0,
}
# Nothing is left of an image that is multiplied by 0.
FACTORS = {"zoom", "scale", "brightness", "contrast"}
FILLS = {"nearest": "border", "constant": "zeros"}


def parse(text: str | None) -> Augmentation:
    """Read `rotate=5,zoom=0.02,hflip=0.5`."""
    given: dict[str, str] = {}
    for pair in commas.split(text) if text not in (None, "", "none") else ():
        key, equals, value = pair.partition("=")
        registry.choose("augmentation", key, KEYS, settings=["augment"])
        if not equals:
            what = f"augmentation {key} has no value"
            raise CxrtoolError(what, f"Write it as {key}=0.1.", settings=["augment"])
        given[key.replace("-", "_")] = value
    augmentation = Augmentation(**given)
    augmentation.ranges()
    augmentation.probabilities()
    registry.choose("fill of the augmentation", augmentation.fill, FILLS, settings=["augment"])
    return augmentation


def _probability(name: str, text: str) -> float:
    """Read what stands behind the @ of a value."""
    key, share = name.replace("_", "-"), text.partition("@")[2]
    if name.endswith("flip"):
        what = f"augmentation {key}={text}: the value of a flip is its probability already"
        raise CxrtoolError(what, f"Write it as {key}=0.5.", settings=["augment"])
    try:
        probability = float(share)
    except ValueError:
        probability = math.nan
    if not 0 < probability <= 1:
        what = f"augmentation {key}={text}: '{share}' is not a probability above 0"
        raise CxrtoolError(what, f"Write it as {key}=10@0.5.", settings=["augment"])
    return probability


def _range(name: str, text: str) -> tuple[float, float]:
    low, dots, high = text.partition("@")[0].partition("..")
    try:
        values = float(low), float(high if dots else low)
    except ValueError:
        values = math.nan, math.nan
    if not all(map(math.isfinite, values)) or values[0] > values[1]:
        raise _mistake(name, text, " is neither a number nor LOW..HIGH")
    if name not in MIDDLE and (dots or not 0 <= values[0] <= 1):
        raise _mistake(name, text, ": a flip has one value, the probability that it happens")
    if name in MIDDLE and not dots:
        values = MIDDLE[name] - values[0], MIDDLE[name] + values[0]
    if name in FACTORS and values[0] <= 0:
        raise _mistake(name, text, f" begins at {values[0]:g}, which leaves no image")
    return values


def _mistake(name: str, text: str, what: str) -> CxrtoolError:
    key = name.replace("_", "-")
    examples = f"{key}=0.1 or {key}=0.9..1.1" if name in MIDDLE else f"{key}=0.5"
    error = f"augmentation {key}={text}{what}"
    return CxrtoolError(error, f"Write it as {examples}.", settings=["augment"])


def drawn(augmentation: Augmentation, number: int, seed: int) -> dict[str, Tensor]:
    """Draw the values of a number of images."""
    generator = torch.Generator().manual_seed(seed)
    # In one piece, so that a key that is left out does not change what the others draw.
    chance = torch.rand(len(augmentation.ranges()) + 1, number, generator=generator)
    values = {}
    for row, (name, (low, high)) in zip(chance, augmentation.ranges().items(), strict=False):
        values[name] = (row < high) if name.endswith("flip") else low + (high - low) * row
    # Both axes are shifted and zoomed on their own.
    again = torch.rand(2, number, generator=generator)
    for name, row in zip(("shift", "zoom"), again, strict=True):
        low, high = augmentation.ranges()[name]
        values[f"{name}_again"] = low + (high - low) * row
    probabilities = augmentation.probabilities()
    if probabilities:
        # Drawn last, so that values with and without a probability are the same ones.
        rows = torch.rand(len(MIDDLE), number, generator=generator)
        _keep_some(values, dict(zip(MIDDLE, rows, strict=True)), probabilities)
    return values


def _keep_some(
    values: dict[str, Tensor], chance: dict[str, Tensor], probabilities: dict[str, float]
) -> None:
    """Put values back to what changes nothing, in the images that they do not happen to."""
    for name, probability in probabilities.items():
        for key in (name, f"{name}_again"):
            if key in values:
                nothing = torch.full_like(values[key], MIDDLE[name])
                values[key] = torch.where(chance[name] < probability, values[key], nothing)


def augmented(images: Tensor, values: dict[str, Tensor], fill: str = "nearest") -> Tensor:
    """Resample a batch (N, C, H, W) of grey levels 0 to 255, and change its brightness."""
    values = {name: v.to(images.device, torch.float32) for name, v in values.items()}
    affine = _affine(values)
    identity = torch.eye(2, 3, device=images.device)
    if not torch.equal(affine, identity.expand_as(affine)):
        grid = functional.affine_grid(affine, list(images.shape), align_corners=False)
        images = functional.grid_sample(
            images, grid.to(images.dtype), padding_mode=FILLS[fill], align_corners=False
        )
    gain = values["brightness"].view(-1, 1, 1, 1)
    contrast = values["contrast"].view(-1, 1, 1, 1)
    if bool((gain != 1).any() or (contrast != 1).any()):
        middle = images.mean(dim=(1, 2, 3), keepdim=True)
        images = (((images - middle) * contrast + middle) * gain).clamp(0, 255)
    return images


def _affine(values: dict[str, Tensor]) -> Tensor:
    """Return the maps from places in the result to places in the square image (N, 2, 3)."""
    angle, shear = torch.deg2rad(values["rotate"]), torch.deg2rad(values["shear"])
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    turn = _matrix(angle.cos(), -angle.sin(), angle.sin(), angle.cos())
    sheared = _matrix(one, -shear.sin(), zero, shear.cos())
    across = values["zoom"] / values["scale"]
    down = values["zoom_again"] / values["scale"]
    zoomed = _matrix(
        across * (1 - 2 * values["hflip"]), zero, zero, down * (1 - 2 * values["vflip"])
    )
    shift = torch.stack(
        [
            2 * (values["shift"] + values["shift_x"]),
            2 * (values["shift_again"] + values["shift_y"]),
        ],
        dim=1,
    )
    # The flips come last in the picture, so they come first on the way back.
    return torch.cat([turn @ sheared @ zoomed, shift[:, :, None]], dim=2)


def _matrix(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    return torch.stack([torch.stack([a, b], 1), torch.stack([c, d], 1)], 1)
