"""The papers' tables, which are part of the package."""

import os

from cxrtool import published
from cxrtool.files.table import Table


def names() -> list[str]:
    """List the papers."""
    result = os.listdir(os.path.dirname(published.__file__))
    return sorted(name.removesuffix(".csv") for name in result if name.endswith(".csv"))


def read(name: str) -> tuple[list[str], list[dict[str, str]]]:
    """Read a paper's columns and rows."""
    folder = os.path.dirname(published.__file__)
    table = Table(os.path.join(folder, f"{name}.csv"))
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows()]
    return table.columns, rows
