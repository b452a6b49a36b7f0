"""Import torchvision without PyTorch's compiler, which it wants for one question.

Its detection layers ask whether a device can be compiled for, and import two seconds' worth of
PyTorch to be able to ask. No network here detects anything: the compiler is imported when somebody
does ask.
"""

import importlib
import sys
import types
from typing import Any

COMPILER = "torch._dynamo.utils"


def torchvision() -> Any:
    """Return torchvision."""
    if "torchvision" in sys.modules or COMPILER in sys.modules:
        return importlib.import_module("torchvision")
    stand_in: Any = types.ModuleType(COMPILER)
    stand_in.is_compile_supported = _asked
    # Whatever else a later torchvision may want, it gets from the real one.
    stand_in.__getattr__ = lambda name: _real(stand_in, name)
    sys.modules[COMPILER] = stand_in
    try:
        return importlib.import_module("torchvision")
    finally:
        if sys.modules.get(COMPILER) is stand_in:
            del sys.modules[COMPILER]


def _real(stand_in: Any, name: str) -> Any:
    # Python itself asks every module for its file.
    if name.startswith("__"):
        raise AttributeError(name)
    if sys.modules.get(COMPILER) is stand_in:
        del sys.modules[COMPILER]
    return getattr(importlib.import_module(COMPILER), name)


def _asked(device: str) -> bool:
    supported: bool = importlib.import_module(COMPILER).is_compile_supported(device)
    return supported
