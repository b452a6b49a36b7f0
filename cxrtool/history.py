"""What is told of a training, an epoch a row: history.csv and curves.png in the run folder."""

import os
from typing import Any

from cxrtool.artifacts import plot, run, table


def write(folder: str, state: dict[str, Any]) -> None:
    """Write the table and the picture of a training's state."""
    history = state["history"]
    # The state is kept in alphabetical order.
    columns = state.get("columns") or list(history[0])
    rows = ([_cell(row.get(c)) for c in columns] for row in history)
    table.write(os.path.join(folder, run.HISTORY), columns, rows)
    draw(folder, state)


def draw(folder: str, state: dict[str, Any]) -> None:
    """Draw the curves."""
    path = os.path.join(folder, run.CURVES)
    plot.curves(path, state["history"], state["best"].get("epoch", 0))


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
