"""Each exception has the exit code and the line of the manual."""

from __future__ import annotations

import errno
import os

import pytest
import typer

from cxrtool.cli import error_lines
from cxrtool.core.errors import BrokenRun, CxrtoolError, Interrupted, Terminated

# As PyTorch raises it, without PyTorch.
InductorError = type("InductorError", (RuntimeError,), {"__module__": "torch._inductor.exc"})
AGAIN = "Solve this, then run the same command again."


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (CxrtoolError("m.csv: no rows", "Check it."), 2, "m.csv: no rows. Check it."),
        (BrokenRun("a.png: no space left", "Make room."), 3, "a.png: no space left. Make room."),
        (ModuleNotFoundError("no torch", name="torch"), 2, error_lines.NO_TORCH),
        (BrokenPipeError(), 141, ""),
        (Interrupted(), 130, "interrupted. Run it again to finish"),
        (KeyboardInterrupt(), 130, "interrupted. Run it again to finish"),
        (typer.Abort(), 130, "interrupted. Run it again to finish"),
        (Terminated(), 143, "terminated. Run it again to finish"),
        (MemoryError(), 3, error_lines.FULL),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), 3, error_lines.FULL),
        (OSError(errno.EIO, os.strerror(errno.EIO), "x"), 3, f"x: input/output error. {AGAIN}"),
        (OSError(errno.EBADF, os.strerror(errno.EBADF)), 3, error_lines.CLOSED),
        (
            RuntimeError("CUDA error: unspecified launch failure\nCompile with ..."),
            3,
            f"CUDA error: unspecified launch failure. {error_lines.LOST_DEVICE}",
        ),
        (
            InductorError("InvalidCxxCompiler: No working C++ compiler found\n\nSet TORCH_LOGS"),
            3,
            "the network cannot be compiled: InvalidCxxCompiler: No working C++ compiler found. "
            + error_lines.NO_COMPILER,
        ),
        (KeyError("surprise"), 3, f"KeyError: 'surprise'. {error_lines.REPORT}"),
        (RuntimeError("a fault"), 3, f"RuntimeError: a fault. {error_lines.REPORT}"),
    ],
)
def test_an_exception_is_a_line_and_a_code(error: BaseException, code: int, line: str) -> None:
    said, found = error_lines.outcome(error)
    assert (str(said), int(found)) == (line, code)
