"""A number for each of some classes, as it is typed: `covid=25,normal=2`."""

import math
from collections.abc import Sequence

from cxrtool.core import commas
from cxrtool.core.errors import CxrtoolError

MOST = 1_000_000


def read(text: str, kind: type[int] | type[float] = float) -> dict[str, float]:
    """Read a number above 0 of each class that is named; a ValueError says that there is none."""
    numbers: dict[str, float] = {}
    for entry in commas.split(text):
        name, _, value = (part.strip() for part in entry.rpartition("="))
        number = kind(value)
        if not name or name in numbers or not math.isfinite(number) or not 0 < number <= MOST:
            raise ValueError(entry)
        numbers[name] = number
    return numbers


def of_classes(
    text: str, classes: Sequence[str], setting: str, kind: type[int] | type[float] = float
) -> dict[int, float]:
    """Read numbers of classes that a network has, by the place of the class."""
    numbers = read(text, kind)
    for name in numbers:
        if name not in classes:
            what = f"'{name}' is none of the classes: {', '.join(classes)}"
            raise CxrtoolError(what, "Name one of them.", settings=[setting])
    return {classes.index(name): number for name, number in numbers.items()}
