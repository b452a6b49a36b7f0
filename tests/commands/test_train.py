"""`cxrtool train`: what a run folder holds, how a run goes on, and what it refuses."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from handy import (
    Row,
    in_process,
    noise,
    options,
    pixels,
    rows_of,
    start,
    wait_for,
    weak,
    write,
    write_table,
)
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from cxrtool.core.parallel import Crew
from cxrtool.files import pixel_cache as cached
from cxrtool.files import run_folder
from cxrtool.files.failures import Failures
from cxrtool.files.manifest import Manifest
from cxrtool.learn import inference, losses, rate_finder, trainer, training_loop, validation

SMALL = ["--arch", "conv8", "--size", "32", "--batch", "8", "--device", "cpu", "-j", "1"]
FIGURES = [
    "loss",
    "lr",
    "images_per_second",
    "val_loss",
    "val_accuracy",
    "val_balanced_accuracy",
    "val_auc",
]
WHOLE = {
    "model.safetensors",
    "images.safetensors",
    "run.json",
    "history.csv",
    "curves.png",
    "last.safetensors",
    "last.json",
}
REPEATABLE = ("model.safetensors", "run.json")
Said = pytest.CaptureFixture[str]


pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def split(phantoms: Path) -> list[Row]:
    return rows_of(phantoms / "split.csv")


def train(*args: object, epochs: int = 1, folder: str = "r") -> int:
    return in_process("train", *options([*SMALL, "--epochs", epochs, "-d", folder], args))


def about(folder: str | Path = "r") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(folder) / "run.json").read_text())
    return found


def model(folder: str | Path = "r") -> dict[str, Tensor]:
    return load_file(Path(folder) / "model.safetensors")


def bytes_of(folder: str | Path) -> list[bytes]:
    return [(Path(folder) / name).read_bytes() for name in REPEATABLE]


def history(folder: str | Path = "r") -> list[Row]:
    """Read the history without what the clock tells."""
    rows = rows_of(Path(folder) / "history.csv")
    return [{k: v for k, v in r.items() if not k.endswith(("second", "seconds"))} for r in rows]


def line(capfd: Said) -> str:
    """Return the only line that was said."""
    said = capfd.readouterr()
    assert said.out == "" and said.err.count("\n") == 1, said
    return said.err.removeprefix("cxrtool train: ").rstrip("\n")


# --- the run folder -------------------------------------------------------------------------------


def test_the_files_of_a_run(phantoms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(phantoms)
    assert train("split.csv", "--cache", "c", epochs=2, folder="files") == 0
    assert set(os.listdir("files")) == WHOLE
    with Image.open("files/curves.png") as picture:
        picture.load()
        assert picture.format == "PNG" and min(picture.size) > 300


def test_run_json_is_enough_to_use_the_run(small_run: Path, phantoms: Path) -> None:
    found, given = run_folder.read(str(small_run)).about, about(small_run)
    assert given == json.loads(json.dumps(vars(found)))
    assert (found.arch, found.classes, found.size) == ("conv8", ["covid", "normal"], 32)
    assert (found.channels, found.task, found.loaded) == (1, "classify", "none")
    assert given["options"]["lr"] == "0.02" and given["options"]["epochs"] == 3
    assert given["data"]["manifest"] == "split.csv"
    counts = {p: sum(given["data"][p].values()) for p in ("train", "val")}
    parts = [r["split"] for r in rows_of(phantoms / "split.csv")]
    assert counts == {p: parts.count(p) for p in ("train", "val")}
    assert set(given["versions"]) == {"cxrtool", "python", "torch", "numpy"}


def test_the_best_epoch_is_the_one_of_the_least_loss(small_run: Path) -> None:
    rows, best = history(small_run), about(small_run)["best"]
    assert [r["epoch"] for r in rows] == ["1", "2", "3"]
    least = min(rows, key=lambda r: float(r["val_loss"]))
    assert best["epoch"] == int(least["epoch"])
    assert best["val_loss"] == pytest.approx(float(least["val_loss"]), rel=1e-5)


LOSSES: dict[str, tuple[list[str], str]] = {
    "plain": ([], "ce"),
    "focal": (["--loss", "focal:gamma=3"], "focal:gamma=3"),
    "all": (
        ["--loss", "focal", "--label-smoothing", "0.2", "--class-weights", "max"],
        "focal, label smoothing 0.2, class weights max",
    ),
}


@pytest.mark.parametrize("case", LOSSES)
def test_the_best_epoch_follows_the_loss_of_training(
    case: str, phantoms: Path, split: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --monitor loss: the loss that is minimised, on the validation part."""
    given, criterion = LOSSES[case]
    # Of one class twice as many, so that class weights weigh.
    few = [r for r in split if r["label"] == "covid"][::2]
    write_table(Path("m.csv"), [r for r in split if r not in few])
    expected: list[float] = []
    real = training_loop.Learner.looked_at

    def looked_at(self: training_loop.Learner, part: training_loop.ImageSet) -> Any:
        figures, logs = real(self, part)
        assert logs is not None
        smoothing = 0.2 if case == "all" else 0.0
        targets = np.full(logs.shape, smoothing / 2)
        targets[np.arange(len(logs)), part.labels] += 1 - smoothing
        power = {"plain": 0, "focal": 3, "all": 2}[case]
        each = -(targets * (1 - np.exp(logs)) ** power * logs).sum(axis=1)
        if case == "all":
            labels = [r["label"] for r in rows_of(Path("m.csv")) if r["split"] == "train"]
            counts = np.array([labels.count("covid"), labels.count("normal")])
            each *= (counts.max() / counts)[part.labels]
        expected.append(float(each.mean()))
        return figures, logs

    monkeypatch.setattr(training_loop.Learner, "looked_at", looked_at)
    assert train("m.csv", *given, "--lr", "0.02", epochs=4) == 0
    losses_of_val = [float(r["val_loss"]) for r in history()]
    assert losses_of_val == pytest.approx(expected, rel=1e-5)
    assert about()["best"]["epoch"] == 1 + int(np.argmin(expected))
    assert about()["criterion"] == criterion


