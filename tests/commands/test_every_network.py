"""Every network trains a step on phantoms, and what came of it is evaluated."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from handy import in_process, rows_of, write_table

from cxrtool.core import registry

# What fetches its weights needs a name, and a network.
SPECS = [n for n in registry.names("architectures") if n not in ("timm", "xrv")] + ["timm:test_vit"]
# The smallest image of which something is left, where 64 pixels are too few.
SIZES = {
    "inception-v3": 80,
    "inception-resnet-v2": 80,
    "xception": 80,
    "coronet": 80,
    "cxnet-base": 96,
    "timm:test_vit": 160,
    "covidnet-r50v2": 64,
}


@pytest.fixture
def few(phantoms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four phantoms to train on and two to look at, of both classes each."""
    monkeypatch.chdir(tmp_path)
    made = rows_of(phantoms / "split.csv")
    kept = [
        row
        for part, number in (("train", 2), ("val", 1))
        for label in ("covid", "normal")
        for row in [r for r in made if (r["split"], r["label"]) == (part, label)][:number]
    ]
    return write_table(Path("m.csv"), kept)


@pytest.mark.slow
@pytest.mark.parametrize("arch", SPECS)
def test_it_trains_a_step_and_is_evaluated(
    arch: str, few: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    size = str(SIZES.get(arch, 64))
    task = ["--task", "segment"] if arch == "unet" else []
    if arch == "chexnet":
        _finding(few)
    given = ["--arch", arch, "--size", size, "--epochs", "1", "--batch", "4", "--lr", "1e-4"]
    place = ["--cache", "c", "--device", "cpu", "-j", "1", "-q"]
    assert in_process("train", str(few), *given, *task, *place, "-d", "r") == 0
    history = rows_of(Path("r/history.csv"))
    assert len(history) == 1 and float(history[0]["val_loss"]) > 0
    capfd.readouterr()
    if task:
        masks = ["--model", "r", "--keep", "mask", "-d", "out", "-j", "1", "-q", "-o", "out.csv"]
        assert in_process("segment", str(few), *masks) == 0
        assert len(rows_of(Path("out.csv"))) == 6
        return
    assert in_process("evaluate", "r", str(few), *place) == 0
    rows = list(csv.DictReader(io.StringIO(capfd.readouterr().out)))
    classes = [name for name in rows[0] if name.startswith("p_")]
    assert len(rows) == len(rows_of(few)) and len(classes) == (14 if arch == "chexnet" else 2)
    assert {f"p_{row['pred']}" for row in rows} <= set(classes)
    for row in rows:
        assert abs(sum(float(row[name]) for name in classes) - 1) < 1e-5


def _finding(path: Path) -> None:
    """Make the images show the 14 findings that the network has outputs for."""
    image = rows_of(path)[0]
    rows = [
        image | {"label": f"finding-{k:02}", "split": p}
        for p in ("train", "val")
        for k in range(14)
    ]
    write_table(path, rows)
