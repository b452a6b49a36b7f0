"""An option without effect in a call is a usage error: of every command that uses or makes a run.

Each option of these commands either always has an effect, or there is a case here in which it has
none. A new option has to be put in one of the two.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from handy import in_process, rows_of, write_table

from cxrtool.cli.descriptions import Flag, verbs
from cxrtool.files import run_folder, run_record
from cxrtool.learn import inference

SMALL = ["--device", "cpu", "-j", "1"]
COMMANDS = ("evaluate", "cam", "tsne", "train")
# What has an effect in every call, and what says how much is written where.
EVERYWHERE = {
    "--device",
    "--engine",
    "--root",
    "--jobs",
    "--output",
    "--failures",
    "--strict",
    "--progress",
    "--quiet",
    "--verbose",
    "--cache",
    "--force",
    "--dry-run",
    "--seed",
    "--dir",
    "--list",
}
ALWAYS = {
    # A step of another size is faster or slower. The name of the images is a column of the table.
    "evaluate": {"--epoch", "--tta", "--ensemble", "--hierarchy", "--batch", "--test-name"},
    "cam": {"--method", "--outline", "--hierarchy", "--grid"},
    "tsne": {
        "--layer",
        "--perplexity",
        "--method",
        "--pca",
        "--max-iter",
        "--colour",
        "--plot",
        "--stats",
        "--batch",
        "--where",
    },
    "train": {
        "--task",
        "--arch",
        "--weights",
        "--batch",
        "--size",
        "--channels",
        "--normalize",
        "--fold",
        "--repeat",
        "--amp",
        "--where",
    },
}

IMAGES = "images have no columns"
OVER = "the training is over before"
STILL, LAST = "the rate would change in epoch", "at the earliest, the last is epoch"
ALWAYS_WRITTEN = ("path", "label", "patient", "source", "split")
CONV8 = ["m.csv", "--arch", "conv8", "--size", "32", "-d", "d"]
NO_VAL = "no-val was trained without validation images of two classes"
# The command, its arguments, and what is said: the option, and why it has no effect.
CASES: list[tuple[str, list[str], str, str]] = [
    ("evaluate", ["run", "a.png", "--where", "split=test"], "--where", IMAGES),
    ("evaluate", ["run", "a.png", "--where", "nonsense=1"], "--where", IMAGES),
    ("evaluate", ["run", "a.png", "--keep-columns"], "--keep-columns", IMAGES),
    *(
        (
            "evaluate",
            [run, table, "--keep-columns", *more],
            "--keep-columns",
            f"{table} has no columns but those that are always written",
        )
        for run, table, more in [
            ("run", "bare.csv", []),
            ("run", "plain.csv", []),
            ("run", "tests.csv", ["--test-name", "first"]),
            ("findings", "plain.csv", []),
            ("findings", "tests.csv", ["--test-name", "first"]),
        ]
    ),
    (
        "evaluate",
        ["run", "m.csv", "--target", "covid"],
        "--target",
        "run has classes, and no findings",
    ),
    (
        "evaluate",
        ["three", "m.csv", "--threshold", "0.7"],
        "--threshold",
        "three has 3 classes, of which the likeliest is predicted",
    ),
    (
        "evaluate",
        ["three", "m.csv", "--threshold", "youden"],
        "--threshold",
        "three has 3 classes, of which the likeliest is predicted",
    ),
    (
        "evaluate",
        ["three", "m.csv", "--threshold", "val"],
        "--threshold",
        "three has 3 classes, of which the likeliest is predicted",
    ),
    ("evaluate", ["no-val", "m.csv", "--threshold", "val"], "--threshold val", NO_VAL),
    (
        "evaluate",
        ["one-sided", "m.csv", "--threshold", "val"],
        "--threshold val",
        NO_VAL.replace("no-val", "one-sided"),
    ),
    ("evaluate", ["no-val", "m.csv", "--calibrate"], "--calibrate", NO_VAL),
    ("evaluate", ["run", "m.csv", "--ensemble", "no-val", "--calibrate"], "--calibrate", NO_VAL),
    (
        "evaluate",
        ["run", "m.csv", "--hierarchy", "below", "--calibrate"],
        "--calibrate",
        NO_VAL.replace("no-val", "below"),
    ),
    ("cam", ["run", "a.png", "-d", "d", "--where", "nonsense=1"], "--where", IMAGES),
    (
        "cam",
        ["run", "a.png", "-d", "d", "--mask", "column"],
        "--mask column",
        "the images have no column 'mask'",
    ),
    (
        "cam",
        ["run", "bare.csv", "-d", "d", "--mask", "column"],
        "--mask column",
        "the images have no column 'mask'",
    ),
    (
        "cam",
        ["run", "a.png", "-d", "d", "--class", "label"],
        "--class label",
        "the images have no column 'label'",
    ),
    (
        "cam",
        ["run", "bare.csv", "-d", "d", "--class", "label"],
        "--class label",
        "the images have no column 'label'",
    ),
    ("cam", ["run", "m.csv", "-d", "d", "--grid-most", "3"], "--grid-most", "there is no --grid"),
    ("cam", ["run", "m.csv", "-d", "d", "--beside", "m.csv"], "--beside", "there is no --grid"),
    (
        "cam",
        ["run", "bare.csv", "-d", "d", "--lesion", "none"],
        "--lesion none",
        "the images have no column 'lesion'",
    ),
    (
        "cam",
        ["run", "m.csv", "-d", "d", "--method", "cam", "--signs", "both", "--colormap", "jet"],
        "--colormap",
        "--signs both has colours of its own",
    ),
    (
        "cam",
        ["run", "m.csv", "-d", "d", "--signs", "both"],
        "--signs both",
        "gradcam finds nothing against a class",
    ),
    (
        "cam",
        ["run", "m.csv", "-d", "d", "--branch", "resnet"],
        "--branch",
        "conv8 has no branches",
    ),
    (
        "cam",
        ["run", "m.csv", "-d", "d", "--method", "lime:samples=10", "--batch", "9"],
        "--batch",
        "lime:samples=10 looks at one image at a time",
    ),
    ("tsne", ["run", "bare.csv", "--permutations", "9"], "--permutations", "no column is probed"),
    *(
        (
            "train",
            ["m.csv", "--task", "segment", "-d", "d", option, value],
            option,
            "--task segment learns masks",
        )
        for option, value in [
            ("--classes", "covid,normal"),
            ("--loss", "ce"),
            ("--class-weights", "none"),
            ("--rebalance", "none"),
            ("--label-smoothing", "0.1"),
            ("--fit", "squash"),
        ]
    ),
    *(
        (
            "train",
            ["m.csv", "--task", "findings", "-d", "d", option, value],
            option,
            "--task findings learns the binary cross-entropy of each finding",
        )
        for option, value in [("--loss", "ce"), ("--rebalance", "none"), ("--label-smoothing", "0")]
    ),
    *(
        (
            "train",
            ["m.csv", "--arch", "resnet18:head=svm", "--size", "64", "-d", "d", *given],
            given[0],
            "resnet18:head=svm is solved at once, by a support vector machine",
        )
        for given in [
            ["--loss", "focal"],
            ["--rebalance", "covid=1"],
            ["--label-smoothing", "0.1"],
            ["--optimizer", "sgd"],
            ["--schedule", "cosine"],
            ["--lr", "0.1"],
            ["--epochs", "3"],
            ["--patience", "3"],
            ["--monitor", "auc"],
            ["--freeze", "backbone"],
            ["--augment", "rotate=5"],
            ["--clip", "1"],
            ["--compile"],
        ]
    ),
    (
        "train",
        [*CONV8, "--first-layer", "sum"],
        "--first-layer",
        "there are no --weights to begin with",
    ),
    (
        "train",
        [*CONV8, "--channels", "3", "--weights", "three-channels", "--first-layer", "sum"],
        "--first-layer",
        "the network takes three channels",
    ),
    *(
        ("train", [*CONV8, "--freeze", zero], "--freeze 0", "it keeps no layer from learning")
        for zero in ("0", "00")
    ),
    (
        "train",
        ["no-val.csv", *CONV8[1:], "--patience", "3"],
        "--patience",
        "there is no validation part",
    ),
    (
        "train",
        ["no-val.csv", *CONV8[1:], "--monitor", "auc"],
        "--monitor",
        "there is no validation part",
    ),
    (
        "train",
        [*CONV8, "--augment", "fill=constant"],
        "--augment",
        "nothing in it changes an image",
    ),
    ("train", [*CONV8, "--augment", "rotate=0"], "--augment", "nothing in it changes an image"),
    (
        "train",
        [*CONV8, "--augment", "hflip=0.5,brightness=0.1,fill=constant"],
        "--augment fill=constant",
        "no place outside of an image comes into view",
    ),
    (
        "train",
        [*CONV8, "--weights", "run", "--first-layer", "sum"],
        "--first-layer",
        "run has no first layer for colour images",
    ),
    (
        "train",
        [*CONV8, "--lr", "find", "--epochs", "0", "--log", "tensorboard"],
        "--log",
        "no epoch follows",
    ),
    *(
        (
            "train",
            [*CONV8, "--epochs", epochs, option, value],
            option,
            why,
        )
        for epochs, option, value, why in [
            ("3", "--patience", "2", f"{OVER} 2 epochs without improvement can end it"),
            ("3", "--patience", "9", f"{OVER} 9 epochs without improvement can end it"),
            ("2", "--patience", "1", f"{OVER} 1 epoch without improvement can end it"),
            ("1", "--monitor", "auc", "there is one epoch to choose from"),
            ("12", "--schedule", "plateau:patience=10", f"{STILL} 13 {LAST} 12"),
            ("30", "--schedule", "step", f"{STILL} 31 {LAST} 30"),
        ]
    ),
]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phantoms: Path) -> Iterator[None]:
    """Work beside some images, two manifests of them, and some runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = rows_of(phantoms / "split.csv")[:12]
    write_table(Path("no-val.csv"), [row for row in rows if row["split"] != "val"])
    os.symlink(rows[0]["path"], "a.png")
    write_table(Path("m.csv"), rows)
    write_table(Path("bare.csv"), [{"path": row["path"]} for row in rows])
    plain = [{name: row[name] for name in ALWAYS_WRITTEN} for row in rows]
    write_table(Path("plain.csv"), plain)
    write_table(Path("tests.csv"), [row | {"test": "a"} for row in plain])
    write_table(Path("findings.csv"), [row | {"finding": "Edema"} for row in plain])
    validated = {"epoch": 1, "val_loss": 0.5, "val_auc": 0.8}
    written("run", ["covid", "normal"], validated)
    written("three", ["covid", "flu", "normal"], validated)
    written("no-val", ["covid", "normal"], {"epoch": 1})
    written("one-sided", ["covid", "normal"], {"epoch": 1, "val_loss": 0.5, "val_auc": None})
    written("three-channels", ["covid", "normal"], validated, 3)
    written("findings", ["Edema", "Hernia", "Mass"], {"epoch": 0}, task="findings")
    written("below", ["bacteria", "virus"], {"epoch": 1})
    yield
    torch.set_num_threads(before)


