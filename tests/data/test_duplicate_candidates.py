"""The search for candidates among fingerprints."""

from __future__ import annotations

import changes
import numpy as np
import pytest
from in_memory import Collection
from numpy.typing import NDArray

from cxrtool.data import duplicate_candidates
from cxrtool.images import fingerprints
from cxrtool.phantoms import plan, render

PHANTOMS = [render(case, 192).image for case in plan(40, per_patient=1)]


def prints_of(images: list[NDArray[np.generic]]) -> NDArray[np.uint8]:
    return Collection(images).arrays()[-1]


def pairs(found: duplicate_candidates.Candidates) -> set[tuple[int, int]]:
    return {
        (int(min(a, b)), int(max(a, b)))
        for a, b in zip(found["first"], found["second"], strict=True)
    }


def turned(image: NDArray[np.uint8], mirrored: bool, inverted: bool) -> NDArray[np.uint8]:
    image = image[:, ::-1] if mirrored else image
    return np.ascontiguousarray(255 - image if inverted else image)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_copy_is_a_candidate_and_it_is_known_how_it_is_turned(mirrored: bool, inverted: bool):
    found = duplicate_candidates.candidates(
        prints_of([*PHANTOMS, turned(PHANTOMS[7], mirrored, inverted)])
    )
    best = found[0]
    assert {int(best["first"]), int(best["second"])} == {7, 40}
    assert (bool(best["mirrored"]), bool(best["inverted"])) == (mirrored, inverted)
    assert best["similarity"] > 0.95


@pytest.mark.parametrize("look", range(1, len(duplicate_candidates.LOOKS)))
def test_each_look_finds_its_crop(look: int) -> None:
    cut = changes.cropped(PHANTOMS[3], *duplicate_candidates.LOOKS[look])
    found = duplicate_candidates.candidates(prints_of([*PHANTOMS, cut]))
    of_it = found[(found["second"] == 40) & (found["first"] == 3)]
    assert of_it["look"].tolist() == [look] and of_it["similarity"] > 0.8


@pytest.mark.parametrize("shape", [(256, 192), (192, 256)])
def test_the_central_square_is_a_look(shape: tuple[int, int]) -> None:
    """A copy that was cut to a square is found by the square of its original."""
    import cv2

    wide = cv2.resize(PHANTOMS[5], shape[::-1])
    found = duplicate_candidates.candidates(prints_of([*PHANTOMS[:5], wide, changes.squared(wide)]))
    best = found[(found["first"] == 5) & (found["second"] == 6)]
    assert best["look"].tolist() == [duplicate_candidates.SQUARE] and best["similarity"] > 0.6


def test_the_crop_of_the_central_square() -> None:
    assert duplicate_candidates.crop(duplicate_candidates.SQUARE, 1.0) == (0, 0, 0, 0)
    assert duplicate_candidates.crop(duplicate_candidates.SQUARE, 2.0) == (0, 0, 0.25, 0.25)
    assert duplicate_candidates.crop(duplicate_candidates.SQUARE, 0.5) == (0.25, 0.25, 0, 0)
    assert duplicate_candidates.crop(2, 9.0) == duplicate_candidates.LOOKS[2]


def test_a_crop_of_coefficients_is_that_of_the_image() -> None:
    """The matrix that crops agrees with cropping the pixels, at the lower frequencies."""
    shares = (0.1, 0.05, 0.07, 0.02)
    images = PHANTOMS[:8]
    whole = fingerprints.coefficients(prints_of(images))
    cut = fingerprints.coefficients(prints_of([changes.cropped(p, *shares) for p in images]))
    cropped = whole @ duplicate_candidates._cropped(shares)
    low = np.array([k for k in range(1, 12 * 12) if k // 12 < 7 and k % 12 < 7])

    def agreement(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
        pairs_of = zip(one[:, low], other[:, low], strict=True)
        return float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs_of]))

    # A coefficient has 15 levels, so that not all of it agrees.
    assert agreement(cropped, cut) > 0.9 > agreement(whole, cut) + 0.05


@pytest.mark.parametrize("number", [0, 1])
def test_of_nothing_there_is_nothing(number: int) -> None:
    assert len(duplicate_candidates.candidates(prints_of(PHANTOMS[:number]))) == 0


def test_images_without_a_fingerprint_are_in_no_pair() -> None:
    plain = [np.full((64, 64), grey, np.uint8) for grey in (0, 7, 7, 255)]
    assert len(duplicate_candidates.candidates(prints_of(plain))) == 0
    found = duplicate_candidates.candidates(prints_of([*plain, PHANTOMS[0], PHANTOMS[0]]))
    assert pairs(found) == {(4, 5)}


def test_candidates_are_the_best_first_and_each_once() -> None:
    copies = [changes.cropped(p, 0.02, 0.03, 0.01, 0) for p in PHANTOMS]
    found = duplicate_candidates.candidates(prints_of([*PHANTOMS, *copies]))
    assert len(pairs(found)) == len(found) >= 40
    assert (np.diff(found["similarity"]) <= 0).all()
    assert {(i, 40 + i) for i in range(40)} <= pairs(found)


def test_of_many_candidates_the_best_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicate_candidates, "LEAST_SIMILARITY", -1)
    monkeypatch.setattr(duplicate_candidates, "FEW", 10_000)
    monkeypatch.setattr(duplicate_candidates, "PER_IMAGE", 100)
    monkeypatch.setattr(duplicate_candidates, "_BLOCK", 64)
    copies = [changes.jpeg(p, 50) for p in PHANTOMS]
    both = prints_of([*PHANTOMS, *copies])
    every = duplicate_candidates.candidates(both)
    assert len(every) == 80 * 79 // 2
    best = duplicate_candidates._Best(50, -1)
    for start in range(0, len(every), 7):
        best.add(np.random.default_rng(start).permutation(every)[:300])
        best.add(every[start : start + 7])
    kept = best.candidates()
    np.testing.assert_array_equal(kept["similarity"], every["similarity"][:50])
    assert best.threshold == kept["similarity"][-1]


def test_cells_of_a_large_collection_find_nearly_all(monkeypatch: pytest.MonkeyPatch) -> None:
    copies = [changes.cropped(changes.jpeg(p, 60), 0.03, 0.02, 0.01, 0.04) for p in PHANTOMS]
    both = prints_of([*PHANTOMS, *copies])
    monkeypatch.setattr(duplicate_candidates, "_CELL", 10)
    monkeypatch.setattr(duplicate_candidates, "_PER_PIVOT", 4)
    monkeypatch.setattr(duplicate_candidates, "_MEMBERS", 6)
    found = pairs(duplicate_candidates.candidates(both))
    assert sum((i, 40 + i) in found for i in range(40)) >= 38


def test_copies_do_not_whiten_the_collection_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A collection of few pictures, each many times, is no sample of what pictures differ in."""
    monkeypatch.setattr(duplicate_candidates, "PER_IMAGE", 100)
    random = np.random.default_rng(0)
    many = [changes.cropped_at_random(p, 0.03, random) for p in PHANTOMS[:6] for _ in range(40)]
    found = pairs(duplicate_candidates.candidates(prints_of(many)))
    same = [(i, j) in found for i in range(240) for j in range(i + 1, 240) if i // 40 == j // 40]
    assert np.mean(same) > 0.95
