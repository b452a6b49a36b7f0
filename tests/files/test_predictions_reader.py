"""Tables of predictions: what is read, what is refused, and what is reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from handy import rows_of

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import predictions, predictions_reader
from cxrtool.files.failures import Failures
from cxrtool.files.manifest import Where
from cxrtool.files.predictions import Predictions

HEADER = "path,label,p_a,p_b"
Read = Callable[..., tuple[Predictions, list[str]]]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Write tables and read them: the predictions, and the reasons of what was skipped."""
    monkeypatch.chdir(tmp_path)

    def run(
        *texts: str, wanted: Sequence[str] = (), where: Sequence[str] = (), optional: tuple = ()
    ) -> tuple[Predictions, list[str]]:
        paths = [f"{'xyz'[k]}.csv" for k in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            Path(path).write_text(text)
        skipped = Failures("failures.csv")
        tables = predictions_reader.opened(paths, [Where.parse(w) for w in where])
        found = predictions_reader.read(tables, wanted, skipped, optional)
        skipped.close()
        return found, [row["reason"] for row in rows_of(Path("failures.csv"))]

    return run


def table(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"


def test_what_is_read(read: Read) -> None:
    found, skipped = read(
        table(
            "1.png,a,p1,r1,b,0.25,0.75,m,north",
            "2.png,b,,,,1,0,,south",
            header="path,label,patient,raw,pred,p_a,p_b,model,source",
        ),
        wanted=["source"],
    )
    assert skipped == []
    assert found.classes == ["a", "b"]
    assert found.label.tolist() == [0, 1]
    assert found.predicted.tolist() == [1, -1]
    assert found.p.tolist() == [[0.25, 0.75], [1, 0]]
    model = found.coded["model"]
    assert [model.names[k] for k in model.codes] == ["m", "x"], "else the file's name"
    source = found.coded["source"]
    assert [source.names[k] for k in source.codes] == ["north", "south"]
    assert [found.path(k) for k in (0, 1)] == ["1.png", "2.png"]
    assert found.same["raw"].tolist()[1] == 0 != found.same["raw"].tolist()[0]
    # An image without a patient is one of its own.
    assert found.patient[1] == found.same["path"][1]
    assert found.take(np.array([1])).path(0) == "2.png"


def test_classes_may_stand_in_another_order(read: Read) -> None:
    one = table("1.png,a,0.25,0.75")
    other = table("2.png,b,0.4,0.6", header="path,label,p_b,p_a")
    found, _ = read(one, other)
    assert found.p.tolist() == [[0.25, 0.75], [0.6, 0.4]]
    assert found.label.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1.png,a,nan,0.5", "p_a is 'nan', not a probability"),
        ("1.png,a,0.5,text", "p_b is 'text', not a probability"),
        ("1.png,a,,1", "p_a is '', not a probability"),
        ("1.png,a,inf,0", "p_a is 'inf', not a probability"),
        ("1.png,a,-0.1,1.1", "p_a is '-0.1', not a probability"),
        ("1.png,a,0.9,0.9", "its p_ columns sum to 1.8, not 1"),
        ("1.png,q,0.5,0.5", "label 'q' is not one of: a, b"),
        ("1.png,,0.5,0.5", "no label"),
        (",a,0.5,0.5", "an image of 'a' has no path"),
    ],
)
def test_a_row_that_cannot_be_judged_is_reported(read: Read, row: str, reason: str) -> None:
    found, skipped = read(table(row, "2.png,b,0,1"))
    assert len(found) == 1
    assert skipped == [reason]


