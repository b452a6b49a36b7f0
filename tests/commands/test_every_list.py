"""Every option that takes a list takes it with blanks, and refuses an empty entry."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from handy import in_process, rows_of, write_table

from cxrtool.cli.descriptions import Flag, verbs

# The command with a list as it is meant; the same with blanks must end in the same.
LISTS: dict[tuple[str, str], tuple[list[str], str]] = {
    ("audit", "--checks"): (["p.csv", "-d", "made"], "broken,overlap"),
    ("audit", "--checklist"): (["p.csv", "-d", "made"], "claim,reforms"),
    ("audit", "--fail-on"): (["p.csv", "-d", "made"], "shown,not-identifiable"),
    ("audit", "--retrain-also"): (["p.csv", "-d", "made"], "sham,outline"),
    ("audit", "--within"): (["p.csv", "-d", "made"], "fold,train"),
    ("compare", "--by-pairs"): (["p.csv"], "fold,train"),
    ("compare", "--by"): (["p.csv"], "source,fold"),
    ("compare", "--matrix"): (["p.csv"], "train,source"),
    ("compare", "--metrics"): (["p.csv"], "auc,f1"),
    ("compare", "--where"): (["p.csv"], "source=a,b"),
    ("ingest", "--column"): (["in", "--metadata", "meta.csv"], "what=label,who=patient"),
    ("ingest", "--view"): (["in", "--metadata", "meta.csv"], "pa,ap"),
    ("phantom", "--labels"): (["3", "-d", "made", "--size", "32", "-j", "1"], "normal,covid"),
    ("split", "--stratify"): (["split.csv"], "label,source"),
    ("split", "--test-where"): (["split.csv"], "source=hospital-1,hospital-2"),
    ("split", "--where"): (["split.csv"], "source=hospital-1,hospital-2"),
    ("train", "--class-weights"): (["split.csv", "-d", "run", "--device", "cpu"], "covid=2,flu=1"),
    ("train", "--rebalance"): (["split.csv", "-d", "run", "--device", "cpu"], "covid=1,flu=1"),
    ("train", "--classes"): (["split.csv", "-d", "run", "--device", "cpu"], "covid,flu"),
    ("train", "--log"): (["split.csv", "-d", "run", "--dry-run"], "tensorboard,mlflow"),
    ("tsne", "--colour"): (["small", "split.csv", "--device", "cpu"], "source,site"),
}
# The same conditions, and the same keys and values, are read by the same function.
ALIKE = {"--where", "--cap"}
# Two numbers, not a list.
PAIRS = {"--window"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phantoms: Path, small_run: Path) -> None:
    monkeypatch.chdir(tmp_path)
    rows = rows_of(phantoms / "split.csv")
    write_table(Path("split.csv"), rows)
    os.symlink(small_run, "small")
    Path("in").mkdir()
    for i in range(3):
        os.symlink(rows[i]["path"], f"in/{i}.png")
    what = [("0.png", "x", "p", "PA"), ("1.png", "y", "q", "AP"), ("2.png", "y", "r", "L")]
    write_table(
        Path("meta.csv"), [dict(zip(("file", "what", "who", "view"), w, strict=True)) for w in what]
    )
    scores = [(0.1, "n"), (0.4, "c"), (0.3, "n"), (0.8, "c"), (0.2, "n"), (0.9, "c")]
    write_table(
        Path("p.csv"),
        [
            {
                "path": f"{i}.png",
                "label": label,
                "source": "ab"[i % 2 ^ i // 3],
                "fold": str(i % 3),
                "train": "ab"[i // 3],
                "p_n": str(1 - p),
                "p_c": str(p),
            }
            for i, (p, label) in enumerate(scores)
        ],
    )


def ended(capfd: pytest.CaptureFixture[str], verb: str, *given: str) -> tuple[int, str, str]:
    code = in_process(verb, *given)
    return code, *capfd.readouterr()


@pytest.mark.parametrize(("verb", "option"), LISTS)
def test_blanks_around_commas_do_not_count(
    verb: str, option: str, capfd: pytest.CaptureFixture[str]
) -> None:
    given, text = LISTS[verb, option]
    blank = " " + text.replace(",", " , ") + " "
    plain = ended(capfd, verb, *given, option, text)
    assert ended(capfd, verb, *given, option, blank) == plain
    refused = {
        "--classes": "is 'flu'",
        "--class-weights": "flu",
        "--rebalance": "flu",
        "--colour": "'site'",
        "--retrain-also": "--retrain is not given",
    }.get(option)
    assert plain[0] == (2 if refused else 0), plain
    assert refused is None or refused in plain[2]


@pytest.mark.parametrize(
    ("verb", "option"), [case for case in LISTS if case[1] not in ("--where", "--test-where")]
)
def test_an_empty_entry_is_refused(
    verb: str, option: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """An empty value of a condition stands for what is unknown; anywhere else it is a mistake."""
    given, text = LISTS[verb, option]
    code, out, err = ended(capfd, verb, *given, option, text + ",")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"cxrtool {verb}: {option}")


def test_every_list_is_thought_of() -> None:
    for verb in verbs():
        for flag in map(Flag, verb.options):
            is_list = "," in flag.metavar and "NAME[:KEY=VALUE" not in flag.metavar
            if is_list and flag.long not in ALIKE | PAIRS and flag.metavar != "KEY=VALUE[,...]":
                assert (verb.name, flag.long) in LISTS


@pytest.mark.parametrize("sign", ["=", "!="])
def test_a_value_that_no_row_has_is_named(sign: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, _, err = ended(capfd, "split", "split.csv", "--where", f"label{sign}covid,covdi,")
    assert code == 0
    shown = f"label{sign},covdi,covid"
    assert f"warning: split.csv: no row has label 'covdi' ({shown})\n" in err
    assert err.count("no row has") == 1


def test_of_several_predictions_any_may_have_the_value(capfd: pytest.CaptureFixture[str]) -> None:
    rows = rows_of(Path("p.csv"))
    for source in "ab":
        write_table(Path(f"{source}.csv"), [r for r in rows if r["source"] == source])
    code, _, err = ended(capfd, "compare", "a.csv", "b.csv", "--where", "source=a,b")
    assert code == 0
    assert "no row has" not in err


def test_a_pattern_and_a_view_that_nothing_has_are_named(
    capfd: pytest.CaptureFixture[str],
) -> None:
    given = ["in", "--metadata", "meta.csv", "--column", "what=label", "-o", "m.csv"]
    code, _, err = ended(
        capfd,
        "ingest",
        *given,
        "--map-label",
        "x=covid",
        "--map-label",
        "Z*=other",
        "--view",
        "PA,AP,LL",
    )
    assert code == 0
    assert (
        "cxrtool ingest: warning: the label pattern 'Z*' matches no finding and no label\n" in err
    )
    assert "cxrtool ingest: warning: no image has the view LL\n" in err
    assert err.count("warning: ") == 2
    assert [row["label"] for row in rows_of(Path("m.csv"))] == ["covid", "y"]
