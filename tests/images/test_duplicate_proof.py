"""What proves that two images are the same picture, and what does not."""

from __future__ import annotations

import changes
import numpy as np
import pytest
from numpy.typing import NDArray

from cxrtool.images import duplicate_proof, fingerprints
from cxrtool.images.duplicate_proof import Side
from cxrtool.phantoms import plan, render

PHANTOMS = [render(case, 256).image for case in plan(20, per_patient=1)]


def side(image: NDArray[np.generic], **how: object) -> Side:
    return Side(fingerprints.thumbnail(image), **how)  # type: ignore[arg-type]


def test_an_image_is_itself() -> None:
    likeness, moved = duplicate_proof.compared(side(PHANTOMS[0]), side(PHANTOMS[0]))
    assert likeness == pytest.approx(1, abs=1e-3) and moved == pytest.approx(0, abs=1e-3)


def test_others_are_not() -> None:
    for other in PHANTOMS[1:]:
        assert not duplicate_proof.is_same(side(PHANTOMS[0]), side(other))


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_mirror_images_and_negatives_have_not_moved(mirrored: bool, inverted: bool) -> None:
    image = PHANTOMS[1][:, ::-1] if mirrored else PHANTOMS[1]
    image = np.ascontiguousarray(255 - image if inverted else image)
    first = side(PHANTOMS[1], mirrored=mirrored, inverted=inverted)
    likeness, moved = duplicate_proof.compared(first, side(image))
    assert likeness > 0.95 and moved <= duplicate_proof.UNMOVED
    assert not duplicate_proof.is_same(side(PHANTOMS[1]), side(image)) or not (mirrored or inverted)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_crop_is_laid_over_its_original(mirrored: bool) -> None:
    cut = changes.cropped(PHANTOMS[2], 0.04, 0.1, 0.07, 0.02)
    first = side(PHANTOMS[2], crop=(0.05, 0.08, 0.05, 0.03), mirrored=mirrored)
    likeness, moved = duplicate_proof.compared(
        first, side(cut[:, ::-1].copy() if mirrored else cut)
    )
    assert likeness > duplicate_proof.DETAIL
    # The lower corners are a tenth of the height higher than they were.
    assert moved == pytest.approx(0.1 / 0.86, abs=0.03)


def test_a_change_of_contrast_moves_nothing() -> None:
    changed = changes.clahe(changes.jpeg(PHANTOMS[3], 60), 2)
    likeness, moved = duplicate_proof.compared(side(PHANTOMS[3]), side(changed))
    assert likeness > duplicate_proof.DETAIL_UNMOVED and moved <= duplicate_proof.UNMOVED


def test_another_exposure_of_a_patient_is_another_picture() -> None:
    cases = plan(40, per_patient=4)
    by_patient = [case for case in cases if case.patient == cases[0].patient]
    images = [side(render(case, 256).image) for case in by_patient]
    assert len(images) == 4
    assert not any(duplicate_proof.is_same(images[0], other) for other in images[1:])


@pytest.mark.parametrize("kind", ["plain", "noise", "ramp"])
def test_pictures_without_a_body_prove_nothing(kind: str) -> None:
    random = np.random.default_rng(0)
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    pairs = {
        "plain": (np.full((256, 256), 3, np.uint8), np.full((256, 256), 9, np.uint8)),
        "noise": tuple(random.integers(0, 256, (2, 256, 256), np.uint8)),
        "ramp": (ramp, ramp.T),
    }
    first, second = map(side, pairs[kind])
    assert not duplicate_proof.is_same(first, second)


def test_maps_of_pixels_and_of_shares_agree() -> None:
    """A crop by a map shows what a crop of the pixels shows."""
    image = np.random.default_rng(0).integers(0, 256, (128, 128), np.uint8)
    shown = Side(image, (0.25, 0.25, 0.25, 0.25)).shown()
    inner = np.repeat(np.repeat(image[32:96, 32:96].astype(float), 2, 0), 2, 1)
    assert np.corrcoef(shown[2:-2, 2:-2].ravel(), inner[2:-2, 2:-2].ravel())[0, 1] > 0.8
    flipped = Side(image, (0.25, 0.25, 0.25, 0.25), mirrored=True).shown()
    np.testing.assert_allclose(flipped[:, ::-1].astype(int), shown, atol=1)


def test_correlation_is_that_of_numpy() -> None:
    a, b = np.random.default_rng(0).normal(size=(2, 500))
    assert duplicate_proof.correlation(a, b) == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-12)
    assert duplicate_proof.correlation(a, np.full(500, 0.1)) == -1
