"""Read the tensors of a file of weights, or of a run (a path -> tensors by name).

Pickles are read as tensors only: one that holds anything else is refused, and nothing of it runs.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cxrtool.core.errors import CxrtoolError, one_line
from cxrtool.files import run_folder

Tensors = dict[str, Tensor]

MODEL = "model.safetensors"
PICKLES = (".pth", ".pt", ".tar")
# Where training scripts put the weights among the rest of what they save.
INSIDE = ("state_dict", "model_state_dict", "model", "network", "net", "weights")
# How PyTorch names what a pickle asks for beyond tensors.
FORBIDDEN = re.compile(r"GLOBAL ([\w.]+)")


def read(path: Path) -> Tensors:
    """Read the tensors of a file or of a run."""
    if path.is_dir():
        if not (path / MODEL).is_file():
            raise CxrtoolError(f"the folder '{path}' has no {MODEL}", "Name the folder of a run.")
        # Checked by the digest in run.json.
        return run_folder.read(str(path)).tensors()
    if path.suffix not in (".safetensors", *PICKLES):
        what = f"weights '{path}' are not one of: none, imagenet, a file, the folder of a run"
        raise CxrtoolError(what, f"Files end in .safetensors, {', '.join(PICKLES)}.")
    if not path.is_file():
        raise CxrtoolError(f"there are no weights '{path}'", "Check the path.")
    tensors = _safetensors(path) if path.suffix == ".safetensors" else _pickled(path)
    if not tensors:
        raise CxrtoolError(f"weights '{path}' hold no named tensors", "Save a state_dict.")
    return tensors


def _safetensors(path: Path) -> Tensors:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise _unreadable(path, error) from None


def _pickled(path: Path) -> Tensors:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # A damaged pickle raises nearly anything.
        raise _unreadable(path, error) from None
    return _inside(content)


def _unreadable(path: Path, error: Exception) -> CxrtoolError:
    if asked := FORBIDDEN.search(str(error)):
        what = f"weights '{path}' hold more than tensors ({asked[1]}), and are not loaded"
        return CxrtoolError(what, "Save the state_dict alone.")
    # PyTorch's advice on the lines after the first is to load what was refused.
    first = str(error).strip().partition("\n")[0].partition(". ")[0]
    reason = one_line(first or type(error).__name__)
    return CxrtoolError(
        f"weights '{path}' are damaged, or not weights ({reason})", "Fetch them again."
    )


def _inside(content: Any) -> Tensors:
    """Take the tensors out of a checkpoint, whatever else is saved with them."""
    if not isinstance(content, Mapping):
        return {}
    for key in INSIDE:
        if isinstance(content.get(key), Mapping):
            return _inside(content[key])
    return {str(key): value for key, value in content.items() if isinstance(value, Tensor)}
