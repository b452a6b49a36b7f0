"""Print how many phantoms one core draws in a second, by size."""

import time

import cv2

from cxrtool.phantoms import plan, render

SIZES = (64, 128, 256, 512, 1024)
SECONDS = 2.0  # how long to draw at each size


def rate(size: int) -> float:
    """Return images a second, after a few to warm up."""
    cases = plan(1000)
    for case in cases[:5]:
        render(case, size)
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        render(cases[done % len(cases)], size)
        done += 1
    return done / (time.perf_counter() - start)


def main() -> None:
    cv2.setNumThreads(1)
    print(f"{'pixels':>6} {'images/s':>9} {'ms/image':>9}")
    for size in SIZES:
        images = rate(size)
        print(f"{size:>6} {images:>9.0f} {1000 / images:>9.2f}")


if __name__ == "__main__":
    main()
