"""Measure the search for altered copies: recall by kind of change, false pairs, margins, time.

    python tests/benchmarks/duplicates.py [FOLDER] [--copies N] [--sheet FILE.png] [--large N ...]

FOLDER holds radiographs, at any depth; folders named `masks` are passed over. Without it, phantoms
of as many patients are drawn, which are more alike than radiographs are. --sheet draws the pairs
whose proof was closest, on either side of the limit, to be judged by eye. --large times the search
among so many fingerprints, as alike as those of the images, and counts what its cells miss.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
import changes
from in_memory import Collection

from cxrtool.core.errors import Unreadable
from cxrtool.data import duplicate_candidates, duplicates
from cxrtool.data.thumbnails import Thumbnails
from cxrtool.files.image import read
from cxrtool.images import duplicate_proof, fingerprints
from cxrtool.phantoms import plan, render

PHANTOMS = 600
LARGEST = 1024  # Longer sides are reduced to this, which saves memory.
SHOWN = 12  # pairs on a sheet, on either side of the limit

Image = NDArray[np.uint8]


def images_of(folder: str) -> tuple[list[str], list[Image]]:
    """Read the radiographs below a folder."""
    names, images = [], []
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and "masks" not in path.parts:
            try:
                grey = read(path).grey
            except Unreadable:
                continue
            grey = grey if grey.dtype == np.uint8 else (grey >> 8).astype(np.uint8)
            scale = min(1, LARGEST / max(grey.shape))
            if scale < 1:
                grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            names.append(str(path.relative_to(folder)))
            images.append(grey)
    return names, images


def drawn() -> tuple[list[str], list[Image]]:
    """Draw phantoms, one of each patient."""
    cases = plan(PHANTOMS, per_patient=1)
    return [case.patient for case in cases], [render(case, 256).image for case in cases]


def margins(names: list[str], images: list[Image], kept: Collection, sheet: str) -> None:
    """Print the proofs of all candidates in a collection as it is."""
    _, hashes, squares, prints = kept.arrays()
    found = np.concatenate(
        [duplicates.near_hashes(hashes, squares), duplicate_candidates.candidates(prints)]
    )
    pairs = np.sort(np.column_stack([found["first"], found["second"]]), axis=1)
    found = found[np.unique(pairs, axis=0, return_index=True)[1]]
    thumbnails = Thumbnails(kept.read)
    thumbnails.load(np.arange(len(kept)))
    sides = duplicates._sides(found, fingerprints.aspects(prints), thumbnails)
    results = np.array([duplicate_proof.compared(*pair) for pair in sides if pair]).reshape(-1, 2)
    likeness, unmoved = results[:, 0], results[:, 1] <= duplicate_proof.UNMOVED
    same = likeness > np.where(unmoved, duplicate_proof.DETAIL_UNMOVED, duplicate_proof.DETAIL)
    print(f"{len(images) * (len(images) - 1) // 2} pairs, {len(found)} candidates, ", end="")
    print(f"{same.sum()} proved")
    for name, some, limit in (
        ("unmoved", unmoved, duplicate_proof.DETAIL_UNMOVED),
        ("moved", ~unmoved, duplicate_proof.DETAIL),
    ):
        least = likeness[some & same].min(initial=1)
        most = likeness[some & ~same].max(initial=-1)
        print(
            f"  {name:8} limit {limit:.2f}: the least proved {least:.3f}, the most not {most:.3f}"
        )
    order = np.argsort(-likeness)
    edge = int(same.sum())
    close = [k for k in order if same[k]][-SHOWN:] + [k for k in order if not same[k]][:SHOWN]
    for k in close if sheet else ():
        one, other = names[found["first"][k]], names[found["second"][k]]
        print(f"  {'same ' if same[k] else 'other'} {likeness[k]:.3f} {one} {other}")
    if sheet:
        tiles = [side_by_side(images[found["first"][k]], images[found["second"][k]]) for k in close]
        cv2.imwrite(sheet, np.vstack(tiles))
        print(f"{sheet}: the last {min(SHOWN, edge)} proved and the first {SHOWN} not, downwards")


def side_by_side(first: Image, second: Image, size: int = 384) -> Image:
    tile = np.zeros((size + 8, 2 * size + 8), np.uint8)
    for left, image in ((0, first), (size + 8, second)):
        scale = size / max(image.shape)
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        tile[: small.shape[0], left : left + small.shape[1]] = small[:size, :size]
    return tile


def recall(images: list[Image], kept: Collection, count: int) -> None:
    """Print which copies of some images are found, one kind of change after another."""
    random = np.random.default_rng(0)
    chosen = random.permutation(len(images))[:count]
    before = kept.groups()
    print(f"\n{len(chosen)} copies each, beside {len(images)} images")
    print(f"{'change':24}{'candidates':>11}{'found':>8}{'false':>7}")
    for name, change in changes.CHANGES.items():
        copies = Collection(change(images[i], random) for i in chosen)
        both = kept.joined(copies)
        after = both.groups()
        sieved = candidates_of(both, chosen, len(images))
        found = [after[i] == after[len(images) + k] != "" for k, i in enumerate(chosen)]
        false = strange(before, after, chosen)
        print(f"{name:24}{np.mean(sieved):11.1%}{np.mean(found):8.1%}{false:7}", flush=True)


def candidates_of(both: Collection, chosen: NDArray[np.int64], n: int) -> list[bool]:
    _, hashes, squares, prints = both.arrays()
    found = np.concatenate(
        [duplicates.near_hashes(hashes, squares), duplicate_candidates.candidates(prints)]
    )
    pairs = {frozenset(pair) for pair in zip(found["first"], found["second"], strict=True)}
    return [frozenset((i, n + k)) in pairs for k, i in enumerate(chosen)]


def strange(before: list[str], after: list[str], chosen: NDArray[np.int64]) -> int:
    """Count images that are in one group by a change, though neither was nor is its copy."""
    origin = [*range(len(before)), *chosen.tolist()]
    members: dict[str, set[int]] = {}
    for i, group in zip(origin, after, strict=True):
        members.setdefault(group, set()).add(i)
    members.pop("", None)
    return sum(len({before[i] or i for i in group}) - 1 for group in members.values())


def alike(kept: Collection, n: int) -> NDArray[np.uint8]:
    """Make fingerprints as alike as a collection's: of blends of two images, a little moved."""
    random = np.random.default_rng(1)
    half = [
        fingerprints.halved(cv2.imdecode(np.frombuffer(t, np.uint8), 0)) for t in kept.thumbnails
    ]
    made = bytearray()
    for _ in range(n):
        (i, j), share = random.integers(0, len(half), 2), random.uniform(0.7, 1)
        turn = cv2.getRotationMatrix2D((32, 32), random.uniform(-3, 3), random.uniform(0.95, 1.1))
        turn[:, 2] += random.uniform(-2.5, 2.5, 2)
        blend = share * half[i] + (1 - share) * half[j]
        blend = cv2.warpAffine(blend, turn, (64, 64), borderMode=cv2.BORDER_REPLICATE)
        picture = fingerprints.ranked(np.repeat(np.repeat(blend, 2, 0), 2, 1))
        made += fingerprints.packed(fingerprints.encode(picture, (1, 1)))
    return np.frombuffer(bytes(made), np.uint8).reshape(n, -1)


def large(kept: Collection, sizes: list[int]) -> None:
    """Print the time of the search."""
    print("\nfingerprints      seconds  candidates")
    for n in sizes:
        prints = alike(kept, n)
        start, busy = time.perf_counter(), time.process_time()
        found = duplicate_candidates.candidates(prints)
        took, busy = time.perf_counter() - start, time.process_time() - busy
        print(f"{n:12}{took:13.1f}{len(found):12}  ({busy:.1f} s of processor)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--copies", type=int, default=120)
    parser.add_argument("--sheet", default="")
    parser.add_argument("--large", type=int, nargs="*", default=[])
    options = parser.parse_args()
    cv2.setNumThreads(1)
    names, images = images_of(options.folder) if options.folder else drawn()
    kept = Collection(images)
    start = time.process_time()
    groups = kept.groups()
    took = time.process_time() - start
    print(f"{len(images)} images, {len(set(groups) - {''})} groups, {took:.1f} s of processor")
    margins(names, images, kept, options.sheet)
    recall(images, kept, options.copies)
    large(kept, options.large)


if __name__ == "__main__":
    main()
