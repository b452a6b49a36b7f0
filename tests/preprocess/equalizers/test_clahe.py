"""CLAHE is OpenCV's at every size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from cxrtool.preprocess.equalizers.clahe import equalize

SIZES = [(317, 401), (320, 401), (401, 320), (320, 320), (9, 9), (16, 8), (65, 127)]


def rough(shape: tuple[int, int]) -> np.ndarray:
    random = np.random.default_rng(shape[0])
    wide = cv2.GaussianBlur(random.random(shape).astype(np.float32), (0, 0), 5)
    return cv2.normalize(wide, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)


def by_the_book(grey: np.ndarray, clip: float, tiles: int) -> np.ndarray:
    """Spec 2.3, step by step."""
    height, width = grey.shape
    padded = grey
    if height % tiles or width % tiles:
        pad = (0, tiles - height % tiles), (0, tiles - width % tiles)
        padded = np.pad(grey, pad, "reflect")
    h, w = padded.shape[0] // tiles, padded.shape[1] // tiles
    limit = max(1, int(clip * h * w / 256))
    tables = np.empty((tiles, tiles, 256))
    for i in range(tiles):
        for j in range(tiles):
            tile = padded[i * h : (i + 1) * h, j * w : (j + 1) * w]
            counts = np.bincount(tile.ravel(), minlength=256)
            excess = int(np.maximum(counts - limit, 0).sum())
            counts = np.minimum(counts, limit) + excess // 256
            rest = excess % 256
            if rest:
                counts[: rest * max(1, 256 // rest) : max(1, 256 // rest)] += 1
            tables[i, j] = np.rint(np.cumsum(counts) * (255 / (h * w))).clip(0, 255)
    y, x = np.arange(height) / h - 0.5, np.arange(width) / w - 0.5
    result = np.zeros(grey.shape)
    for down in (0, 1):
        for right in (0, 1):
            i, j = np.floor(y).astype(int), np.floor(x).astype(int)
            share_y = (y - i) if down else 1 - (y - i)
            share_x = (x - j) if right else 1 - (x - j)
            i, j = np.clip(i + down, 0, tiles - 1), np.clip(j + right, 0, tiles - 1)
            result += tables[i[:, None], j[None, :], grey] * np.outer(share_y, share_x)
    return np.rint(result)


@pytest.mark.parametrize("shape", SIZES, ids=str)
@pytest.mark.parametrize("clip, tiles", [(2.0, 8), (6.0, 8), (0.0, 8), (1.0, 3)])
def test_it_is_opencvs(shape: tuple[int, int], clip: float, tiles: int) -> None:
    grey = rough(shape)
    other = cv2.createCLAHE(clip, (tiles, tiles)).apply(grey)
    np.testing.assert_array_equal(equalize(grey, clip=clip, tiles=tiles), other)


@pytest.mark.parametrize("shape", SIZES[:4], ids=str)
def test_it_is_the_algorithm_within_a_level(shape: tuple[int, int]) -> None:
    grey = rough(shape)
    away = np.abs(equalize(grey) - by_the_book(grey, 2.0, 8))
    assert away.max() <= 1
    assert (away == 0).mean() > 0.99


def test_12_bits_are_spread_before_the_limit() -> None:
    grey = rough((100, 100)).astype(np.uint16) * 16
    assert equalize(grey).std() > 0.9 * equalize(rough((100, 100))).std()
    deep = equalize(grey, 16)
    assert deep.dtype == np.uint16
    assert np.ptp(deep.astype(int)) > 40000
