"""Plots, drawn without a display."""

import io
import os
from collections.abc import Mapping, Sequence
from typing import Any

from cxrtool.artifacts import files

# Two colours that colour-blind readers tell apart (Okabe and Ito).
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#999999"


def curves(path: str | os.PathLike[str], history: Sequence[Mapping[str, Any]], best: int) -> None:
    """Draw the losses and the validation figures of every epoch; a line marks the best."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    for axes, names in ((left, ("loss", "val_loss")), (right, ("val_auc", "val_accuracy"))):
        for name, colour in zip(names, (BLUE, ORANGE), strict=True):
            values = [row.get(name) for row in history]
            if any(value is not None for value in values):
                axes.plot(epochs, values, ".-", color=colour, label=name.replace("_", " "))
        if best:
            axes.axvline(best, color=GREY, linestyle=":", label=f"best: epoch {best}")
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_ylim(bottom=0)
    right.set_ylim(0, 1.02)
    save(path, figure)


def save(path: str | os.PathLike[str], figure: Any) -> None:
    """Write a figure whole, and with nothing in it that changes from run to run."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=120, metadata={"Software": None})
    with files.atomic(path) as file:
        file.write(stream.getvalue())
