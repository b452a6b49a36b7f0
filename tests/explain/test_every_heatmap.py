"""What every heat map keeps to: it lights where the answer comes from, and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cxrtool.core import registry
from cxrtool.explain import explanation
from cxrtool.explain.heatmaps import cam
from cxrtool.files.run_record import About
from cxrtool.learn.architectures import cvr_net
from cxrtool.learn.architectures._network import Branch, Maps, Network
from cxrtool.phantoms import plan, render

METHODS = registry.names("heatmaps")
# Methods that look many times look less often here.
QUICK: dict[str, dict[str, Any]] = {
    "lime": {"samples": 120},
    "occlusion": {"cells": 8, "fill": "black"},
    "scorecam": {"channels": 16},
}
ARCHITECTURES = {
    "resnet18": 64,
    "cnn-x": 32,
    "squeezenet": 64,
    "cxnet-base": 96,
    "timm:test_vit": 160,
}
SIDE = 96
Heatmap = Callable[[Network, Tensor, Tensor], Tensor]


def method(name: str, **options: Any) -> Heatmap:
    plugin: Any = registry.module("heatmaps", name)
    given = {**QUICK.get(name, {}), **options}
    return lambda network, images, classes: plugin.heatmap(network, images, classes, **given)


@pytest.fixture(params=METHODS)
def heatmap(request: pytest.FixtureRequest) -> Heatmap:
    return method(request.param)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def of_class(*classes: int) -> Tensor:
    return torch.tensor(classes)


class Regions(Network):
    """A channel for each region of the image; a class's logit is the mean of its own region."""

    def __init__(self, regions: Tensor, weights: Tensor) -> None:
        super().__init__(len(weights), 1, SIDE)
        self.regions, self.weights = regions, weights

    def trunk(self, images: Tensor) -> Maps:
        return functional.avg_pool2d(images.mean(1, keepdim=True), SIDE // 8) * self.regions

    def head(self, maps: Maps) -> Tensor:
        logits: Tensor = maps.mean((2, 3)) @ self.weights.T
        return logits

    def cam_weights(self) -> Tensor:
        return self.weights


def quarters() -> Regions:
    """Four classes, one a quarter of the image."""
    regions = torch.zeros(4, 8, 8)
    for k in range(4):
        regions[k, 4 * (k // 2) : 4 * (k // 2) + 4, 4 * (k % 2) : 4 * (k % 2) + 4] = 1
    return Regions(regions, torch.eye(4) * 0.2)


def halves() -> Regions:
    """One sigmoid unit: the right half speaks for class 1, the left one against it."""
    regions = torch.zeros(2, 8, 8)
    regions[0, :, :4] = regions[1, :, 4:] = 1
    return Regions(regions, torch.tensor([[-0.05, 0.05]]))


def rough(number: int, channels: int = 1, size: int = SIDE, seed: int = 0) -> Tensor:
    """Make images of 8 x 8 patches of grey."""
    random = torch.Generator().manual_seed(seed)
    coarse = torch.rand(number, channels, 8, 8, generator=random) * 100 + 80
    return functional.interpolate(coarse, (size, size), mode="nearest")


def large(found: Tensor, size: int = SIDE) -> Tensor:
    heat = functional.interpolate(found[:, None], (size, size), mode="bilinear")[:, 0]
    return heat.clamp(min=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_region_that_makes_the_logit_is_lit(heatmap: Heatmap, channels: int) -> None:
    images = rough(4, channels)
    heat = large(heatmap(quarters(), images, of_class(0, 1, 2, 3)))
    for k in range(4):
        quarter = heat[k].unflatten(1, (2, -1)).unflatten(0, (2, -1))[k // 2, :, k % 2]
        assert quarter.sum() > 0.7 * heat[k].sum() > 0


@pytest.mark.parametrize("name", METHODS)
def test_what_speaks_against_the_class_is_negative(name: str) -> None:
    """Of the methods that find it; the others have no negative heat."""
    plugin: Any = registry.module("heatmaps", name)
    (found,) = method(name)(halves(), rough(1), of_class(1))
    if not getattr(plugin, "SIGNED", False):
        assert found.min() >= 0
        return
    against = large(-found[None])[0]
    assert against[:, : SIDE // 2].sum() > 0.7 * against.sum() > 0


class TwoEnds(Regions):
    """Four regions, of which the first two are one branch and the others another."""

    def map_parts(self) -> dict[str, Branch]:
        return {"first": Branch(0, slice(0, 2)), "second": Branch(0, slice(2, None))}

    def trunk(self, images: Tensor) -> Maps:
        return (super().trunk(images),)

    def head(self, maps: Maps) -> Tensor:
        return super().head(maps[0])

    def cam_map(self, maps: Maps) -> Tensor:
        grid: Tensor = maps[0]
        return grid


@pytest.mark.parametrize("name", METHODS)
def test_a_branch_lights_where_its_own_maps_are(name: str) -> None:
    """The score is of the whole network, to which each branch adds its part."""
    plugin: Any = registry.module("heatmaps", name)
    if getattr(plugin, "ASKS_ONLY", False) or name == "cam":
        return
    network = TwoEnds(quarters().regions, torch.tensor([[0.004, 0.008, 0.006, 0.012]]))
    about = About("two-ends", ["covid", "normal"], SIDE, 1, mean=[0.0], std=[1.0])
    for part, top in (("first", True), ("second", False)):
        sight = explanation.Sight(network, about, network.map_parts()[part]).eval()
        heat = large(method(name)(sight, rough(1), of_class(1)))[0]
        upper = heat[: SIDE // 2].sum() / heat.sum()
        assert upper > 0.7 if top else upper < 0.3


def test_the_branches_of_cvr_net() -> None:
    """Both ends together are its map; the others have as many channels as their layers."""
    with torch.device("meta"):
        network = cvr_net.build(2, 3, 96).eval()
        maps = network.trunk(torch.empty(1, 3, 96, 96))
    found = {
        name: maps[branch.number][:, branch.channels].shape[1]
        for name, branch in network.map_parts().items()
    }
    both = {"resnet": 2048, "xception": 2048}
    assert found == both | {"conv3": 512, "conv4": 1024, "entry": 728, "exit": 1024}
    assert network.cam_map(maps).shape[1] == sum(both.values())


def test_of_one_sigmoid_unit_class_0_is_the_negative_logit(heatmap: Heatmap) -> None:
    images = rough(1).repeat(2, 1, 1, 1)
    against, for_it = large(heatmap(halves(), images, of_class(0, 1)))
    assert against[:, : SIDE // 2].sum() > 0.7 * against.sum() > 0
    assert for_it[:, SIDE // 2 :].sum() > 0.7 * for_it.sum() > 0


class Matched(Network):
    """Convolutions with what is looked for, and with its negative; weak answers are cut off."""

    def __init__(self, template: Tensor) -> None:
        super().__init__(2, 1, 64)
        self.template = (template - template.mean()) / template.square().sum()

    def trunk(self, images: Tensor) -> Maps:
        filters = torch.stack([self.template, -self.template])[:, None]
        side = self.template.shape[-1]
        return (functional.conv2d(images, filters, stride=2, padding=side // 2) - 20).relu()

    def embed(self, maps: Maps) -> Tensor:
        found: Tensor = maps.mean((2, 3))
        return found

    def head(self, maps: Maps) -> Tensor:
        return self.embed(maps) @ self.cam_weights().T

    def cam_weights(self) -> Tensor:
        return torch.tensor([[-1.0, 1.0], [1.0, -1.0]])


@pytest.mark.parametrize("name", METHODS)
def test_the_pointing_game(name: str) -> None:
    """The hottest place is on what was planted in noise, wherever that is."""
    line = torch.arange(-6.0, 7)
    template = torch.exp(-(line[:, None] ** 2 + line**2) / 18)
    random = torch.Generator().manual_seed(1)
    images = torch.rand(8, 1, 64, 64, generator=random) * 20 + 40
    places = torch.randint(10, 54, (8, 2), generator=random)
    for image, (y, x) in zip(images, places.tolist(), strict=True):
        image[0, y - 6 : y + 7, x - 6 : x + 7] += 80 * template
    options = {"occlusion": {"cells": 16, "fill": "mean"}, "lime": {"samples": 400}}.get(name, {})
    found = method(name, **options)(Matched(template).eval(), images, torch.ones(8).long())
    heat = large(found, 64)
    hits = 0
    for one, (y, x) in zip(heat, places.tolist(), strict=True):
        at = divmod(int(one.argmax()), 64)
        hits += math.dist(at, (y, x)) <= 10
    # By chance the peak would be that close in 8 of 100.
    assert hits >= 6


def seen(network: Network) -> Network:
    """Let a network take grey levels."""
    classes, channels = ["a", "b"], network.channels
    about = About("", classes, network.size, channels, [130.0] * channels, [30.0] * channels)
    return explanation.Sight(network, about).eval()


def built(spec: str, channels: int, seed: int = 0) -> Network:
    _, plugin, given = registry.load("architectures", spec, "build")
    torch.manual_seed(seed)
    network: Network = plugin.build(2, channels, ARCHITECTURES[spec], **given)
    return network.eval()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("spec", ARCHITECTURES)
@pytest.mark.parametrize("name", METHODS)
def test_maps_of_any_network(name: str, spec: str, channels: int) -> None:
    network = built(spec, channels)
    heatmap = method(name, **{"lime": {"samples": 8}, "occlusion": {"cells": 3}}.get(name, {}))
    network = seen(network)
    images = rough(3, channels, ARCHITECTURES[spec])
    classes = of_class(0, 1, 1)
    before, weights = images.clone(), [p.clone() for p in network.parameters()]
    if name == "cam" and network.cam_weights() is None:
        with pytest.raises(ValueError, match="a hidden layer stands between"):
            heatmap(network, images, classes)
        return
    found = heatmap(network, images, classes)
    assert found.dtype == torch.float32 and found.ndim == 3 and len(found) == 3
    assert not found.requires_grad
    assert torch.isfinite(found).all()
    assert torch.equal(images, before)
    for weight, old in zip(network.parameters(), weights, strict=True):
        assert torch.equal(weight, old) and weight.grad is None
    assert torch.equal(heatmap(network, images, classes), found), "the same every time"
    # An image looks the same whatever is beside it.
    alone = heatmap(network, images[1:2], classes[1:2])[0]
    torch.testing.assert_close(alone, found[1], atol=1e-4, rtol=1e-3)


def test_a_network_that_sees_nothing_gives_nothing(heatmap: Heatmap) -> None:
    network = quarters()
    network.weights = torch.zeros(4, 4)
    found = heatmap(network, rough(2), of_class(0, 3))
    assert torch.isfinite(found).all()
    torch.testing.assert_close(found, torch.zeros_like(found), atol=1e-6, rtol=0)


@pytest.mark.parametrize("level", [0.0, 128.0])
def test_a_constant_image(heatmap: Heatmap, level: float) -> None:
    found = heatmap(built("resnet18", 1), torch.full((2, 1, 64, 64), level), of_class(0, 1))
    assert torch.isfinite(found).all()


def test_a_probability_without_a_slope_leaves_a_map_of_zeros() -> None:
    network = halves()
    network.weights = network.weights * 1e5
    found = method("gradcam-cxnet")(network, rough(2), of_class(0, 1))
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("name", METHODS)
def test_other_weights_give_another_map(name: str) -> None:
    """A map that stays shows edges of the image, not the network (Adebayo et al. 2018)."""
    images, classes = rough(2, 1, 32), of_class(1, 1)
    networks = (seen(built("cnn-x", 1, seed)) for seed in (0, 1))
    first, other = (method(name)(network, images, classes).flatten(1) for network in networks)
    for one, two in zip(first, other, strict=True):
        assert float(one.std()) > 0 and float(two.std()) > 0
        assert np.corrcoef(one.numpy(), two.numpy())[0, 1] < 0.95


# --- what is defined exactly ----------------------------------------------------------------------


@pytest.mark.parametrize("spec", ["resnet18", "cnn-x", "squeezenet"])
def test_the_logit_is_the_mean_or_the_sum_of_zhous_map(spec: str) -> None:
    network = built(spec, 3)
    images = rough(3, 3, ARCHITECTURES[spec]) / 100
    weights = network.cam_weights()
    assert weights is not None
    with torch.no_grad():
        logits = network(images)
    bias = getattr(network.final(), "bias", None) if spec != "squeezenet" else None
    for k in range(2):
        found = cam.heatmap(network, images, torch.full((3,), k))
        total = found.mean((1, 2)) if weights.ndim == 2 else found.sum((1, 2))
        torch.testing.assert_close(
            total + (0 if bias is None else bias[k].detach()), logits[:, k], atol=1e-4, rtol=1e-4
        )


def test_of_one_unit_zhous_maps_are_opposite() -> None:
    images = rough(2)
    zeroth, first = (cam.heatmap(halves(), images, torch.full((2,), k)) for k in (0, 1))
    torch.testing.assert_close(zeroth, -first)


def test_gradcam_is_zhous_positive_part_over_the_number_of_places() -> None:
    network = built("resnet18", 3)
    images, classes = rough(4, 3, 64) / 100, of_class(0, 1, 0, 1)
    zhou = cam.heatmap(network, images, classes)
    found = method("gradcam")(network, images, classes)
    assert found.any()
    torch.testing.assert_close(found, zhou.relu() / zhou[0].numel(), atol=1e-6, rtol=1e-4)


def test_the_slope_is_that_of_the_whole_network() -> None:
    """The trunk is never passed back through, which must not change what comes out."""
    network = built("cxnet-base", 1)
    images, classes = rough(2, 1, 96) / 100, of_class(0, 1)
    maps = network.trunk(images)
    logits = network.head(maps)
    picked = torch.stack([-logits[0, 0], logits[1, 0]])
    slopes = torch.autograd.grad(picked.sum(), maps)[0]
    expected = (slopes.mean((2, 3), keepdim=True) * maps).sum(1).relu().detach()
    torch.testing.assert_close(method("gradcam")(network, images, classes), expected)


def test_a_head_that_does_not_see_the_map_itself() -> None:
    """Of some transformers it sees a token, which the last block has read from the map."""

    class Token(Regions):
        def trunk(self, images: Tensor) -> Maps:
            maps = super().trunk(images)
            return maps, maps.mean((2, 3)) ** 2

        def head(self, maps: Maps) -> Tensor:
            logits: Tensor = maps[1] @ self.weights.T
            return logits

        def cam_map(self, maps: Maps) -> Tensor:
            found: Tensor = maps[0]
            return found

    network = Token(quarters().regions, torch.eye(4))
    heat = method("gradcam")(network, rough(1), of_class(2))[0]
    assert heat[4:, :4].sum() == heat.sum() > 0


def test_a_head_that_sees_nothing_of_the_map(heatmap: Heatmap) -> None:
    class Blind(Regions):
        def head(self, maps: Maps) -> Tensor:
            return self.weights[:1].expand(len(maps), -1)

        def cam_weights(self) -> Tensor:
            return torch.zeros(4, 4)

    found = heatmap(Blind(quarters().regions, torch.eye(4)), rough(2), of_class(0, 1))
    torch.testing.assert_close(found, torch.zeros_like(found))


def test_gradcam_plus_plus_by_its_own_formula() -> None:
    network = built("cnn-x", 3)
    images, classes = rough(2, 3, 32) / 100, of_class(0, 1)
    maps = network.trunk(images).detach().double().requires_grad_()
    logits = network.double().head(maps).gather(1, classes[:, None])
    g = torch.autograd.grad(logits.sum(), maps)[0]
    alpha = g**2 / (2 * g**2 + g**3 * maps.sum((2, 3), keepdim=True))
    weights = (alpha * g.relu()).sum((2, 3), keepdim=True)
    expected = (weights * maps).sum(1).relu().detach().float()
    found = method("gradcam++")(network.float(), images, classes)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-3)


def test_occlusion_by_hand() -> None:
    images = rough(1)
    network = quarters()
    found = method("occlusion", cells=2, wide=1, fill="black")(network, images, of_class(3))
    quarter = 0.2 * images[0, 0, SIDE // 2 :, SIDE // 2 :].mean() / 4
    expected = torch.tensor([[0.0, 0.0], [0.0, float(quarter)]])
    torch.testing.assert_close(found[0], expected, atol=1e-5, rtol=1e-5)


def test_occlusion_by_the_mean_does_not_see_an_even_image() -> None:
    images = torch.full((1, 1, SIDE, SIDE), 77.0)
    found = method("occlusion", fill="mean")(quarters(), images, of_class(1))
    torch.testing.assert_close(found, torch.zeros_like(found), atol=1e-5, rtol=0)


def test_lime_finds_the_weights_of_a_linear_answer() -> None:
    """With p = 1/2 + sum of w over the superpixels that show, the ridge finds w."""
    from cxrtool.explain.heatmaps import lime

    random = np.random.default_rng(0)
    weights = random.normal(0, 0.01, 20)
    shown = random.integers(0, 2, (2000, 20))
    shown[0] = 1
    found = lime._weights(shown, 0.5 + shown @ weights)
    np.testing.assert_allclose(found, weights, atol=1e-3)


def test_lime_shows_as_many_superpixels_as_are_asked_for() -> None:
    images = rough(1)
    for features in (1, 3):
        found = method("lime", features=features)(quarters(), images, of_class(0))
        assert len(found.unique()) == features + 1
    few, all_of_them = (method("lime", features=n)(quarters(), images, of_class(0)) for n in (2, 0))
    assert len(all_of_them.unique()) > 4
    assert float(few.abs().max()) == float(all_of_them.abs().max())


def test_scorecam_asks_those_channels_that_vary_most() -> None:
    network = quarters()
    images = rough(1)
    images[:, :, SIDE // 2 :, SIDE // 2 :] *= 2
    one = method("scorecam", channels=1)(network, images, of_class(0))[0]
    assert one[4:, 4:].sum() == one.sum() > 0
    every = method("scorecam", channels=0)(network, images, of_class(0))[0]
    assert every[:4, :4].sum() > every[4:, 4:].sum()


# --- a network that has learned something ---------------------------------------------------------

# The others change the image itself, and a covered part has edges that so small a network takes
# for a sign.
OF_THE_MAP = [name for name in METHODS if name not in ("lime", "occlusion")]


class Small(Network):
    """Four convolutions, a map of 16 x 16, and one linear layer."""

    def __init__(self) -> None:
        super().__init__(2, 1, 64)
        layers: list[nn.Module] = []
        depth = 1
        for outputs, stride in ((16, 2), (32, 2), (32, 1), (32, 1)):
            conv = nn.Conv2d(depth, outputs, 3, stride, 1, bias=False)
            layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
            depth = outputs
        self.body, self.last = nn.Sequential(*layers), nn.Linear(depth, 2)

    def trunk(self, images: Tensor) -> Maps:
        return self.body(images)

    def embed(self, maps: Maps) -> Tensor:
        found: Tensor = maps.mean((2, 3))
        return found

    def cam_weights(self) -> Tensor:
        return self.last.weight.detach()


@pytest.fixture(scope="module")
def learned() -> tuple[Network, Tensor, Tensor]:
    """A network that finds opacities, images that it never saw and calls ill, and their lesions."""
    cases = plan(360, labels=("normal", "covid"), sources=1, per_patient=1, seed=1)
    drawn = [render(case, 64) for case in cases]
    images = torch.from_numpy(np.stack([d.image for d in drawn])).float()[:, None]
    lesions = torch.from_numpy(np.stack([d.lesion for d in drawn])) > 0
    labels = torch.tensor([int(case.label == "covid") for case in cases])
    images = (images - images.mean()) / images.std()
    torch.manual_seed(0)
    network = Small()
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(40):
        for batch in torch.randperm(280).split(28):
            optimizer.zero_grad()
            functional.cross_entropy(network(images[batch]), labels[batch]).backward()
            optimizer.step()
    network.eval()
    with torch.no_grad():
        preds = network(images[280:]).argmax(1)
    assert (preds == labels[280:]).float().mean() > 0.7
    ill = 280 + torch.nonzero((preds == 1) & (labels[280:] == 1))[:, 0]
    return network, images[ill], lesions[ill]


def in_lesion(name: str, network: Network, images: Tensor, lesions: Tensor) -> tuple[float, float]:
    """Return how dense the heat is in the lesion, and how often its peak is there."""
    heat = large(method(name)(network, images, torch.ones(len(images)).long()), 64)
    density = (heat * lesions).sum((1, 2)) / heat.sum((1, 2)) / lesions.float().mean((1, 2))
    peaks = heat.flatten(1).argmax(1)
    hits = lesions.flatten(1).gather(1, peaks[:, None]).float()
    return float(density.mean()), float(hits.mean())


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_THE_MAP)
def test_the_lesion_is_found(name: str, learned: tuple[Network, Tensor, Tensor]) -> None:
    network, images, lesions = learned
    chance = float(lesions.float().mean())
    density, hits = in_lesion(name, network, images, lesions)
    assert density > 1.6
    assert hits > 2 * chance
    torch.manual_seed(5)
    untrained, _ = in_lesion(name, Small().eval(), images, lesions)
    assert density > 1.3 * untrained
