"""Checks that ask a run again: a network that uses a mark, and one that does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from audit_cases import MadeUpRun, make_case

from cxrtool.audit import runner
from cxrtool.audit.checks import ablation, heat, markers, source_probe
from cxrtool.audit.verdicts import CheckRow
from cxrtool.core.errors import BrokenRun, CxrtoolError


def row_of(check: Any, number: int = 300, **run: Mapping[str, float] | float) -> CheckRow:
    made_up: Any = MadeUpRun(**run)  # type: ignore[arg-type]
    name = check.NAME.replace(" ", "-")
    (row,) = runner.assess(name, replace(make_case(number), network=made_up))
    return row


def test_a_letter_that_moves_the_score_is_found_in_its_corner() -> None:
    row = row_of(markers, shifts={"letter lower left": 0.8})
    assert row.value == pytest.approx(0.8, abs=0.01) and row.low < 0.8 < row.high
    assert "lower left" in row.meaning and row.verdict == "" and row.kind == "descriptive"


def test_a_network_that_ignores_marks_has_no_shift() -> None:
    row = row_of(markers)
    assert abs(row.value) < 0.01 and row.high - row.low < 0.02


def test_covering_is_shown_class_by_class() -> None:
    cells = row_of(markers, cue={"corners covered": 2.0}).blocks[0]["rows"]
    covered = next(cell for cell in cells if cell[0] == "corners covered")
    assert covered[2][0] == pytest.approx(-2, abs=0.01)
    assert covered[3][0] == pytest.approx(0, abs=0.01)


def test_what_the_auc_rests_on_is_named() -> None:
    # Without the corners, positive images lose what told them from the others.
    row = row_of(ablation, cue={"corners covered": 1.5})
    assert "'corners covered'" in row.meaning
    assert row.high < 0 and row.low < row.value < row.high
    others = {cell[0]: cell for cell in row.blocks[0]["rows"]}
    assert others["unchanged"][2] is None
    # An equal shift of all images changes no AUC, but decisions.
    shifted = row_of(ablation, shifts={"border removed": 5.0})
    cells = {cell[0]: cell for cell in shifted.blocks[0]["rows"]}
    assert abs(cells["border removed"][2][0]) < 0.005
    assert float(cells["border removed"][4].rstrip(" %")) > 30


def test_a_sample_is_taken_and_said() -> None:
    row = row_of(markers, number=2000)
    assert row.patients <= markers.MOST
    assert f"in {markers.MOST} held-out images" in row.blocks[0]["caption"]
    assert np.isfinite(row.low)


def test_a_source_in_the_features_is_shown_beside_random_weights() -> None:
    row = row_of(source_probe, source=4.0)
    assert row.value > 0.9 and row.low > 0.8 and row.sources == 2
    assert "from random weights with 0.5" in row.meaning and "need not be used" in row.meaning
    cells = row.blocks[0]["rows"]
    assert {cell[2] for cell in cells} == {"the run", "random weights", "ImageNet weights"}
    assert "not available: they are elsewhere" in [cell[3] for cell in cells]


def test_features_that_show_no_source_are_at_chance() -> None:
    row = row_of(source_probe, source=0.0)
    assert row.low < 0.5 < row.high


def test_heat_that_follows_the_lungs_of_each_image_exceeds_that_in_others() -> None:
    row = row_of(heat, follows=1.0)
    assert row.low > 0.1 and "no proof" in row.meaning
    still = row_of(heat, follows=0.0)
    assert still.low < 0 < still.high
    # As much heat in the lungs says nothing: the same heat lies in those of others, too.
    own, others = still.blocks[0]["rows"][0][2:4]
    assert own > 0.3 and own == pytest.approx(others, abs=0.05)


@pytest.mark.parametrize(("check", "ask"), [(heat, "heat"), (source_probe, "features")])
def test_a_network_that_cannot_be_asked_leaves_the_rest_of_the_audit(
    check: Any, ask: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise CxrtoolError("it has no map", "Choose another one.")

    monkeypatch.setattr(MadeUpRun, ask, fail)
    row = row_of(check)
    assert row.verdict == "not assessed" and "it has no map" in row.meaning and row.next

    def broke(*_: object, **__: object) -> None:
        raise BrokenRun("the disk is full")

    monkeypatch.setattr(MadeUpRun, ask, broke)
    with pytest.raises(BrokenRun):
        row_of(check)


def test_without_lungs_the_heat_says_where_lungs_are_from(monkeypatch: pytest.MonkeyPatch) -> None:
    made_up = MadeUpRun.heat
    monkeypatch.setattr(
        MadeUpRun,
        "heat",
        lambda *call: replace(found := made_up(*call), lungs=np.zeros_like(found.lungs)),
    )
    row = row_of(heat)
    assert row.verdict == "not assessed" and "images have heat and lungs" in row.meaning
    # No column is needed, and 'segment' with its defaults makes another image of `path`.
    assert row.next.startswith("Lungs are those of the column 'mask', where there is one; else")
