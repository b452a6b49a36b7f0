"""What a run of findings takes over from earlier weights: outputs by their name or place."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from disc_findings import NAMES, SMALL, discs, train
from handy import about, in_process, line, write_table

from cxrtool.core import registry
from cxrtool.files import run_folder
from cxrtool.learn import head_rows, inference, initial_weights

Said = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("own_folder")


def test_outputs_of_a_run_go_on_by_their_names() -> None:
    rows = discs()
    assert train("--lr", "0.1", epochs=2, folder="first") == 0
    for row in rows:
        row["finding"] = row["finding"].replace("Hernia", "Flu")
    write_table(Path("m.csv"), rows)
    given = ["--classes", "mass,Flu,Edema", "--weights", "first", "--freeze", "backbone"]
    assert train(*given, "--lr", "1e-9", folder="second") == 0
    assert about("second")["loaded"].endswith("; outputs of mass, Edema; fresh outputs: Flu")
    before, after = (run_folder.read(f).tensors()["last.weight"] for f in ("first", "second"))
    torch.testing.assert_close(after[[0, 2]], before[[2, 0]], atol=1e-6, rtol=0)
    assert not torch.allclose(after[1], before[1], atol=1e-3)
    # Names that a run does not have leave all outputs fresh, as many as there are.
    network = inference.of_findings("conv8", 3, 1, 32)
    tensors, words = head_rows.by_name(network, run_folder.read("first").tensors(), NAMES, "abc")
    assert words == "" and "last.weight" not in tensors and "body.0.weight" in tensors


def test_chexnet_learns_its_own_findings_by_default(capfd: Said) -> None:
    names = registry.module("architectures", "chexnet").LABELS
    rows = discs(28)
    for number, row in enumerate(rows):
        row |= {"finding": names[number % 14], "split": "train"}
    write_table(Path("m.csv"), rows)
    given = ["--arch", "chexnet", "--size", "32", "--dry-run"]
    assert train(*given) == 0
    assert "would train chexnet (6,968,206 of 6,968,206 weights)" in line(capfd)


def test_a_folder_called_imagenet_is_not_asked_for_outputs(tmp_path: Path) -> None:
    Path("imagenet").mkdir()
    assert initial_weights.run_of("imagenet") is None
    discs()
    assert train(folder="imagenet", epochs=1) == 0
    assert initial_weights.run_of("imagenet") is None
    assert initial_weights.run_of("./imagenet:last") == "./imagenet"


def test_weights_alone_of_a_run_of_findings_stay_findings(capfd: Said) -> None:
    discs()
    assert train() == 0
    alone = ["train", "--epochs", "0", "--weights", "r", "--arch", "conv8", "--size", "32"]
    alone += ["--normalize", "unit", "-d", "alone"]
    capfd.readouterr()
    assert in_process(*alone, "--classes", "x,y,z") == 2
    assert line(capfd).startswith("r has the findings Edema, Hernia, Mass, and other names are")
    assert in_process(*alone) == 0
    assert (about("alone")["task"], about("alone")["classes"]) == ("findings", NAMES)


def test_outputs_taken_by_their_place_are_said(capfd: Said) -> None:
    rows = discs()
    assert train() == 0
    for number, row in enumerate(rows):
        row["label"] = ("a", "b", "Mass")[number % 3]
    write_table(Path("m.csv"), rows)
    fixed = ["train", "m.csv", *SMALL, "-j", "1", "--epochs", "1", "-d", "c"]
    capfd.readouterr()
    assert in_process(*fixed, "--weights", "r", "--classes", "a,b,Mass") == 0
    expected = "outputs taken by their place: Edema for a, Hernia for b\n"
    assert expected in capfd.readouterr().err
    assert train("--weights", "r/model.safetensors", folder="again") == 0
    assert "taken by their place for Edema, Hernia, Mass\n" in capfd.readouterr().err
