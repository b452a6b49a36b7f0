"""Exceptions as the user reads them: one line, and the exit code (exception -> line, code)."""

import difflib
import errno
import os
import re

import typer

from cxrtool.core import progress, registry
from cxrtool.core.errors import CxrtoolError, ExitCode, Terminated, is_lost_device, is_memory

FULL = "out of memory. Use fewer workers (-j 1), or a smaller --batch where there is one."
LOST_DEVICE = "The device failed. Run the same command again, or name another one (--device)."
# PyTorch calls a C++ compiler, which it finds missing at the first step.
COMPILERS = ("torch._inductor", "torch._dynamo")
NO_COMPILER = "Install a C++ compiler, or leave out --compile."
WITH_TORCH = ("torch", "torchvision", "timm")
NO_TORCH = "PyTorch is not installed. Install it: pip install torch torchvision."
CLOSED = "standard output is closed. Send it to a file, or to a pipe."
REPORT = (
    "This is an error in cxrtool. Please report it, with the output of the same command with -v."
)


def outcome(e: BaseException) -> tuple[object, ExitCode]:
    """Return what is said of an exception, in one line, and the exit code."""
    match e:
        case CxrtoolError():
            return e, e.code
        case typer.TyperException():
            return _usage(e), ExitCode.NOTHING_DONE
        case BrokenPipeError():
            return "", ExitCode.CLOSED_PIPE
        case KeyboardInterrupt() | typer.Abort():
            return "interrupted. Run it again to finish", ExitCode.INTERRUPTED
        case Terminated():
            return "terminated. Run it again to finish", ExitCode.TERMINATED
        case ModuleNotFoundError() if e.name in WITH_TORCH:
            return NO_TORCH, ExitCode.NOTHING_DONE
        case OSError():
            return _outside(e), ExitCode.BROKE_MIDWAY
        case _ if is_memory(e):
            return FULL, ExitCode.BROKE_MIDWAY
        case _ if is_lost_device(e):
            return f"{str(e).splitlines()[0]}. {LOST_DEVICE}", ExitCode.BROKE_MIDWAY
        case _ if type(e).__module__.startswith(COMPILERS):
            what = f"the network cannot be compiled: {str(e).splitlines()[0]}"
            return f"{what}. {NO_COMPILER}", ExitCode.BROKE_MIDWAY
    return f"{type(e).__name__}: {e}. {REPORT}", ExitCode.BROKE_MIDWAY


def _outside(e: OSError) -> str:
    if e.errno == errno.EBADF and e.filename is None:
        return CLOSED
    if e.errno == errno.ENOENT and e.filename is None and not has_working_folder():
        return "the working folder was removed. Change to another one, then run it again."
    where = f"{e.filename}: " if e.filename else ""
    return f"{where}{(e.strerror or str(e)).lower()}. Solve this, then run the same command again."


# How Typer words a wrong number, and how a person would.
PLAIN = {
    r"Input should be a valid integer.*": "not a whole number",
    r"Input should be a valid number.*": "not a number",
    r"Input should be greater than or equal to (\S+)": r"below \1",
    r"Input should be less than or equal to (\S+)": r"above \1",
}


def _usage(e: typer.TyperException) -> str:
    """Word a mistake on the command line as one sentence with the remedy."""
    text = " ".join(e.format_message().split()).rstrip(".")
    remedy = f"See {progress.name()} --help."
    if unknown := re.match(r"No such command '?([^'\s]*)'?", text):
        return str(registry.unknown("command", unknown[1], registry.names("commands")))
    if unknown := re.match(r"No such option: (\S+)", text):
        text = unknown[0]
        near = difflib.get_close_matches(unknown[1], _long_options(e), 1)
        remedy = f"Did you mean {near[0]}?" if near else remedy
        remedy = _place_for_output(unknown[1], e) or _short_options(unknown[1], e) or remedy
    if text.startswith("Missing option '--dir'"):
        remedy = f"Name a folder to write to{_example(e)}."
    for pattern, plain in PLAIN.items():
        text = re.sub(pattern, plain, text)
    return f"{text[:1].lower()}{text[1:]}. {remedy}"


def _example(e: typer.TyperException) -> str:
    """Show a folder as the examples of the command name it."""
    named = re.search(r" -d (\S+)", getattr(_command(e), "help", None) or "")
    return f", for example -d {named[1]}" if named else ""


def _command(e: typer.TyperException) -> object:
    return getattr(getattr(e, "ctx", None), "command", None)


# Options for outputs, which some commands write to a file and others into a folder.
NAMES_OF_OUTPUT = ("--out", "--outfile", "--out-file", "--output-file")
TO_FILE = ("-o", "--output", *NAMES_OF_OUTPUT, "--outdir", "--output-dir")
TO_FOLDER = ("-d", "--dir", "--outdir", "--output-dir")


def _place_for_output(unknown: str, e: typer.TyperException) -> str:
    """Say where a command writes to, of one that has no such option for it."""
    there = [o for p in getattr(_command(e), "params", ()) for o in p.opts]
    if unknown in TO_FOLDER and TO_FILE[0] in there:
        return "This command writes a table to a file: -o FILE."
    if unknown in NAMES_OF_OUTPUT and TO_FILE[0] in there:
        return "Did you mean --output?"
    if unknown in TO_FILE and TO_FOLDER[0] in there and TO_FILE[0] not in there:
        return "This command writes into a folder: -d DIR."
    return ""


def _short_options(unknown: str, e: typer.TyperException) -> str:
    """List the short options, in place of one that is not there."""
    if unknown.startswith("--"):
        return ""
    there = [
        f"{o} ({p.opts[0]})"
        for p in getattr(_command(e), "params", ())
        for o in p.opts
        if not o.startswith("--") and o.startswith("-")
    ]
    return f"The short options are: {', '.join(sorted(there))}." if there else ""


def _long_options(e: typer.TyperException) -> list[str]:
    return [o for p in getattr(_command(e), "params", ()) for o in p.opts if o.startswith("--")]


def has_working_folder() -> bool:
    """Whether relative paths lead anywhere: the folder may have been removed."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True
