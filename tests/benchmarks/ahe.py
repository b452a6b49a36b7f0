"""Compare `cxrtool.preprocess.equalizers.ahe` with scikit-image's rank filter, on one core.

    python tests/benchmarks/ahe.py [IMAGE [SIDE ...]]

IMAGE is a real radiograph; without it a phantom under noise serves. The two are timed in turn,
best of several. Beyond 8 bits scikit-image is slow and not the same, so only ours is timed.
"""

import sys
import time

import cv2
import numpy as np
from skimage.filters import rank
from skimage.morphology import disk

from cxrtool.phantoms import plan, render
from cxrtool.preprocess.equalizers import ahe

SIDES = (512, 1024, 2048)
RADII = (10, 20, 40, 80)
REPEATS = 3


def load(arguments):
    if arguments:
        return cv2.imread(arguments[0], cv2.IMREAD_GRAYSCALE)
    small = render(plan(1)[0], 256).image.astype(np.float32)
    large = cv2.resize(small, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 4, large.shape)
    return np.clip(large + noise, 0, 255).astype(np.uint8)


def seconds(*works):
    """Time some works in turn, so that a slow moment of the machine hits all alike."""
    taken = [[] for _ in works]
    for _ in range(REPEATS):
        for times, work in zip(taken, works, strict=True):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
    return [min(times) for times in taken]


def deepen(image, bits):
    """Fill the levels of more bits with noise, as a detector does."""
    noise = np.random.default_rng(0).uniform(-1, 1, image.shape)
    high = 2**bits - 1
    return np.clip((image + noise) * high / 255, 0, high).astype(np.uint16)


def main():
    cv2.setNumThreads(1)
    original = load(sys.argv[1:])
    print(f"{'pixels':>6} {'disk':>4} {'bits':>4} {'scikit ms':>9} {'ahe ms':>8} {'faster':>6}")
    for side in [int(a) for a in sys.argv[2:]] or SIDES:
        image = cv2.resize(original, (side, side), interpolation=cv2.INTER_AREA)
        for radius in RADII:
            area = disk(radius)
            assert (rank.equalize(image, area) == ahe.equalize(image, disk=radius)).all()
            theirs, ours = seconds(
                lambda x=image, a=area: rank.equalize(x, a),
                lambda x=image, r=radius: ahe.equalize(x, disk=r),
            )
            print(f"{side:>6} {radius:>4} {8:>4} {1000 * theirs:>9.0f}", end=" ")
            print(f"{1000 * ours:>8.0f} {theirs / ours:>5.2f}x")
        for bits in (12, 16):
            deep = deepen(image, bits)
            (ours,) = seconds(lambda x=deep: ahe.equalize(x, 16))
            print(f"{side:>6} {40:>4} {bits:>4} {'':>9} {1000 * ours:>8.0f}")


if __name__ == "__main__":
    main()
