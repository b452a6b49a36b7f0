"""Measure the search for near difference hashes (`cxrtool.data.hamming`).

Example: python tests/benchmarks/hashing.py [FOLDER [N ...]]

FOLDER holds real images, at any depth; without it drawn ones do, whose figures say little of
radiographs. N are the numbers of hashes to search (100000 by default; a million takes minutes).
"""

import sys
import time
from pathlib import Path

import cv2
import numpy as np

from cxrtool.data import hamming
from cxrtool.images import hashing


def drawn(n=300):
    """Draw smooth random pictures."""
    noise = np.random.default_rng(0).normal(size=(n, 9, 9)).astype(np.float32)
    large = (cv2.resize(x, (300, 280), interpolation=cv2.INTER_CUBIC) for x in noise)
    return [np.uint8(np.clip(128 + 45 * x, 0, 255)) for x in large]


def read(folder):
    """Read the grey images below a folder that are in a subfolder of the name `images`."""
    paths = sorted(p for p in Path(folder).rglob("images/*") if p.is_file())
    images = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in paths]
    return [image for image in images if image is not None]


def alike(images, n):
    """Make hashes whose distances are distributed as those of the images: warped blends of two."""
    rng = np.random.default_rng(1)
    small = np.array([hashing.thumbnail(image) for image in images]).astype(np.float32)
    small -= small.mean(axis=(1, 2), keepdims=True)
    small /= np.maximum(small.std(axis=(1, 2), keepdims=True), 1e-6)

    def warped(index):
        turn = cv2.getRotationMatrix2D((32, 32), rng.uniform(-3, 3), rng.uniform(0.92, 1.1))
        turn[:, 2] += rng.uniform(-2.5, 2.5, 2)
        return cv2.warpAffine(small[index], turn, (64, 64), borderMode=cv2.BORDER_REPLICATE)

    made = np.empty((n, 32), np.uint8)
    for row in range(n):
        (i, j), share = rng.integers(0, len(small), 2), rng.uniform(0.8, 1)
        blend = share * warped(i) + (1 - share) * warped(j)
        made[row] = np.frombuffer(bytes.fromhex(hashing.dhash(blend)), np.uint8)
    return made


def uniform(n):
    """Make random hashes, a hundredth of them with a near one."""
    rng = np.random.default_rng(0)
    made = rng.integers(0, 256, (n, 32), np.uint8)
    count = n // 100
    flips = rng.random((count, 256)) < 0.05
    made[-count:] = made[:count] ^ np.packbits(flips, axis=1)
    return made


def brute(hashes, step=64):
    """Count the near pairs by comparing all with all."""
    words, total = hashes.view(np.uint64), 0
    for top in range(0, len(words), step):
        differ = np.bitwise_count(words[top : top + step, np.newaxis] ^ words[np.newaxis, top:])
        near = differ.sum(axis=2, dtype=np.uint16) <= hamming.DISTANCE
        total += int(np.triu(near, 1).sum())
    return total


def search(images, sizes):
    """Print the time of the search, and of brute force on a part of the smallest."""
    print("\nhashes       number     pairs  seconds")
    for n in sizes:
        for name, made in [("uniform", uniform(n)), ("alike", alike(images, n))]:
            start = time.perf_counter()
            pairs = sum(len(block) for block in hamming.near_blocks(made))
            print(f"{name:9}{n:10}{pairs:10}{time.perf_counter() - start:9.2f}", flush=True)
    part = made[:10_000]
    start = time.perf_counter()
    pairs = brute(part)
    print(f"{'brute':9}{len(part):10}{pairs:10}{time.perf_counter() - start:9.2f}")


def main(folder=None, *sizes):
    """Print the table."""
    cv2.setNumThreads(1)
    images = read(folder) if folder else drawn()
    search(images, [int(size) for size in sizes] or [100_000])


if __name__ == "__main__":
    main(*sys.argv[1:])
