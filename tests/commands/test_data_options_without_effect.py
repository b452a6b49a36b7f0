"""An option without effect in a call is a usage error: of every command that uses no run.

Each option of these commands either always has an effect, or there is a case here in which it has
none. A new option has to be put in one of the two.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from handy import in_process, rows_of, write_table

from cxrtool.cli.descriptions import Flag, verbs

# What has an effect in every call, and what says how much is written where.
EVERYWHERE = {
    "--root",
    "--output",
    "--failures",
    "--strict",
    "--progress",
    "--quiet",
    "--verbose",
    "--dry-run",
    "--dir",
    "--list",
    "--where",
    "--engine",
}
ALWAYS = {
    "compare": {
        "--by-pairs",
        "--by",
        "--pool",
        "--averages",
        "--ci",
        "--paired-test",
        "--matrix",
        "--published",
        "--format",
        "--plots",
        "--report",
    },
    "demo": set(),
    "equalize": {"--method", "--size", "--move", "--conceal", "--force"},
    "ingest": {
        "--metadata",
        "--map-label",
        "--view",
        "--cap",
        "--convert",
        "--exact-age",
    },
    "phantom": {"--labels", "--size", "--slices", "--seed", "--force", "--jobs"},
    "recipe": {"--missing"},
    "segment": {"--model", "--keep", "--dilate", "--force"},
    "split": {
        "--test",
        "--val",
        "--folds",
        "--unseen",
        "--leave-out",
        "--test-where",
        "--balance",
        "--cap",
        "--paper",
        "--check",
    },
}

DASK = ["--engine", "dask=tcp://127.0.0.1:1", "-j", "2"]
OTHERS = "the workers are those of --engine"
META = ["in", "--metadata", "m.csv"]
NO_MASKS = "no image has a mask of each lung, or boxes of a lesion"
ROW_BY_ROW = "--group none divides row by row"
NAMED = "the design names the part of every row"
JUDGED = "--check judges the split that is there, and makes none"
# The command, its arguments, and what is said: the option, and why it has no effect.
CASES: list[tuple[str, list[str], str, str]] = [
    (
        "compare",
        ["p.csv", "--matrix", "train,test", "--metrics", "auc,f1"],
        "--metrics",
        "--matrix shows the first of them alone, auc",
    ),
    (
        "compare",
        ["p.csv", "--bootstrap", "0", "--seed", "1"],
        "--seed",
        "without a bootstrap and permutations nothing is drawn",
    ),
    (
        "compare",
        ["p.csv", "--seed", "1"],
        "--seed",
        "without a bootstrap and permutations nothing is drawn",
    ),
    (
        "compare",
        ["p.csv", "--bootstrap", "500"],
        "--bootstrap",
        "nothing that is shown is resampled",
    ),
    ("compare", ["p.csv", "--bootstrap", "0"], "--bootstrap", "nothing that is shown is resampled"),
    (
        "compare",
        ["p.csv", "--metrics", "ece_debiased,calibration_slope", "--interval", "bootstrap"],
        "--interval",
        "the metrics that are shown have formulas alone",
    ),
    (
        "compare",
        ["p.csv", "--metrics", "auc", "--paired-test", "delong", "--threshold", "0.3"],
        "--threshold",
        "no metric that is shown depends on the predicted class",
    ),
    (
        "compare",
        ["p.csv", "--matrix", "train,test", "--threshold", "0.3"],
        "--threshold",
        "no metric that is shown depends on the predicted class",
    ),
    (
        "compare",
        ["p.csv", "--metrics", "auc,brier", "--threshold", "0.3"],
        "--threshold",
        "no metric that is shown depends on the predicted class",
    ),
    (
        "compare",
        ["p.csv", "--metrics", "auc", "--interval", "normal"],
        "--interval",
        "no metric that is shown depends on the predicted class",
    ),
    (
        "compare",
        ["p.csv", "--confusion", "--format", "json"],
        "--confusion",
        "--format json always has the confusion matrices",
    ),
    (
        "compare",
        ["p.csv", "--confusion", "--matrix", "train,test"],
        "--confusion",
        "--matrix shows one metric",
    ),
    (
        "compare",
        ["p.csv", "--averages", "--positive", "covid"],
        "--positive",
        "with --averages there is no positive class",
    ),
    (
        "compare",
        ["p.csv", "--format", "json", "--best", "auc"],
        "--best",
        "--format json writes a record per figure",
    ),
    (
        "equalize",
        ["m.csv", "-d", "made", "--interpolation", "area"],
        "--interpolation",
        "without --size no image is resized",
    ),
    (
        "equalize",
        ["m.csv", "-d", "made", "--method", "stack", "--bits", "16"],
        "--bits",
        "stack makes images of 8 bits",
    ),
    ("equalize", ["m.csv", "-d", "made", *DASK], "--jobs", OTHERS),
    ("ingest", [*META, "--preset", "folder"], "--preset", "--metadata describes the images"),
    ("ingest", ["in", "--column", "a=b"], "--column", "there is no --metadata"),
    ("ingest", ["in", "--bits", "16"], "--bits", "without --convert no image is written"),
    ("ingest", ["in", "--window", "lung"], "--window", "without --convert no image is written"),
    ("ingest", ["in", "--force"], "--force", "without --convert no image is written"),
    ("ingest", ["in", "--seed", "1"], "--seed", "without --cap nothing is chosen at random"),
    ("ingest", ["in", *DASK], "--jobs", OTHERS),
    (
        "ingest",
        ["m.csv", "m.csv", "--source", "b"],
        "--source",
        "all rows of the manifests have a source",
    ),
    ("ingest", ["in", "--join-masks", "j"], "--join-masks", NO_MASKS),
    ("ingest", ["m.csv", "--join-masks", "j"], "--join-masks", NO_MASKS),
    (
        "ingest",
        ["m.csv", "--key", "key"],
        "--key",
        "all images of the manifests are measured, and none is read",
    ),
    (
        "phantom",
        ["4", "-d", "d", "--slices", "scov", "--sources", "3"],
        "--sources",
        "all images are of one collection, scov",
    ),
    (
        "phantom",
        ["3", "-d", "made", "--sources", "1", "--confound", "0.5"],
        "--confound",
        "there is one hospital",
    ),
    ("recipe", ["t1", "--data", "in"], "--data", "without --missing no folder is looked at"),
    ("recipe", ["t1", "--paper", "s0"], "--paper", "NAME is one recipe"),
    ("recipe", ["--data", "in"], "--data", "without --missing no folder is looked at"),
    (
        "segment",
        ["m.csv", "-d", "made", "--keep", "mask", "--blur", "3"],
        "--blur",
        "--keep mask blacks nothing out",
    ),
    (
        "segment",
        ["m.csv", "-d", "made", "--keep", "box", "--blur", "3"],
        "--blur",
        "--keep box blacks nothing out",
    ),
    (
        "segment",
        ["m.csv", "-d", "made", "--margin", "0.1"],
        "--margin",
        "--keep lungs cuts no box out",
    ),
    (
        "segment",
        ["m.csv", "-d", "made", "--keep", "mask", "--bits", "16"],
        "--bits",
        "--keep mask makes no image but the mask",
    ),
    ("segment", ["m.csv", "-d", "made", *DASK], "--jobs", OTHERS),
    (
        "split",
        ["m.csv", "--straddle", "drop"],
        "--straddle",
        "without --test-where or --leave-out nobody straddles",
    ),
    *[
        ("split", ["m.csv", "--group", "none", *design], "--straddle", ROW_BY_ROW)
        for design in (
            ["--leave-out", "source", "--straddle", "drop"],
            ["--test-where", "source=hospital-1", "--straddle", "refuse"],
        )
    ],
    (
        "split",
        ["m.csv", "--leave-out", "source", "--paper", "image", "--straddle", "drop"],
        "--straddle",
        "--paper image divides image by image",
    ),
    (
        "split",
        ["m.csv", "--paper", "image", "--group", "source"],
        "--group",
        "--paper image divides image by image",
    ),
    ("split", ["m.csv", "--leave-out", "source", "--stratify", "label"], "--stratify", NAMED),
    ("split", ["m.csv", "--leave-out", "source", "--seed", "1"], "--seed", NAMED),
    ("split", ["m.csv", "--test-where", "source=hospital-1", "--seed", "1"], "--seed", NAMED),
    *[
        ("split", ["m.csv", "--check", *given], given[0], JUDGED)
        for given in (
            ["--test", "0.2"],
            ["--val", "0.1"],
            ["--folds", "5"],
            ["--unseen", "0.1"],
            ["--leave-out", "source"],
            ["--test-where", "source=a"],
            ["--group", "nonsense"],
            ["--stratify", "label"],
            ["--balance", "under"],
            ["--cap", "label=3"],
            ["--paper", "image"],
            ["--straddle", "drop"],
            ["--seed", "1"],
            ["--failures", "f.csv"],
        )
    ],
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phantoms: Path) -> None:
    """Work beside some images and a manifest of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    rows = rows_of(phantoms / "split.csv")
    write_table(Path("m.csv"), rows)
    os.mkdir("in")
    os.symlink(rows[0]["path"], "in/a.png")


