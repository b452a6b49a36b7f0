"""Groups of images that are the same picture: exact by digest, near by hash and proved on pixels."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from cxrtool import hashing

Thumbnails = Callable[[Sequence[int]], Iterator["NDArray[np.generic] | None"]]


def groups(digests: Sequence[str], hashes: Sequence[str], thumbnails: Thumbnails) -> list[str]:
    """Name the duplicate group of each image; empty for a picture that is there once.

    Parameters
    ----------
    digests, hashes
        SHA-256 and difference hash of each image, in hex.
    thumbnails
        Reads the thumbnails of the images of some numbers again, in that order.

    Returns
    -------
    A name a group: `d` and the beginning of its lowest digest, so that it is the same in any
    manifest that has the same pictures.
    """
    first: dict[str, int] = {}
    same = [(first.setdefault(d, i), i) for i, d in enumerate(digests)]
    exact = np.array([p for p in same if p[0] != p[1]], np.int64).reshape(-1, 2)
    distinct = np.array(list(first.values()), np.int64)
    packed = np.frombuffer(bytes.fromhex("".join(hashes[i] for i in distinct)), np.uint8)
    candidates = distinct[hashing.near(packed.reshape(-1, 32))]
    pairs = np.concatenate([exact, _proved(candidates, thumbnails)])
    return _named(hashing.components(len(digests), pairs), digests)


def _proved(candidates: NDArray[np.int64], thumbnails: Thumbnails) -> NDArray[np.int64]:
    """Keep the pairs whose pixels agree."""
    needed = np.unique(candidates).tolist()
    known = dict(zip(needed, thumbnails(needed), strict=True))
    kept = [p for p in candidates.tolist() if _same(known[p[0]], known[p[1]])]
    return np.array(kept, np.int64).reshape(-1, 2)


def _same(a: "NDArray[np.generic] | None", b: "NDArray[np.generic] | None") -> bool:
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
