"""`cxrtool train --task segment`: it learns masks, goes on, and `segment` can use what it made."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from handy import Row, about, in_process, line, options, pixels, rows_of, write_table
from PIL import Image

from cxrtool.files import run_folder
from cxrtool.preprocess.segmenters import _run

SMALL = [
    "--task",
    "segment",
    "--arch",
    "unet:width=4,norm=batch",
    "--size",
    "32",
    "--batch",
    "4",
    "--lr",
    "0.02",
    "--device",
    "cpu",
    "-j",
    "1",
]
Said = pytest.CaptureFixture[str]


pytestmark = pytest.mark.usefixtures("own_folder")


def discs(count: int) -> list[Row]:
    """Draw dark discs on a bright ground, and their masks."""
    chance = np.random.default_rng(1)
    y, x = np.mgrid[:48, :40]
    rows = []
    for number in range(count):
        across, down = chance.uniform(12, 28), chance.uniform(12, 36)
        shown = np.hypot(x - across, y - down) < 11
        Image.fromarray(np.where(shown, 60, 200).astype(np.uint8)).save(f"{number}.png")
        # Masks of other programs are black and white in levels of their own.
        Image.fromarray(shown.astype(np.uint8) * (1, 255)[number % 2]).save(f"{number}-m.png")
        part = ("train", "train", "val", "test")[number % 4]
        rows.append({"path": f"{number}.png", "mask": f"{number}-m.png", "split": part})
    write_table(Path("m.csv"), rows)
    return rows


def train(*args: object, epochs: int = 1, folder: str = "r") -> int:
    fixed = [*SMALL, "--epochs", epochs, "-d", folder]
    return in_process("train", "m.csv", *options(fixed, args))


def test_it_learns_discs_and_segment_finds_those_it_never_saw(capfd: Said) -> None:
    discs(32)
    assert train(epochs=20) == 0
    assert about()["task"] == "segment" and about()["classes"] == ["lung"]
    assert about()["data"]["train"] == {"mask": 16} and about()["data"]["val"] == {"mask": 8}
    history = rows_of(Path("r/history.csv"))
    assert float(history[-1]["val_dice"]) > 0.9 > float(history[0]["val_dice"])
    told = ["segment", "m.csv", "--where", "split=test", "--model", "r", "--keep", "mask"]
    assert in_process(*told, "-d", "out", "-o", "out.csv", "-j", "1") == 0
    found = rows_of(Path("out.csv"))
    assert len(found) == 8 and all(float(row["dice"]) > 0.85 for row in found)
    assert pixels(Path(found[0]["mask"])).shape == (48, 40)
    assert found[0]["preprocessing"].startswith("segment --model r@" + about()["weights"][:12])


def test_the_same_command_twice_and_one_that_went_on_give_the_same_run() -> None:
    discs(16)
    for folder, rounds in (("a", (3,)), ("b", (1, 3))):
        for epochs in rounds:
            assert train("--augment", "rotate=10,shift=0.1", epochs=epochs, folder=folder) in (0, 2)
    assert train("--augment", "rotate=10,shift=0.1", epochs=3, folder="c") == 0
    names = ("model.safetensors", "run.json")
    assert [Path("a", n).read_bytes() for n in names] == [Path("c", n).read_bytes() for n in names]


@pytest.mark.parametrize("augment", ["hard", "rotate=20,brightness=0.5..1.5"])
def test_killed_after_an_epoch_it_ends_as_the_undisturbed(
    augment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    discs(16)
    assert train("--augment", augment, epochs=2, folder="whole") == 0
    kept, calls = os.replace, []

    def dies(source: Any, target: Any, **where: Any) -> None:
        if str(target).endswith("history.csv") and not calls:
            calls.append(target)
            raise KeyboardInterrupt
        kept(source, target, **where)

    monkeypatch.setattr(os, "replace", dies)
    assert train("--augment", augment, epochs=2, folder="killed") == 130
    assert train("--augment", augment, epochs=2, folder="killed") == 0
    for name in ("model.safetensors", "run.json"):
        assert Path("killed", name).read_bytes() == Path("whole", name).read_bytes()


def test_rows_without_a_mask_or_with_a_bad_one_are_told(capfd: Said) -> None:
    rows = discs(16)
    rows[0]["mask"] = ""
    Path(rows[1]["mask"]).write_bytes(b"no picture")
    write_table(Path("m.csv"), rows)
    assert train() == 1
    failures = {Path(r["path"]).name: r["reason"] for r in rows_of(Path("r/failures.csv"))}
    assert failures["0.png"] == "it has no mask" and rows[1]["mask"] in failures
    assert about()["data"]["train"] == {"mask": 7}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            ["--arch", "resnet18"],
            "'resnet18' is a classifier, not a segmentation network. Choose unet.",
        ),
        (["--size", "40"], "the size of a U-Net is a multiple of 16, not 40. Choose 32."),
        (["--loss", "focal"], "--loss has no effect: --task segment learns masks. Leave it out."),
        (
            ["--classes", "a,b"],
            "--classes has no effect: --task segment learns masks. Leave it out.",
        ),
        (["--fit", "pad"], "--fit has no effect: --task segment learns masks. Leave it out."),
        (["--monitor", "auc"], "--monitor 'auc' is not one of: loss, dice. Choose one of them."),
        (
            ["--weights", "imagenet"],
            "'unet:width=4,norm=batch' has no ImageNet weights. Choose none, or a file.",
        ),
    ],
)
def test_what_does_not_go_with_masks(given: list[str], told: str, capfd: Said) -> None:
    discs(4)
    assert train(*given) == 2
    assert line(capfd) == told
    assert not Path("r").exists()


def test_a_manifest_without_masks_is_refused(capfd: Said) -> None:
    write_table(Path("m.csv"), [{"path": "a.png", "label": "x", "split": "train"}])
    assert train() == 2
    assert line(capfd).startswith("m.csv: no column 'mask' among: path")


def test_runs_are_not_mixed_up(small_run: Path, capfd: Said) -> None:
    discs(8)
    assert train() == 0
    capfd.readouterr()
    assert in_process("evaluate", "r", "0.png") == 2
    assert "segmentation run" in line(capfd)
    assert in_process("segment", "m.csv", "--model", str(small_run), "-d", "out") == 2
    assert "is a classifier, not a segmentation" in line(capfd)
    Path("r/model.safetensors").write_bytes(b"\0" * 100)
    assert in_process("segment", "m.csv", "--model", "r", "-d", "out", "-j", "1") == 2
    assert line(capfd).endswith("(its SHA-256 is wrong). Train the run again, or copy it again.")


def test_a_folder_that_is_called_as_a_model_is_hides_nothing() -> None:
    discs(4)
    Path("threshold").mkdir()
    told = ["segment", "m.csv", "--model", "threshold", "-d", "threshold", "-j", "1", "-q"]
    assert in_process(*told, "-o", "out.csv") == 0


@pytest.mark.parametrize(
    ("said", "known"), [("DefaultCPUAllocator: can't allocate memory", True), ("odd", False)]
)
def test_a_run_too_large_for_memory_is_no_fault(
    said: str, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError(said)

    model = SimpleNamespace(about=SimpleNamespace(size=32), logits=full)
    monkeypatch.setattr(_run, "_model", lambda _: model)
    with pytest.raises(MemoryError if known else RuntimeError):
        _run.segment(np.zeros((4, 4), np.uint8), folder="r")


def test_another_run_in_the_same_folder_makes_the_masks_anew() -> None:
    discs(8)
    told = ["segment", "m.csv", "--model", "r", "--keep", "mask", "-d", "out", "-j", "1"]
    made = []
    for seed in (0, 1):
        assert train("--seed", seed, "-f") == 0
        assert in_process(*told, "-o", "out.csv") == 0
        made.append(run_folder.read("r").about.weights)
        assert made[-1][:12] in rows_of(Path("out.csv"))[0]["preprocessing"]
    assert made[0] != made[1]
