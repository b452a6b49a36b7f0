"""The check of image quality: what is planted is named, with the AUC that counting gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from audit_cases import make_case
from scipy import stats

from cxrtool.audit import runner
from cxrtool.audit.case import Case
from cxrtool.audit.checks import image_quality
from cxrtool.audit.image_measurements import NAMES
from cxrtool.audit.verdicts import CheckRow
from cxrtool.stats.metrics import Floats

CORNER = "corner_stroke_top_left"


def measured(case: Case, seed: int = 0) -> Floats:
    """Return measurements at random, of which those of masks are possible ones."""
    values = np.random.default_rng(seed).uniform(0.1, 0.2, (len(case.images), len(NAMES)))
    values[:, NAMES.index("mask_bottom")] += 0.7
    values[:, NAMES.index("mask_right")] += 0.7
    return values


def row_of(case: Case, values: Floats | None) -> CheckRow:
    (row,) = runner.assess("image-quality", replace(case, measured=lambda: values))
    return row


def cells(row: CheckRow) -> dict[str, list[object]]:
    return {cell[0]: cell for cell in row.blocks[0]["rows"]}


def plant(case: Case, name: str, of: Floats) -> Floats:
    values = measured(case)
    values[:, NAMES.index(name)] = of
    return values


def test_a_marker_of_one_class_is_named() -> None:
    case = make_case(200)
    positive = case.images.positive
    marks = np.where((positive == 1) & (np.arange(200) % 10 > 1), 180.0, 20.0)
    row = row_of(case, plant(case, CORNER, marks))
    assert row.kind == "descriptive" and row.verdict == ""
    assert "corners with a marker (higher in covid, AUC 0.900)" in row.meaning
    assert "medical" in row.meaning
    assert "Within sources: corners with a marker" in row.meaning
    _, summary, ours, others, whole, within = cells(row)["corners with a marker"]
    assert (summary, ours, others) == ("mean", "0.800", "0.000")
    # 80 % of the positive images win against all others, the rest are ties.
    assert whole[0] == pytest.approx(0.9) and within[0] > 0.85  # type: ignore[index]


def test_the_auc_is_that_of_mann_and_whitney_and_intervals_are_adjusted() -> None:
    case = make_case(300, columns=("view",))
    own = np.random.default_rng(5).normal(size=300) + 0.4 * case.images.positive
    row = row_of(case, plant(case, "contrast", own))
    positive = case.images.positive == 1
    u = stats.mannwhitneyu(own[positive], own[~positive]).statistic
    assert row.blocks[0]["columns"][-1] == "AUC", "without sources there is one column"
    cell = cells(row)["contrast"]
    value, low, high = cell[4]  # type: ignore[misc]
    assert value == pytest.approx(u / positive.sum() / (~positive).sum())
    assert cell[2] == f"{100 * np.median(own[positive]):.1f} %"
    # Hanley and McNeil's error of independent images is about that of patients of two.
    error = np.sqrt(value * (1 - value) / 75)
    number = len(row.blocks[0]["rows"])
    z = stats.norm.ppf(1 - 0.025 / number)
    assert 0.3 < (high - low) / (2 * z * error) < 1
    assert f"adjusted for the {number} of this table" in row.blocks[0]["caption"]


def test_measurements_at_random_are_not_named() -> None:
    row = row_of(make_case(200), measured(make_case(200)))
    assert row.meaning.startswith(
        "No measurement of the pixels (sharpness, contrast, text, borders) and masks is shown to "
        "differ between the classes by more than the margin (0.05)."
    )
    assert "Within sources: none." in row.meaning


def test_what_the_sources_differ_in_is_no_difference_within_them() -> None:
    case = make_case(400, association=0.9)
    codes = case.images.columns["source"].codes
    own = codes + 0.1 * np.random.default_rng(2).normal(size=400)
    row = row_of(case, plant(case, "contrast", own))
    assert "contrast (higher in covid, AUC 0.9" in row.meaning
    assert "Within sources: none." in row.meaning
    # Apart, no source has both classes, and there is nothing to compare within.
    apart = row_of(make_case(200, association=2), measured(make_case(200)))
    assert "Within sources" not in apart.meaning


def test_lungs_at_the_edge_are_counted() -> None:
    case = make_case(200)
    bottom = np.where((case.images.positive == 1) & (np.arange(200) % 4 > 1), 1.0, 0.9)
    cell = cells(row_of(case, plant(case, "mask_bottom", bottom)))[
        "lungs touch the edge of the image"
    ]
    positive = case.images.positive == 1
    assert cell[2:4] == [f"{100 * (bottom[positive] == 1).mean():.1f} %", "0.0 %"]
    values = measured(case)
    values[::2, NAMES.index("mask_left")] = 0.0
    touching = image_quality._touching(lambda name: values[:, NAMES.index(name)])
    assert touching.tolist() == [1.0, 0.0] * 100


def test_a_border_is_the_share_of_the_image() -> None:
    sides = {"top": 0.1, "bottom": 0.1, "left": 0.0, "right": 0.5}
    border = image_quality._flat_border(lambda name: np.array([sides[name.split("_")[-1]]]))
    assert border[0] == pytest.approx(1 - 0.8 * 0.5)


def test_what_is_the_same_in_all_images_is_left_out() -> None:
    case = make_case(200)
    row = row_of(case, plant(case, "mask_pieces", np.full(200, 2.0)))
    assert "pieces of the lung mask" not in cells(row)
    equal = row.blocks[0]["caption"].partition("Equal in all images: ")[2]
    assert equal.endswith("pieces of the lung mask.")


def test_masks_of_one_class_are_not_compared() -> None:
    case = make_case(200)
    values = measured(case)
    first = NAMES.index("mask_area")
    values[case.images.positive == 0, first:] = np.nan
    row = row_of(case, values)
    assert "area of the lungs" not in cells(row) and "column 'mask'" in row.meaning
    absent = row.blocks[0]["caption"].partition("fewer than 10 patients of a class: ")[2]
    assert len(absent.split(", ")) == 4 and "area of the lungs" in absent
    assert "4 measurements exist for fewer than 10 patients of a class" in row.meaning


def test_images_that_were_not_measured_are_counted() -> None:
    case = make_case(200)
    values = measured(case)
    assert "Not measured" not in row_of(case, values).meaning
    values[:7] = np.nan
    assert "Not measured: 7 of the judged images" in row_of(case, values).meaning


@pytest.mark.parametrize("missing", ["manifest", "images", "class"])
def test_what_is_lacking_is_said(missing: str) -> None:
    case = make_case(100)
    values = measured(case)
    values[:] = np.nan if missing == "images" else values
    case.images.positive[:] = 1 if missing == "class" else case.images.positive
    row = row_of(case, None if missing == "manifest" else values)
    assert row.verdict == "not assessed" and row.next
