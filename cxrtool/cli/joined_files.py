"""Files that a comma joins: `a.csv,b.csv` (error, command, words -> remedy)."""

import os
import shlex
from collections.abc import Sequence
from typing import Any

IMAGES = "IMAGE..."


def remedy(said: str, command: Any, words: Sequence[str]) -> str:
    """Say how several files are named, of an error about such a word; empty of other errors."""
    for before, word in zip(["", *words], words, strict=False):
        parts = word.split(",")
        is_meant = said.startswith(f"{word}: no such file") and not before.startswith("-")
        if parts[1:] and is_meant and all(map(os.path.exists, parts)):
            return _named(command, parts)
    return ""


def _named(command: Any, parts: Sequence[str]) -> str:
    named = shlex.join(parts)
    if _takes_several(command, parts):
        return f"Files are separated by blanks: {named}."
    return f"Name one of them, or join them first: cxrtool ingest {named} -o both.csv"


def _takes_several(command: Any, parts: Sequence[str]) -> bool:
    """Whether the command takes several such files; some take several images, but one table."""
    metavars = [p.metavar or "" for p in command.params if p.param_type_name == "argument"]
    are_tables = any(".csv" in part for part in parts)
    return any("..." in m and not (IMAGES in m and are_tables) for m in metavars)