@pytest.mark.parametrize(
    ("row", "remedy"),
    [
        ("1.png,a,nan,0.5", "Correct the row."),
        ("1.png,a,inf,0", "Correct the row."),
        ("1.png,a,69.95,30.05", "Divide by 100, if these are per cent."),
        ("1.png,a,99.2,0.8", "Divide by 100, if these are per cent."),
        ("1.png,a,3.5,1.25", "Divide by 100, if these are per cent; apply a sigmoid or softmax, "),
        ("1.png,a,4.35%,95.65%", "Divide by 100, and leave out the sign %."),
        ('1.png,a,"0,4","0,6"', "Write it with a decimal point: 0.4."),
        ("1.png,a,1,0 %", "Divide by 100, and leave out the sign %."),
        (
            "1.png,a,0.9,0.4",
            "If these are outputs of one sigmoid unit a class, divide each row by its sum; ",
        ),
        ("1.png,a,0.3,0.2", "If these are outputs of one sigmoid unit a class, divide each row "),
        ("1.png,a,0,0", "Correct the row."),
        ("1.png,a,-2.5,1.5", "Are these logits? Apply a sigmoid or softmax."),
        ("1.png,a,255,12", "Are these logits? Apply a sigmoid or softmax."),
        ("1.png,A,0.5,0.5", "Did you mean 'a'? Write it as the column p_a does."),
        (
            "1.png,a-19,0.5,0.5",
            "If they mean the same, rename the label or the column p_a; else leave such rows out "
            "(label!=a-19).",
        ),
        ("1.png,q,0.5,0.5", "If they mean the same, rename the label or the column p_...; else "),
        ("1.png,?,0.5,0.5", "If they mean the same, rename the label or the column p_...; else "),
    ],
)
def test_the_remedy_names_what_the_cause_may_be(read: Read, row: str, remedy: str) -> None:
    read(table(row, "2.png,b,0,1"))
    (skipped,) = rows_of(Path("failures.csv"))
    assert skipped["remedy"].startswith(remedy)


def test_labels_without_a_probability_are_taken_where_they_are_accepted(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text(table("1.png,a,1,0", "2.png,none,0,1", "3.png,q,0,1"), encoding="utf-8")
    skipped = Failures(None, output="-", strict=False)
    tables = predictions_reader.opened([str(path)])
    found = predictions_reader.read(tables, [], skipped, unpredicted=lambda text: text == "none")
    assert (found.classes, found.unpredicted) == (["a", "b", "none"], ["none"])
    assert found.label.tolist() == [0, 2]
    assert found.p.tolist() == [[1, 0, 0], [0, 1, 0]]
    assert skipped.failed


def test_a_prediction_of_another_class_is_reported(read: Read) -> None:
    found, skipped = read(table("1.png,a,0,1,c", "2.png,b,0,1,b", header=f"{HEADER},pred"))
    assert len(found) == 1
    assert skipped == ["pred 'c' is not one of: a, b"]


def test_sums_of_rounded_probabilities_are_let_pass(read: Read) -> None:
    header = "path,label,p_a,p_b,p_c"
    found, skipped = read(table("1.png,a,0.33,0.33,0.33", header=header))
    assert (len(found), skipped) == (1, [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            table("1.png,1", header="path,p_a,p_b").replace("1.png,1", "1.png,1,0"),
            "x.csv: no column 'label' among: path, p_a, p_b",
        ),
        (table("a,1,0", header="label,p_a,p_b"), "x.csv: no column 'path' among: label, p_a, p_b"),
        (
            table("1.png,a", header="path,label"),
            "x.csv: no columns p_CLASS among: path, label. It",
        ),
        (
            table("1.png,a,1", header="path,label,p_a"),
            "x.csv: 1 column p_CLASS among: path, label, p_a. It needs one probability column for "
            "each class: add that of the other class, such as p_normal = 1 - p_a.",
        ),
        (
            table("1.png,a,1", header="path,label,p_Normal"),
            "x.csv: 1 column p_CLASS among: path, label, p_Normal. It needs one probability column "
            "for each class: add that of the other class, such as p_abnormal = 1 - p_Normal.",
        ),
        (
            table("1.png,a,1,0", header="path,label,P_a,p_b"),
            "x.csv: 1 column p_CLASS among: path, label, P_a, p_b. It needs one probability column "
            "for each class: rename 'P_a' to 'p_a' (they begin with a small p_).",
        ),
        (
            table("1.png,a,0.9,0.1", header="file,truth,a,b"),
            "x.csv: no column 'path' among: file, truth, a, b. Rename 'file' to 'path', 'truth' to "
            "'label' and 'a' to 'p_a'.",
        ),
        (
            table("1.png,a,0.9", "2.png,normal,0.9", header="path,label,score"),
            "x.csv: no columns p_CLASS among: path, label, score. If 'score' is the probability of "
            "'a', rename it to 'p_a' and add p_normal = 1 - p_a.",
        ),
        (
            table("1.png,1.png,a", header="path,raw,label"),
            "x.csv: is a manifest, without predictions (columns p_CLASS). Predict the images first:"
            " cxrtool evaluate RUN ",
        ),
        (table("1.png,,1,0"), "x.csv: no row has a label. Fill in the column label."),
        (table("1.png,a,1,1"), "x.csv: no row could be used. See the reasons above."),
        (table(), "x.csv: no rows after the header"),
        ("", "x.csv: empty, without even a header"),
        (table("1.png,a,1,0", header="path,label,p_a,p_a"), "x.csv: row 1: column 'p_a' occurs"),
    ],
)
def test_what_makes_a_comparison_meaningless(read: Read, text: str, message: str) -> None:
    with pytest.raises(CxrtoolError) as caught:
        read(text)
    assert str(caught.value).startswith(message)


