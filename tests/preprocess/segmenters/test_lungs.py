"""The network finds lungs however an image was made; damaged weights are refused."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cxrtool.core.errors import CxrtoolError
from cxrtool.core.registry import load
from cxrtool.images import masks
from cxrtool.phantoms import plan, render
from cxrtool.preprocess.equalizers import clahe, hist
from cxrtool.preprocess.segmenters import lungs
from cxrtool.preprocess.segmenters.lungs import segment

PHANTOMS = [render(case, 256) for case in plan(16, seed=11)]
Image = NDArray[np.uint8]


def turned(image: Image) -> Image:
    matrix = cv2.getRotationMatrix2D((128, 128), 12, 1)
    return np.asarray(cv2.warpAffine(image, matrix, (256, 256)))


def dices(change: Callable[[Image], Image]) -> NDArray[np.float64]:
    found = [segment(change(p.image)) for p in PHANTOMS]
    pairs = zip(found, PHANTOMS, strict=True)
    return np.array([masks.agreement(mask, p.mask).dice for mask, p in pairs])


CHANGES: dict[str, Callable[[Image], Image]] = {
    "as they are": lambda image: image,
    "negative": lambda image: 255 - image,
    "equalized": hist.equalize,
    "CLAHE": clahe.equalize,
    "dark": lambda image: (image // 6).astype(np.uint8),
    "16 bits": lambda image: image.astype(np.uint16) * 200 + 5000,
}


@pytest.mark.parametrize("name", CHANGES)
def test_it_finds_the_lungs_of_phantoms_whatever_was_done_to_them(name: str) -> None:
    found = dices(CHANGES[name])
    assert np.median(found) > 0.94
    assert found.min() > 0.85


def test_turned_images_have_turned_masks() -> None:
    pairs = [(segment(turned(p.image)), turned(p.mask.view(np.uint8))) for p in PHANTOMS]
    assert np.median([masks.agreement(mask, truth).dice for mask, truth in pairs]) > 0.9


@pytest.mark.parametrize("side", [64, 333, 900])
def test_the_size_of_the_image_hardly_matters(side: int) -> None:
    phantom = PHANTOMS[0]
    image = cv2.resize(phantom.image, (side, side), interpolation=cv2.INTER_AREA)
    truth = cv2.resize(phantom.mask.view(np.uint8), (side, side))
    assert masks.agreement(segment(image), truth).dice > 0.88


def test_a_higher_threshold_gives_a_smaller_mask() -> None:
    loose, strict = (segment(PHANTOMS[0].image, threshold=t) for t in (0.05, 0.95))
    assert (loose | strict == loose).all()
    assert strict.sum() < loose.sum()


def test_at_most_two_lungs_without_holes_are_found() -> None:
    for phantom in PHANTOMS[:6]:
        mask = segment(phantom.image).astype(np.uint8)
        assert cv2.connectedComponents(mask)[0] <= 3
        assert cv2.connectedComponents(1 - mask, connectivity=4)[0] == 2


def test_noise_has_no_lungs() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8)
    assert masks.flag(segment(noise)) == "empty"


def test_the_threshold_is_an_option_with_limits() -> None:
    assert load("segmenters", "lungs:threshold=0.3", "segment")[2] == {"threshold": 0.3}
    for refused in ("threshold=0", "threshold=1", "size=256"):
        with pytest.raises(CxrtoolError):
            load("segmenters", f"lungs:{refused}", "segment")


def test_the_weights_are_small() -> None:
    assert lungs.WEIGHTS.stat().st_size <= 4 << 20


@pytest.fixture
def fresh() -> Iterator[None]:
    """Let the network be loaded anew, and forget it afterwards."""
    lungs._network.cache_clear()
    yield
    lungs._network.cache_clear()


@pytest.mark.usefixtures("fresh")
@pytest.mark.parametrize("place", [3, 5000, 2_000_000, -1])
def test_a_flipped_byte_in_the_weights_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    data = bytearray(lungs.WEIGHTS.read_bytes())
    data[place] ^= 1
    copy = tmp_path / "lungs.safetensors"
    copy.write_bytes(data)
    monkeypatch.setattr(lungs, "WEIGHTS", copy)
    with pytest.raises(CxrtoolError, match=r"lungs\.safetensors cannot be used: it is damaged"):
        segment(PHANTOMS[0].image)


@pytest.mark.usefixtures("fresh")
def test_missing_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lungs, "WEIGHTS", tmp_path / "none.safetensors")
    with pytest.raises(CxrtoolError, match=r"none\.safetensors cannot be used: no such file"):
        segment(PHANTOMS[0].image)