@pytest.mark.parametrize(("command", "given", "option", "why"), CASES)
def test_an_option_without_effect_is_refused(
    command: str, given: list[str], option: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = set(os.listdir())
    assert in_process(command, *given, "-o", "out.csv") == 2
    said = capfd.readouterr()
    line = f"cxrtool {command}: {option} has no effect: {why}. Leave it out.\n"
    assert (said.out, said.err) == ("", line)
    assert set(os.listdir()) == before, "nothing was done"


@pytest.mark.parametrize("command", ALWAYS)
def test_every_option_is_thought_of(command: str) -> None:
    there = {Flag(o).long for v in verbs() if v.name == command for o in v.options}
    # That others have none with --check says nothing of them without.
    cases = {option for name, _, option, why in CASES if name == command and why != JUDGED}
    always = ALWAYS[command]
    assert not cases & always
    assert there - EVERYWHERE == cases | always


def test_every_other_option_of_split_has_no_effect_with_check() -> None:
    there = {Flag(o).long for v in verbs() if v.name == "split" for o in v.options}
    cases = {option for _, _, option, why in CASES if why == JUDGED}
    assert there - cases == {
        "--check",
        "--where",
        "--output",
        "--dry-run",
        "--quiet",
        "--verbose",
    }


@pytest.mark.parametrize(
    "given",
    [
        ["--leave-out", "source", "--cap", "label=3", "--seed", "1", "--straddle", "drop"],
        ["--leave-out", "source", "--balance", "under", "--seed", "1"],
        ["--test-where", "source=hospital-1", "--val", "0.1", "--seed", "1", "--stratify", "label"],
        ["--folds", "3", "--seed", "1", "--stratify", "label", "--group", "patient"],
        ["--paper", "image", "--seed", "1", "--stratify", "none"],
    ],
)
def test_what_has_an_effect_is_taken(given: list[str]) -> None:
    assert in_process("split", "m.csv", *given, "-o", "out.csv") == 0


def test_a_source_is_given_to_the_rows_of_a_manifest_that_have_none() -> None:
    rows = rows_of(Path("m.csv"))
    write_table(Path("half.csv"), [{**r, "source": ""} if i % 2 else r for i, r in enumerate(rows)])
    assert in_process("ingest", "half.csv", "--source", "b", "-o", "out.csv", "-j", "1") == 0
    named = [r["source"] for r in rows_of(Path("out.csv"))]
    assert named == ["b" if i % 2 else r["source"] for i, r in enumerate(rows)]


def test_a_default_and_the_environment_ask_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", "in")
    monkeypatch.setenv("CXRTOOL_ROOT", ".")
    assert in_process("recipe", "t1", "-o", "t1.sh") == 0
    assert in_process("split", "m.csv", "--check", "-o", "found.csv") == 1, "it finds something"


@pytest.mark.parametrize("both", [["-q", "-v"], ["-v", "-q"], ["--verbose", "--quiet"]])
def test_less_and_more_at_once(both: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert in_process("split", "m.csv", *both) == 2
    assert capfd.readouterr() == (
        "",
        "cxrtool split: -q and -v contradict each other. Drop one of them.\n",
    )


def test_a_bar_that_is_asked_for_is_drawn_though_the_rest_is_quiet(
    capfd: pytest.CaptureFixture[str],
) -> None:
    given = ["3", "-d", "made", "--size", "32", "-j", "1", "-q", "-o", "p.csv"]
    assert in_process("phantom", *given, "--progress", "always") == 0
    assert "0/3 [" in capfd.readouterr().err
