"""What holds for every check of the audit, whoever adds one."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from audit_cases import COLUMNS, MadeUpRun, make_case

from cxrtool.audit import page as pages
from cxrtool.audit import runner, verdicts
from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.verdicts import CONFIRMATORY, CONTROL, DESCRIPTIVE, NOT_ASSESSED, CheckRow
from cxrtool.core import registry

CHECKS = registry.names("checks")
INPUTS = {"manifest", "predictions", "images", "run"}


@pytest.fixture(params=CHECKS)
def check(request: pytest.FixtureRequest) -> ModuleType:
    return runner.module(request.param)


def one_class(case: Case) -> Case:
    case.images.positive[:] = 1
    return case


def nan_scores(case: Case) -> Case:
    """Take scores away; files of predictions refuse them, so a check may see none or few."""
    return replace(case, models=[part(model, model.rows[:0]) for model in case.models])


def part(model: ModelScores, rows: np.ndarray) -> ModelScores:  # type: ignore[type-arg]
    keep = np.isin(model.rows, rows)
    return ModelScores(model.name, model.rows[keep], model.scores[keep], model.predicted[keep])


def constant_scores(case: Case) -> Case:
    models = [replace(m, scores=np.full(len(m.rows), 0.5)) for m in case.models]
    return replace(case, models=models)


def with_run(case: Case) -> Case:
    run: Any = MadeUpRun()
    return replace(case, network=run)


def without_labels(case: Case) -> Case:
    case.images.positive[:] = -1
    return replace(case, models=[])


CASES: dict[str, Callable[[], Case]] = {
    "clean": make_case,
    "two models": lambda: make_case(models=("a", "b")),
    "no predictions": lambda: make_case(models=()),
    "no scores": lambda: nan_scores(make_case()),
    "no labels": lambda: without_labels(make_case()),
    "one class": lambda: one_class(make_case(40)),
    "one source": lambda: make_case(sources=("A",)),
    "apart": lambda: make_case(association=2),
    "ten images": lambda: make_case(10),
    "two images": lambda: make_case(2),
    "one image": lambda: make_case(1),
    "no image": lambda: make_case(0),
    "no columns": lambda: make_case(columns=()),
    "constant": lambda: constant_scores(make_case(100)),
    "a run": lambda: with_run(make_case()),
    "a run of ten images": lambda: with_run(make_case(10)),
    "a run of no image": lambda: with_run(make_case(0)),
    "a run without scores": lambda: with_run(nan_scores(make_case())),
    "a run of one source": lambda: with_run(make_case(sources=("A",))),
    "a run of one class": lambda: with_run(one_class(make_case(40))),
    "a run without columns": lambda: with_run(make_case(columns=())),
    **{
        f"without {c}": lambda c=c: make_case(columns=[n for n in COLUMNS if n != c])
        for c in COLUMNS
    },
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]()


def test_it_has_what_a_check_has(check: ModuleType) -> None:
    assert check.TITLE and check.TITLE[0].isupper() and not check.TITLE.endswith(".")
    assert check.KIND in (CONFIRMATORY, DESCRIPTIVE, CONTROL)
    assert check.NEEDS and set(check.NEEDS) <= INPUTS
    # A reference ends with its year.
    assert not check.REFERENCE or check.REFERENCE[-6:-1].strip().isdigit()
    assert (check.__doc__ or "").strip()


def test_every_confirmatory_check_of_an_effect_has_a_reference() -> None:
    # Faults of a file need no paper.
    bare = [name for name in CHECKS if not runner.module(name).REFERENCE]
    assert all(runner.module(n).KIND != CONFIRMATORY or n == "broken" for n in bare)


def name_of(check: ModuleType) -> str:
    return next(n for n in CHECKS if runner.module(n) is check)


def rows_of(check: ModuleType, case: Case) -> list[CheckRow]:
    name = name_of(check)
    case, plan = runner.plan(case, [name], [])
    rows = runner.assess(name, case)
    verdicts.adjust(rows, max(1, len(plan.family)))
    return rows


def test_whatever_is_lacking_it_says_so_and_raises_nothing(check: ModuleType, case: Case) -> None:
    allowed = {*verdicts.WORST_FIRST}
    rows = rows_of(check, case)
    names = [row.name for row in rows]
    assert len(set(names)) == len(names)
    source = case.images.columns.get("source")
    sources = {source.names[code] for code in source.codes} if source else set()
    for row in rows:
        # Of a row about views, too: its groups are no sources.
        assert row.sources <= len(sources - {""}), row
        # A row of another kind than its check's would decide the verdict, or be left out of it.
        assert row.kind in {CONFIRMATORY: (CONFIRMATORY, DESCRIPTIVE)}.get(check.KIND, check.KIND)
        assert row.kind in (CONFIRMATORY, DESCRIPTIVE, CONTROL)
        assert row.meaning.endswith((".", "?")), row
        assert "nan" not in row.meaning.split(), row
        assert "{" not in row.meaning
        if row.kind == CONFIRMATORY:
            assert row.verdict in allowed
        if row.verdict == NOT_ASSESSED:
            # The verdict stands beside it: the meaning says why.
            assert row.meaning and not row.meaning.lower().startswith("not assessed")
            assert np.isnan(row.value) or row.kind != CONFIRMATORY
        if row.verdict in (verdicts.SHOWN, verdicts.INCONCLUSIVE, verdicts.NOT_IDENTIFIABLE):
            assert row.next
        assert not np.isfinite(row.low) or row.low <= row.high


def test_hypotheses_come_from_columns_and_models_alone(check: ModuleType, case: Case) -> None:
    name = name_of(check)
    before = runner.hypotheses(name, case)
    assert check.KIND == CONFIRMATORY or not hasattr(check, "hypotheses")
    # Other scores and other labels of the same images change nothing.
    rng = np.random.default_rng(0)
    models = [replace(m, scores=rng.random(len(m.rows))) for m in case.models]
    other = replace(case, models=models)
    other.images.positive[:] = rng.permutation(other.images.positive)
    assert runner.hypotheses(name, other) == before
    tested = {row.name for row in rows_of(check, case) if row.is_tested}
    assert tested <= set(before)


def test_the_check_in_the_guide_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    guide = Path(__file__).parents[2].joinpath("man/guides/extending.md").read_text()
    code = guide.split("head_count.py`:\n\n")[1].split("\nA check ")[0]
    example = ModuleType("head_count")
    exec(textwrap.dedent(code), example.__dict__)
    monkeypatch.setattr(runner, "module", lambda _: example)
    assert runner.hypotheses("head-count", make_case(40)) == []
    (row,) = runner.assess("head-count", make_case(40))
    assert (row.value, row.patients, row.check) == (20, 10, "head-count")
    (lacking,) = runner.assess("head-count", make_case(0))
    assert (lacking.name, lacking.verdict) == ("head-count", NOT_ASSESSED)
    assert lacking.meaning == "No image is of the class covid." and lacking.next


def test_rows_come_back_from_json_as_they_were(check: ModuleType) -> None:
    rows = rows_of(check, with_run(make_case(100, association=0.5, use=1)))
    for row in rows:
        again = CheckRow.of(json.loads(json.dumps(row.record())))
        assert repr(again.record()) == repr(row.record())


def test_the_same_case_gives_the_same_rows(check: ModuleType) -> None:
    first, second = (
        [row.record() for row in rows_of(check, with_run(make_case(60, association=0.5)))]
        for _ in range(2)
    )
    assert first == second


def test_the_page_is_whole(case: Case, tmp_path: Path) -> None:
    names = [n for n in CHECKS if "images" not in runner.module(n).NEEDS]
    case, plan = runner.plan(case, names, [])
    rows = runner.run(case, plan, str(tmp_path))
    overall = runner.write(case, plan, rows, str(tmp_path))
    text = pages.page(case, plan, rows, overall).render()
    assert "not a medical device" in text and overall in text