def test_a_run_that_names_no_criterion_is_read(small_run: Path) -> None:
    """Of an earlier version, whose val_loss was the cross-entropy."""
    shutil.copytree(small_run, "r")
    text = json.loads(Path("r/run.json").read_text())
    assert text.pop("criterion") == "ce"
    Path("r/run.json").write_text(json.dumps(text))
    assert run_folder.read("r").about.criterion == "ce"


def test_the_columns_of_the_history(small_run: Path) -> None:
    rows = rows_of(small_run / "history.csv")
    assert list(rows[0]) == ["epoch", *FIGURES, "seconds"]
    assert all(float(v) >= 0 for r in rows for v in r.values())


def test_the_weights_load_into_the_network(small_run: Path) -> None:
    network = inference.built("conv8", 2, 1, 32)
    network.load_state_dict(model(small_run))


def test_nothing_of_a_patient_is_in_a_run(small_run: Path, phantoms: Path) -> None:
    text = (small_run / "run.json").read_text() + (small_run / "last.json").read_text()
    assert not any(r["patient"] in text for r in rows_of(phantoms / "split.csv"))


# --- the same again -------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("--augment", "rotate=5,hflip=0.5", "--seed", "7")])
def test_the_same_seed_gives_the_same_bytes(phantoms: Path, more: tuple[str, ...]) -> None:
    for folder in "ab":
        assert train(phantoms / "split.csv", *more, folder=folder, epochs=2) == 0
    assert bytes_of("a") == bytes_of("b")
    assert history("a") == history("b")


def test_another_seed_gives_another_run(phantoms: Path) -> None:
    for seed in (0, 1, 2):
        train(phantoms / "split.csv", "--seed", seed, folder=str(seed))
    assert len({bytes_of(str(seed))[0] for seed in (0, 1, 2)}) == 3


def test_a_finished_run_is_left_as_it_is(phantoms: Path, capfd: Said) -> None:
    train(phantoms / "split.csv", epochs=2)
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in Path("r").iterdir()}
    capfd.readouterr()
    assert train(phantoms / "split.csv", epochs=2) == 0
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in Path("r").iterdir()} == before
    assert "continues after epoch 2\n" in capfd.readouterr().err


class Killed(BaseException):
    """What ends a process, as far as its files are concerned."""


