"""Fewer rows of a collection: how many, whose, and which by which seed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from cxrtool.core.errors import CxrtoolError
from cxrtool.data import row_cap
from cxrtool.data.packed_rows import PackedRows, Row
from cxrtool.files.failures import Failures


def gathered(folder: str = "nih", patients: int = 60, images: int = 4) -> PackedRows:
    """Gather images of patients, each of two labels."""
    rows = PackedRows()
    for i in range(patients * images):
        label = ("normal", "other", "other", "covid")[i % 4]
        path = f"{folder}/images/{i:05}.png"
        rows.add(
            {"path": path, "label": label, "patient": f"p{i // images}", "source": "ab"[i % 2]}
        )
    return rows


def capped(rows: PackedRows, *caps: tuple[str, int], seed: int = 0) -> list[Row]:
    return list(row_cap.capped(rows, caps, seed, Failures(None, output="-")))


def labels(rows: list[Row]) -> Counter[str]:
    return Counter(row["label"] for row in rows)


def test_at_most_so_many_of_each_label() -> None:
    assert labels(capped(gathered(), ("label", 30))) == {"normal": 30, "other": 30, "covid": 30}
    assert labels(capped(gathered(), ("label", 70))) == {"normal": 60, "other": 70, "covid": 60}
    assert labels(capped(gathered(), ("other", 7))) == {"normal": 60, "other": 7, "covid": 60}
    assert len(capped(gathered(), ("source", 10))) == 20
    both = capped(gathered(), ("other", 7), ("covid", 3))
    assert labels(both) == {"normal": 60, "other": 7, "covid": 3}


def test_images_of_unknown_patients_are_not_one_patient() -> None:
    rows = PackedRows()
    for i in range(12):
        rows.add({"path": f"a/{i}.png", "label": "covid", "patient": "p" if i < 6 else ""})
    found = Counter(row["patient"] for row in capped(rows, ("patient", 2)))
    assert found == {"p": 2, "": 6}


def test_a_second_cap_counts_what_the_first_left() -> None:
    found = capped(gathered(), ("other", 10), ("source", 40))
    sources = Counter(row["source"] for row in found)
    assert sources == {"a": 40, "b": 40}
    assert labels(found)["other"] <= 10


def test_whole_patients_are_taken() -> None:
    found = capped(gathered(patients=40, images=10), ("normal", 25), ("other", 0 + 55))
    for label, every in (("normal", 3), ("other", 5)):
        each = Counter(row["patient"] for row in found if row["label"] == label)
        # Patients have 2 or 3 normal and 5 other images; one patient at most is cut.
        cut = [n for n in each.values() if n < every - (label == "normal")]
        assert len(cut) <= 1


def test_the_order_of_the_rows_is_kept() -> None:
    found = [row["path"] for row in capped(gathered(), ("label", 9))]
    assert found == sorted(found)


def test_the_choice_is_of_the_seed_and_not_of_the_place() -> None:
    def names(rows: list[Row]) -> list[str]:
        return [row["path"].rpartition("/")[2] for row in rows]

    first = names(capped(gathered(), ("label", 9)))
    assert first == names(capped(gathered("elsewhere/nih"), ("label", 9)))
    assert first != names(capped(gathered(), ("label", 9), seed=1))
    # More of them are the same ones, and more.
    assert set(first) < set(names(capped(gathered(), ("label", 12))))


def test_every_patient_is_as_likely() -> None:
    """Over many seeds, each of 20 patients comes first as often, within chance."""
    first: Counter[str] = Counter()
    for seed in range(400):
        found = capped(gathered(patients=20), ("normal", 1), ("other", 1), ("covid", 1), seed=seed)
        first[next(row["patient"] for row in found if row["label"] == "normal")] += 1
    assert len(first) == 20
    # 20 expected each; chi-squared with 19 degrees of freedom, 99.9 %.
    assert sum((n - 20) ** 2 / 20 for n in first.values()) < 43.8


def test_what_is_left_out_is_reported(tmp_path: Path) -> None:
    skipped = Failures(str(tmp_path / "failures.csv"))
    found = list(row_cap.capped(gathered(), [("normal", 59)], 0, skipped))
    assert len(found) + 1 == 240
    assert not skipped.failed
    skipped.close()
    assert "over the cap of 59 for normal" in (tmp_path / "failures.csv").read_text()


def test_a_class_that_is_not_there_is_refused() -> None:
    expected = "neither a column nor a label; labels are: covid, normal"
    with pytest.raises(CxrtoolError, match=expected):
        capped(gathered(), ("pneumonia", 3))
