"""What to do about a row of predictions that cannot be used."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cxrtool.files.foreign_columns import letters
from cxrtool.files.predictions_table import CHANCE

DECIMAL_COMMA = re.compile(r"[0-9]+,[0-9]+")
# Rounded to whole numbers, the percentages of a row may sum to a little more or less than 100.
OFF_PERCENT = 2


def of_values(p: NDArray[np.float64], text: str = "") -> str:
    """Say what the values of a row may be that are no probabilities. `text` is the first."""
    if text.rstrip().endswith("%"):
        return "Divide by 100, and leave out the sign %."
    if DECIMAL_COMMA.fullmatch(text.strip()):
        return f"Write it with a decimal point: {text.strip().replace(',', '.')}."
    if not np.isfinite(p).all():
        return "Correct the row."
    if (p < 0).any() or (p > 100).any():
        return "Are these logits? Apply a sigmoid or softmax."
    if abs(p.sum() - 100) <= OFF_PERCENT:
        return "Divide by 100, if these are per cent."
    return "Divide by 100, if these are per cent; apply a sigmoid or softmax, if these are logits."


def of_sum(p: NDArray[np.float64]) -> str:
    """Say what the values of a row may be that are probabilities, but do not sum to 1."""
    if not p.any():
        return "Correct the row."
    sigmoids = "If these are outputs of one sigmoid unit a class, divide each row by its sum"
    return f"{sigmoids}; else correct the row."


def of_name(column: str, value: str, classes: Sequence[str]) -> str:
    """Say how a label, or a predicted class, that is no class may become one."""
    plain = letters(value)
    known = {name: letters(name) for name in classes if plain and letters(name)}
    if same := [name for name, own in known.items() if own == plain]:
        return f"Did you mean '{same[0]}'? Write it as the column {CHANCE}{same[0]} does."
    near = [n for n, own in known.items() if own.startswith(plain) or plain.startswith(own)]
    columns = " or ".join(CHANCE + name for name in near) or f"{CHANCE}..."
    same_class = f"If they mean the same, rename the {column} or the column {columns}"
    return f"{same_class}; else leave such rows out ({column}!={value})."
