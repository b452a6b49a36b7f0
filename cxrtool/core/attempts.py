"""One input worked on: its result, or why there is none. Local workers and Dask share this."""

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cxrtool.core import progress
from cxrtool.core.errors import CxrtoolError

# The memory that one input may cost, in bytes.
MEMORY = 1 << 30
# Results that may wait for an earlier one, a worker.
AHEAD = 8


@dataclass(frozen=True)
class Lost:
    """An input whose worker did not come back with a result, and why."""

    reason: str
    fault: bool = False  # of this program


@dataclass(frozen=True)
class _Fault:
    """A fault of the function itself: its kind, and its traceback."""

    kind: str
    text: str


@dataclass(frozen=True)
class _End:
    """What ends the run, such as a full disk."""

    error: CxrtoolError


def attempt(function: Callable[[Any], Any], item: Any) -> Any:
    """Work on one input; what goes wrong comes back as a value."""
    try:
        return function(item)
    except MemoryError:
        return Lost(f"needs more than {MEMORY >> 30} GiB of memory")
    except CxrtoolError as e:
        return _End(e)
    except Exception as e:
        return _Fault(type(e).__name__, traceback.format_exc())


def judged(result: Any) -> Any:
    """Raise what ends the run, and let a fault of this program cost no other input its result."""
    if isinstance(result, _End):
        raise result.error
    if isinstance(result, _Fault):
        progress.detail(result.text)
        return Lost(f"caused an error in cxrtool ({result.kind}): please report it", fault=True)
    return result
