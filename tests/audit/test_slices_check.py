"""The groups of patients in which a model is worst."""

from __future__ import annotations

from audit_cases import coded, make_case

from cxrtool.audit import runner


def test_one_group_has_none_to_compare_it_with() -> None:
    case = make_case(60, columns=("view",))
    case.images.columns["view"] = coded(["PA"] * 56 + ["AP"] * 4)
    (row,) = runner.assess("slices", case)
    assert row.meaning.startswith("Only one group has 10 patients of both classes, view PA: AUC 0.")
    assert "lowest" not in row.meaning and len(row.blocks[0]["rows"]) == 1
