"""The check of hidden slices: a group that no column names is found, described and shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from audit_cases import MadeUpRun, coded, make_case

from cxrtool.audit import network_features, runner
from cxrtool.audit.audited_run import AuditedRun
from cxrtool.audit.case import Case
from cxrtool.audit.checks import hidden_slices, source_probe
from cxrtool.audit.network_features import RANDOM, RUN, ProbeFeatures
from cxrtool.audit.verdicts import CheckRow
from cxrtool.stats.within import pair_auc


class Hidden(MadeUpRun):
    """A run whose features show a group, in which its scores may tell nothing."""

    def __init__(self, group: np.ndarray) -> None:  # type: ignore[type-arg]
        super().__init__()
        self.group = group

    def features(self, case: Case, most: int, *, with_untrained: bool = False) -> ProbeFeatures:
        rows = self.sample(case, most)
        noise = np.random.default_rng(1).normal(size=(len(rows), 8)).astype(np.float32)
        own = noise.copy()
        own[:, :3] += 4 * self.group[rows][:, None]
        return ProbeFeatures(rows, {RUN: own, RANDOM: noise}, {})


def case_with(blind: bool, number: int = 400) -> tuple[Case, Any]:
    """Make images of which a quarter is a group; `blind`: their scores tell nothing."""
    case = make_case(number)
    group = case.images.patients % 8 < 2
    scores = case.models[0].scores.copy()
    if blind:
        scores[group] = np.random.default_rng(3).permutation(scores[group])
    case.images.columns["view"] = coded(
        ["lying" if k else "standing" for k in (group & (np.arange(number) % 5 > 0))]
    )
    return replace(case, models=[replace(case.models[0], scores=scores)]), group


def row_of(case: Case, group: Any) -> CheckRow:
    run: Any = Hidden(group)
    (row,) = runner.assess("hidden-slices", replace(case, network=run))
    return row


def test_a_blind_group_is_found_and_what_it_has_in_common_is_named() -> None:
    case, group = case_with(blind=True)
    row = row_of(replace(case, seed=2), group)
    assert row.low > 0 and "Look at its images" in row.meaning and row.verdict == ""
    clusters, columns = row.blocks
    assert "which have 9" in clusters["caption"] and "images in common" in clusters["caption"]
    assert [cell[0] for cell in clusters["rows"]] == [
        "chosen by the first half",
        "chosen by the second half",
    ]
    for cell in clusters["rows"]:
        nearest = [int(path.removesuffix(".png")) for path in cell[3].split("; ")]
        assert len(nearest) == hidden_slices.NEAREST and group[nearest].all()
    # 80 % of the group are lying, and nobody else is.
    lying = [cell for cell in columns["rows"] if cell[1:3] == ["view", "lying"]]
    shares = [[float(text.rstrip(" %")) for text in cell[3:]] for cell in lying]
    np.testing.assert_allclose(shares, [[76, 2], [76, 2]], atol=6)
    # The value is near the difference in all images of the group and outside of it.
    scores, positive = case.models[0].scores, case.images.positive == 1
    own, others = (pair_auc(positive[p], scores[p]).value for p in (group, ~group))
    assert row.value == pytest.approx(others - own, abs=0.15)


def test_a_group_that_only_looks_different_is_not_worse() -> None:
    row = row_of(*case_with(blind=False))
    assert row.low < 0 < row.high
    assert "no group of images is shown to be worse" in row.meaning


def test_too_few_patients_are_refused_before_features_are_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(Hidden, "features")
    monkeypatch.delattr(MadeUpRun, "features")
    case, group = case_with(blind=True, number=60)
    row = row_of(case, group)
    assert row.verdict == "not assessed" and row.next
    assert row.meaning.startswith("Fewer than 20 patients")


def test_no_run_no_slices() -> None:
    (row,) = runner.assess("hidden-slices", make_case())
    assert row.verdict == "not assessed" and "--run" in row.next


def test_features_are_computed_once_for_both_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    case, group = case_with(blind=True)
    asked = []

    def of_run(run: Any, case: Case, most: int) -> ProbeFeatures:
        asked.append(("run", most))
        return Hidden(group).features(case, most)

    def of_untrained(run: Any, case: Case, most: int) -> ProbeFeatures:
        asked.append(("untrained", most))
        return Hidden(group).features(case, most, with_untrained=True)

    monkeypatch.setattr(network_features, "of_run", of_run)
    monkeypatch.setattr(network_features, "of_untrained", of_untrained)
    monkeypatch.setattr(AuditedRun, "sample", Hidden(group).sample)
    monkeypatch.setattr(AuditedRun, "scores", Hidden(group).scores)
    nothing: Any = None
    case = replace(case, network=AuditedRun(nothing))
    most = hidden_slices.MOST
    assert most == source_probe.MOST
    # Networks without training take as long as the run, and this check does not need them.
    assert np.isfinite(runner.assess("hidden-slices", case)[0].value)
    assert asked == [("run", most)]
    for name in ("source-probe", "hidden-slices"):
        assert np.isfinite(runner.assess(name, case)[0].value)
    assert asked == [("run", most), ("untrained", most)]
    # Another sample, as of other seeds, has features of its own.
    assert len(case.network.features(case, 100).rows) == 100  # type: ignore[union-attr]
    assert asked[2:] == [("run", 100)]
