"""What run.json says of a run, checked field by field; nothing of it is believed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cxrtool import __version__
from cxrtool.core import choices, registry
from cxrtool.core.errors import CxrtoolError, shortened
from cxrtool.files import disk, run_fields
from cxrtool.files.manifest import image_channels
from cxrtool.files.run_fields import (
    Best,
    Classes,
    DataAbout,
    Digest,
    Integer,
    LabelTrapsAbout,
    Level,
    Options,
    Share,
    Size,
    Spread,
    Temperature,
    Text,
)

WEIGHTS = "model.safetensors"
REMEDY = "Train the run again, or copy it again."

FORMAT = 1
MOST_ABOUT = 16 << 20


@dataclass(frozen=True)
class About:
    """What run.json holds."""

    arch: Text
    classes: Classes
    size: Size
    channels: Integer
    mean: list[Level]  # of each channel, in grey levels of 0 to 255
    std: list[Spread]
    task: Text = "classify"
    fit: Text = "squash"  # how images are brought to the size
    normalize: Text = "unit"
    preprocessing: Text = ""  # what was done to the images before, as on the command line
    loaded: Text = "none"  # the weights that it began with
    seed: Integer = 0
    options: Options = field(default_factory=dict)
    data: DataAbout = field(default_factory=DataAbout)  # name, digest, counts of the manifest
    leaks: Options = field(default_factory=dict)  # how many values are in several parts
    # Classes and columns that give the label away.
    label_traps: LabelTrapsAbout = field(default_factory=LabelTrapsAbout)
    best: Best = field(default_factory=Best)  # epoch and its validation figures
    criterion: Text = "ce"  # what val_loss is; runs of earlier versions do not say, and it is this
    temperature: Temperature = 1.0
    threshold: Share = 0.5
    versions: dict[Text, Text] = field(default_factory=dict)
    weights: Digest = ""  # of model.safetensors
    images: Digest = ""  # of images.safetensors; empty where there is none
    format: Integer = FORMAT

    @property
    def image_channels(self) -> int:
        """The channels of the images that it reads."""
        return image_channels(self.preprocessing)

    @property
    def has_validation(self) -> bool:
        """Whether the temperature and the threshold come from validation images of two classes."""
        # Only of two classes is there an AUC.
        return isinstance(self.best.get("val_auc"), (int, float))


def json_file(path: str) -> dict[str, Any]:
    """Read a JSON object."""
    value = json_value(path)
    if not isinstance(value, dict):
        raise damaged(path, "not a JSON object")
    return value


def json_value(path: str) -> Any:
    """Read JSON, in which every number is one."""
    try:
        return json.loads(read_bytes(path, MOST_ABOUT), parse_constant=refuse_constant)
    except (ValueError, RecursionError) as e:
        raise damaged(path, f"not JSON ({e})") from None


def refuse_constant(text: str) -> float:
    """Refuse the NaN and Infinity that Python reads as JSON."""
    raise ValueError(f"{text} is not a number")


def about(path: str, fields: Mapping[str, Any]) -> About:
    """Check the fields of a run.json, and leave out what a later version may have added."""
    given = fields.get("format")
    if isinstance(given, int) and given > FORMAT:
        what = f"{path}: made by a newer cxrtool (format {given})"
        raise CxrtoolError(what, f"This is {__version__}: update it.")
    known = {name: fields[name] for name in About.__dataclass_fields__ if name in fields}
    if wrong := run_fields.mistake(About, known):
        raise damaged(path, wrong)
    record = About(**known)
    if wrong := _mistake(record):
        raise damaged(path, wrong)
    return record


def _mistake(about: About) -> str:
    """Say which fields do not fit one another, or this version of the program."""
    if about.task not in choices.TASKS:
        return f"its task '{shortened(about.task)}' is not one of: {', '.join(choices.TASKS)}"
    if about.channels not in (1, 3):
        return f"its channels {about.channels} are neither 1 nor 3"
    if len(set(about.classes)) < len(about.classes):
        return "its classes are not distinct"
    if about.task == "classify" and len(about.classes) < 2:
        return "it has one class, and a classifier has two or more"
    if not len(about.mean) == len(about.std) == about.channels:
        return "its mean and std are not of as many channels as it has"
    if about.image_channels > about.channels:
        return "its preprocessing makes images of three channels, but its network takes one"
    if about.fit not in choices.FITS:
        return f"its fit '{shortened(about.fit)}' is not one of: {', '.join(choices.FITS)}"
    if not about.weights:
        return f"it has no digest of {WEIGHTS}"
    name = about.arch.partition(":")[0]
    if name not in registry.names("architectures"):
        return f"this version does not know its architecture '{shortened(name)}'"
    return ""


def damaged(path: str, why: str) -> CxrtoolError:
    """Make the error for a damaged file of a run."""
    return CxrtoolError(f"{path}: damaged: {why}", REMEDY)


def read_bytes(path: str, most: int) -> bytes:
    """Read a file of a run."""
    try:
        return disk.read_bytes(path, most)
    except OSError as e:
        raise CxrtoolError(f"{path}: {(e.strerror or str(e)).lower()}", "Check the run.") from e
    except ValueError as e:
        raise damaged(path, str(e)) from None
