"""Phantoms: the truth that they carry is the truth that was planned and drawn."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

import cv2
import numpy as np
import pytest

from cxrtool.phantoms import LABELS, VIEWS, Phantom, PhantomCase, plan, render
from cxrtool.phantoms.disease import VISIBLE
from cxrtool.phantoms.hospitals import signature
from cxrtool.phantoms.rendering import beam


def case(label: str = "normal", number: int = 1, source: int = 1, seed: int = 0) -> PhantomCase:
    patient = f"p{number:05d}"
    return PhantomCase(number, patient, label, f"hospital-{source}", "PA", "50", "M", seed)


def phantoms_of(label: str, count: int = 12, size: int = 128) -> Iterator[Phantom]:
    return (render(case(label, number), size) for number in range(count))


def halves(mask: np.ndarray, lesion: np.ndarray) -> list[float]:
    """Return the share of each lung that the lesion covers, the image's left lung first."""
    count, parts = cv2.connectedComponents(mask)
    assert count == 3, "a mask holds two lungs"
    lungs = sorted((parts == k for k in (1, 2)), key=lambda lung: np.nonzero(lung)[1].mean())
    return [float(lesion[lung].mean() / 255) for lung in lungs]


def own_share(cases: list[PhantomCase]) -> float:
    own = [c.source == f"hospital-{LABELS.index(c.label) + 1}" for c in cases]
    return float(np.mean(own))


@pytest.mark.parametrize("count", [0, 1, 2, 10, 257])
def test_plan_gives_exactly_the_count_with_balanced_labels(count: int) -> None:
    cases = plan(count, seed=count)
    assert [c.index for c in cases] == list(range(count))
    totals = [sum(c.label == label for c in cases) for label in LABELS]
    assert max(totals) - min(totals) <= 3


def test_a_patient_has_one_label_source_age_and_sex_and_one_to_three_images() -> None:
    cases = plan(300)
    traits = {(c.patient, c.label, c.source, c.age, c.sex) for c in cases}
    images = Counter(c.patient for c in cases)
    assert len(traits) == len(images)
    assert set(images.values()) == {1, 2, 3}
    assert set(Counter(c.patient for c in plan(30, per_patient=2)).values()) == {2}


def test_confound_sets_how_often_a_class_comes_from_its_own_hospital() -> None:
    assert own_share(plan(300, confound=1.0)) == 1
    assert own_share(plan(6000, confound=0.0, per_patient=1)) == pytest.approx(1 / 3, abs=0.03)
    assert own_share(plan(6000, confound=0.5, per_patient=1)) == pytest.approx(2 / 3, abs=0.03)
    assert {c.source for c in plan(300, sources=2, confound=1.0)} == {"hospital-1", "hospital-2"}


def test_confound_changes_the_sources_only() -> None:
    loose, tight = plan(90, confound=0.0), plan(90, confound=0.9)
    assert loose != tight
    assert [replace(c, source="") for c in loose] == [replace(c, source="") for c in tight]


@pytest.mark.parametrize("trait", ["view", "sex", "age"])
def test_traits_tell_nothing_of_the_label(trait: str) -> None:
    cases = plan(6000, confound=1.0, per_patient=1)
    common = "PA" if trait == "view" else "F"
    shares = []
    for label in LABELS:
        values = [getattr(c, trait) for c in cases if c.label == label]
        hits = [int(v) > 54 if trait == "age" else v == common for v in values]
        shares.append(np.mean(hits))
    assert np.ptp(shares) < 0.06


@pytest.mark.parametrize(
    "wrong",
    [{"labels": ["flu"]}, {"labels": []}, {"sources": 0}, {"confound": 1.5}, {"per_patient": 0}],
)
def test_plan_refuses_what_makes_no_sense(wrong: dict) -> None:
    with pytest.raises(ValueError):
        plan(10, **wrong)


def test_a_case_gives_the_same_bytes_in_any_order_and_process() -> None:
    cases = plan(4, seed=5)
    here = [render(c, 64) for c in cases]
    again = [render(c, 64) for c in reversed(cases)][::-1]
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        elsewhere = list(pool.map(render, cases, [64] * 4))
    for first, *others in zip(here, again, elsewhere, strict=True):
        for other in others:
            assert all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))


def test_seeds_and_images_of_a_patient_differ() -> None:
    first = render(case(), 64).image
    assert not np.array_equal(first, render(case(seed=1), 64).image)
    assert not np.array_equal(first, render(replace(case(), index=9), 64).image)