def written(
    name: str,
    classes: list[str],
    best: dict[str, Any],
    channels: int = 1,
    task: str = "classify",
) -> None:
    """Write a run with fresh weights."""
    torch.manual_seed(0)
    network = inference.built("conv8", len(classes), channels, 32)
    scale = [120.0] * channels, [50.0] * channels
    about = run_record.About("conv8", classes, 32, channels, *scale, task=task, best=best)
    os.makedirs(name)
    run_folder.write(name, about, network.state_dict())


@pytest.mark.parametrize(("command", "given", "option", "why"), CASES)
def test_an_option_without_effect_is_refused(
    command: str, given: list[str], option: str, why: str, capfd: pytest.CaptureFixture[str]
) -> None:
    output = [] if command == "train" else ["-o", "out.csv"]  # A training has no table.
    before = set(os.listdir())
    assert in_process(command, *given, *output, *SMALL) == 2
    said = capfd.readouterr()
    line = f"cxrtool {command}: {option} has no effect: {why}. Leave it out.\n"
    assert (said.out, said.err) == ("", line)
    assert set(os.listdir()) == before, "nothing was done"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_thought_of(command: str) -> None:
    there = {Flag(o).long for v in verbs() if v.name == command for o in v.options}
    cases = {option.partition(" ")[0] for name, _, option, _ in CASES if name == command}
    always = ALWAYS[command]
    assert not cases & always
    assert there - EVERYWHERE == cases | always


