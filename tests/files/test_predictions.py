"""Predictions as they are written."""

from __future__ import annotations

import pytest

from cxrtool.files import predictions


@pytest.mark.parametrize("rest", [0.3, 1e-3, 9.9e-5, 1.2345678e-5, 3.3e-8, 7.7e-12, 4.4e-16])
def test_the_surest_probabilities_stay_apart(rest: float) -> None:
    cells = predictions.cells(["a", "b", "c"], [1 - rest, rest, 0.0])
    assert float(cells["p_b"]) == pytest.approx(rest, rel=1e-6)
    written = 1 - float(cells["p_a"])
    assert written == pytest.approx(1 - (1 - rest), rel=1e-5, abs=2e-16)
    assert len(cells["p_a"]) <= 18
    assert predictions.cells(["a"], [1.0]) == {"p_a": "1"}
