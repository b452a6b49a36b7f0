"""Judging splits: every planted fault is one finding, and a good split has none."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrtool.core.errors import CxrtoolError
from cxrtool.data import split_check
from cxrtool.data.split_check import Finding
from cxrtool.files import table
from cxrtool.files.manifest import Manifest

HEADER = ("path", "label", "patient", "source", "sha256", "dup_group", "split", "fold")
Row = tuple[str, ...]


def findings(folder: Path, rows: list[Row], columns: tuple[str, ...] = HEADER) -> list[Finding]:
    file = str(folder / "m.csv")
    table.write(file, columns, rows)
    return split_check.check(Manifest(file, again=True))


def good() -> list[Row]:
    """A split without a fault: both labels and sources in every part."""
    rows = []
    for i, part in enumerate(["train"] * 8 + ["val"] * 4 + ["test"] * 4):
        label, source = ("covid", "normal")[i % 2], ("a", "b")[i // 2 % 2]
        rows.append((f"{i}.png", label, f"p{i}", source, f"s{i}", "", part, ""))
    return rows


def planted(row: int, **cells: str) -> list[Row]:
    rows = [dict(zip(HEADER, r, strict=True)) for r in good()]
    rows[row].update(cells)
    return [tuple(r.values()) for r in rows]


def test_a_good_split_has_no_findings(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert findings(tmp_path, good()) == []
    assert capfd.readouterr().err == "cxrtool: no findings in 16 rows: train 8, val 4, test 4\n"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"patient": "p8"}, ("patient in several parts", "patient", "p8", "train; val", "2")),
        ({"path": "8.png"}, ("image in several parts", "path", "8.png", "train; val", "2")),
        ({"sha256": "s8"}, ("exact duplicate in several parts", "sha256", "s8", "train; val", "2")),
        ({"split": ""}, ("row in no part", "split", "", "", "1")),
        ({"source": "c"}, ("source missing from a part", "source", "c", "val", "0")),
        ({"label": "flu"}, ("label missing from a part", "label", "flu", "test", "0")),
    ],
)
def test_every_fault_is_found(tmp_path: Path, cells: dict[str, str], expected: Finding) -> None:
    assert expected in findings(tmp_path, planted(0, **cells))


def test_a_near_duplicate_is_found(tmp_path: Path) -> None:
    rows = [(*r[:5], "d1" if r[0] in ("0.png", "15.png") else "", *r[6:]) for r in good()]
    assert findings(tmp_path, rows) == [
        ("near duplicate in several parts", "dup_group", "d1", "train; test", "2")
    ]


def test_an_unknown_part_is_found(tmp_path: Path) -> None:
    rows = [(*r[:6], "dev" if r[6] == "val" else r[6], "") for r in good()]
    assert findings(tmp_path, rows) == [("unknown part", "split", "dev", "dev", "4")]


def test_a_row_in_no_part_leaks_nothing(tmp_path: Path) -> None:
    rows = planted(0, split="", patient="p8", sha256="s8")
    assert findings(tmp_path, rows) == [("row in no part", "split", "", "", "1")]


def folded(rows: list[Row], folds: int) -> list[Row]:
    return [(*r[:6], "train", str(1 + i // 2 % folds)) for i, r in enumerate(rows)]


def test_folds_are_parts_of_train(tmp_path: Path) -> None:
    rows = [(*r[:3], "a", *r[4:]) for r in folded(good(), 2)]
    assert findings(tmp_path, rows) == []
    # The fold of a test row does not make it one of train.
    rows[0] = (*rows[0][:2], rows[1][2], *rows[0][3:6], "test", "1")
    found = findings(tmp_path, rows)
    assert ("patient in several parts", "patient", "p1", "test; fold 1", "2") in found


def test_a_fold_column_alone_is_a_split(tmp_path: Path) -> None:
    rows = [(*r[:6], r[7]) for r in folded([(*r[:3], "a", *r[4:]) for r in good()], 2)]
    assert findings(tmp_path, rows, (*HEADER[:6], "fold")) == []


def test_one_fold_a_source_is_a_design(tmp_path: Path) -> None:
    rows = [(*r[:6], "train", "12"[r[3] == "b"]) for r in good()]
    assert findings(tmp_path, rows) == []


def test_folds_are_sorted_by_number(tmp_path: Path) -> None:
    rows = [(f"{i}.png", "x", "p", "a", "", "", "train", str(i)) for i in (10, 9, 1)]
    found = findings(tmp_path, rows)
    assert found == [("patient in several parts", "patient", "p", "fold 1; fold 9; fold 10", "3")]


def test_what_cannot_be_judged_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert findings(tmp_path, [("a", "train"), ("b", "test")], ("path", "split")) == []
    said = capfd.readouterr().err
    assert "no column 'patient': leaks of patients are not checked" in said
    assert "no column 'dup_group': near duplicates are not checked" in said


def test_a_manifest_without_a_split_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(CxrtoolError, match=r"no column 'split' among: path\. Make one with: cxr"):
        findings(tmp_path, [("a",)], ("path",))


ROW = st.tuples(
    st.integers(0, 20).map(str),
    st.sampled_from(["", "x", "y"]),
    st.sampled_from(["", "p", "q", "r", "s", "t"]),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from(["", "s1", "s2", "s3"]),
    st.sampled_from(["", "d1", "d2"]),
    st.sampled_from(["train", "val", "test", "unseen", "", "dev"]),
    st.sampled_from(["", "", "1", "2"]),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=1, max_size=30))
def test_the_torn_values_are_those_of_a_plain_count(tmp_path: Path, rows: list[Row]) -> None:
    expected = []
    for at, column in ((2, "patient"), (0, "path"), (4, "sha256"), (5, "dup_group")):
        there: dict[str, Counter[str]] = defaultdict(Counter)
        for row in rows:
            part = f"fold {row[7]}" if row[7] and row[6] in ("train", "") else row[6]
            if row[at] and part:
                there[row[at]][part] += 1
        expected += [(column, v, str(n.total())) for v, n in there.items() if len(n) > 1]
    found = [(f[1], f[2], f[4]) for f in findings(tmp_path, rows) if "several" in f[0]]
    assert sorted(found) == sorted(expected)


def test_unknown_patients_are_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An all-clear would be false where nobody knows whose the images are."""
    table.write(
        str(tmp_path / "m.csv"),
        ("path", "label", "patient", "split"),
        [
            ("1.png", "a", "", "train"),
            ("2.png", "a", "", "test"),
            ("3.png", "a", "p", "test"),
        ],
    )
    split_check.check(Manifest(str(tmp_path / "m.csv"), again=True))
    assert "warning: 2 rows have no patient" in capfd.readouterr().err
