"""The history of a training: history.csv, a row an epoch; rates.csv, a row a rate; pictures."""

import math
import os
from typing import Any

from cxrtool.figures import plot
from cxrtool.files import run_folder, table
from cxrtool.learn.training_state import TrainingState


def write(folder: str, state: TrainingState) -> None:
    """Write the table and the picture of a training's state."""
    # Rows that were read again have their cells in alphabetical order.
    columns = state.columns or list(state.history[0])
    rows = ([_cell(row.get(c)) for c in columns] for row in state.history)
    table.write(os.path.join(folder, run_folder.HISTORY), columns, rows)
    draw(folder, state)


def cells(figures: dict[str, float]) -> dict[str, float | None]:
    """Leave figures empty that are not finite numbers."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def draw(folder: str, state: TrainingState) -> None:
    """Draw the curves."""
    path = os.path.join(folder, run_folder.CURVES)
    plot.curves(path, state.history, state.best.get("epoch", 0))


def write_rates(folder: str, state: TrainingState) -> None:
    """Write the table and the picture of a range test."""
    rows = ([_cell(r), _cell(lost), "yes" * (r == state.rate)] for r, lost in state.rates)
    table.write(os.path.join(folder, run_folder.RATES), ("rate", "loss", "steepest"), rows)
    path = os.path.join(folder, run_folder.RATE_CURVE)
    plot.rates(path, state.rates, state.rate)


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
