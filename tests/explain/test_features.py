"""Features are what the network has at the place that was named, whatever else is in the batch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from torch import nn

from cxrtool.core.errors import CxrtoolError
from cxrtool.explain import features
from cxrtool.explain.features import Tap
from cxrtool.files import run_folder, run_record
from cxrtool.learn import inference
from cxrtool.learn.prediction import PredictionSettings


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def model(folder: Path, arch: str, classes: int = 2) -> inference.Model:
    """Make a run that has learned nothing, and load it."""
    torch.manual_seed(0)
    names = [f"c{k}" for k in range(classes)]
    about = run_record.About(arch, names, 64, 3, [128.0] * 3, [64.0] * 3)
    folder.mkdir()
    run_folder.write(str(folder), about, inference.built(arch, classes, 3, 64).state_dict())
    return inference.Model(run_folder.read(str(folder)), torch.device("cpu"))


def images(number: int = 3) -> torch.Tensor:
    return torch.randint(0, 256, (number, 1, 64, 64), generator=torch.Generator().manual_seed(1))


@pytest.fixture
def resnet(tmp_path: Path) -> inference.Model:
    return model(tmp_path / "r", "resnet18")


def prepared(found: inference.Model) -> torch.Tensor:
    return inference.prepared(images(), found.about.mean, found.about.std)


@pytest.mark.parametrize("arch", ["resnet18", "densenet121", "conv8"])
def test_the_last_layer_makes_logits_of_the_embedding(arch: str, tmp_path: Path) -> None:
    found = model(tmp_path / "r", arch)
    vectors = torch.from_numpy(Tap(found).features(images()))
    with torch.inference_mode():
        logits = found.network.final()(vectors)
    torch.testing.assert_close(logits, found.logits(images()), rtol=1e-4, atol=1e-5)


def test_the_map_is_averaged(resnet: inference.Model) -> None:
    maps = Tap(resnet, "map").features(images())
    # This network averages its map itself.
    np.testing.assert_allclose(maps, Tap(resnet).features(images()), rtol=1e-4, atol=1e-6)


def test_a_module_gives_what_it_gives_in_the_network(resnet: inference.Model) -> None:
    net: Any = resnet.network.get_submodule("net")
    with torch.inference_mode():
        x = net.maxpool(net.relu(net.bn1(net.conv1(prepared(resnet)))))
        expected = net.layer2(net.layer1(x)).mean(dim=(2, 3))
    found = Tap(resnet, "net.layer2").features(images())
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_a_module_is_looked_at_before_the_next_one_works_in_its_memory(
    resnet: inference.Model,
) -> None:
    net: Any = resnet.network.get_submodule("net")
    with torch.inference_mode():
        expected = net.bn1(net.conv1(prepared(resnet))).mean(dim=(2, 3))
    assert net.relu.inplace
    found = Tap(resnet, "net.bn1").features(images())
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_nothing_is_left_on_the_network(resnet: inference.Model) -> None:
    Tap(resnet, "net.layer2").features(images())
    assert not any(m._forward_hooks for m in resnet.network.modules())


def test_an_image_has_the_same_features_alone(resnet: inference.Model) -> None:
    for layer in ("embedding", "map", "net.layer3"):
        tap = Tap(resnet, layer)
        together = tap.features(images())
        apart = np.concatenate([tap.features(image[None]) for image in images()])
        np.testing.assert_allclose(together, apart, rtol=1e-4, atol=1e-5)


def test_a_wrong_layer_lists_the_right_ones(resnet: inference.Model) -> None:
    with pytest.raises(CxrtoolError) as e:
        Tap(resnet, "layer3")
    assert str(e.value) == (
        "--layer 'layer3' is not one of: embedding, map, net.conv1, net.bn1, net.relu, "
        "net.maxpool, net.layer1, net.layer2, net.layer3, net.layer4, net.fc, pool. "
        "Did you mean 'net.layer3'?"
    )
    # One that lies deeper is not listed, and taken.
    assert Tap(resnet, "net.layer3.0.conv1").features(images()).shape == (3, 256)
    # One that is there, but that no image passes through as a whole.
    with pytest.raises(CxrtoolError, match="'net' is not one of"):
        Tap(resnet, "net")


def test_the_outer_modules_are_listed_but_not_too_few() -> None:
    assert features.outer(["a.b", "a.b.c", "d", "a.b.c.e.f"]) == ["a.b", "a.b.c", "d", "a.b.c.e.f"]
    deep = [f"net.features.{k}.conv" for k in range(9)]
    assert features.outer(["net.features", "last", *deep[:4], *(d + ".x" for d in deep)]) == [
        "net.features",
        "last",
        *deep[:4],
    ]
    assert features.outer(["body", *(f"body.{k}" for k in range(9)), *deep]) == [
        "body",
        *(f"body.{k}" for k in range(9)),
    ]


@pytest.mark.parametrize(
    ("shape", "expected"), [((2, 5), (2, 5)), ((2, 7, 5), (2, 5)), ((2, 5, 3, 4), (2, 5))]
)
def test_maps_and_tokens_are_averaged(shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    maps = torch.rand(shape)
    found = features.pooled(maps)
    assert found.shape == expected
    axes = {2: (), 3: (1,), 4: (2, 3)}[len(shape)]
    torch.testing.assert_close(found, maps.mean(dim=axes) if axes else maps)


def test_a_network_that_draws_masks_has_no_features(resnet: inference.Model) -> None:
    resnet.network = nn.Conv2d(3, 1, 1)  # type: ignore[assignment]
    with pytest.raises(ValueError, match="draws masks"):
        Tap(resnet)


class Skipping:
    def __init__(self) -> None:
        self.closed, self.paths = False, [""][:0]

    def add(self, skip: Any) -> None:
        self.paths.append(skip.path)

    def close(self) -> None:
        self.closed = True

    def refuse(self) -> NoReturn:
        self.closed = True
        raise CxrtoolError("no image could be used", "See the reasons above.")


def stand_in(monkeypatch: pytest.MonkeyPatch, vectors: np.ndarray, bad: set[int]) -> None:
    def of(_: Any, __: Any, rows: list[dict[str, str]], *___: object) -> Any:
        from cxrtool.core.errors import Skip

        numbers = [int(row["path"]) for row in rows]
        skips = {at: Skip(rows[at]["path"], "why") for at, n in enumerate(numbers) if n in bad}
        return vectors[numbers], skips

    monkeypatch.setattr(features, "_of", of)
    monkeypatch.setattr(features, "CHUNK", 4)


def taken(number: int, skipped: Skipping) -> Any:
    tap: Any = None
    rows = [{"path": str(k)} for k in range(number)]
    return features.of_rows(rows, tap, PredictionSettings(), skipped, "never")  # type: ignore[arg-type]


def test_rows_in_are_rows_out_and_rows_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, skipped = np.arange(20, dtype=np.float32).reshape(10, 2), Skipping()
    stand_in(monkeypatch, vectors, {0, 5, 9})
    kept, found = taken(10, skipped)
    good = [1, 2, 3, 4, 6, 7, 8]
    assert [int(row["path"]) for row in kept] == good
    assert found.tolist() == vectors[good].tolist()
    assert skipped.paths == ["0", "5", "9"]


def test_a_part_of_which_no_image_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, np.zeros((10, 2), np.float32), {4, 5, 6, 7})
    kept, found = taken(10, Skipping())
    assert len(kept) == len(found) == 6


def test_no_image_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    skipped = Skipping()
    stand_in(monkeypatch, np.zeros((5, 2), np.float32), set(range(5)))
    with pytest.raises(CxrtoolError, match="no image could be used"):
        taken(5, skipped)
    assert skipped.closed


def test_more_features_than_memory_is_meant_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, np.zeros((10, 2), np.float32), set())
    monkeypatch.setattr(features, "MOST_BYTES", 60)
    with pytest.raises(CxrtoolError, match="Choose --layer map, or fewer rows with --where"):
        taken(10, Skipping())
