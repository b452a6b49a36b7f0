"""The five verdicts: Holm's procedure, the intervals of its steps, and the worst of all."""

import numpy as np
import pytest

from cxrtool.audit import verdicts
from cxrtool.audit.verdicts import CheckRow
from cxrtool.stats import intervals


def row_of(value: float, error: float, family: int, limit: float = 0.05) -> CheckRow:
    """Return the row of an estimate with a normal error."""
    ladder = [
        (value - z * error, value + z * error)
        for z in map(intervals.quantile, verdicts.levels(family))
    ]
    from scipy import special

    p = float(special.ndtr((limit - value) / error))
    sentences = {"": "{value} in [{low}, {high}], {power}"}
    return CheckRow("one", value=value, limit=limit, ladder=ladder, p=p, sentences=sentences)


def judged(*rows: CheckRow, family: int) -> list[str]:
    verdicts.adjust(rows, family)
    return [row.verdict for row in rows]


def test_an_interval_beyond_inside_or_across_the_margin() -> None:
    assert judged(row_of(0.3, 0.01, 1), family=1) == ["shown"]
    assert judged(row_of(0.0, 0.01, 1), family=1) == ["excluded"]
    assert judged(row_of(0.05, 0.02, 1), family=1) == ["inconclusive"]


def test_a_difference_has_two_sides() -> None:
    def verdict(value: float, error: float) -> str:
        row = row_of(value, error, 1)
        row.floor = -0.05
        row.p = min(row.p, row_of(-value, error, 1).p)
        row.sentences = {"shown": "it adds", verdicts.BELOW: "it misleads", "": "neither"}
        (found,) = judged(row, family=1)
        return f"{found}: {row.meaning}"

    assert verdict(-0.3, 0.01) == "shown: it misleads" and verdict(0.3, 0.01) == "shown: it adds"
    assert verdict(-0.05, 0.02) == "inconclusive: neither"
    assert verdict(-0.01, 0.01) == "excluded: neither"


@pytest.mark.parametrize("family", [1, 2, 3, 5])
def test_shown_is_what_holm_rejects(family: int) -> None:
    rng = np.random.default_rng(family)
    for _ in range(50):
        rows = [row_of(rng.normal(0.07, 0.05), 0.015, family) for _ in range(family)]
        shown = [verdict == "shown" for verdict in judged(*rows, family=family)]
        order, rejected = sorted(range(family), key=lambda k: rows[k].p), set()
        for step, k in enumerate(order):
            if rows[k].p > verdicts.ALPHA / 2 / (family - step):
                break
            rejected.add(k)
        assert {k for k in range(family) if shown[k]} == rejected


def test_tests_that_could_not_be_made_count_in_the_family() -> None:
    # p is 0.02: enough alone (0.025), not among two (0.0125).
    alone, of_two = row_of(0.0911, 0.02, 1), row_of(0.0911, 0.02, 2)
    assert judged(alone, family=1) == ["shown"]
    assert judged(of_two, verdicts.not_assessed("other", "why", "how"), family=2) == [
        "inconclusive",
        "not assessed",
    ]


def test_the_detectable_value_is_shown_with_a_power_of_80_percent() -> None:
    row = row_of(0.0, 0.03, 1)
    judged(row, family=1)
    rng = np.random.default_rng(1)
    drawn = [row_of(rng.normal(row.detectable, 0.03), 0.03, 1) for _ in range(1000)]
    power = np.mean([judged(one, family=1) == ["shown"] for one in drawn])
    assert power == pytest.approx(0.8, abs=0.04)


def test_where_no_effect_would_be_shown_the_row_says_so() -> None:
    few, enough = row_of(0.1, 0.4, 1), row_of(0.1, 0.1, 1)
    assert judged(few, enough, family=2) == ["inconclusive", "inconclusive"]
    assert np.isnan(few.detectable) and "too few images to show any effect" in few.meaning
    would = "These images would show a true"
    assert f"{would} AUC of {enough.detectable:.3f} or more (with a power" in enough.meaning
    # Only a difference has a floor.
    two_sided = row_of(0.1, 0.1, 1)
    two_sided.floor = -0.05
    assert judged(two_sided, family=1) == ["inconclusive"]
    assert f"{would} difference of {two_sided.detectable:.3f} or more" in two_sided.meaning


def test_no_more_is_detectable_than_is_possible() -> None:
    row, capped = row_of(0.1, 0.1, 1), row_of(0.1, 0.1, 1)
    judged(row, family=1)
    capped.most = row.detectable - 0.01
    assert judged(capped, family=1) == ["inconclusive"]
    assert np.isnan(capped.detectable) and "too few images to show any effect" in capped.meaning


def test_the_overall_verdict_is_the_worst_of_the_confirmatory_rows() -> None:
    rows = [
        CheckRow("a", verdict="excluded"),
        CheckRow("b", verdict="not assessed"),
        CheckRow("c", "descriptive", verdict="shown"),
    ]
    assert verdicts.overall(rows) == "not assessed"
    for verdict in ("inconclusive", "not identifiable", "shown"):
        rows.append(CheckRow("d", verdict=verdict))
        assert verdicts.overall(rows) == verdict


def test_a_row_comes_back_from_its_record() -> None:
    row = row_of(0.1, 0.02, 2)
    row.blocks = [{"kind": "table", "rows": [["a", (np.float64(0.5), np.nan, 1.0)]]}]
    back = CheckRow.of(row.record())
    assert back.ladder == row.ladder and back.value == row.value and np.isnan(back.low)
    assert back.blocks == [{"kind": "table", "rows": [["a", [0.5, None, 1.0]]]}]