@pytest.mark.parametrize("size", [64, 100, 255, 256, 1024])
def test_every_size_shows_the_same_body(size: int) -> None:
    phantom, small = render(case("covid"), size), render(case("covid"), 128)
    for picture in phantom:
        assert picture.shape == (size, size)
        assert picture.dtype == np.uint8
    for part in ("mask", "lesion"):
        shrunk = cv2.resize(getattr(phantom, part), (128, 128), interpolation=cv2.INTER_AREA)
        other = getattr(small, part) > 127
        overlap = ((shrunk > 127) & other).sum() / ((shrunk > 127) | other).sum()
        assert overlap > 0.8, part


def test_images_use_the_range_of_grey() -> None:
    for c in plan(12, sources=6):
        image = render(c, 128).image
        low, high = np.percentile(image, [2, 98])
        assert high - low > 90
        assert 60 < image.mean() < 190


def test_the_smallest_size_is_refused_below_16() -> None:
    assert render(case(), 16).image.shape == (16, 16)
    with pytest.raises(ValueError):
        render(case(), 15)


@pytest.mark.parametrize("label", LABELS)
def test_masks_are_two_lungs_of_plausible_area_and_hold_the_lesion(label: str) -> None:
    for phantom in phantoms_of(label):
        assert set(np.unique(phantom.mask)) == {0, 255}
        assert set(np.unique(phantom.lesion)) <= {0, 255}
        assert not np.any(phantom.lesion & ~phantom.mask)
        assert 0.18 < phantom.mask.mean() / 255 < 0.5
        assert len(halves(phantom.mask, phantom.lesion)) == 2


def test_lungs_are_darker_than_what_is_between_them() -> None:
    for phantom in phantoms_of("normal", 6):
        spine = phantom.image[40:90, 58:70]
        assert np.median(phantom.image[phantom.mask > 0]) < np.median(spine) - 20


def test_normal_has_no_lesion_covid_two_sides_and_pneumonia_one() -> None:
    assert not any(phantom.lesion.any() for phantom in phantoms_of("normal"))
    for phantom in phantoms_of("covid"):
        assert min(halves(phantom.mask, phantom.lesion)) > 0.02
    sides = set()
    for phantom in phantoms_of("pneumonia"):
        shares = halves(phantom.mask, phantom.lesion)
        assert min(shares) == 0
        assert max(shares) > 0.03
        sides.add(int(np.argmax(shares)))
    assert sides == {0, 1}


def test_covid_is_lower_than_higher() -> None:
    below = []
    for phantom in phantoms_of("covid"):
        rows = [np.nonzero(part)[0].mean() for part in (phantom.lesion, phantom.mask)]
        below.append(rows[0] > rows[1])
    assert np.mean(below) > 0.7


@pytest.mark.parametrize("label", ["covid", "pneumonia"])
def test_another_label_changes_nothing_but_the_opacity(label: str) -> None:
    for number in range(4):
        well, _, _ = beam(case("normal", number), 128)
        ill, mask, lesion = beam(case(label, number), 128)
        added = ill - well
        assert added.min() > -1e-5
        assert added[lesion > 0].min() > 0.9 * VISIBLE
        assert added[(mask > 0) & (lesion == 0)].max() < 1.1 * VISIBLE
        assert added[mask == 0].max() < 0.3  # the blur of the lungs' edge
        assert added[mask == 0].mean() < 0.005


def test_a_trivial_feature_tells_the_hospitals_apart() -> None:
    hospitals = {}
    for source in (1, 2, 3):
        images = [render(case("normal", n, source), 128).image for n in range(8)]
        # The edge of the image: its own grey, black bars, or a white frame.
        hospitals[source] = [(np.median(i[:, :2]), i[:, :2].std()) for i in images]
    centres = {source: np.mean(rows, axis=0) for source, rows in hospitals.items()}
    for source, rows in hospitals.items():
        for row in rows:
            far = {other: np.sum((row - centre) ** 2) for other, centre in centres.items()}
            assert min(far, key=far.__getitem__) == source


def test_any_number_of_hospitals_has_its_own_signature() -> None:
    signatures = {str(signature(f"hospital-{k}")) for k in range(1, 51)}
    assert len(signatures) == 50


def test_markers_contradict_neither_the_view_nor_the_side() -> None:
    views = {word.upper() for view in VIEWS for word in view.split()}
    for k in range(1, 51):
        look = signature(f"hospital-{k}")
        assert not views & set(look.marker.split())
        # The image's left is the patient's right.
        assert look.right or look.marker[0] != "L"
        assert not look.right or look.marker[0] != "R"
