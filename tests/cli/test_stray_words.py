"""The values of a list with blanks between them: the error says how the list is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from handy import in_process

COMMAS = "The values of a list are separated by commas, without blanks: "


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()
    (tmp_path / "run").mkdir()
    (tmp_path / "m.csv").write_text("path,label,patient,source\na.png,x,p,s\nb.png,y,q,s\n")
    (tmp_path / "p.csv").write_text("path,label,p_x,p_y\na.png,x,1,0\nb.png,y,0,1\n")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("compare p.csv --metrics auc sensitivity npv", "--metrics auc,sensitivity,npv"),
        ("audit --checks within overlap m.csv -d made", "--checks within,overlap"),
        ("compare p.csv --metrics auc, sensitivity", "--metrics auc,sensitivity"),
        ("compare --metrics auc sensitivity predictions", "--metrics auc,sensitivity"),
    ],
)
def test_the_list_is_written_as_it_was_meant(
    typed: str, meant: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert in_process(*typed.split()) == 2
    said = capfd.readouterr().err
    assert said.endswith(f"{COMMAS}{meant}.\n") and said.count("\n") == 1


@pytest.mark.parametrize(
    ("typed", "word", "meant"),
    [
        ("compare --matrix train test p.csv", "test", "--matrix train,test"),
        ("split m.csv --stratify label, source", "source", "--stratify label,source"),
        ("compare p.csv --by=source view", "view", "--by source,view"),
        ("compare --by source results", "results", "--by source,results"),
        ("split m.csv --stratify label source --test 0.5", "source", "--stratify label,source"),
        ("split --stratify label source m.csv --test 0.5", "source", "--stratify label,source"),
        ("split --stratify label manifest", "manifest", "--stratify label,manifest"),
        ("ingest images --view PA AP", "AP", "--view PA,AP"),
        ("train --where view=PA AP m.csv -d run", "AP", "--where view=PA,AP"),
        ("evaluate --where view=PA AP run m.csv", "AP", "--where view=PA,AP"),
        ("equalize --where view=PA manifest -d q", "manifest", "--where view=PA,manifest"),
    ],
)
def test_a_word_may_be_a_file_or_a_value(
    typed: str, word: str, meant: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert in_process(*typed.split()) == 2
    said, option = capfd.readouterr().err, meant.split()[0]
    either = f"If '{word}' is a file, check its path; if it is a value of {option}, write {meant}."
    assert said.endswith(f" {either}\n") and said.count("\n") == 1 and "Check" not in said


def test_several_words_may_be_files_or_values(capfd: pytest.CaptureFixture[str]) -> None:
    assert in_process("compare", "--by", "source", "view", "label") == 2
    assert capfd.readouterr().err.endswith(
        " If 'view', 'label' are files, check their paths; if they are values of --by, "
        "write --by source,view,label.\n"
    )


@pytest.mark.parametrize(
    "typed", ["compare --metrics auc predictions", "audit --checks within predictions -d made"]
)
def test_what_is_none_of_the_names_is_a_file(typed: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert in_process(*typed.split()) == 2
    said = capfd.readouterr().err
    assert said.endswith("predictions: no such file or directory. Check the path.\n")


@pytest.mark.parametrize(
    "typed",
    [
        "compare p.csv --where label = x",
        "compare p.csv --where label= x",
        "compare p.csv --where label == x",
        "compare p.csv --where label== x",
        "compare p.csv --where label ==x",
        "train m.csv -d run --where label == x",
        "train --where label == x m.csv -d run",
    ],
)
def test_a_condition_is_written_without_blanks(
    typed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert in_process(*typed.split()) == 2
    said = capfd.readouterr().err
    assert said.endswith(". Write a condition without blanks: --where label=x.\n")
    assert said.count("Write") == 1


@pytest.mark.parametrize(
    "typed",
    [
        "compare --metrics auc absent.csv",
        "compare --metrics auc -- absent",
        "compare --metrics nonsense p.csv",
        "ingest --view PA folder/absent",
        "compare p.csv absent --metrics auc",
    ],
)
def test_what_is_no_part_of_a_list_is_not_taken_for_one(
    typed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert in_process(*typed.split()) == 2
    assert "blanks" not in capfd.readouterr().err
