"""Groups of images that are the same picture: by digest, or by hash and proved on the pixels."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrtool import hashing

# Reads the thumbnails of images again: of (number, whether its central square), in that order.
Thumbnails = Callable[[Sequence[tuple[int, bool]]], Iterator["NDArray[Any] | None"]]


def groups(
    digests: Sequence[str], hashes: Sequence[str], squares: Sequence[str], thumbnails: Thumbnails
) -> list[str]:
    """Name the duplicate group of each image; empty for a picture that is there once.

    Collections cut each other's images to squares, so that an image is looked for both whole and
    by its central square: 76 images of one public collection are found in another only so.

    Parameters
    ----------
    digests, hashes, squares
        SHA-256, difference hash, and difference hash of the central square of each image, in
        hex; the last is empty for an image that is a square.
    thumbnails
        Reads thumbnails again.

    Returns
    -------
    A name a group: `d` and the beginning of its lowest digest, so that it is the same in any
    manifest that has the same pictures.
    """
    first: dict[str, int] = {}
    same = [(first.setdefault(d, i), i) for i, d in enumerate(digests)]
    exact = np.array([p for p in same if p[0] != p[1]], np.int64).reshape(-1, 2)
    looks = [(i, False) for i in first.values()] + [(i, True) for i in first.values() if squares[i]]
    hashed = [squares[i] if square else hashes[i] for i, square in looks]
    packed = np.frombuffer(bytes.fromhex("".join(hashed)), np.uint8).reshape(-1, 32)
    candidates = [(looks[i], looks[j]) for i, j in hashing.near(packed).tolist()]
    near = _proved([c for c in candidates if c[0][0] != c[1][0]], thumbnails)
    return _named(hashing.components(len(digests), np.concatenate([exact, near])), digests)


def _proved(
    candidates: list[tuple[tuple[int, bool], tuple[int, bool]]], thumbnails: Thumbnails
) -> NDArray[np.int64]:
    """Keep the pairs whose pixels agree."""
    needed = sorted({look for pair in candidates for look in pair})
    known = dict(zip(needed, thumbnails(needed), strict=True))
    kept = [(a[0], b[0]) for a, b in candidates if _same(known[a], known[b])]
    return np.array(kept, np.int64).reshape(-1, 2)


def _same(a: "NDArray[Any] | None", b: "NDArray[Any] | None") -> bool:
    if a is None or b is None:
        return False
    # The plain correlation is a hundred times cheaper, and most copies pass it.
    return (
        hashing.correlation(a, b) > hashing.CORRELATION
        or hashing.registered(a, b) > hashing.CORRELATION
    )


def _named(component: NDArray[np.int64], digests: Sequence[str]) -> list[str]:
    size = np.bincount(component, minlength=len(digests))
    lowest: dict[int, str] = {}
    for c, digest in zip(component.tolist(), digests, strict=True):
        lowest[c] = min(lowest.get(c, digest), digest)
    return [f"d{lowest[c][:12]}" if size[c] > 1 else "" for c in component.tolist()]
