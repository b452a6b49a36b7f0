"""Checklists are whole, ask in other words, and are filled with what the data decide."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audit_cases import coded, make_case

from cxrtool.audit import checklist, checklist_facts, runner
from cxrtool.audit.case import Case
from cxrtool.audit.checklist_facts import FACTS, Fact

# Items of each publication, sub-items counted.
ITEMS = {"claim": 44, "tripod-ai": 52, "reforms": 32, "probast-ai": 16 + 18}


def facts_of(case: Case, folder: Path, checks: tuple[str, ...] = ("leaks",)) -> dict[str, Fact]:
    case, plan = runner.plan(case, checks, [])
    return checklist_facts.facts(case, runner.run(case, plan, str(folder)))


def test_every_checklist_is_whole() -> None:
    assert set(checklist.names()) == set(ITEMS)
    for name, number in ITEMS.items():
        source, *items = checklist.items(name)
        assert source.number == checklist.SOURCE and "20" in source.question
        assert len(items) == number == len({item.number for item in items})
        assert all(item.question.endswith("?") for item in items)
        assert {item.fact for item in items} <= {*FACTS, ""}


def test_every_fact_is_asked_by_a_checklist() -> None:
    asked = {item.fact for name in checklist.names() for item in checklist.items(name)}
    assert set(FACTS) <= asked


@pytest.mark.parametrize("name", ITEMS)
def test_what_the_audit_does_not_know_stays_empty(name: str, tmp_path: Path) -> None:
    known = facts_of(make_case(), tmp_path, ("leaks", "overlap", "within"))
    filled, number = checklist.write(name, known, str(tmp_path))
    with (tmp_path / f"checklist-{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == checklist.COLUMNS
    assert number == ITEMS[name] == len(rows) - 1
    assert 0 < filled < number
    empty = {item.number for item in checklist.items(name) if not item.fact}
    assert all(not row["answer"] + row["evidence"] for row in rows if row["item"] in empty)


def test_facts_are_said_only_where_the_data_decide(tmp_path: Path) -> None:
    case = make_case(columns=("view",))
    known = facts_of(case, tmp_path)
    for name in ("sources", "partitions", "disjoint", "internal", "external", "shift"):
        assert known[name].answer == ""
        assert known[name].evidence.startswith("not assessed: ")
    no_models = facts_of(replace(case, models=[]), tmp_path)
    assert no_models["intervals"].evidence.startswith("not assessed: ")


def test_a_test_on_other_hospitals_is_external(tmp_path: Path) -> None:
    case = make_case()
    columns = dict(case.images.columns)
    split = columns["split"]
    is_test = np.array(split.names)[split.codes] == "test"
    held_out = [replace_rows(model, is_test) for model in case.models]
    case = replace(case, models=held_out)
    assert facts_of(case, tmp_path)["external"].answer == "no"
    columns["source"] = coded(["new" if test else "old" for test in is_test])
    case = replace(case, images=replace(case.images, columns=columns))
    known = facts_of(case, tmp_path)
    assert known["external"].answer == "yes"
    assert "200 held-out images are of sources without training images: new" in (
        known["external"].evidence
    )
    assert known["internal"] == Fact(
        "yes", "0 of 200 images that are judged are of training or validation."
    )
    assert known["disjoint"].answer == "yes"


def test_images_of_an_unknown_part_are_not_called_held_out(tmp_path: Path) -> None:
    case = make_case(100)
    parts = ["" if k < 10 else "test" for k in range(100)]
    columns = {**case.images.columns, "split": coded(parts)}
    case = replace(case, images=replace(case.images, columns=columns))
    assert facts_of(case, tmp_path)["internal"] == Fact(
        "",
        "0 of 100 images that are judged are of training or validation; the part of 10 is unknown.",
    )


def replace_rows(model: object, keep: np.ndarray) -> object:  # type: ignore[type-arg]
    return replace(  # type: ignore[type-var]
        model, rows=model.rows[keep], scores=model.scores[keep], predicted=model.predicted[keep]
    )


def test_missing_values_are_counted_by_class(tmp_path: Path) -> None:
    case = make_case(100)
    columns = {**case.images.columns, "sex": coded(["" if k < 10 else "F" for k in range(100)])}
    case = replace(case, images=replace(case.images, columns=columns))
    text = facts_of(case, tmp_path)["missing"].evidence
    assert "sex is missing in 4 of 50 positive and 6 of 50 negative images" in text
    assert "age: absent" in text
