"""A run whose outputs are not finite numbers: no command makes figures or pictures of them.

Its weights are finite, and so large that sums of them are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from handy import in_process

from cxrtool.files import run_folder, run_record
from cxrtool.learn import inference

SMALL = ["--device", "cpu", "-j", "1"]
# Every way in which a command uses a run: what comes before the manifest, and after.
USES = {
    "evaluate": (["evaluate", "diverged"], ["-o", "out.csv"]),
    "evaluate --threshold youden": (
        ["evaluate", "diverged"],
        ["--threshold", "youden", "-o", "out.csv"],
    ),
    "evaluate --tta": (["evaluate", "diverged"], ["--tta", "1", "-o", "out.csv"]),
    "evaluate --ensemble": (["evaluate", "good"], ["--ensemble", "diverged", "-o", "out.csv"]),
    "evaluate --hierarchy": (["evaluate", "good"], ["--hierarchy", "below", "-o", "out.csv"]),
    "cam": (["cam", "diverged"], ["-d", "out", "-o", "out.csv", "--grid", "sheet.png"]),
    "cam --method occlusion": (
        ["cam", "diverged"],
        ["--method", "occlusion", "-d", "out", "-o", "out.csv"],
    ),
    "tsne": (["tsne", "diverged"], ["-o", "out.csv", "--plot", "p.png", "--stats", "s.json"]),
    "tsne --layer map": (["tsne", "diverged"], ["--layer", "map", "-o", "out.csv"]),
}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def written(name: str, task: str, swelling: float, classes: list[str]) -> None:
    """Write a run with fresh weights, so many times as large."""
    torch.manual_seed(1)
    if task == "segment":
        arch, network = "unet:width=4", inference.drawing("unet:width=4", 1, 32)
    else:
        arch, network = "conv8", inference.built("conv8", 2, 1, 32)
    tensors = {
        key: value * swelling if key.endswith("weight") and value.ndim > 1 else value
        for key, value in network.state_dict().items()
    }
    Path(name).mkdir()
    run_folder.write(name, run_record.About(arch, classes, 32, 1, [120.0], [50.0], task), tensors)


@pytest.mark.parametrize("use", USES)
def test_a_diverged_run_is_refused_by_name(
    use: str, phantoms: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    written("good", "classify", 1, ["covid", "normal"])
    written("diverged", "classify", 1e30, ["covid", "normal"])
    written("below", "classify", 1e30, ["flu", "other"])
    before, after = USES[use]
    assert in_process(*before, str(phantoms / "split.csv"), *after, *SMALL) == 2
    check(capfd, before[0], "below" if "hierarchy" in use else "diverged")


def test_a_diverged_run_draws_no_masks(phantoms: Path, capfd: pytest.CaptureFixture[str]) -> None:
    written("diverged", "segment", 1e30, ["lung"])
    given = ["--model", "diverged", "-d", "out", "-o", "out.csv", "-j", "1"]
    assert in_process("segment", str(phantoms / "split.csv"), *given) == 2
    # Workers may run in another folder.
    check(capfd, "segment", str(Path("diverged").absolute()))


def check(capfd: pytest.CaptureFixture[str], command: str, name: str) -> None:
    """Check the line that names the run, and that nothing was made of it."""
    what = "features" if command == "tsne" else "outputs"
    assert capfd.readouterr().err == (
        f"cxrtool {command}: {name}: its {what} are not all finite numbers. "
        "They are of a training that diverged: train it again.\n"
    )
    assert not [f for f in ("out.csv", "sheet.png", "p.png", "s.json") if Path(f).exists()]
    assert not list(Path().glob("out/*.png"))