def killed_at(number: int, go: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Tell whether something dies that dies before the n-th file gets its name."""
    renamed, real = itertools.count(1), os.replace

    def replace(*args: Any) -> None:
        if next(renamed) == number:
            raise Killed
        real(*args)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", replace)
        try:
            go()
        except Killed:
            return True
    return False


WAYS: dict[str, dict[str, Any]] = {
    "adam": {"augment": "rotate=8,shift=0.1,hflip=0.5", "schedule": "plateau:patience=0"},
    "sgd": {"optimizer": "sgd:momentum=0.9", "schedule": "cosine:warmup=0.2", "lr": "0.1"},
    "found rate": {"optimizer": "adamax", "lr": "find", "patience": 1, "monitor": "auc"},
    "no val": {"optimizer": "adamw", "clip": 1.0},
}


@pytest.mark.parametrize("way", WAYS)
def test_killed_anywhere_and_run_again_is_as_undisturbed(
    way: str, phantoms: Path, split: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dies before every rename in turn; each time the same command ends with the same bytes."""
    kept = [r for r in split if way != "no val" or r["split"] != "val"]
    write_table(Path("m.csv"), kept)
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(trainer, "TRIES", 12)
    settings = trainer.TrainingSettings("conv8", size=32, batch=8, epochs=2, **WAYS[way])

    def go(folder: str) -> None:
        place = trainer.TrainingEnvironment(folder, torch.device("cpu"), "cache", Crew(1))
        trainer.train(Manifest("m.csv"), settings, place, Failures(None, folder=folder))

    go("whole")
    for number in itertools.count(1):
        folder = f"killed-{number}"
        if not killed_at(number, lambda f=folder: go(f), monkeypatch):  # type: ignore[misc]
            break
        go(folder)
        assert bytes_of(folder) == bytes_of("whole"), number
        assert history(folder) == history("whole"), number
        assert list(history(folder)[0]) == list(history("whole")[0]), number
        assert not [n for n in os.listdir(folder) if n.endswith(".part")]
    assert number > 10


def test_killed_twice_in_a_row(phantoms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = [phantoms / "split.csv", "--schedule", "plateau:patience=0,factor=0.5"]
    train(*given, folder="whole", epochs=4)
    for number in (9, 9):
        assert killed_at(number, lambda: train(*given, epochs=4), monkeypatch)
    train(*given, epochs=4)
    assert bytes_of("r") == bytes_of("whole") and history("r") == history("whole")


@pytest.mark.parametrize("name", ["run.json", "model.safetensors"])
@pytest.mark.parametrize("way", ["gone", "damaged"])
def test_a_run_is_not_done_without_its_best_weights(
    name: str, way: str, phantoms: Path, capfd: Said
) -> None:
    train(phantoms / "split.csv")
    whole, file = bytes_of("r"), Path("r", name)
    content = file.read_bytes()
    file.unlink()
    if way == "damaged":
        file.write_bytes(content[:-9])
    capfd.readouterr()
    assert train(phantoms / "split.csv") == 2
    assert capfd.readouterr().err.splitlines()[-1] == (
        "cxrtool train: r: the best weights of the run are gone or damaged. "
        "Train it again from the start (--force)."
    )
    train(phantoms / "split.csv", "--force")
    assert bytes_of("r") == whole


def test_what_is_told_of_a_run_is_written_again(phantoms: Path) -> None:
    train(phantoms / "split.csv")
    names = ("history.csv", "last.json")
    before = [Path("r", name).read_bytes() for name in names]
    for name in names:
        Path("r", name).unlink()
    train(phantoms / "split.csv")
    assert [Path("r", name).read_bytes() for name in names] == before
    # Killed between the state and what is told of it, the last epoch is done all the same.
    Path("r", "last.json").write_text("{}")
    train(phantoms / "split.csv")
    assert [Path("r", name).read_bytes() for name in names] == before


def check_signal(number: int, more: list[str], phantoms: Path, epochs: int, folder: Path) -> None:
    given = ["train", phantoms / "split.csv", *SMALL, *more, "--epochs", epochs]
    process = start(folder, *given, "-d", "killed")
    wait_for((folder / "killed" / "history.csv").exists)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    expected = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[number]
    assert process.returncode == expected, error
    assert b"Traceback" not in error
    for name in ("killed", "whole"):
        again = start(folder, *given, "-d", name)
        assert again.communicate(timeout=100) and again.returncode == 0
    assert 1 <= len(history(folder / "killed")) == epochs
    assert bytes_of(folder / "killed") == bytes_of(folder / "whole")
    assert history(folder / "killed") == history(folder / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_what_can_be_gone_on_from(
    number: int, phantoms: Path, tmp_path: Path
) -> None:
    more = ["--augment", "rotate=5,hflip=0.5", "--schedule", "plateau:patience=1"]
    check_signal(number, more, phantoms, 15, tmp_path)


@pytest.mark.slow
def test_dropout_goes_on_where_it_was(phantoms: Path, tmp_path: Path) -> None:
    check_signal(signal.SIGKILL, ["--arch", "squeezenet", "--size", "64"], phantoms, 6, tmp_path)


@pytest.mark.parametrize(
    "more",
    [["--lr", "0.5"], ["--seed", "3"], ["--where", "source!=hospital-1"], ["--epochs", "2"]],
)
def test_a_run_of_other_options_or_data_is_not_mixed_in(
    phantoms: Path, more: list[str], capfd: Said
) -> None:
    train(phantoms / "split.csv")
    before = bytes_of("r")
    capfd.readouterr()
    assert train(phantoms / "split.csv", *more) == 2
    assert line(capfd) == (
        "r: holds a run of other options, data or version. "
        "Name another folder, or start from the beginning (--dir, --force)."
    )
    assert bytes_of("r") == before


def test_force_starts_anew(phantoms: Path) -> None:
    train(phantoms / "split.csv", "--seed", 5, folder="other")
    train(phantoms / "split.csv")
    assert train(phantoms / "split.csv", "--seed", 5, "--force") == 0
    assert bytes_of("r") == bytes_of("other")


@pytest.mark.parametrize("epochs", [0, 1])
def test_force_leaves_nothing_of_the_earlier_run(epochs: int, phantoms: Path, capfd: Said) -> None:
    """A curve of rates beside a run whose rate was given, or weights beside a range test, mislead.

    So do the weights of an earlier run while the first epoch of a new one is not done.
    """
    earlier, later = (("--lr", "find"), ()) if epochs else ((), ("--lr", "find"))
    assert train(phantoms / "split.csv", *earlier, epochs=1) == 0
    assert train(phantoms / "split.csv", *later, "--force", epochs=epochs) == 0
    assert train(phantoms / "split.csv", *later, folder="other", epochs=epochs) == 0
    assert sorted(os.listdir("r")) == sorted(os.listdir("other"))
    capfd.readouterr()
    assert in_process("evaluate", "r", str(phantoms / "split.csv"), "-q") == (0 if epochs else 2)


def test_a_run_without_its_last_state_is_kept(phantoms: Path, capfd: Said) -> None:
    train(phantoms / "split.csv")
    os.unlink("r/last.safetensors")
    capfd.readouterr()
    assert train(phantoms / "split.csv") == 2
    assert line(capfd) == (
        "r: holds a run already. Name another folder, or start from the beginning (--dir, --force)."
    )


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "text"])
def test_a_damaged_last_state_is_refused_by_name(phantoms: Path, damage: str, capfd: Said) -> None:
    train(phantoms / "split.csv")
    last = Path("r/last.safetensors")
    data = bytearray(last.read_bytes())
    data[-100] ^= 1
    last.write_bytes({"flip": data, "cut": data[:-1], "empty": b"", "text": b"hello"}[damage])
    capfd.readouterr()
    assert train(phantoms / "split.csv") == 2
    assert "r/last.safetensors" in line(capfd)


# --- which rows -----------------------------------------------------------------------------------


def test_a_fold_is_left_out_and_the_next_is_val(phantoms: Path) -> None:
    rows = rows_of(phantoms / "folds.csv")
    for fold, following in (("1", "2"), ("4", "1")):
        assert train(phantoms / "folds.csv", "--fold", fold, folder=fold) == 0
        data = about(fold)["data"]
        val = [r["label"] for r in rows if r["fold"] == following]
        learned = [r["label"] for r in rows if r["fold"] not in (fold, following)]
        assert data["val"] == {c: val.count(c) for c in data["val"]}
        assert sum(data["val"].values()) == len(val)
        assert sum(data["train"].values()) == len(learned)


def test_a_fold_with_zeros_before_it_is_the_same(phantoms: Path) -> None:
    train(phantoms / "folds.csv", "--fold", "1", folder="a")
    assert train(phantoms / "folds.csv", "--fold", "01", folder="b") == 0
    assert about("a")["data"] == about("b")["data"]


def test_reserved_rows_without_a_fold_are_not_learned(phantoms: Path) -> None:
    rows = rows_of(phantoms / "folds.csv")
    for row in rows[:8]:
        row["fold"] = ""
    write_table(Path("m.csv"), rows)
    train("m.csv", "--fold", 2)
    data = about()["data"]
    used = [r for r in rows if r["fold"] not in ("", "2")]
    assert sum(data["train"].values()) + sum(data["val"].values()) == len(used)


@pytest.mark.parametrize("fold", ["0", "5", "x", "-1"])
def test_a_fold_that_is_not_there(phantoms: Path, fold: str, capfd: Said) -> None:
    assert train(phantoms / "folds.csv", f"--fold={fold}") == 2
    name = phantoms / "folds.csv"
    said = f"fold {fold} is not among the 4 folds of {name}. Choose 1 to 4 (--fold)."
    assert line(capfd) == said


def test_the_order_of_the_classes(phantoms: Path) -> None:
    train(phantoms / "split.csv", "--classes", "normal,covid")
    assert about()["classes"] == ["normal", "covid"]


def test_rows_of_other_classes_are_left_out(phantoms: Path, split: list[Row], capfd: Said) -> None:
    for row in split[::5]:
        row["label"] = "other"
    write_table(Path("m.csv"), split)
    assert train("m.csv", "--classes", "covid,normal") == 0
    number = sum(r["label"] == "other" and r["split"] in ("train", "val") for r in split)
    assert f"left out {number}: other is not among the classes to learn" in capfd.readouterr().err
    assert len(rows_of(Path("r/failures.csv"))) == number


def test_rows_without_a_label_are_left_out(phantoms: Path, split: list[Row], capfd: Said) -> None:
    learned = [r for r in split if r["split"] == "train"]
    learned[0]["label"] = ""
    write_table(Path("m.csv"), split)
    assert train("m.csv") == 0
    assert "left out 1: it has no label" in capfd.readouterr().err
    assert [r["path"] for r in rows_of(Path("r/failures.csv"))] == [learned[0]["path"]]


def test_where(phantoms: Path) -> None:
    train(phantoms / "split.csv", "--where", "split=train")
    assert about()["data"]["val"] == {}
    assert list(history()[0]) == ["epoch", "loss", "lr"]


def test_without_val_the_last_epoch_is_the_best(phantoms: Path) -> None:
    assert train(phantoms / "split.csv", "--where", "split=train", epochs=3) == 0
    assert about()["best"]["epoch"] == 3
    assert (about()["temperature"], about()["threshold"]) == (1.0, 0.5)


def test_val_of_one_class_has_no_auc(phantoms: Path, split: list[Row], capfd: Said) -> None:
    kept = [r for r in split if r["split"] == "train" or r["label"] == "covid"]
    write_table(Path("m.csv"), kept)
    assert train("m.csv", "--monitor", "auc", epochs=2) == 0
    assert history()[0]["val_auc"] == "" and about()["best"]["val_auc"] is None
    assert "the best of 2 epochs is 2 (validation: " in capfd.readouterr().err, "nothing chose it"


def test_relative_paths_are_relative_to_root(split: list[Row], phantoms: Path) -> None:
    for row in split:
        row["path"] = os.path.relpath(row["path"], phantoms)
    write_table(Path("m.csv"), split)
    assert train("m.csv", "--root", phantoms) == 0
    train(phantoms / "split.csv", folder="absolute")
    assert bytes_of("r")[0] == bytes_of("absolute")[0]


def test_the_manifest_may_come_down_a_pipe(phantoms: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (phantoms / "split.csv").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert train("-") == 0
    train(phantoms / "split.csv", folder="named")
    assert bytes_of("r")[0] == bytes_of("named")[0]


MISTAKES: dict[str, tuple[Callable[[Row], Row], str]] = {
    "no split": (
        lambda r: {k: v for k, v in r.items() if k != "split"},
        "Create it with cxrtool split, or choose a fold (--fold).",
    ),
    "no train": (
        lambda r: {**r, "split": "test"},
        "m.csv: no rows to train on. Split it first with cxrtool split.",
    ),
    "one class": (
        lambda r: {**r, "label": "covid"},
        "m.csv: the rows to train on are all 'covid'. A classifier needs two classes.",
    ),
    "unknown in val": (
        lambda r: {**r, "label": "flu" if r["split"] == "val" else r["label"]},
        "m.csv: rows of val are 'flu', none of train. Split it again, stratified by label.",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_manifest_that_cannot_be_learned_from(name: str, split: list[Row], capfd: Said) -> None:
    change, message = MISTAKES[name]
    write_table(Path("m.csv"), [change(r) for r in split])
    assert train("m.csv") == 2
    assert line(capfd).endswith(message) and not os.path.exists("r")


REFUSED = {
    "--classes=covid,flu,normal": "split.csv: no row to train on is 'flu'. "
    "The labels are: covid, normal.",
    "--classes=covid,covid,normal": "the class 'covid' is named twice. "
    "Name each class once (--classes).",
    "--lr=0": "--lr '0' is not one of: find, a learning rate below 1000. Write it as 0.001.",
    "--lr=1e30": "--lr '1e30' is not one of: find, a learning rate below 1000. Write it as 0.001.",
    "--lr=nan": "--lr 'nan' is not one of: find, a learning rate below 1000. Write it as 0.001.",
    "--freeze=all": "--freeze 'all' is not one of: none, trunk, backbone, a number of layers. "
    "Write it as 3.",
    "--freeze=99": "all layers are frozen, so that nothing is learned. "
    "Freeze fewer layers (--freeze).",
    "--arch=unet": "'unet' is a segmentation network, not a classifier. Choose another network.",
    "--arch=chexnet": "'chexnet' has 14 outputs of its own, not 2 classes. "
    "Choose another network; its weights may go into densenet121.",
    "--channels=2": "--channels '2' is not one of: auto, 1, 3. Choose one of them.",
    "--loss=mse": "--loss 'mse' is not one of: ce, focal, double-softmax. Choose one of them.",
    "--optimizer=adm": "--optimizer 'adm' is not one of: sgd, adam, adamw, adamax. "
    "Did you mean 'adam'?",
    "--optimizer=sgd:nesterov=yes": "optimizer sgd:nesterov=yes: Nesterov momentum requires a "
    "momentum and zero dampening. Change its options (--optimizer).",
    "--schedule=cos": "--schedule 'cos' is not one of: none, plateau, cosine, onecycle, step. "
    "Did you mean 'cosine'?",
    "--augment=rotate=5,hflip": "augmentation hflip has no value. "
    "Write it as hflip=0.1 (--augment).",
    "--augment=hard": "--augment hard is for masks. Give --task segment, or leave it out.",
    "--batch=1": "a batch of 1 is too small for the network. "
    "Use larger batches or larger images (--batch, --size).",
    "--fit=zoom": "--fit 'zoom' is not one of: squash, crop, pad. Choose one of them.",
    "--monitor=f1": "--monitor 'f1' is not one of: loss, accuracy, balanced_accuracy, auc, dice. "
    "Choose one of them.",
}


@pytest.mark.parametrize("option", REFUSED)
def test_wrong_options_are_one_line(option: str, split: list[Row], capfd: Said) -> None:
    write_table(Path("split.csv"), split)
    assert train("split.csv", option) == 2
    assert line(capfd) == REFUSED[option]


# --- images ---------------------------------------------------------------------------------------


def test_images_that_cannot_be_read_are_listed_and_the_rest_is_learned(
    split: list[Row], capfd: Said
) -> None:
    learned = [r for r in split if r["split"] == "train"]
    Path("bad.png").write_bytes(b"no picture")
    learned[0]["path"], learned[5]["path"] = "absent.png", "bad.png"
    write_table(Path("m.csv"), split)
    assert train("m.csv") == 1
    failed = rows_of(Path("r/failures.csv"))
    assert [r["path"] for r in failed] == ["absent.png", "bad.png"]
    assert failed[0]["reason"] == "no such file or directory"
    assert "cxrtool train: 2 skipped, listed in r/failures.csv\n" in capfd.readouterr().err
    kept = [r for r in split if r["path"] not in ("absent.png", "bad.png")]
    write_table(Path("kept.csv"), kept)
    train("kept.csv", folder="kept")
    assert bytes_of("r")[0] == bytes_of("kept")[0]


def test_no_image_can_be_read(split: list[Row], capfd: Said) -> None:
    write_table(Path("m.csv"), [r | {"path": f"absent/{i}.png"} for i, r in enumerate(split)])
    assert train("m.csv") == 2
    last = capfd.readouterr().err.splitlines()[-1]
    assert last == "cxrtool train: no image to train on can be read. See the reasons above."


def test_strict_ends_at_the_first(split: list[Row], capfd: Said) -> None:
    for row in split[:20]:
        row["path"] = "absent.png"
    write_table(Path("m.csv"), split)
    assert train("m.csv", "--strict") == 2
    assert line(capfd).startswith("absent.png: no such file or directory.")


def stacked(split: list[Row], folder: Path) -> None:
    """Make stacks of three channels of the rows' images."""
    write_table(folder / "split.csv", split)
    given = ["--method", "stack", "-d", str(folder / "eq"), "-q", "-j", "1"]
    made = ["equalize", str(folder / "split.csv"), *given, "-o", str(folder / "m.csv")]
    assert in_process(*made) == 0


def test_stacks_keep_their_three_channels(split: list[Row], tmp_path: Path) -> None:
    stacked(split, tmp_path)
    assert train("m.csv", "--channels", 3) == 0
    found = about()
    assert found["channels"] == 3 and "stack:" in found["preprocessing"]
    learned = [r["path"] for r in rows_of(Path("m.csv")) if r["split"] == "train"]
    means = np.mean([pixels(Path(p)).mean(axis=(0, 1)) for p in learned], axis=0)
    np.testing.assert_allclose(found["mean"], means, rtol=1e-6)
    assert len(set(found["mean"])) == 3


def test_a_network_of_one_channel_takes_no_stacks(
    split: list[Row], tmp_path: Path, capfd: Said
) -> None:
    stacked(split, tmp_path)
    assert train("m.csv") == 2
    assert line(capfd) == (
        "m.csv: images are stacks of three channels, 'conv8' takes one. "
        "Use three channels (--channels)."
    )


def test_grey_images_for_three_channels(phantoms: Path) -> None:
    train(phantoms / "split.csv", "--channels", 3)
    found = about()
    assert found["channels"] == len(found["mean"]) == 3 and len(set(found["mean"])) == 1
    assert next(t for t in model().values() if t.ndim == 4).shape[1] == 3


def dataset(split: list[Row]) -> tuple[float, float]:
    """Average each image's mean and spread, by Pillow and NumPy alone."""
    images = [pixels(Path(r["path"])) for r in split if r["split"] == "train"]
    return float(np.mean([i.mean() for i in images])), float(np.mean([i.std() for i in images]))


@pytest.mark.parametrize("name", ["auto", "dataset", "unit", "none", "imagenet", "xrv"])
def test_normalisation_is_recorded(name: str, split: list[Row], phantoms: Path) -> None:
    train(phantoms / "split.csv", "--normalize", name)
    grey = 255 * sum((0.485, 0.456, 0.406)) / 3, 255 * sum((0.229, 0.224, 0.225)) / 3
    mean, std = {
        "auto": dataset(split),
        "dataset": dataset(split),
        "unit": (0, 255),
        "none": (0, 1),
        "imagenet": grey,
        "xrv": (127.5, 127.5 / 1024),
    }[name]
    found = about()
    assert found["normalize"] == ("dataset" if name == "auto" else name)
    assert found["mean"] == pytest.approx([mean]) and found["std"] == pytest.approx([std])


# --- how it learns --------------------------------------------------------------------------------


def test_the_classes_are_weighed(
    phantoms: Path, split: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Tensor] = []
    real = losses.class_weights
    monkeypatch.setattr(losses, "class_weights", lambda c, w: seen.append(real(c, w)) or seen[-1])
    learned = [r for r in split if r["split"] == "train"]
    dropped = [r["path"] for r in learned if r["label"] == "covid"][:6]
    write_table(Path("m.csv"), [r for r in split if r["path"] not in dropped])
    train("m.csv", "--class-weights", "max")
    n = len([r for r in learned if r["label"] == "normal"])
    m = len(learned) - n - 6
    torch.testing.assert_close(seen[0], torch.tensor([n / m, 1.0]))
    train("m.csv", folder="none")
    assert bytes_of("r")[0] != bytes_of("none")[0] and len(seen) == 1


def test_classes_are_weighed_by_name_and_batches_rebalanced(
    phantoms: Path, split: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[list[int]] = []
    real = training_loop.Learner.step

    def step(self: training_loop.Learner, part: training_loop.ImageSet, places: Any, v: Any) -> Any:
        batches.append(part.labels[places].tolist())
        assert self.plan.weights is not None and self.plan.weights.tolist() == [25.0, 1.0]
        return real(self, part, places, v)

    monkeypatch.setattr(training_loop.Learner, "step", step)
    train(phantoms / "split.csv", "--class-weights", "covid=25", "--rebalance", "covid=1")
    normal = [r for r in split if (r["split"], r["label"]) == ("train", "normal")]
    assert sum(map(len, batches)) == len(normal) * about()["options"]["epochs"]
    assert all(labels.count(0) == 1 for labels in batches)
    assert about()["criterion"] == "ce, class weights covid=25"
    assert about()["options"]["rebalance"] == "covid=1"


@pytest.mark.parametrize("option", ["--class-weights", "--rebalance"])
def test_a_class_that_is_not_there_is_refused(
    option: str, phantoms: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = [str(phantoms / "split.csv"), "--arch", "conv8", "--size", "32", "-d", "d"]
    assert in_process("train", *given, option, "virus=1") == 2
    said = "cxrtool train: 'virus' is none of the classes: covid, normal. Name one of them"
    assert capfd.readouterr().err == f"{said} ({option}).\n"
    assert not Path("d").exists()


def test_bfloat16_learns_nearly_the_same(phantoms: Path) -> None:
    losses = []
    for amp in ("none", "bf16", "auto"):
        assert train(phantoms / "split.csv", "--amp", amp, epochs=1, folder=amp) == 0
        losses.append(float(rows_of(Path(amp, "history.csv"))[0]["loss"]))
    exact, rounded, usual = losses
    assert rounded == pytest.approx(exact, rel=0.02) and rounded != exact
    assert usual == exact, "on a processor bfloat16 is not faster"


def test_a_frozen_backbone_stays_as_it_was(phantoms: Path) -> None:
    train(phantoms / "split.csv", "--freeze", "backbone", epochs=2)
    torch.manual_seed(training_loop.mixed(0, 0))
    fresh = inference.built("conv8", 2, 1, 32).state_dict()
    changed = {name for name, value in model().items() if not torch.equal(value, fresh[name])}
    assert changed == {"last.weight", "last.bias"}


def test_the_first_layers_are_frozen_with_their_statistics(phantoms: Path) -> None:
    train(phantoms / "split.csv", "--freeze", "4")
    torch.manual_seed(training_loop.mixed(0, 0))
    fresh = inference.built("conv8", 2, 1, 32).state_dict()
    same = [torch.equal(value, fresh[name]) for name, value in model().items()]
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in fresh))
    kept = [
        torch.equal(v, fresh[n])
        for n, v in model().items()
        if n.startswith(tuple(f"{layer}." for layer in layers[:4]))
    ]
    assert all(kept) and not all(same)


def test_a_run_may_begin_with_another(phantoms: Path, small_run: Path) -> None:
    given = ["--weights", small_run, "--freeze", "backbone"]
    assert train(phantoms / "split.csv", *given) == 0
    before, after = model(small_run), model()
    assert all(torch.equal(before[n], after[n]) for n in before if not n.startswith("last."))
    assert about()["loaded"].startswith(f"{small_run}: ")


def test_the_rate_is_found(phantoms: Path, capfd: Said) -> None:
    train(phantoms / "split.csv", "--lr", "find")
    rate = float(rows_of(Path("r/history.csv"))[0]["lr"])
    assert 1e-7 < rate < 1e-1
    assert f"cxrtool train: learning rate (find): {rate:.3g}\n" in capfd.readouterr().err
    tried = rows_of(Path("r/rates.csv"))
    [steepest] = [row for row in tried if row["steepest"]]
    assert float(steepest["rate"]) == pytest.approx(rate, rel=1e-4)
    rates = [float(row["rate"]) for row in tried]
    assert rates == sorted(rates) and len(rates) > 50
    assert all(float(row["loss"]) > 0 for row in tried)
    with Image.open("r/rates.png") as picture:
        assert min(picture.size) > 300


def test_a_range_test_alone_writes_no_run(
    phantoms: Path, capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = (phantoms / "split.csv", "--lr", "find")
    assert train(*given, epochs=0) == 0
    assert set(os.listdir("r")) == {"rates.csv", "rates.png", "last.safetensors", "last.json"}
    table, said = Path("r/rates.csv").read_bytes(), capfd.readouterr().err
    assert "learning rate (find): " in said
    # The same command again has it already, and writes again what is gone.
    monkeypatch.setattr(rate_finder, "range_test", None)
    Path("r/rates.csv").unlink()
    assert train(*given, epochs=0) == 0
    assert Path("r/rates.csv").read_bytes() == table
    assert "learning rate (find): " in capfd.readouterr().err
    assert in_process("evaluate", "r", str(phantoms / "split.csv")) == 2
    assert "no epoch is finished" in capfd.readouterr().err


def test_a_range_test_alone_has_a_plan(phantoms: Path, capfd: Said) -> None:
    train(phantoms / "split.csv", "--lr", "find", "-n", epochs=0)
    assert "only to find a rate" in capfd.readouterr().err
    assert not Path("r").exists()


@pytest.mark.parametrize(
    "given, reason",
    [
        ("", "--batch has no effect: --epochs 0 makes a run of the weights as they are."),
        ("--lr find --patience 3", "--patience has no effect: no epoch follows."),
        ("--lr find --schedule cosine", "--schedule has no effect: no epoch follows."),
        ("--lr find --monitor auc", "--monitor has no effect: no epoch follows."),
    ],
)
def test_what_no_epochs_have_no_use_for(
    given: str, reason: str, phantoms: Path, capfd: Said
) -> None:
    assert train(phantoms / "split.csv", *given.split(), epochs=0) == 2
    assert reason in capfd.readouterr().err


@pytest.mark.parametrize("patience, epochs", [(1, 2), (2, 3), (0, 6)])
def test_patience_ends_a_run_that_gets_no_better(
    patience: int, epochs: int, phantoms: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = itertools.count()
    real = validation.validated
    monkeypatch.setattr(
        validation, "validated", lambda *a: real(*a) | {"loss": float(next(number))}
    )
    train(phantoms / "split.csv", "--patience", patience, epochs=6)
    assert len(history()) == epochs and about()["best"]["epoch"] == 1


@pytest.mark.parametrize("monitor, best", [("loss", 1), ("auc", 3), ("accuracy", 2)])
def test_what_is_monitored_decides_the_best(
    monitor: str, best: int, phantoms: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said
) -> None:
    figures = iter(
        [
            {"loss": 0.1, "accuracy": 0.5, "balanced_accuracy": 0.5, "auc": 0.6},
            {"loss": 0.2, "accuracy": 0.9, "balanced_accuracy": 0.6, "auc": 0.7},
            {"loss": 0.3, "accuracy": 0.9, "balanced_accuracy": 0.6, "auc": 0.8},
        ]
    )
    monkeypatch.setattr(validation, "validated", lambda *_: next(figures))
    train(phantoms / "split.csv", "--monitor", monitor, epochs=3)
    assert about()["best"]["epoch"] == best
    said = f"the best of 3 epochs, by val_{monitor} (--monitor), is {best} (validation: auc"
    assert said in capfd.readouterr().err


def test_one_image_that_is_left_over_joins_the_batch_before(phantoms: Path) -> None:
    number = sum(r["split"] == "train" for r in rows_of(phantoms / "split.csv"))
    assert train(phantoms / "split.csv", "--batch", number - 1) == 0
    train(phantoms / "split.csv", "--batch", number, folder="one")
    assert bytes_of("r")[0] == bytes_of("one")[0]


def test_a_run_for_each_seed(phantoms: Path) -> None:
    assert train(phantoms / "split.csv", "--repeat", 2, "--seed", 3) == 0
    assert sorted(os.listdir("r")) == ["seed-3", "seed-4"]
    assert [about(f"r/seed-{s}")["seed"] for s in (3, 4)] == [3, 4]
    train(phantoms / "split.csv", "--seed", 4, folder="alone")
    assert bytes_of("r/seed-4") == bytes_of("alone")


def test_each_row_that_fails_is_listed_once_however_many_runs_there_are(split: list[Row]) -> None:
    split[0]["path"] = split[1]["path"] = "absent.png"
    for row in split[:2]:
        row["split"] = "train"
    write_table(Path("m.csv"), split)
    assert train("m.csv", "--repeat", 2) == 1
    assert [r["path"] for r in rows_of(Path("r/failures.csv"))] == ["absent.png"] * 2


def diverges(real: Callable[..., Tensor], epochs: int) -> Callable[..., Tensor]:
    """Give a loss that is not a number after some epochs of three steps and a look at val."""
    steps = itertools.count(1)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        found = real(logits, targets)
        return found * float("nan") if next(steps) > epochs * 4 else found

    return loss


def test_a_loss_that_is_not_a_number_ends_the_run_and_keeps_the_good_weights(
    phantoms: Path, capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(phantoms / "split.csv", "--patience", 0, epochs=2, folder="good")
    capfd.readouterr()
    monkeypatch.setitem(losses.LOSSES, "ce", diverges(losses.cross_entropy, 2))
    assert train(phantoms / "split.csv", epochs=4) == 3
    assert capfd.readouterr().err.splitlines()[-1] == (
        "cxrtool train: the loss is nan in epoch 3. The last good weights are kept. "
        "Lower the learning rate, or clip the gradients (--lr, --clip)."
    )
    found = run_folder.read("r")
    assert all(t.isfinite().all() for t in found.tensors().values())
    assert bytes_of("r")[0] == bytes_of("good")[0] and len(history()) == 2


def test_the_last_step_of_an_epoch_may_not_spoil_the_best_weights(
    phantoms: Path, capfd: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The losses of the epoch are all finite, its last gradient is not."""
    steps, real = itertools.count(1), torch.optim.Adam.step

    def step(self: Any, *args: Any) -> Any:
        if next(steps) == 6:
            for group in self.param_groups:
                group["lr"] = float("nan")
        return real(self, *args)

    monkeypatch.setattr(torch.optim.Adam, "step", step)
    assert train(phantoms / "split.csv", epochs=4) == 3
    assert "epoch 2" in capfd.readouterr().err.splitlines()[-1]
    assert all(t.isfinite().all() for t in run_folder.read("r").tensors().values())
    assert about()["best"]["epoch"] == 1


def test_a_rate_that_is_too_high_is_one_line(phantoms: Path, capfd: Said) -> None:
    given = ["--arch", "conv8", "--optimizer", "sgd", "--lr", "999", "--loss", "ce"]
    code = train(phantoms / "split.csv", *given, "--normalize", "none", epochs=3)
    said = capfd.readouterr().err
    assert code in (0, 3) and "Traceback" not in said and "fault of cxrtool" not in said


# --- the cache ------------------------------------------------------------------------------------


@pytest.fixture
def copied(split: list[Row], tmp_path: Path) -> list[Row]:
    """The split, with images of one's own in `in`."""
    (tmp_path / "in").mkdir()
    for number, row in enumerate(split):
        row["path"] = shutil.copy(row["path"], f"in/{number}.png")
    write_table(Path("m.csv"), split)
    return split


def arrays() -> list[Path]:
    return sorted(Path("cache").glob("*.npy"))


def test_images_are_decoded_once(copied: list[Row], monkeypatch: pytest.MonkeyPatch) -> None:
    train("m.csv", "--cache", "cache", folder="a")
    (array,) = arrays()
    before = array.stat().st_mtime_ns
    monkeypatch.setattr(cached.Frame, "__call__", None)
    assert train("m.csv", "--cache", "cache", folder="b") == 0
    assert arrays() == [array] and array.stat().st_mtime_ns == before
    assert bytes_of("a") == bytes_of("b")


def test_an_image_that_changes_is_decoded_again(copied: list[Row]) -> None:
    train("m.csv", "--cache", "cache", folder="a")
    learned = next(r for r in copied if r["split"] == "train")
    Path(learned["path"]).write_bytes(noise(1, 32))
    train("m.csv", "--cache", "cache", folder="b")
    assert bytes_of("a")[0] != bytes_of("b")[0] and len(arrays()) == 2


@pytest.mark.parametrize("damage", ["cut", "empty", "header", "pickle", "zip"])
def test_a_damaged_cache_is_made_again(copied: list[Row], damage: str) -> None:
    train("m.csv", "--cache", "cache", folder="a")
    (array,) = arrays()
    whole = array.read_bytes()
    if damage == "pickle":
        np.save(array, np.array([{"a": 1}], object), allow_pickle=True)
    elif damage == "zip":
        with array.open("wb") as file:
            np.savez(file, a=np.zeros(3))
    else:
        array.write_bytes({"cut": whole[:-1], "empty": b"", "header": b"x" + whole[1:]}[damage])
    assert train("m.csv", "--cache", "cache", folder="b") == 0
    assert array.read_bytes() == whole and bytes_of("a") == bytes_of("b")


def test_what_lacks_an_image_is_not_kept(copied: list[Row]) -> None:
    os.unlink(copied[0]["path"])
    copied[0]["split"] = "train"
    write_table(Path("m.csv"), copied)
    assert train("m.csv", "--cache", "cache") == 1
    assert os.listdir("cache") == []


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_one_line(phantoms: Path, tmp_path: Path) -> None:
    Path("cache").mkdir(mode=0o500)
    given = ["train", str(phantoms / "split.csv"), *SMALL, "--cache", "cache", "-d", "r"]
    done = weak(tmp_path)(*given)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cxrtool train: cache: permission denied. Choose a place that can be written.\n"
    )


def test_a_cache_in_the_place_of_a_file(phantoms: Path, tmp_path: Path, capfd: Said) -> None:
    write(tmp_path, {"cache": b""})
    assert train(phantoms / "split.csv", "--cache", "cache") == 2
    assert line(capfd) == "cache: file exists. Choose a place that can be written."


def test_a_dry_run_says_what_would_be_done(phantoms: Path, capfd: Said) -> None:
    given = ["train", str(phantoms / "split.csv"), "-d", "r", *SMALL, "--epochs", "2"]
    assert in_process(*given, "-n") == 0
    line = capfd.readouterr().err.splitlines()[-1]
    assert re.fullmatch(
        r"cxrtool train: r: would train conv8 \(([\d,]+) of \1 weights\) on \d+ images of 32 x 32 "
        r"\(covid \d+, normal \d+\), validated on \d+, for 2 epochs of batches of 8",
        line,
    )
    assert not Path("r").exists()
    assert in_process(*given) == 0
    before = {p: p.read_bytes() for p in Path("r").iterdir()}
    assert in_process(*given, "-n") == 0
    assert capfd.readouterr().err.endswith(", after the 2 that are done\n")
    assert in_process(*given, "-n", "--seed", "5") == 2
    assert "holds a run of other options" in capfd.readouterr().err
    assert {p: p.read_bytes() for p in Path("r").iterdir()} == before
