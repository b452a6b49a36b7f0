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
        ("compare --matrix train test p.csv", "--matrix train,test"),
        ("compare p.csv --metrics auc sensitivity npv", "--metrics auc,sensitivity,npv"),
        ("compare p.csv --by=source view", "--by source,view"),
        ("audit --checks within overlap m.csv -d made", "--checks within,overlap"),
        ("split m.csv --stratify label source --test 0.5", "--stratify label,source"),
        ("split --stratify label source m.csv --test 0.5", "--stratify label,source"),
        ("ingest images --view PA AP", "--view PA,AP"),
        ("train --where view=PA AP m.csv -d run", "--where view=PA,AP"),
        ("evaluate --where view=PA AP run m.csv", "--where view=PA,AP"),
    ],
)
def test_the_list_is_written_as_it_was_meant(
    typed: str, meant: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert in_process(*typed.split()) == 2
    said = capfd.readouterr().err
    assert said.endswith(f"{COMMAS}{meant}.\n") and said.count("\n") == 1


@pytest.mark.parametrize(
    "typed", ["compare p.csv --where label = x", "compare p.csv --where label= x"]
)
def test_a_condition_is_written_without_blanks(
    typed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert in_process(*typed.split()) == 2
    assert capfd.readouterr().err.endswith(" without blanks: --where label=x.\n")


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
