"""Weights of networks, in the format of safetensors: numbers only, nothing that could run."""

import hashlib
import os

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import disk

MOST_BYTES = 4 << 30


def tensors(
    path: str | os.PathLike[str], sha256: str = "", remedy: str = "Put the right file there."
) -> dict[str, Tensor]:
    """Read a file of weights, by their names; with a digest, no other file will do."""
    try:
        return _read(path, sha256)
    except ValueError as e:
        what = f"the weights {disk.shown(path)} cannot be used: {e}"
        raise CxrtoolError(what, remedy) from e


def _read(path: str | os.PathLike[str], sha256: str) -> dict[str, Tensor]:
    try:
        data = disk.read_bytes(path, MOST_BYTES)
    except OSError as e:
        raise ValueError((e.strerror or str(e)).lower()) from e
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError("it is damaged or another file (its SHA-256 is wrong)")
    try:
        return load(data)
    except (SafetensorError, KeyError) as e:  # KeyError: a type of number that PyTorch lacks.
        raise ValueError("it is not a whole safetensors file") from e
