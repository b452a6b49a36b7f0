"""FIt-SNE places many points as t-SNE does, the same way every time, and only where it is asked."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from test_projection import clusters
from threadpoolctl import threadpool_limits

from cxrtool.stats import fft_tsne, projection
from cxrtool.stats.projection import ProjectionSettings

FAST = ProjectionSettings(max_iter=500, method="fft")


@pytest.fixture
def package() -> None:
    pytest.importorskip("openTSNE", reason="pip install 'cxrtool[tsne]'")


def exact_divergence(scores: np.ndarray, points: np.ndarray, perplexity: float) -> float:
    """Return the Kullback-Leibler divergence of all pairs, by the definition (float64)."""
    squares = ((scores[:, None] - scores[None]) ** 2).sum(axis=2).astype(np.float64)
    np.fill_diagonal(squares, np.inf)
    near = np.zeros_like(squares)
    for row, distances in zip(near, squares, strict=True):
        least, most = 0.0, np.inf
        beta = 1.0
        for _ in range(200):
            row[:] = np.exp(-(distances - distances.min()) * beta)
            row /= row.sum()
            entropy = -(row[row > 0] * np.log(row[row > 0])).sum()
            if entropy > np.log(perplexity):
                least, beta = beta, beta * 2 if most == np.inf else (beta + most) / 2
            else:
                most, beta = beta, (beta + least) / 2
    p = (near + near.T) / (2 * len(near))
    q = 1 / (1 + ((points[:, None] - points[None]) ** 2).sum(axis=2))
    np.fill_diagonal(q, 0)
    q /= q.sum()
    there = p > 0
    return float((p[there] * np.log(p[there] / q[there])).sum())


@pytest.mark.slow
def test_clusters_stay_apart_as_near_to_the_exact_figure_as_by_barnes_hut(package: None) -> None:
    features = clusters(50)
    scores = projection.components(features, 50)
    picture = projection.placed(features, FAST)
    points = picture.points.reshape(3, 50, 2)
    middles = points.mean(axis=1)
    spread = np.linalg.norm(points - middles[:, None], axis=2).max()
    apart = min(np.linalg.norm(middles[i] - middles[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert apart > 2 * spread
    usual = projection.placed(features, ProjectionSettings(max_iter=500)).points
    ours, theirs = (exact_divergence(scores, found, 30) for found in (picture.points, usual))
    assert ours < 1.1 * theirs
    assert picture.divergence == pytest.approx(ours, rel=0.1)


@pytest.mark.slow
def test_the_same_points_every_time_on_any_number_of_threads(package: None) -> None:
    # So many that their neighbours are found by random trees.
    features = clusters(350)
    with threadpool_limits(1):
        first = projection.placed(features, FAST)
    with threadpool_limits(2):
        again = projection.placed(features, FAST)
    assert first.points.tobytes() == again.points.tobytes()
    assert first.divergence == again.divergence
    assert trustworthiness(features, first.points, n_neighbors=10) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(("number", "depth"), [(4, 2), (5, 1), (30, 3)])
def test_few_images_and_few_features(number: int, depth: int, package: None) -> None:
    features = np.random.default_rng(0).normal(size=(number, depth))
    points = projection.placed(features, FAST).points
    assert np.isfinite(points).all()
    assert len(np.unique(points, axis=0)) == number


@pytest.mark.slow
def test_the_same_image_many_times(package: None) -> None:
    points = projection.placed(np.repeat(clusters(2), 8, axis=0), FAST).points
    assert np.isfinite(points).all()


@pytest.mark.parametrize(
    ("method", "number", "installed", "expected"),
    [
        ("auto", 10_000, True, False),
        ("auto", 10_001, True, True),
        ("auto", 10_001, False, False),
        ("barnes-hut", 10_001, True, False),
        ("fft", 10, True, True),
    ],
)
def test_the_number_of_points_chooses(
    method: str, number: int, installed: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fft_tsne, "installed", lambda: installed)
    assert projection.uses_fft(method, number) is expected


@pytest.mark.slow
def test_many_points_are_placed_by_it_and_a_note_says_so(
    package: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = clusters()
    usual = ProjectionSettings(perplexity=15, max_iter=500)
    few = projection.placed(features, usual)
    assert few.notes == ()
    monkeypatch.setattr(projection, "MOST_BARNES_HUT", 59)
    many = projection.placed(features, usual)
    assert many.notes == (f"60 points placed by FIt-SNE (openTSNE {fft_tsne.version()})",)
    assert many.points.tolist() != few.points.tolist()
    assert many.points.tolist() == projection.placed(features, usual).points.tolist()
