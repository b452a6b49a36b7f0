"""A run made of weights alone, and what evaluate makes of one whose outputs are findings."""

from __future__ import annotations

import itertools
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from handy import Row, in_process, rows_of, write_table
from safetensors.torch import save_file
from torch import nn

from cxrtool.core import progress, registry
from cxrtool.explain import explanation
from cxrtool.files import run_folder
from cxrtool.learn import findings, inference

Said = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("own_folder")

NAMES = ("Edema", "Pneumonia", "Hernia")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights of a small network whose three outputs are findings."""
    plugin = registry.module("architectures", "conv8")
    monkeypatch.setattr(plugin, "LABELS", NAMES, raising=False)
    torch.manual_seed(3)
    network = inference.built("conv8", len(NAMES), 1, 32)
    nn.init.normal_(network.final().weight, std=5)  # type: ignore[arg-type]
    save_file(network.state_dict(), "weights.safetensors")
    return Path("weights.safetensors")


def made(*given: object, folder: str = "run") -> int:
    alone = ["--epochs", "0", "--arch", "conv8", "--size", "32", "-d", folder]
    return in_process("train", *alone, *map(str, given))


def evaluated(*given: object) -> list[Row]:
    assert in_process("evaluate", "run", *map(str, given), "-o", "p.csv", "-j", "1") == 0
    return rows_of(Path("p.csv"))


@pytest.fixture
def run(published: Path) -> Path:
    assert made("--weights", published, "--normalize", "unit") == 0
    return Path("run")


@pytest.fixture
def few(phantoms: Path) -> list[Row]:
    """Six images, each with a list of findings."""
    lists = ("No Finding", "Edema", "Edema|Pneumonia", "COVID-19", "Hernia|COVID-19", "")
    rows = rows_of(phantoms / "split.csv")[: len(lists)]
    rows = [row | {"finding": text} for row, text in zip(rows, lists, strict=True)]
    write_table(Path("few.csv"), rows)
    return rows


def test_a_run_of_weights_alone_has_these_weights(run: Path, published: Path, capfd: Said) -> None:
    assert set(os.listdir(run)) == {"model.safetensors", "run.json"}
    about = json.loads((run / "run.json").read_text())
    assert (about["task"], about["classes"], about["normalize"]) == ("findings", [*NAMES], "unit")
    assert about["options"]["epochs"] == 0 and not about["data"] and not about["best"]
    weights = (run / "model.safetensors").read_bytes()
    capfd.readouterr()
    # The same command again finds it whole, and another one does not take its place.
    assert made("--weights", published, "--normalize", "unit") == 0
    assert "run: is complete" in capfd.readouterr().err
    assert made("--weights", published, "--normalize", "none") == 2
    assert "run: holds another run" in capfd.readouterr().err
    assert (run / "model.safetensors").read_bytes() == weights
    assert made("--weights", published, "--normalize", "none", "--force") == 0
    assert json.loads((run / "run.json").read_text())["normalize"] == "none"
    # A training has a last state, which would stand beside other weights.
    (run / "last.safetensors").touch()
    assert made("--weights", published, "--normalize", "none", "--force") == 2
    assert "run: holds a training" in capfd.readouterr().err


def test_the_predictions_are_counted(
    run: Path, few: list[Row], monkeypatch: pytest.MonkeyPatch, capfd: Said
) -> None:
    monkeypatch.setattr(progress, "clock", itertools.count(0, 40).__next__)
    monkeypatch.setattr(progress, "EVERY", 0)
    evaluated("few.csv", "--batch", "2")
    done = re.findall(r"\d of 6 predictions after \d+ ", capfd.readouterr().err)
    assert [line[0] for line in done] == ["2", "4", "6"]


def test_a_run_of_weights_alone_may_be_a_classifier(
    phantoms: Path, small_run: Path, capfd: Said
) -> None:
    given = ["--weights", small_run, "--classes", "covid,normal", "--normalize", "unit"]
    assert made(*given) == 0
    assert [set(row) >= {"p_covid", "p_normal"} for row in evaluated(phantoms / "split.csv")]
    said = capfd.readouterr().err
    # Its rows of train are none that these weights say they have seen.
    assert "may be training images of run: it was made of weights alone" in said
    assert "that the run was trained on" not in said


@pytest.mark.parametrize(
    "given, reason",
    [
        ("--normalize unit", "--epochs 0 learns nothing. Give --weights for a run of them"),
        ("W", "no images are read that 'auto' could scale grey levels by. Scale them as in the "),
        ("W --normalize dataset", "no images are read that 'dataset' could scale"),
        ("W --normalize unit --classes a,b", "'conv8' has 3 outputs, and 2 are named. Leave the"),
        ("W --normalize unit few.csv", "--epochs 0 reads no manifest, and few.csv was given"),
        ("W --normalize unit --batch 8", "--batch has no effect: --epochs 0 makes a run of the "),
        ("W --normalize unit --augment hflip=0.5", "--augment has no effect: --epochs 0 makes"),
        ("W --normalize unit --task classify", "--task has no effect: --epochs 0 makes a run"),
    ],
)
def test_what_weights_alone_cannot_have(
    given: str, reason: str, published: Path, capfd: Said
) -> None:
    assert made(*given.replace("W", f"--weights {published}").split()) == 2
    assert reason in capfd.readouterr().err
    assert not Path("run").exists()


def test_classes_must_be_named_where_the_network_has_none(small_run: Path, capfd: Said) -> None:
    assert made("--weights", small_run, "--normalize", "unit") == 2
    assert "no labels are read, and 'conv8' has no classes of its own" in capfd.readouterr().err


def test_each_finding_is_predicted_by_itself(run: Path, few: list[Row], capfd: Said) -> None:
    rows = evaluated("few.csv")
    assert [(r["path"], r["finding"]) for r in rows] == [
        (row["path"], name) for row in few for name in NAMES
    ]
    labels = [[r["label"] for r in rows[3 * k : 3 * k + 3]] for k in range(len(few))]
    assert labels == [
        ["absent", "absent", "absent"],
        ["present", "absent", "absent"],
        ["present", "present", "absent"],
        ["", "", ""],  # COVID-19 may be beside a pneumonia, or not.
        ["", "", "present"],
        ["", "", ""],
    ]
    for row in rows:
        assert float(row["p_absent"]) + float(row["p_present"]) == pytest.approx(1, abs=1e-6)
        assert row["pred"] == ("present" if float(row["p_present"]) > 0.5 else "absent")
    of_one = [float(r["p_present"]) for r in rows[:3]]
    assert sum(of_one) != pytest.approx(1, abs=1e-3), "each has a sigmoid of its own"
    assert "AUC of Edema (2 of 3) " in capfd.readouterr().err


def test_the_outputs_are_the_networks_own(run: Path, few: list[Row]) -> None:
    rows = evaluated("few.csv")
    from cxrtool.files import image, run_folder

    model = inference.Model(run_folder.read(str(run)), torch.device("cpu"))
    import cv2

    grey = cv2.resize(image.read(few[0]["path"]).grey, (32, 32), interpolation=cv2.INTER_AREA)
    logits = model.network(torch.from_numpy(grey)[None, None].float() / 255)[0]
    wanted = 1 / (1 + np.exp(-logits.detach().numpy().astype(float)))
    assert [float(r["p_present"]) for r in rows[:3]] == pytest.approx(wanted, abs=2e-3)


def test_each_output_may_be_a_score_for_a_label(run: Path, few: list[Row]) -> None:
    rows = evaluated("few.csv", "--target", "covid")
    wanted = [r["label"] if r["label"] == "covid" else "other" for r in few for _ in NAMES]
    assert [r["label"] for r in rows] == wanted
    assert {"p_other", "p_covid"} <= set(rows[0])


def test_compare_judges_each_finding(run: Path, phantoms: Path, capfd: Said) -> None:
    evaluated(phantoms / "split.csv", "--target", "covid")
    given = ["--by", "finding", "--metrics", "auc", "--format", "csv", "-o", "t.csv"]
    assert in_process("compare", "p.csv", *given) == 0
    # An image has a row of every finding, and is one image still.
    there = rows_of(phantoms / "split.csv")
    images, patients = len(there), len({row["patient"] for row in there})
    assert f"{images} images of {patients} patients: the int" in capfd.readouterr().err
    table = {row["group"]: row for row in rows_of(Path("t.csv"))}
    assert set(table) == set(NAMES)
    from sklearn.metrics import roc_auc_score

    rows = [r for r in rows_of(Path("p.csv")) if r["finding"] == "Hernia"]
    auc = roc_auc_score([r["label"] == "covid" for r in rows], [float(r["p_covid"]) for r in rows])
    assert float(table["Hernia"]["value"]) == pytest.approx(auc, abs=1e-4)
    # Together they are no table of an image a row.
    capfd.readouterr()
    assert in_process("compare", "p.csv", "--metrics", "auc") == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1 and "these predictions are of several findings" in said
    one = ["--where", "finding=Hernia", "--metrics", "auc", "--format", "csv", "-o", "one.csv"]
    assert in_process("compare", "p.csv", *one) == 0
    assert rows_of(Path("one.csv"))[0]["value"] == table["Hernia"]["value"]


@pytest.mark.parametrize(
    "given, reason",
    [
        ("evaluate run few.csv --calibrate", "--calibrate has no effect: run predicts findings"),
        ("evaluate run few.csv --tta 3", "--tta has no effect: run predicts findings"),
        ("evaluate run few.csv --threshold youden", "--threshold youden: run predicts findings"),
        ("evaluate run few.csv --ensemble other", "--ensemble has no effect: run predicts"),
        ("evaluate run few.csv --strict", "nothing says which images run was trained on"),
        ("cam run few.csv -d maps", "run: predicts independent findings, and 'predicted' is"),
        ("cam run few.csv -d maps --class covid", "Name one with --class: Edema, Pneumonia, Her"),
        ("cam run few.csv -d maps --hierarchy run", "run: is a run of independent findings"),
        ("audit few.csv --run run -d a", "run: is a run of independent findings, not a class"),
    ],
)
def test_what_findings_cannot_have(
    given: str, reason: str, run: Path, few: list[Row], capfd: Said
) -> None:
    assert in_process(*given.split()) == 2
    assert reason in capfd.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_cam_explains_one_finding(name: str, run: Path, few: list[Row]) -> None:
    scores = {r["path"]: r["p_present"] for r in evaluated("few.csv") if r["finding"] == name}
    given = ["few.csv", "--class", name, "-d", "maps", "-o", "maps.csv", "-j", "1"]
    assert in_process("cam", "run", *given) == 0
    maps = rows_of(Path("maps.csv"))
    assert [r["path"] for r in maps] == [r["path"] for r in few]
    for row in maps:
        score = float(row["score"])
        assert score == pytest.approx(float(scores[row["path"]]), abs=1e-4)
        assert row["class"] == name
        assert row["pred"] == (name if score > 0.5 else "absent")
    # What is true says the list of findings, and of a list with a name that the run does not know
    # no more than is in it.
    truth = {
        "Edema": ["absent", "Edema", "Edema", "", "", ""],
        "Pneumonia": ["absent", "absent", "Pneumonia", "", "", ""],
        "Hernia": ["absent", "absent", "absent", "", "Hernia", ""],
    }
    assert [r["label"] for r in maps] == truth[name]


def test_tsne_places_images_by_what_the_outputs_see(run: Path, few: list[Row]) -> None:
    given = ["few.csv", "--colour", "finding,source", "--plot", "p.png", "-o", "p.csv", "-j", "1"]
    assert in_process("tsne", "run", *given, "--stats", "s.json") == 0
    rows = rows_of(Path("p.csv"))
    assert [r["finding"] for r in rows] == [r["finding"] for r in few]
    assert len({(r["x"], r["y"]) for r in rows}) == len(few)
    network = inference.Model(run_folder.read("run"), torch.device("cpu")).network
    last = network.final()
    assert isinstance(last, nn.Linear)
    assert json.loads(Path("s.json").read_text())["features"] == last.in_features


def test_maps_of_a_finding_and_of_classes_do_not_differ_in_their_predictions(
    run: Path, few: list[Row], small_run: Path, capfd: Said
) -> None:
    given = ["-d", "maps", "-j", "1", "--grid", "sheet.png"]
    finding = ["few.csv", "--class", "Edema", "-o", "before.csv"]
    assert in_process("cam", "run", *finding, *given) == 0
    capfd.readouterr()
    given = [*given, "few.csv", "--beside", "before.csv", "-d", "others", "-o", "now.csv"]
    assert in_process("cam", str(small_run), *given) == 0
    assert "before.csv: predicts other classes" in capfd.readouterr().err


@pytest.mark.parametrize("method", ["gradcam", "gradcam-cxnet", "cam", "occlusion:cells=4"])
def test_the_map_of_a_finding_is_that_of_its_output_alone(method: str, run: Path) -> None:
    """Of the three outputs, one is asked: the others do not change its map.

    The network of that output alone, as one sigmoid unit, is built by hand here.
    """
    model = inference.Model(run_folder.read(str(run)), torch.device("cpu"))
    images = np.random.default_rng(0).integers(0, 256, (2, 1, 32, 32), dtype=np.uint8)
    alone = inference.built("conv8", 2, 1, 32)
    weights, every = model.network.state_dict(), []
    for place, name in enumerate(NAMES):
        of_one = {
            k: v[place : place + 1] if k.startswith("last.") else v for k, v in weights.items()
        }
        alone.load_state_dict(of_one)
        sight = explanation.Sight(alone.eval(), model.about)
        _, plugin, given = registry.load("heatmaps", method, "heatmap")
        ours = explanation.explainer(model, method, name)
        expected = plugin.heatmap(
            sight, ours.tensor(images), torch.ones(2, dtype=torch.int64), **given
        )
        found = ours.maps(ours.tensor(images), [1, 1])
        assert found == pytest.approx(expected.detach().numpy(), abs=1e-5)
        every.append(found)
    # A map of one place is cut off by Grad-CAM, or spread from 0 to 1, which leaves nothing of it.
    assert method.startswith("gradcam") or not np.array_equal(every[0], every[1])


def test_a_classifier_has_no_target(phantoms: Path, small_run: Path, capfd: Said) -> None:
    given = [str(small_run), str(phantoms / "split.csv"), "--target", "covid"]
    assert in_process("evaluate", *given) == 2
    assert "--target has no effect: " in capfd.readouterr().err


def test_a_list_of_findings_is_read_in_letters_of_any_case() -> None:
    truth = findings.Truth(NAMES)
    assert truth.of({"finding": " edema |PNEUMONIA"}) == ["present", "present", "absent"]
    assert truth.of({"finding": "normal"}) == ["absent"] * 3


def test_kept_columns_have_the_list_beside_the_finding(
    run: Path, few: list[Row], capfd: Said
) -> None:
    rows = evaluated("few.csv", "--keep-columns")
    header = Path("p.csv").read_text().splitlines()[0].split(",")
    assert len(set(header)) == len(header)
    assert [row["findings"] for row in rows] == [r["finding"] for r in few for _ in NAMES]
    write_table(Path("both.csv"), [row | {"findings": "x"} for row in few])
    capfd.readouterr()
    assert in_process("evaluate", "run", "both.csv", "--keep-columns") == 2
    assert "Rename it in the manifest." in capfd.readouterr().err


def test_a_target_that_no_image_has(run: Path, few: list[Row], capfd: Said) -> None:
    assert in_process("evaluate", "run", "few.csv", "--target", "") == 2
    assert "--target is empty. Name a label, or leave it out." in capfd.readouterr().err
    evaluated("few.csv", "--target", "Zzz")
    assert "warning: no image has the label 'Zzz' (--target)" in capfd.readouterr().err


def test_what_looks_wrong_in_scores_of_findings() -> None:
    judge = findings.FindingsJudge(findings.Truth(NAMES))
    lists = ("Edema|No Finding", "Pneumonia", "normal", "Edema")
    for text, score in zip(lists, (0.1, 0.2, 0.3, 0.4), strict=True):
        row = {"finding": text}
        judge.see(row, judge.truth.of(row), np.array([score, 0.9 - score, 0.5]))
    # By hand: of four pairs of images with and without oedema, two are in order; of pneumonia 2/3.
    assert dict(judge.table()) == {"Edema (2 of 4)": "0.500", "Pneumonia (1 of 4)": "0.667"}
    assert judge.warnings()[1:] == ["warning: all scores are equal for Hernia"]
    assert judge.warnings()[0].startswith("warning: 1 list says both that there is no finding")
    judge = findings.FindingsJudge(findings.Truth(NAMES[:1]))
    for text, score in (("Edema", 0.1), ("normal", 0.9)):
        judge.see({}, judge.truth.of({"finding": text}), np.array([score]))
    assert judge.warnings()[0].startswith("warning: AUC below 0.5 for Edema 0.000. Possible")
