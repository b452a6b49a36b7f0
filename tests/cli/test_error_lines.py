"""Each exception has the exit code and the line of the manual."""

from __future__ import annotations

import errno
import os

import pytest
import typer
from handy import in_process

from cxrtool.cli import error_lines
from cxrtool.cli.descriptions import Flag, verbs
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


SHORT = [
    (verb.name, option)
    for verb in verbs()
    for there in [{flag.long for flag in map(Flag, verb.options)}]
    for option, long, other in (("-d", "--dir", "--output"), ("-o", "--output", "--dir"))
    if long not in there and other in there
]


@pytest.mark.parametrize(("verb", "option"), SHORT)
def test_a_command_without_a_place_of_a_kind_names_the_other(
    verb: str, option: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert in_process(verb, option, "made") == 2
    said = capfd.readouterr().err
    place = "a table to a file: -o FILE" if option == "-d" else "into a folder: -d DIR"
    assert said == f"cxrtool {verb}: no such option: {option}. This command writes {place}.\n"


def test_a_folder_is_named_where_a_file_was_meant(capfd: pytest.CaptureFixture[str]) -> None:
    assert in_process("audit", "m.csv", "--out", "made") == 2
    assert "option: --out. This command writes into a folder: -d DIR.\n" in capfd.readouterr().err
    assert in_process("phantom", "2", "--out", "made") == 2
    assert "--output" in capfd.readouterr().err


@pytest.mark.parametrize("typed", error_lines.NAMES_OF_OUTPUT)
def test_other_names_of_the_output_mean_it(typed: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert in_process("compare", typed, "q") == 2
    assert f"no such option: {typed}. Did you mean --output?\n" in capfd.readouterr().err
    assert in_process("audit", "m.csv", typed, "q") == 2
    assert "This command writes into a folder: -d DIR.\n" in capfd.readouterr().err


def test_the_short_options_are_listed(capfd: pytest.CaptureFixture[str]) -> None:
    assert in_process("compare", "-z") == 2
    said = capfd.readouterr().err
    assert "no such option: -z. The short options are: " in said and "-o (--output)" in said
