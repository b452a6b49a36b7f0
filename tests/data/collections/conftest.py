"""Build a collection's tree in a folder of its own, and read it back."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from trees import TREES

from cxrtool.core import registry
from cxrtool.core.errors import NoImage, Skip

Rows = list[dict[str, str]]


@pytest.fixture
def build(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Write files: text, bytes, or None for a tiny image."""
    png = io.BytesIO()
    Image.new("L", (2, 2), 128).save(png, "PNG")

    def make(tree: dict[str, Any]) -> Path:
        for name, content in tree.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = content.encode() if isinstance(content, str) else content
            path.write_bytes(png.getvalue() if data is None else data)
        return tmp_path

    return make


@pytest.fixture
def read(build: Callable[..., Path]) -> Callable[..., tuple[Rows, list[Skip]]]:
    """Read the sample tree of a collection, or another, with paths as below its root."""

    def run(
        name: str, tree: dict[str, Any] | None = None, inside: str = "", **options: Any
    ) -> tuple[Rows, list[Skip]]:
        root = build(TREES[name] if tree is None else tree) / inside
        found = list(registry.module("collections", name).rows(str(root), **options))
        skips = [f for f in found if isinstance(f, Skip) and not isinstance(f, NoImage)]
        rows = [f for f in found if not isinstance(f, Skip)]
        short = [Skip(s.path.removeprefix(f"{root}/"), s.reason, "", s.failed) for s in skips]
        keys = ("path", "mask", "mask_left", "mask_right")
        for row in rows:
            row.update({k: row[k].removeprefix(f"{root}/") for k in keys if k in row})
        return rows, short

    return run


@pytest.fixture
def table() -> Callable[..., list[str]]:
    """Show rows as text, one column after the other, `|` between them."""

    def show(rows: Rows, *columns: str) -> list[str]:
        return ["|".join(row.get(c, "-") for c in columns) for row in rows]

    return show
