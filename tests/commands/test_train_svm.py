"""`cxrtool train --arch NAME:head=svm`: a run like any other, whose last layer is a machine's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from handy import in_process, rows_of

from cxrtool.files import run_folder
from cxrtool.learn import inference, training_loop


@pytest.mark.parametrize(
    "arch", ["resnet18:head=svm", pytest.param("alexnet:head=svm", marks=pytest.mark.slow)]
)
def test_a_run_of_it_is_a_run(
    arch: str, phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["train", str(phantoms / "split.csv"), "--arch", arch, "--size", "64", "-j", "1"]
    given += ["--cache", "c", "--device", "cpu", "-q", "--class-weights", "balanced", "-d"]
    assert in_process(*given, "r") == in_process(*given, "again") == 0
    assert Path("r/model.safetensors").read_bytes() == Path("again/model.safetensors").read_bytes()
    found = run_folder.read("r")
    assert len(rows_of(Path("r/history.csv"))) == 1
    # The trunk is as it was built.
    torch.manual_seed(training_loop.mixed(0, 0))
    built = inference.built(arch, 2, 3, 64).state_dict()
    now = found.tensors()
    moved = {name for name in built if not torch.equal(built[name], now[name])}
    assert {name.rpartition(".")[2] for name in moved} == {"weight", "bias"} and len(moved) == 2
    told = ["evaluate", "r", str(phantoms / "split.csv"), "--where", "split=train"]
    assert in_process(*told, "-q", "--cache", "c", "-j", "1", "-o", "p.csv") == 0
    rows = rows_of(Path("p.csv"))
    right = sum(row["pred"] == row["label"] for row in rows)
    assert right > 0.9 * len(rows)
