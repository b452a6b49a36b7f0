"""What was typed, for errors that are better explained by it (error, words -> remedy)."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import typer

from cxrtool.cli import error_lines, joined_files, stray_words, typed_numbers
from cxrtool.core.errors import CxrtoolError, ExitCode


@contextlib.contextmanager
def explained(command: Any, words: Sequence[str]) -> Iterator[None]:
    """Replace the remedy of an error where the words of the command tell a better one."""
    try:
        yield
    except (CxrtoolError, typer.TyperException) as e:
        line, code = error_lines.outcome(e)
        said = e.what if isinstance(e, CxrtoolError) else str(line)
        finders = (stray_words.remedy, joined_files.remedy, typed_numbers.remedy)
        remedy = next(filter(None, (find(said, command, words) for find in finders)), "")
        if remedy and code == ExitCode.NOTHING_DONE:
            raise CxrtoolError(_without_help(said), remedy) from e
        raise


def _without_help(said: str) -> str:
    """Leave out where help is to be had: what follows says it."""
    return said.partition(". See cxrtool ")[0].removesuffix(".")
