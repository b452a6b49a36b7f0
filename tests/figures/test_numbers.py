"""Numbers are written in one way everywhere, and what is undefined is never a made-up number."""

from __future__ import annotations

import doctest
import math
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cxrtool
from cxrtool.figures import numbers

INF, NAN = math.inf, math.nan
WRITERS = (numbers.value, numbers.as_printed, numbers.p_value, numbers.exact, numbers.measure)


def test_the_examples() -> None:
    assert doctest.testmod(numbers).failed == 0


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (0, "0.000"),
        (0.12345, "0.123"),
        (1, "1.000"),
        (-0.5, "-0.500"),
        (9.9994, "9.999"),
        (12.34, "12.3"),
        (9409, "9,409.0"),
        (INF, "inf"),
        (-INF, "-inf"),
        (NAN, ""),
        (None, ""),
    ],
)
def test_a_value(number: float | None, written: str) -> None:
    assert numbers.value(number) == written


@pytest.mark.parametrize("write", WRITERS)
def test_undefined_is_empty(write: Callable[[float | None], str]) -> None:
    assert write(NAN) == write(None) == ""
    assert write(INF) == "inf"


@given(st.floats(allow_nan=False))
def test_exact_is_the_same_number_when_it_is_read_again(number: float) -> None:
    assert float(numbers.exact(number)) == number


def test_an_interval_needs_both_bounds() -> None:
    assert numbers.interval(0.5, 0.4, INF) == "0.500 [0.400, inf]"
    assert numbers.interval(0.5, NAN, 0.6) == numbers.interval(0.5, 0.4, None) == "0.500"
    assert numbers.interval(NAN, 0.4, 0.6, undefined="-") == "-"
    assert numbers.interval(0.5, 0.4, 0.6, between="\n") == "0.500\n[0.400, 0.600]"
    assert numbers.interval(0.87, 0.8, 0.9, write=numbers.as_printed) == "0.87 [0.8, 0.9]"


def test_no_other_module_writes_metrics_and_shares_in_its_own_format() -> None:
    """Rounding to two or three decimals, and percentages, are in this module alone."""
    own = re.compile(r":,?\.[0123][f%]\}")
    package = Path(cxrtool.__file__).parent
    allowed = {
        "figures/numbers.py",
        "cli/address_space.py",  # GiB of memory
        "core/progress.py",  # seconds
        "learn/trainer.py",  # images per second, and the best epoch
        "stats/label_traps.py",  # the AUC of one column
    }
    others = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if own.search(file.read_text("utf-8"))
    }
    assert others <= allowed
