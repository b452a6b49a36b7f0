"""Points lie near each other where features do, the same way every time."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from threadpoolctl import threadpool_limits

from cxrtool.stats import projection
from cxrtool.stats.projection import ProjectionSettings

FAST = ProjectionSettings(max_iter=500)


def clusters(each: int = 20, number: int = 3, depth: int = 40, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.normal(0, 5, (number, depth)), each, axis=0)
    found: np.ndarray = (centres + rng.normal(0, 1, centres.shape)).astype(np.float32)
    return found


def test_clusters_stay_apart() -> None:
    points = projection.placed(clusters(), ProjectionSettings()).points.reshape(3, 20, 2)
    middles = points.mean(axis=1)
    spread = np.linalg.norm(points - middles[:, None], axis=2).max()
    apart = min(np.linalg.norm(middles[i] - middles[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert apart > 2 * spread


def test_neighbours_stay_neighbours() -> None:
    # A sheet that is rolled up in twenty dimensions.
    rng = np.random.default_rng(0)
    along, across = rng.uniform(3, 9, 300), rng.uniform(0, 6, 300)
    sheet = np.column_stack([along * np.cos(along), along * np.sin(along), across])
    features = sheet @ np.linalg.qr(rng.normal(size=(20, 3)))[0].T
    points = projection.placed(features, ProjectionSettings(perplexity=20)).points
    assert trustworthiness(features, points, n_neighbors=10) > 0.97


def test_the_same_points_every_time_on_any_number_of_threads() -> None:
    with threadpool_limits(1):
        first = projection.placed(clusters(), FAST)
    with threadpool_limits(2):
        again = projection.placed(clusters(), FAST)
    assert first.points.tobytes() == again.points.tobytes()
    assert first.divergence == again.divergence


def test_the_unit_of_the_features_does_not_matter() -> None:
    first = projection.placed(clusters(), FAST).points
    for factor in (2.0**-40, 2.0**90):
        assert projection.placed(clusters() * np.float32(factor), FAST).points.tolist() == (
            first.tolist()
        )


def test_more_perplexity_than_there_are_neighbours_is_lowered() -> None:
    picture = projection.placed(clusters(4), ProjectionSettings(perplexity=30, max_iter=500))
    assert picture.perplexity == pytest.approx(11 / 3)
    assert picture.notes == ("perplexity 3.67 in place of 30: 12 images are few",)
    assert (
        projection.placed(clusters(4), ProjectionSettings(perplexity=3, max_iter=500)).notes == ()
    )


def test_one_image() -> None:
    picture = projection.placed(np.ones((1, 5), np.float32), FAST)
    assert picture.points.tolist() == [[0, 0]]
    assert picture.notes == ("one image: placed at 0, 0",)
    assert picture.perplexity is None


@pytest.mark.parametrize("value", [0.0, -3.7, 1e30])
def test_images_that_are_all_alike(value: float) -> None:
    features = np.full((9, 5), value, np.float32)
    # What else is in a batch changes the last digit of a network's result.
    features[4] *= 1 + 1e-7
    picture = projection.placed(features, FAST)
    assert picture.points.tolist() == [[0, 0]] * 9
    assert picture.notes == ("the features of all images are alike: placed at 0, 0",)


@pytest.mark.parametrize("number", [2, 3])
def test_two_or_three_images_lie_on_their_principal_components(number: int) -> None:
    features = clusters(1, number)
    picture = projection.placed(features, FAST)
    assert picture.notes == (
        f"{number} images are too few for t-SNE: placed by their principal components",
    )
    real, drawn = (np.linalg.norm(x[:, None] - x[None], axis=2) for x in (features, picture.points))
    np.testing.assert_allclose(drawn, real * drawn[0, 1] / real[0, 1], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("number", [4, 5, 7, 30])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_few_images_and_few_features(number: int, depth: int) -> None:
    features = np.random.default_rng(0).normal(size=(number, depth))
    points = projection.placed(features, FAST).points
    assert points.shape == (number, 2)
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == number


def test_a_feature_that_orders_images_alone_orders_their_points() -> None:
    features = np.repeat([0.0, 100.0], 20)[:, None] + np.random.default_rng(0).normal(size=(40, 1))
    points = projection.placed(features, ProjectionSettings(perplexity=5)).points
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    np.fill_diagonal(distances, np.inf)
    assert ((distances.argmin(axis=1) < 20) == (np.arange(40) < 20)).all()


def test_the_same_image_many_times() -> None:
    features = np.repeat(clusters(2), 8, axis=0)
    points = projection.placed(features, FAST).points
    assert np.isfinite(points).all()


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_is_refused(wrong: float) -> None:
    features = clusters()
    features[3, 4] = wrong
    with pytest.raises(ValueError, match="finite"):
        projection.placed(features, FAST)


@pytest.mark.parametrize("shape", [(0, 4), (4,)])
def test_wrong_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="shape"):
        projection.placed(np.zeros(shape), FAST)


def test_all_dimensions_or_some() -> None:
    whole = projection.placed(clusters(), ProjectionSettings(pca=0, max_iter=500)).points
    few = projection.placed(clusters(), ProjectionSettings(pca=2, max_iter=500)).points
    enough = projection.placed(clusters(), ProjectionSettings(pca=59, max_iter=500)).points
    assert not np.array_equal(whole, few)
    assert np.array_equal(whole, enough)


# --- principal components -------------------------------------------------------------------------


def test_components_are_those_of_the_singular_value_decomposition() -> None:
    features = clusters().astype(np.float64)
    left, sizes, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    expected = left[:, :5] * sizes[:5]
    expected /= expected[:, 0].std()
    found = projection.components(features, 5)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)


def test_components_without_a_limit_keep_all_distances() -> None:
    features = clusters()
    found = projection.components(features, 0)
    real, kept = (np.linalg.norm(x[:, None] - x[None], axis=2) for x in (features, found))
    np.testing.assert_allclose(kept, real * kept[0, 1] / real[0, 1], rtol=1e-3, atol=1e-4)


def test_rounding_is_no_component() -> None:
    plane = np.random.default_rng(0).normal(size=(30, 2)) @ clusters(1, 2)
    assert projection.components(plane, 10).shape == (30, 2)
