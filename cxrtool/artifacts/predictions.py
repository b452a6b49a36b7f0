"""Predictions: one row an image, one probability column a class, as any tool may write them."""

from collections.abc import Sequence

COLUMNS = ("path", "label", "patient", "source", "split", "fold", "model", "pred")
CHANCE = "p_"


def columns(classes: Sequence[str], kept: Sequence[str] = ()) -> list[str]:
    """List the columns: the fixed ones, the probabilities, then what is kept of the manifest."""
    fixed = [*COLUMNS, *(CHANCE + name for name in classes)]
    return [*fixed, *(name for name in kept if name not in fixed)]


def cells(classes: Sequence[str], probabilities: Sequence[float]) -> dict[str, str]:
    """Write the probabilities, so that they still sum to 1 as they are read."""
    return {CHANCE + c: f"{p:.7g}" for c, p in zip(classes, probabilities, strict=True)}
