"""The check of attributes says what it looks at, and names the columns that follow the label."""

from dataclasses import replace

import numpy as np
from audit_cases import coded, make_case

from cxrtool.audit import runner
from cxrtool.audit.case import SIZE, Case
from cxrtool.audit.verdicts import CheckRow


def row_of(case: Case) -> CheckRow:
    case, _ = runner.plan(case, ["attributes"], [])
    (row,) = runner.assess("attributes", case)
    return row


def test_a_size_that_follows_the_label_is_named_as_a_column_of_the_manifest() -> None:
    """`image quality` measures the pixels, and may find nothing in the same images."""
    case = make_case()
    positive = case.images.positive == 1
    other = np.random.default_rng(3).random(len(positive)) < 0.1
    sizes = coded(["512x512" if big else "256x256" for big in positive ^ other])
    columns = {**case.images.columns, SIZE: sizes}
    row = row_of(replace(case, images=replace(case.images, columns=columns)))
    lead = "Columns of the manifest that follow the label (AUC of the column alone): size (0."
    assert row.meaning.startswith(lead)
    (cell,) = [cells for cells in row.blocks[0]["rows"] if cells[0] == SIZE]
    # By hand: the pairs in which the positive image alone is big, and half of the equal ones.
    big = positive ^ other
    share = big[positive].mean(), big[~positive].mean()
    by_hand = share[0] * (1 - share[1]) + (share[0] * share[1] + np.prod(1 - np.array(share))) / 2
    assert abs(cell[3][0] - by_hand) < 0.02


def test_columns_at_random_are_not_named() -> None:
    row = row_of(make_case())
    assert row.meaning.startswith("No column of the manifest follows the label")
    assert "Absent or of one value: sex, age band, format, size." in row.meaning
