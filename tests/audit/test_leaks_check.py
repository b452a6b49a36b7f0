"""What can be said of leaks, by what is known of the images."""

from __future__ import annotations

import numpy as np
import pytest
from audit_cases import make_case

from cxrtool.audit import runner
from cxrtool.audit.case import Case
from cxrtool.audit.verdicts import EXCLUDED, NOT_ASSESSED, SHOWN, CheckRow


def row_of(case: Case) -> CheckRow:
    return runner.assess("leaks", case)[0]


def forget(case: Case, share: float) -> Case:
    """Take away the patients of a share of the images."""
    known = case.images.identities["patient"].copy()
    known[: round(share * len(known))] = 0
    case.images.identities["patient"] = known
    return case


def known_files(case: Case) -> Case:
    case.images.identities["sha256"][:] = 1 + np.arange(len(case.images))
    return case


def test_no_leak_is_excluded() -> None:
    row = row_of(known_files(make_case()))
    assert row.verdict == EXCLUDED and "unknown" not in row.meaning


@pytest.mark.parametrize("share", [1.0, 0.5, 0.06])
def test_unknown_patients_are_no_proof_that_none_is_in_two_parts(share: float) -> None:
    row = row_of(forget(known_files(make_case()), share))
    assert row.verdict == NOT_ASSESSED
    part = "all images" if share == 1 else f"{100 * share:.1f} % of all images"
    assert row.meaning.startswith(f"The patients of {part} are unknown, and may be in training")
    assert "patient" in row.next


def test_of_few_unknown_patients_the_number_is_told() -> None:
    row = row_of(forget(known_files(make_case()), 0.04))
    assert row.verdict == EXCLUDED
    assert row.meaning.endswith("The patients of 4.0 % of all images are unknown.")


@pytest.mark.parametrize("share", [1.0, 0.5, 0.02])
def test_images_that_the_manifest_lacks_are_no_proof_either(share: float) -> None:
    case = known_files(make_case())
    tested = np.flatnonzero(case.images.columns["split"].isin(["test"]))
    unlisted = tested[: round(share * len(tested))]
    case.images.of_manifest[unlisted] = False
    case.images.identities["sha256"][unlisted] = 0
    row = row_of(case)
    part = "all held-out images" if share == 1 else f"{100 * share:.1f} % of all held-out images"
    if share > 0.05:
        assert row.verdict == NOT_ASSESSED
        assert row.meaning.startswith(f"The manifest lacks {part}: nobody can compare")
    else:
        assert row.verdict == EXCLUDED
        assert row.meaning.endswith(f"The pictures of {part} are unknown.")


def test_the_same_file_is_a_leak_whoever_the_patients_are() -> None:
    case = forget(known_files(make_case()), 1)
    files, parts = case.images.identities["sha256"], case.images.columns["split"]
    files[np.flatnonzero(parts.isin(["test"]))[0]] = files[np.flatnonzero(parts.isin(["train"]))[0]]
    row = row_of(case)
    assert row.verdict == SHOWN and "the same file of 1" in row.meaning


def test_a_column_without_values_is_not_called_absent() -> None:
    row = row_of(known_files(make_case()))
    expected = "dup_group (empty where no duplicates were found)."
    assert "as absent or empty: " in row.meaning and row.meaning.endswith(expected)
