"""CT slices: two lungs, disease where it belongs, and files that the collections' presets read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import cv2
import handy
import numpy as np
import pytest

from cxrtool.core import registry
from cxrtool.core.errors import Skip
from cxrtool.phantoms import LABELS, Phantom, PhantomCase, layouts, render_slice


def case(label: str = "normal", number: int = 1, source: int = 1, index: int = 0) -> PhantomCase:
    return PhantomCase(index, f"p{number:05d}", label, f"hospital-{source}", "PA", "50", "M", 0)


def slices_of(label: str, count: int = 8, size: int = 96) -> Iterator[Phantom]:
    return (render_slice(case(label, number, number, number), size) for number in range(1, count))


@pytest.mark.parametrize("label", LABELS)
def test_two_lungs_are_darker_than_the_flesh_and_hold_the_lesion(label: str) -> None:
    for image, mask, lesion in slices_of(label):
        assert cv2.connectedComponents(mask)[0] == 3
        assert 0.1 < (mask > 0).mean() < 0.35
        assert not (lesion & ~mask).any()
        middle = image[44:50, 44:52]
        assert np.median(image[(mask > 0) & (lesion == 0)]) < np.median(middle) - 40


def test_ground_glass_is_in_both_lungs_and_mostly_behind() -> None:
    below = 0.0
    for _, _, lesion in slices_of("covid"):
        rows, columns = np.nonzero(lesion)
        assert {bool(c) for c in np.unique(columns < 48)} == {True, False}
        below += float((rows > 48).mean()) / 7
    assert below > 0.55


def test_a_consolidation_is_in_one_lung_and_denser() -> None:
    for (glass, _, thin), (dense, _, thick) in zip(
        slices_of("covid"), slices_of("pneumonia"), strict=True
    ):
        assert len(np.unique(np.nonzero(thick)[1] < 48)) == 1
        assert np.percentile(dense[thick > 0], 75) > np.percentile(glass[thin > 0], 50)
    assert not any(lesion.any() for _, _, lesion in slices_of("normal"))


def test_slices_of_a_patient_and_of_hospitals_differ() -> None:
    first, again = render_slice(case(), 64), render_slice(case(), 64)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert (render_slice(case(index=1), 64).mask != first.mask).any()
    other = render_slice(case(source=2), 64)
    assert (other.mask == first.mask).all()
    assert abs(other.image.astype(int) - first.image).mean() > 3


@pytest.mark.parametrize("name", layouts.COLLECTIONS)
def test_a_preset_reads_its_layout(name: str, tmp_path: Path) -> None:
    given = ["30", "-d", str(tmp_path), "--slices", name, "--size", "32", "-j", "1"]
    assert handy.in_process("phantom", *given, "-o", str(tmp_path / "m.csv"), "-q") == 0
    truth = {row["path"]: row for row in handy.rows_of(tmp_path / "m.csv")}
    found = list(registry.module("collections", name).rows(str(tmp_path / name)))
    rows = [row for row in found if not isinstance(row, Skip)]
    assert len(rows) == len(found) == len(truth) == 30
    assert {row["view"] for row in rows} == {row["view"] for row in truth.values()} == {"Axial"}
    patients: dict[str, set[str]] = {}
    for row in rows:
        [planned] = [t for path, t in truth.items() if path.endswith(row["path"][-40:])]
        assert (row["label"] == "covid") == (planned["label"] == "covid")
        if row.get("patient"):
            patients.setdefault(planned["patient"], set()).add(row["patient"])
    assert all(len(known) == 1 for known in patients.values())
    slices = Counter(row["patient"] for row in truth.values())
    assert set(slices.values()) <= {1, 2, 3, 4, 5}
    assert max(slices.values()) > 1


def test_a_layout_is_of_one_collection(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    given = ["4", "-d", str(tmp_path / "d"), "--slices", "scov", "--sources", "2"]
    assert handy.in_process("phantom", *given) == 2
    why = "--sources has no effect: all images are of one collection, scov"
    assert why in capfd.readouterr().err
