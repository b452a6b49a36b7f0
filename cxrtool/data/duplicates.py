"""Groups of images that are the same picture: by digest, or by hash and proved on the pixels."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrtool.images import hashing
from cxrtool.images.hashing import Hashes

# Reads the thumbnails of images again: of (number, whether its central square), in that order.
Thumbnails = Callable[[Sequence[tuple[int, bool]]], Iterator["NDArray[Any] | None"]]


def groups(
    digests: Hashes,
    hashes: Hashes,
    squares: Hashes,
    thumbnails: Thumbnails,
    before: Sequence[str] = (),
) -> dict[int, str]:
    """Name the duplicate group of each image that has one.

    Collections cut each other's images to squares, so that an image is looked for both whole and
    by its central square: 76 images of one public collection are found in another only so.

    Parameters
    ----------
    digests, hashes, squares
        SHA-256, difference hash, and difference hash of the central square of each image, 32
        bytes a row; the last is zero for an image that is a square.
    thumbnails
        Reads thumbnails again.
    before
        Groups that were found before, a name an image; empty for none.

    Returns
    -------
    The number of an image and the name of its group: `d` and the beginning of the group's lowest
    digest, so that it is the same in any manifest that has the same pictures.
    """
    if not len(digests):
        return {}
    _, first, same = np.unique(digests, axis=0, return_index=True, return_inverse=True)
    twins = np.column_stack([first[same.ravel()], np.arange(len(digests))])
    first = np.sort(first)
    oblong = first[squares[first].any(axis=1)]
    # Looks at images: first the whole ones, then the squares.
    image = np.concatenate([first, oblong])
    pairs = hashing.near(np.concatenate([hashes[first], squares[oblong]]))
    pairs = pairs[image[pairs[:, 0]] != image[pairs[:, 1]]]
    looks = [(i, k >= len(first)) for k, i in enumerate(image.tolist())]
    near = _proved([(looks[a], looks[b]) for a, b in pairs.tolist()], thumbnails)
    exact = twins[twins[:, 0] != twins[:, 1]]
    pairs = np.concatenate([exact, near, _kept(before)])
    return _named(hashing.components(len(digests), pairs), digests)


def _kept(before: Sequence[str]) -> NDArray[np.int64]:
    first: dict[str, int] = {}
    pairs = [(first.setdefault(name, i), i) for i, name in enumerate(before) if name]
    return np.array(pairs, np.int64).reshape(-1, 2)


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


def _named(component: NDArray[np.int64], digests: Hashes) -> dict[int, str]:
    members = np.flatnonzero(np.bincount(component, minlength=len(component))[component] > 1)
    digest = {i: digests[i].tobytes().hex() for i in members.tolist()}
    lowest: dict[int, str] = {}
    for i in members.tolist():
        c = int(component[i])
        lowest[c] = min(lowest.get(c, digest[i]), digest[i])
    return {i: f"d{lowest[int(component[i])][:12]}" for i in members.tolist()}