def test_a_default_and_the_environment_ask_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not typed is not refused: 0.5 is the default threshold, also of three classes."""
    monkeypatch.setenv("CXRTOOL_CACHE", "cache")
    assert in_process("evaluate", "three", "m.csv", "-o", "out.csv", *SMALL) == 0
    assert in_process("cam", "run", "bare.csv", "-d", "d", "-o", "maps.csv", *SMALL) == 0


def test_an_ensemble_of_a_run_and_itself_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    os.symlink("run", "link")
    for other in ("run", "run/", "link"):
        assert in_process("evaluate", "run", "a.png", "--ensemble", other, *SMALL) == 2
        assert capfd.readouterr().err == (
            f"cxrtool evaluate: {other}: named twice. An ensemble needs different runs.\n"
        )


@pytest.mark.parametrize(
    ("table", "more"),
    [("tests.csv", []), ("findings.csv", []), ("findings.csv", ["--test-name", "x"])],
)
def test_what_a_manifest_has_beyond_is_kept(table: str, more: list[str]) -> None:
    given = ["run", table, "--keep-columns", *more, "-o", "out.csv"]
    assert in_process("evaluate", *given, *SMALL) == 0
    assert set(rows_of(Path(table))[0]) <= set(rows_of(Path("out.csv"))[0])


def test_a_run_without_validation_still_predicts() -> None:
    assert json.loads(Path("no-val/run.json").read_text())["threshold"] == 0.5
    assert in_process("evaluate", "no-val", "a.png", "-o", "out.csv", *SMALL) == 0