def test_other_classes_are_refused(read: Read) -> None:
    other = table("1.png,a,1,0", header="path,label,p_a,p_c")
    with pytest.raises(CxrtoolError, match=r"y\.csv: its classes are a, c\. x\.csv has a, b"):
        read(table("1.png,a,1,0"), other)


def test_a_file_given_twice_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(table("1.png,a,1,0"))
    (tmp_path / "link.csv").symlink_to(file)
    with pytest.raises(CxrtoolError, match="given twice"):
        predictions_reader.opened([str(file), str(tmp_path / "link.csv")])


def test_a_column_that_was_asked_for_must_be_there(read: Read) -> None:
    with pytest.raises(CxrtoolError, match="no column 'site' among"):
        read(table("1.png,a,1,0"), wanted=["site"])
    found, _ = read(table("1.png,a,1,0"), optional=("site",))
    assert found.coded["site"].names == [""]


def test_where_chooses_rows(read: Read) -> None:
    found, _ = read(table("1.png,a,1,0", "2.png,b,0,1"), where=["label!=a"])
    assert [found.path(0)] == ["2.png"]


def test_models_of_one_name_that_judge_the_same_images_are_told_apart(read: Read) -> None:
    header = f"{HEADER},model"
    same = table("1.png,a,1,0,r18", header=header)
    found, _ = read(same, same)
    assert sorted(found.coded["model"].names) == ["r18 (x.csv)", "r18 (y.csv)"]
    other = table("2.png,a,1,0,r18", header=header)
    found, _ = read(same, other)
    assert found.coded["model"].names == ["r18"], "one model on two sets of images"


def test_a_model_of_several_files_with_different_images_is_said_to_be_one(
    read: Read, capfd: pytest.CaptureFixture[str]
) -> None:
    header = f"{HEADER},model"
    read(
        table("1.png,a,1,0,0", header=header),
        table("2.png,a,1,0,0", header=header),
        table("3.png,a,1,0,other", header=header),
    )
    line = capfd.readouterr().err
    assert "'0' is in 2 files with different images (x.csv, y.csv)" in line
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("row", "apart"),
    [
        ("hist/1.png,a,1,0,0,raw/1.png", True),
        ("hist/1.png,b,1,0,0,raw/1.png", False),  # another radiograph of the same file name
        ("hist/1.png,a,1,0,0,raw/2.png", False),
        ("hist/1.png,a,1,0,0,", False),
    ],
)
def test_runs_of_one_name_that_judge_two_versions_of_an_image_are_told_apart(
    read: Read, row: str, apart: bool
) -> None:
    header = f"{HEADER},model,raw"
    other = "plain/9.png,b,0,1,0,"  # Without a raw file, as the last row of the second table.
    found, _ = read(
        table("plain/1.png,a,1,0,0,raw/1.png", other, header=header), table(row, header=header)
    )
    expected = ["0 (x.csv)", "0 (y.csv)"] if apart else ["0"]
    assert sorted(found.coded["model"].names) == expected


def test_what_is_written_is_read_again(read: Read) -> None:
    columns = predictions.columns(["a", "b"])
    cells = predictions.cells(["a", "b"], [1 / 3, 2 / 3])
    row = {"path": "1.png", "label": "b", "model": "m", "pred": "b", **cells}
    found, skipped = read(
        table(",".join(row.get(c, "") for c in columns), header=",".join(columns))
    )
    assert skipped == []
    assert found.p[0] == pytest.approx([1 / 3, 2 / 3], abs=1e-6)
