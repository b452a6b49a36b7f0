"""Who the images show: shares that differ between the classes, and columns that nobody gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from audit_cases import coded, make_case

from cxrtool.audit import runner
from cxrtool.audit.case import Case
from cxrtool.audit.verdicts import NOT_ASSESSED, CheckRow

NUMBER = 400
ALIKE = {
    "view": ["PA", "AP", "PA", "AP"],
    "sex": ["F", "M", "M", "F"],
    "age": ["40", "50", "50", "40"],
}


def row_of(case: Case) -> CheckRow:
    (row,) = runner.assess("composition", case)
    return row


def with_columns(**columns: Sequence[str]) -> Case:
    """Give each four images in turn these values: the first two are negative, the others not."""
    case = make_case(NUMBER, columns=["source"])
    own = {name: coded([*values] * (NUMBER // 4)) for name, values in columns.items()}
    return replace(case, images=replace(case.images, columns=case.images.columns | own))


def test_a_share_that_differs_is_named() -> None:
    row = row_of(with_columns(**ALIKE | {"sex": ["F", "F", "M", "F"]}))
    assert row.meaning.endswith("negative images: female (50.0 % against 100.0 %).")
    assert not row.verdict and not row.next


def test_alike_columns_are_alike() -> None:
    row = row_of(with_columns(**ALIKE))
    assert row.meaning.startswith("None of the known shares differs by 10 percentage points")
    assert not row.verdict and "Not known" not in row.meaning


@pytest.mark.parametrize("columns", [{}, {"view": [""] * 4}, {"sex": ["", "", "M", "F"]}])
def test_without_view_age_and_sex_it_is_not_assessed(columns: dict[str, Sequence[str]]) -> None:
    row = row_of(with_columns(**columns))
    if "sex" in columns:
        # That the cells of one class are empty is itself a difference.
        assert not row.verdict and "without sex (0.0 % against 100.0 %)" in row.meaning
        assert row.meaning.endswith("so not compared: view, age and sex.")
    else:
        assert row.verdict == NOT_ASSESSED and "None of the known" not in row.meaning
        assert row.meaning.startswith("Of view, age and sex none is known for both classes")
        assert "'view', 'age' and 'sex'" in row.next


def test_what_is_unknown_is_named_beside_what_is_known() -> None:
    row = row_of(with_columns(view=["PA", "AP", "PA", "AP"]))
    assert not row.verdict and row.meaning.startswith("None of the known shares differs")
    assert row.meaning.endswith("Not known for both classes, and so not compared: age and sex.")
