"""A run that says why: what it predicts is what evaluate says, and which class is looked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.explain import explanation
from cxrtool.files import run_folder, run_record
from cxrtool.learn import inference

CPU = torch.device("cpu")


def model(folder: Path, arch: str, size: int, *classes: str, **about: Any) -> inference.Model:
    """Write a run with fresh weights, and read it."""
    folder.mkdir(exist_ok=True)
    torch.manual_seed(3)
    network = inference.built(arch, len(classes), 1, size)
    # Fresh biases of 0 would hide a mistake.
    with torch.no_grad():
        network.final().bias.uniform_(-0.1, 0.1)  # type: ignore[operator, union-attr]
    given = {"mean": [120.0], "std": [50.0], **about}
    run_folder.write(
        str(folder), run_record.About(arch, list(classes), size, 1, **given), network.state_dict()
    )
    return inference.Model(run_folder.read(str(folder)), CPU)


def grey(number: int, size: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (number, 1, size, size), np.uint8)


ALL = ("cnn-x", 32, "covid", "normal", "other")


def test_predictions_are_those_of_the_run(tmp_path: Path) -> None:
    made = model(tmp_path, *ALL)
    images = grey(5, 32)
    found = explanation.Explainer(made, "gradcam", "predicted").look(images, [""] * 5)
    chances = made.log_probabilities(torch.from_numpy(images)).exp()
    for one, p in zip(found, chances, strict=True):
        assert one.pred == one.of == made.about.classes[int(p.argmax())]
        assert one.score == pytest.approx(float(p.max()), abs=1e-5)
        assert one.map.dtype == np.float32


@pytest.mark.parametrize("method", ["cam", "gradcam", "layercam"])
def test_the_map_is_of_the_class_that_is_wanted(method: str, tmp_path: Path) -> None:
    made = model(tmp_path, *ALL)
    images = grey(3, 32)
    explainer = explanation.Explainer(made, method, "label")
    found = explainer.look(images, ["other", "covid", "normal"])
    assert [f.of for f in found] == ["other", "covid", "normal"]
    plugin: Any = registry.module("heatmaps", method)
    ready = inference.prepared(torch.from_numpy(images), made.about.mean, made.about.std)
    assert isinstance(made.network, explanation.Network)
    expected = plugin.heatmap(made.network, ready, torch.tensor([2, 0, 1])).numpy()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.map, other, atol=1e-6)


@pytest.mark.parametrize(("of", "sign"), [("covid", -1), ("normal", 1)])
def test_of_one_sigmoid_unit(of: str, sign: int, tmp_path: Path) -> None:
    """Class 1 is that of the unit; class 0 has its negative logit."""
    made = model(tmp_path, "cxnet-base", 96, "covid", "normal")
    assert made.network.outputs == 1
    (found,) = explanation.Explainer(made, "gradcam", of).look(grey(1, 96), [of])
    logit = float(made.logits(torch.from_numpy(grey(1, 96)))[0, 0])
    assert found.score == pytest.approx(1 / (1 + np.exp(-sign * logit)), abs=1e-5)
    assert found.pred == ("normal" if logit > 0 else "covid")


def test_the_trunk_is_passed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = model(tmp_path, *ALL)
    passed: list[int] = []
    whole = made.network.trunk  # type: ignore[operator, union-attr]

    def counted(images: Tensor) -> Any:
        passed.append(len(images))
        return whole(images)

    monkeypatch.setattr(made.network, "trunk", counted)
    for method in ("cam", "gradcam", "gradcam++", "layercam", "gradcam-cxnet"):
        explanation.Explainer(made, method, "predicted").look(grey(4, 32), [""] * 4)
    assert passed == [4] * 5


def test_zhous_map_gives_way_to_gradcam_where_it_is_not_defined(tmp_path: Path) -> None:
    made = model(tmp_path / "a", "cxnet-base", 96, "covid", "normal")
    explainer = explanation.Explainer(made, "cam", "predicted")
    assert explainer.method == "gradcam"
    assert explainer.notes == [
        "cam is not defined for cxnet-base, whose map is not all that its last layer "
        "sees: gradcam is used"
    ]
    other = explanation.Explainer(model(tmp_path / "b", *ALL), "cam", "predicted")
    assert (other.method, other.notes) == ("cam", [])


def test_the_method_is_named_with_the_options_given(tmp_path: Path) -> None:
    made = model(tmp_path, *ALL)
    spec = "lime:samples=30,features=2"
    explainer = explanation.Explainer(made, spec, "predicted")
    assert explainer.method == spec
    assert explainer.steps == "lime:samples=30,features=2,seed=18"
    assert explainer.alone


def test_a_class_that_is_not_there(tmp_path: Path) -> None:
    made = model(tmp_path, *ALL)
    with pytest.raises(
        CxrtoolError, match="--class 'covdi' is not one of: predicted, label, covid"
    ):
        explanation.Explainer(made, "gradcam", "covdi")


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("covid", None),
        ("flu", "its label 'flu' is no class of the run"),
        ("", "it has no label"),
    ],
)
def test_rows_whose_label_the_run_does_not_know(
    label: str, reason: str | None, tmp_path: Path
) -> None:
    made = model(tmp_path, *ALL)
    row = {"path": "a.png", "label": label}
    refused = explanation.Explainer(made, "gradcam", "label").refused(row)
    assert (refused.reason if refused else None) == reason
    for of in ("predicted", "covid"):
        assert explanation.Explainer(made, "gradcam", of).refused(row) is None
