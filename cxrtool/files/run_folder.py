"""A run folder: the weights of a network and all that is needed to use them anywhere.

Nothing in it is executable, and nothing of it is believed: run.json is checked field by field, the
weights by their digest. JSON and safetensors both load a flipped byte without a word.
"""

import contextlib
import hashlib
import json
import os
from array import array
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import disk, json_writer, run_fields, run_record, weights_file
from cxrtool.files.run_record import REMEDY, About, damaged

ABOUT, WEIGHTS, IMAGES = "run.json", run_record.WEIGHTS, "images.safetensors"
BEFORE = "before"
LAST, LAST_ABOUT = "last.safetensors", "last.json"
MODEL = "model."  # what the names of weights begin with in last.safetensors
HISTORY, CURVES = "history.csv", "curves.png"
RATES, RATE_CURVE = "rates.csv", "rates.png"
# What other programs show of the history.
EVENTS, MLFLOW = "tensorboard", "mlflow.db"


@dataclass(frozen=True)
class Run:
    """A run that is there, with the weights of its best epoch or of its last."""

    folder: str
    about: About
    epoch: str = "best"

    @property
    def name(self) -> str:
        """The name of the run in predictions: that of its folder."""
        return os.path.basename(os.path.abspath(self.folder))

    def tensors(self) -> dict[str, Any]:
        """Read the weights of the best epoch, whose digest run.json has, or of the last one."""
        if self.epoch == "last":
            return last_weights(self.folder)
        return weights_file.tensors(os.path.join(self.folder, WEIGHTS), self.about.weights, REMEDY)

    def images(self) -> "dict[str, array[int]] | None":
        """Read which images it was trained and validated on: sorted digests, by their part.

        The part `before` are those of the run whose weights it began with.

        None where the run does not say: it is of an earlier version, its manifest had no digests of
        files, or the file was left behind.
        """
        path = os.path.join(self.folder, IMAGES)
        if not self.about.images or not os.path.exists(path):
            return None
        tensors = weights_file.tensors(path, self.about.images, REMEDY)
        try:
            parts = ("train", "val", *({BEFORE} & tensors.keys()))
            return {part: array("q", tensors[part].tolist()) for part in parts}
        except (KeyError, TypeError, OverflowError):
            raise damaged(path, "it is not a list of images") from None


def read(folder: str) -> Run:
    """Read run.json and check every field of it."""
    path = os.path.join(folder, ABOUT)
    if os.path.isfile(folder):
        raise CxrtoolError(f"{folder}: a file, and not a run folder", "RUN comes first.")
    if not os.path.isdir(folder):
        raise CxrtoolError(f"{folder}: no such run folder", "Create one with cxrtool train.")
    if not os.path.exists(path):
        raise CxrtoolError(
            f"{folder}: has no {ABOUT}", "It is not a run folder, or no epoch is finished."
        )
    return Run(folder, run_record.about(path, run_record.json_file(path)))


def classifier(folder: str, *, or_findings: bool = False) -> Run:
    """Read a run, which must be one that classifies, or one of findings where these are allowed."""
    run = read(folder)
    if run.about.task == "findings":
        if or_findings:
            return run
        what = f"{folder}: is a run of independent findings, not a classifier"
        raise CxrtoolError(what, "cxrtool evaluate, cam and tsne take it, alone.")
    if run.about.task != "classify":
        what = f"{folder}: is a segmentation run, not a classifier"
        raise CxrtoolError(what, "Use it as the model of cxrtool segment.")
    return run


def clear(folder: str) -> None:
    """Remove the files of a run, run.json first: without it, there is no run."""
    for name in (ABOUT, WEIGHTS, IMAGES, HISTORY, CURVES, RATES, RATE_CURVE):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(folder, name))


def packed_images(parts: Mapping[str, NDArray[np.int64]]) -> bytes:
    """Pack the digests of the images of each part."""
    from safetensors.numpy import save

    return save({part: np.unique(digests) for part, digests in parts.items()})


def write(
    folder: str, record: About, tensors: Mapping[str, Any], images: bytes | None = None
) -> None:
    """Write the weights, then run.json; `images` is the result of `packed_images`.

    Killed in between, the run is refused until the same command has gone on from its last state.
    """
    from safetensors.torch import save

    about = asdict(record) | {"images": ""}
    if images is not None:
        about["images"] = hashlib.sha256(images).hexdigest()
        with disk.atomic(os.path.join(folder, IMAGES)) as file:
            file.write(images)
    data = save(_plain(tensors))
    with disk.atomic(os.path.join(folder, WEIGHTS)) as file:
        file.write(data)
    digest = hashlib.sha256(data).hexdigest()
    json_writer.write(os.path.join(folder, ABOUT), about | {"weights": digest})


def _plain(tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def write_last(folder: str, state: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
    """Write what a run goes on from, in one file that is there whole or not at all.

    Its tensors and the state are covered by a digest; last.json is a copy for people.
    """
    from safetensors.torch import save

    plain, text = _plain(tensors), json.dumps(state, sort_keys=True, allow_nan=False)
    metadata = {"state": text, "digest": _digest(plain, text)}
    with disk.atomic(os.path.join(folder, LAST)) as file:
        file.write(save(plain, metadata))
    json_writer.write(os.path.join(folder, LAST_ABOUT), state)


def read_last(folder: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Read what a run goes on from: the state and the tensors; None if it has not begun."""
    path = os.path.join(folder, LAST)
    if not os.path.exists(path):
        return None
    tensors = weights_file.tensors(path, remedy=REMEDY)
    data = run_record.read_bytes(path, weights_file.MOST_BYTES)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    metadata = header.get("__metadata__", {})
    text = str(metadata.get("state", ""))
    if metadata.get("digest") != _digest(tensors, text):
        raise damaged(path, "its digest is not the one that was recorded")
    try:
        state = json.loads(text, parse_constant=run_record.refuse_constant)
    except (ValueError, RecursionError) as e:
        raise damaged(path, f"its state is not JSON ({e})") from None
    if not isinstance(state, dict):
        raise damaged(path, "its state is not a JSON object")
    if wrong := run_fields.last_mistake(state):
        raise damaged(path, wrong)
    return state, tensors


def last_weights(folder: str) -> dict[str, Any]:
    """Read the weights of the last epoch, which a training goes on from."""
    last = read_last(folder)
    if last is None:
        what = f"{folder}: has no {LAST}, which holds the weights of the last epoch"
        raise CxrtoolError(what, "Copy the whole run, or take the best epoch.")
    _, tensors = last
    return {k.removeprefix(MODEL): v for k, v in tensors.items() if k.startswith(MODEL)}


def _digest(tensors: Mapping[str, Any], text: str) -> str:
    import torch

    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        # As bytes, which every type of number has; NumPy knows no bfloat16.
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
