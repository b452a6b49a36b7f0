"""Weights of networks, in the format of safetensors: numbers only, nothing that could run."""

import hashlib
import os

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from cxrtool.artifacts import files
from cxrtool.errors import CxrtoolError

MOST_BYTES = 4 << 30


def tensors(path: str | os.PathLike[str], sha256: str = "") -> dict[str, Tensor]:
    """Read a file of weights, by their names; with a digest, no other file will do."""
    try:
        data = files.read_bytes(path, MOST_BYTES)
    except OSError as e:
        raise _refused(path, (e.strerror or str(e)).lower()) from e
    except ValueError as e:
        raise _refused(path, str(e)) from e
    if sha256 and hashlib.sha256(data).hexdigest() != sha256:
        raise _refused(path, "it is damaged or another file (its SHA-256 is wrong)")
    try:
        return load(data)
    except (SafetensorError, KeyError) as e:  # KeyError: a type of number that PyTorch lacks.
        raise _refused(path, "it is not a whole safetensors file") from e


def _refused(path: str | os.PathLike[str], why: str) -> CxrtoolError:
    what = f"the weights {files.shown(path)} cannot be used: {why}"
    return CxrtoolError(what, "Put the right file there, or install cxrtool again.")
