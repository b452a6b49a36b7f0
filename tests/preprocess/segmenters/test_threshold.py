"""The classical segmenter finds the lungs that the phantoms were drawn with."""

from time import process_time

import cv2
import numpy as np
import pytest

from cxrtool.core.errors import CxrtoolError
from cxrtool.core.registry import load
from cxrtool.images import masks
from cxrtool.phantoms import PhantomCase, plan, render
from cxrtool.preprocess.segmenters.threshold import segment

CASES = plan(24, seed=11)


def dices(cases: list[PhantomCase], side: int, **options: int) -> np.ndarray:
    phantoms = [render(case, side) for case in cases]
    return np.array([masks.agreement(segment(p.image, **options), p.mask).dice for p in phantoms])


def test_it_finds_the_lungs_of_phantoms_whatever_their_disease_and_hospital() -> None:
    found = dices(CASES, 256)
    assert np.median(found) > 0.9
    assert found.min() > 0.75


@pytest.mark.parametrize("size", [64, 128, 512])
def test_the_working_size_hardly_matters(size: int) -> None:
    assert np.median(dices(CASES[:8], 200, size=size)) > 0.88


@pytest.mark.parametrize("side", [64, 333, 900])
def test_the_size_of_the_image_hardly_matters(side: int) -> None:
    assert np.median(dices(CASES[:6], side)) > 0.88


def test_its_masks_are_not_flagged() -> None:
    assert [masks.flag(segment(render(case, 200).image)) for case in CASES[:12]] == [""] * 12


def test_both_lungs_are_found_and_each_in_its_place() -> None:
    phantom = render(CASES[0], 256)
    mask = segment(phantom.image)
    assert cv2.connectedComponents(mask.astype(np.uint8))[0] == 3
    for half in (np.s_[:, :128], np.s_[:, 128:]):
        assert masks.agreement(mask[half], phantom.mask[half]).dice > 0.75


def test_16_bits_give_almost_the_mask_of_8() -> None:
    image = render(CASES[1], 256).image
    deep = image.astype(np.uint16) * 90 + 4000
    assert masks.agreement(segment(deep), segment(image)).dice > 0.98


def test_a_wider_frame_and_another_shape_still_give_the_lungs() -> None:
    phantom = render(CASES[2], 256)
    sides = ((0, 0), (40, 40))
    image, truth = np.pad(phantom.image, sides), np.pad(phantom.mask, sides)
    assert masks.agreement(segment(image), truth).dice > 0.8


@pytest.mark.parametrize("level", [0, 7, 255])
def test_a_constant_image_has_no_lungs(level: int) -> None:
    assert not segment(np.full((50, 70), level, np.uint8)).any()


def test_noise_and_ramps_have_no_lungs() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 300), dtype=np.uint8)
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    assert not segment(noise).any()
    assert not segment(ramp).any()
    assert not segment(ramp.T).any()


def test_the_size_is_an_option_with_limits() -> None:
    assert load("segmenters", "threshold:size=128", "segment")[2] == {"size": 128}
    for refused in ("size=63", "size=513", "size=big", "depth=3"):
        with pytest.raises(CxrtoolError):
            load("segmenters", f"threshold:{refused}", "segment")


def test_it_is_fast_enough_to_run_on_a_whole_collection() -> None:
    image = render(CASES[0], 1024).image
    segment(image)
    times = []
    for _ in range(5):
        start = process_time()
        segment(image)
        times.append(process_time() - start)
    # It takes 10 ms of one core; process_time counts all cores, and machines differ.
    assert min(times) < 0.1
