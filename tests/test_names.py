"""Names are nouns of the field; words of no definite meaning name nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cxrtool

PACKAGE = Path(cxrtool.__file__).parent
ROOMS = ("cli", "commands", "compare", "demo", "explain", "figures", "stats")
VAGUE = re.compile(
    r"(^|_)(tell|tells|told|made|found|wish|way|ways|doubts?|oracle)($|_)", re.IGNORECASE
)
MEANT = {"made_with"}  # a field of the PNG files


def names(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a module gives: of classes, functions, parameters and variables."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Name(ctx=ast.Store()):
                yield node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr
            case ast.arg():
                yield node.arg


@pytest.mark.parametrize("room", ROOMS)
def test_no_name_is_vague(room: str) -> None:
    vague = {
        f"{file.relative_to(PACKAGE)}: {name}"
        for file in (PACKAGE / room).rglob("*.py")
        for name in names(ast.parse(file.read_text("utf-8")))
        if VAGUE.search(name) and name not in MEANT
    }
    assert vague == set()


def test_a_class_has_a_name_of_its_own() -> None:
    places: dict[str, list[str]] = {}
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(file.relative_to(PACKAGE)))
    assert {name: files for name, files in places.items() if len(files) > 1} == {}
