"""A probe finds what is there, and nothing where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from cxrtool.stats import linear_probe


def noise(number: int, depth: int = 30, seed: int = 0) -> np.ndarray:
    found: np.ndarray = np.random.default_rng(seed).normal(size=(number, depth))
    return found


def names(codes: np.ndarray) -> list[str]:
    return [f"v{code}" for code in codes]


def alone(number: int) -> np.ndarray:
    return np.arange(number)


# --- the probe ------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_what_is_told_apart_is_found(classes: int) -> None:
    codes = np.arange(150) % classes
    features = noise(150)
    features[np.arange(150), codes] += 12
    found = linear_probe.probe(features, names(codes), alone(150), permutations=50)
    assert found.balanced_accuracy == 1
    assert found.chance == pytest.approx(1 / classes, abs=1e-6)
    assert found.p == pytest.approx(1 / 51, abs=1e-6)
    assert found.permuted == pytest.approx(1 / classes, abs=0.05)
    assert (found.images, found.patients, found.reason) == (150, 150, "")


def test_a_feature_that_is_the_label_itself() -> None:
    codes = np.arange(60) % 2
    found = linear_probe.probe(codes[:, None], names(codes), alone(60), permutations=20)
    assert found.balanced_accuracy == 1


def test_a_small_feature_among_large_ones_is_found() -> None:
    codes = np.arange(200) % 2
    features = noise(200) * 1e4
    features[:, 7] = codes + noise(200, 1)[:, 0] / 10
    found = linear_probe.probe(features, names(codes), alone(200), permutations=20)
    assert found.balanced_accuracy > 0.95


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_nothing_is_found_where_nothing_is(share: float) -> None:
    """Where there is nothing, p is below any level as often as the level says."""
    found = []
    for seed in range(40):
        codes = (np.random.default_rng(seed + 100).random(80) < share).astype(int)
        one = linear_probe.probe(noise(80, 10, seed), names(codes), alone(80), permutations=39)
        if one.p is not None:
            found.append((one.p, one.balanced_accuracy))
    p, accuracy = np.array(found).T
    assert len(p) > 30
    assert 0.3 < np.mean(p <= 0.5) < 0.75
    assert np.mean(p <= 0.1) < 0.25
    assert accuracy.mean() == pytest.approx(0.5, abs=0.05)


def patients_with_a_look_of_their_own() -> tuple[np.ndarray, list[str], np.ndarray]:
    rng = np.random.default_rng(3)
    patients = np.repeat(np.arange(30), 8)
    features = rng.normal(size=(30, 60))[patients] * 10 + rng.normal(size=(240, 60))
    return features, names(rng.permutation(np.arange(30) % 2)[patients]), patients


def test_to_know_a_patient_is_not_to_know_the_label() -> None:
    features, values, patients = patients_with_a_look_of_their_own()
    found = linear_probe.probe(features, values, patients, permutations=50)
    assert found.balanced_accuracy < 0.75
    assert found.p > 0.05
    # A probe that meets the same patients again would be taken in.
    fooled = linear_probe.probe(features, values, alone(240), permutations=50)
    assert fooled.balanced_accuracy > 0.95
    assert fooled.p < 0.05


def test_values_of_too_few_patients_are_left_out_and_named() -> None:
    values = ["a"] * 40 + ["b"] * 40 + ["rare"] * 40 + [""] * 10
    # Forty images of the rare value, of four patients.
    patients = np.array([*range(80), *(80 + np.arange(40) % 4), *range(90, 100)])
    found = linear_probe.probe(noise(130), values, patients, permutations=5)
    assert found.left_out == {"rare": 4}
    assert found.classes == {"a": 40, "b": 40}
    assert (found.images, found.patients) == (80, 80)
    assert found.chance == 0.5


@pytest.mark.parametrize(
    ("values", "patients"),
    [
        (["a"] * 40, alone(40)),
        ([""] * 40, alone(40)),
        (["a", "b"] * 20, np.zeros(40, int)),
        (["a", "b"] * 20, np.arange(40) // 10),
        (["a"] * 36 + ["b"] * 4, alone(40)),
        (["a"], alone(1)),
    ],
    ids=["one value", "no value", "one patient", "four patients", "a rare value", "one image"],
)
def test_what_cannot_be_probed_has_a_reason(values: list[str], patients: np.ndarray) -> None:
    found = linear_probe.probe(noise(len(values)), values, patients)
    assert found.reason == "fewer than two values have 5 patients each"
    assert (found.balanced_accuracy, found.chance, found.permuted, found.p) == (None,) * 4


def test_features_that_are_all_alike_have_a_reason() -> None:
    found = linear_probe.probe(np.full((40, 3), 0.7), ["a", "b"] * 20, alone(40))
    assert (found.reason, found.p) == ("the features of all images are alike", None)


def test_a_feature_of_a_single_image_does_no_harm() -> None:
    codes = np.arange(60) % 2
    features = np.zeros((60, 3))
    features[5, 0], features[:, 1] = 1, codes
    found = linear_probe.probe(features, names(codes), alone(60), permutations=20)
    assert found.balanced_accuracy == 1


def test_the_same_every_time_and_another_seed_another_p() -> None:
    codes = np.arange(90) % 3
    runs = [
        linear_probe.probe(noise(90), names(codes), alone(90), permutations=60, seed=seed)
        for seed in (0, 0, 1)
    ]
    assert runs[0] == runs[1] != runs[2]


def test_the_order_of_the_names_does_not_matter() -> None:
    codes = np.arange(90) % 3
    features = noise(90)
    features[np.arange(90), codes] += 1
    found = linear_probe.probe(features, names(codes), alone(90), permutations=5)
    other = linear_probe.probe(features, names((codes + 1) % 3), alone(90), permutations=5)
    assert found.balanced_accuracy == pytest.approx(other.balanced_accuracy, abs=0.08)


# --- disease or data set --------------------------------------------------------------------------


def confounded() -> tuple[np.ndarray, list[str], list[str]]:
    """Make features of the source alone, and labels that follow the source nine times in ten."""
    rng = np.random.default_rng(0)
    sources = np.arange(400) % 2
    features = noise(400)
    features[:, 0] += 10 * sources
    labels = np.where(rng.random(400) < 0.9, sources, 1 - sources)
    return features, names(labels), [f"s{k}" for k in sources]


def test_a_label_that_the_source_tells_is_not_told_within_it() -> None:
    features, labels, sources = confounded()
    whole = linear_probe.probe(features, labels, alone(400), permutations=60)
    assert whole.balanced_accuracy > 0.8
    assert whole.p < 0.05
    inside = linear_probe.within(features, labels, sources, alone(400), permutations=60)
    assert list(inside) == ["s0", "s1"]
    for found in inside.values():
        assert found.balanced_accuracy < 0.7
        assert found.p > 0.05


def test_a_disease_is_told_within_every_source() -> None:
    features, labels, sources = confounded()
    features[:, 1] += 10 * (np.array(labels) == "v1")
    inside = linear_probe.within(features, labels, sources, alone(400), permutations=20)
    assert all(found.balanced_accuracy > 0.98 for found in inside.values())


def test_images_without_a_source_are_within_none() -> None:
    assert linear_probe.within(noise(4), ["a", "b"] * 2, ["", "", "x", "x"], alone(4)).keys() == {
        "x"
    }


# --- its interval, and what it can show -----------------------------------------------------------


def weak(number: int, images: int = 1, seed: int = 0) -> linear_probe.Finding:
    """Probe patients whose values shift one of ten features a little."""
    codes = np.arange(number) % 2
    features = np.repeat(noise(number, 10, seed), images, axis=0)
    features += noise(number * images, 10, seed + 1) / 2
    features[:, 0] += np.repeat(codes, images) * 1.2
    values = names(np.repeat(codes, images))
    return linear_probe.probe(features, values, np.repeat(alone(number), images), permutations=199)


def test_more_patients_make_the_interval_narrower_and_smaller_effects_detectable() -> None:
    found = [weak(number) for number in (20, 80, 320)]
    for one in found:
        assert 0 <= one.low < one.balanced_accuracy < one.high <= 1
        assert one.chance < one.detectable < 1
    widths = [one.high - one.low for one in found]
    assert widths == sorted(widths, reverse=True)
    detectable = [one.detectable for one in found]
    assert detectable == sorted(detectable, reverse=True)
    assert found[-1].p < 0.05


def test_more_images_of_the_same_patients_are_no_more_patients() -> None:
    one, forty = weak(30), weak(30, images=40)
    assert forty.high - forty.low > (one.high - one.low) / 2
    assert (one.patients, forty.patients) == (30, 30)


def test_even_without_an_error_there_is_an_interval() -> None:
    codes = np.arange(40) % 2
    found = linear_probe.probe(codes[:, None] * 9 + noise(40, 3), names(codes), alone(40))
    assert (found.balanced_accuracy, found.high) == (1, 1)
    assert 0.8 < found.low < 0.97


@pytest.mark.parametrize(("permutations", "known"), [(18, False), (19, True)])
def test_too_few_permutations_have_no_quantile(permutations: int, known: bool) -> None:
    codes = np.arange(40) % 2
    found = linear_probe.probe(noise(40, 3), names(codes), alone(40), permutations=permutations)
    bounds = (found.low, found.high, found.detectable)
    assert [value is not None for value in bounds] == [known] * 3


def test_no_p_is_less_than_the_least() -> None:
    codes = np.arange(60) % 2
    features = codes[:, None] * 9 + noise(60, 3)
    found = linear_probe.probe(features, names(codes), alone(60), permutations=99)
    assert found.p == found.least_p == 0.01
    # Ten patients can be arranged in 252 ways.
    few = linear_probe.probe(features[:10], names(codes[:10]), alone(10), permutations=9999)
    assert few.least_p == pytest.approx(1 / 252, abs=1e-6)
    assert few.p >= few.least_p


def test_a_patient_with_many_images_counts_once() -> None:
    """One patient with 60 images of the other value does not change what the others show."""
    codes = np.arange(40) % 2
    features = codes[:, None] * 9 + noise(40, 3)
    odd = np.concatenate([features, np.full((60, 3), 9) + noise(60, 3, 1)])
    values = [*names(codes), *["v0"] * 60]
    patients = np.concatenate([alone(40), np.full(60, 40)])
    found = linear_probe.probe(odd, values, patients, permutations=19)
    assert found.balanced_accuracy == pytest.approx((20 / 21 + 1) / 2, abs=0.01)


# --- its parts ------------------------------------------------------------------------------------


def test_one_long_value_does_not_make_all_of_them_long() -> None:
    values = ["a", "b"] * 5000 + ["c" * 1_000_000]
    groups = linear_probe.groups_of(values, values)
    assert len(set(groups)) == 3
    found = linear_probe.probe(noise(10_001, 2), values, alone(10_001), permutations=2)
    assert found.classes == {"a": 5000, "b": 5000}


def test_images_in_common_bind_patients() -> None:
    patients = ["p", "q", "r", "", "", "p"]
    twins = ["", "1", "1", "", "2", "2"]
    found = linear_probe.groups_of(patients, twins)
    assert found.tolist() == [0, 1, 1, 2, 0, 0]


# --- neighbours in the picture --------------------------------------------------------------------


def test_clusters_have_pure_neighbours() -> None:
    codes = np.arange(100) % 2
    points = noise(100, 2) + 100 * codes[:, None]
    assert linear_probe.purity(points, names(codes), alone(100)) == 1


@pytest.mark.parametrize("share", [0.5, 0.1])
def test_by_chance_the_purity_is_one_over_the_values(share: float) -> None:
    codes = (np.arange(1000) % 100 < 100 * share).astype(int)
    found = linear_probe.purity(noise(1000, 2), names(codes), alone(1000))
    assert found == pytest.approx(0.5, abs=0.04)


def test_images_of_the_same_patient_are_no_neighbours() -> None:
    patients = np.repeat(np.arange(40), 15)
    points = noise(40, 2)[patients] + noise(600, 2) / 1000
    codes = np.random.default_rng(1).permutation(np.arange(40) % 2)[patients]
    assert linear_probe.purity(points, names(codes), alone(600)) == 1
    assert linear_probe.purity(points, names(codes), patients) < 0.75


@pytest.mark.parametrize(
    ("values", "patients"),
    [(["a"] * 9, alone(9)), ([""] * 9, alone(9)), (["a", "b", "a"] * 3, np.zeros(9, int))],
    ids=["one value", "no value", "one patient"],
)
def test_without_others_there_is_no_purity(values: list[str], patients: np.ndarray) -> None:
    assert linear_probe.purity(noise(9, 2), values, patients) is None
