"""Measure the sieve, the proof and the search of `cxrtool.images.hashing`.

Example: python tests/benchmarks/hashing.py [FOLDER [N ...]]

FOLDER holds real images, at any depth; without it drawn ones do, whose figures say little of
radiographs. N are the numbers of hashes to search (100000 by default; a million takes minutes).
"""

import sys
import time
from pathlib import Path

import cv2
import numpy as np

from cxrtool.images import hashing

DISTANCES = (8, 12, 16, 20, 24, 28, 32, 36, 40)


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


def dct(image):
    """Return the customary 64-bit DCT hash as booleans, for comparison."""
    small = cv2.resize(image, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8]
    return (low > np.median(low)).ravel()


def bits(image):
    """Return the difference hash as booleans."""
    packed = np.frombuffer(bytes.fromhex(hashing.dhash(image)), np.uint8)
    return np.unpackbits(packed).astype(bool)


def distances(flags):
    """Return the Hamming distances of all pairs, as a square with 999 below the diagonal."""
    signs = flags.astype(np.float32) * 2 - 1
    square = np.rint((flags.shape[1] - signs @ signs.T) / 2).astype(int)
    square[np.tril_indices(len(square))] = 999
    return square


def jpeg(image, quality):
    """Compress and decompress."""
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], 0)


def stretch(image):
    """Stretch the contrast between the percentiles 1 and 99."""
    low, high = np.percentile(image, [1, 99])
    return np.uint8(np.clip((image - low) / max(high - low, 1), 0, 1) * 255)


def crop(image, share):
    """Cut a share of the sides off each of them."""
    rows, columns = (max(1, round(side * share)) for side in image.shape)
    return image[rows:-rows, columns:-columns].copy()


COPIES = {
    "JPEG 40": lambda x: jpeg(x, 40),
    "JPEG 60": lambda x: jpeg(x, 60),
    "half size": lambda x: cv2.resize(x, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "224 x 224": lambda x: cv2.resize(x, (224, 224), interpolation=cv2.INTER_AREA),
    "gamma 0.8": lambda x: np.uint8(255 * (x / 255) ** 0.8),
    "gamma 1.25": lambda x: np.uint8(255 * (x / 255) ** 1.25),
    "stretched": stretch,
    "16 bit": lambda x: x.astype(np.uint16) * 16 + 37,
    "equalized": cv2.equalizeHist,
    "crop 1 %": lambda x: crop(x, 0.01),
    "crop 2 %": lambda x: crop(x, 0.02),
    "frame 4 px": lambda x: cv2.copyMakeBorder(x, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=0),
}


def sieve(images):
    """Print the candidates of each distance, and how many the correlations prove."""
    small = [hashing.thumbnail(image) for image in images]
    unit = np.array([x.ravel() for x in small], np.float64)
    unit -= unit.mean(axis=1, keepdims=True)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-9)
    plain = np.triu(unit @ unit.T, 1)
    ours = distances(np.array([bits(image) for image in images]))
    customary = distances(np.array([dct(image) for image in images]))
    proved = np.zeros(plain.shape, bool)
    for i, j in np.argwhere((ours <= 40) | (plain > hashing.CORRELATION)):
        proved[i, j] = hashing.registered(small[i], small[j]) > hashing.CORRELATION
    same = plain > hashing.CORRELATION
    print(f"{len(images)} images; plain correlation proves {same.sum()} pairs, registered", end=" ")
    print(f"{proved.sum()}\n\nhash        distance  candidates  plain  registered")
    for name, square, limits in [
        ("dhash", ours, DISTANCES),
        ("64-bit DCT", customary, (2, 4, 6, 8, 10)),
    ]:
        for limit in limits:
            near = square <= limit
            counts = near.sum(), (near & same).sum(), (near & proved).sum()
            print(f"{name:12}{limit:8}{counts[0]:12}{counts[1]:7}{counts[2]:12}")


def squares(images):
    """Print what the hashes of the central squares add."""
    n = len(images)
    small = [hashing.thumbnail(image) for image in images]
    small += [hashing.thumbnail(hashing.square(image)) for image in images]
    hashes = np.array([np.packbits(bits(image)) for image in small])
    best = {}
    for i, j in hashing.near(hashes):
        a, b = sorted((int(i) % n, int(j) % n))
        if a != b:
            best[a, b] = max(best.get((a, b), -1), hashing.registered(small[i], small[j]))
    proved = sum(value > hashing.CORRELATION for value in best.values())
    print(f"\nwith the central squares: {len(best)} candidates, {proved} proved")


def copies(images, n=400):
    """Print the share of changed copies that is found and that is proved."""
    chosen = np.random.default_rng(0).permutation(len(images))[:n]
    print("\ncopy         <=16   <=20   <=24   <=28  plain  registered")
    for name, change in COPIES.items():
        rows = []
        for index in chosen:
            image, changed = images[index], change(images[index])
            far = np.sum(bits(image) != bits(changed))
            a, b = hashing.thumbnail(image), hashing.thumbnail(changed)
            measures = hashing.correlation(a, b), hashing.registered(a, b)
            rows.append([far <= d for d in (16, 20, 24, 28)] + [m > 0.98 for m in measures])
        print(f"{name:11}" + " ".join(f"{x:6.3f}" for x in np.mean(rows, axis=0)))


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
        near = differ.sum(axis=2, dtype=np.uint16) <= hashing.DISTANCE
        total += int(np.triu(near, 1).sum())
    return total


def search(images, sizes):
    """Print the time of the search, and of brute force on a part of the smallest."""
    print("\nhashes       number     pairs  seconds")
    for n in sizes:
        for name, made in [("uniform", uniform(n)), ("alike", alike(images, n))]:
            start = time.perf_counter()
            pairs = sum(len(block) for block in hashing.near_blocks(made))
            print(f"{name:9}{n:10}{pairs:10}{time.perf_counter() - start:9.2f}", flush=True)
    part = made[:10_000]
    start = time.perf_counter()
    pairs = brute(part)
    print(f"{'brute':9}{len(part):10}{pairs:10}{time.perf_counter() - start:9.2f}")


def speed(images):
    """Print the time per image of 1024 x 1024, and of one that 64 does not divide."""
    print("\nimage                thumbnail + dhash, ms")
    for side in (1024, 1000):
        for dtype in (np.uint8, np.uint16):
            image = cv2.resize(images[0], (side, side)).astype(dtype)
            start = time.perf_counter()
            for _ in range(100):
                hashing.dhash(hashing.thumbnail(image))
            print(f"{side} {dtype.__name__:16}{(time.perf_counter() - start) * 10:8.3f}")


def main(folder=None, *sizes):
    """Print all tables."""
    cv2.setNumThreads(1)
    images = read(folder) if folder else drawn()
    speed(images)
    sieve(images)
    squares(images)
    copies(images)
    search(images, [int(size) for size in sizes] or [100_000])


if __name__ == "__main__":
    main(*sys.argv[1:])
