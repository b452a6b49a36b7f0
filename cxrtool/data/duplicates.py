"""Groups of images that are the same picture: equal files, and altered copies of one another.

Copies are looked for by difference hashes (`hamming`) and by fingerprints (`duplicate_candidates`);
what may be one is proved on the pixels (`duplicate_proof`). Recall and margins:
``tests/benchmarks/duplicates.py``.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from cxrtool.data import duplicate_candidates, hamming
from cxrtool.data.connected_groups import components
from cxrtool.data.duplicate_candidates import Candidates
from cxrtool.data.hamming import Hashes, Index
from cxrtool.data.thumbnails import Thumbnails
from cxrtool.images import duplicate_proof, fingerprints
from cxrtool.images.fingerprints import Prints

# So many candidates an image, and so many more, may fail the proof before the rest is left.
FAILURES, MORE_FAILURES = 2, 1000
_BATCH = 256  # Candidates that are proved before the groups are joined.


def groups(
    digests: Hashes,
    hashes: Hashes,
    squares: Hashes,
    prints: Prints,
    thumbnails: Thumbnails,
    before: Sequence[str] = (),
    jobs: int = 1,
) -> dict[int, str]:
    """Name the duplicate group of each image that has one.

    Parameters
    ----------
    digests, hashes, squares
        SHA-256, difference hash, and difference hash of the central square of each image, 32
        bytes a row; the last is zero for an image that is a square.
    prints
        The packed fingerprint of each image; zeros for none.
    thumbnails
        The thumbnail of an image, by its number.
    before
        Groups that were found before, a name an image; empty for none.
    jobs
        Proofs that are done at a time.

    Returns
    -------
    The number of an image and the name of its group: `d` and the beginning of the group's lowest
    digest, so that it is the same in any manifest that has the same pictures.
    """
    if not len(digests):
        return {}
    first, twins = _equal_files(digests)
    candidates = _candidates(first, hashes, squares, prints)
    thumbnails.load(np.concatenate([candidates["first"], candidates["second"]]))
    group = components(len(digests), np.concatenate([twins, _kept(before)]))
    aspects = fingerprints.aspects(prints)
    return _named(proved(candidates, group, aspects, thumbnails, jobs), digests)


def _equal_files(digests: Hashes) -> tuple[Index, Index]:
    """List the first image of every file, and pair every image with the first of its file."""
    _, first, same = np.unique(digests, axis=0, return_index=True, return_inverse=True)
    return np.sort(first), np.column_stack([first[same.ravel()], np.arange(len(digests))])


def _candidates(first: Index, hashes: Hashes, squares: Hashes, prints: Prints) -> Candidates:
    """List the pairs of different files that may show the same picture."""
    # Where no file occurs twice, nothing is copied.
    once = slice(None) if len(first) == len(hashes) else first
    candidates = np.concatenate(
        [near_hashes(hashes[once], squares[once]), duplicate_candidates.candidates(prints[once])]
    )
    for end in ("first", "second"):
        candidates[end] = first[candidates[end]]
    return candidates


def near_hashes(hashes: Hashes, squares: Hashes) -> Candidates:
    """List pairs of images, whole or cut to their central squares, whose hashes are near."""
    oblong = np.flatnonzero(squares.any(axis=1))
    image = np.concatenate([np.arange(len(hashes)), oblong])
    look = np.repeat(
        [duplicate_candidates.WHOLE, duplicate_candidates.SQUARE], [len(hashes), len(oblong)]
    )
    pairs = hamming.near(np.concatenate([hashes, squares[oblong]]))
    pairs = pairs[image[pairs[:, 0]] != image[pairs[:, 1]]]
    candidates = np.zeros(len(pairs), duplicate_candidates.CANDIDATE)
    for end, shown, side in (("first", "look", 0), ("second", "other", 1)):
        candidates[end], candidates[shown] = image[pairs[:, side]], look[pairs[:, side]]
    return candidates


def proved(
    candidates: Candidates,
    group: Index,
    aspects: NDArray[np.float32],
    thumbnails: Thumbnails,
    jobs: int,
) -> Index:
    """Join the groups of candidates that are the same picture, the most alike first.

    Parameters
    ----------
    group
        The group of each image, as `components` numbers them.

    Returns
    -------
    group
        The same after the joining.
    """
    failures = FAILURES * len(group) + MORE_FAILURES
    with ThreadPoolExecutor(jobs) as pool:
        for start in range(0, len(candidates), _BATCH):
            batch = candidates[start : start + _BATCH]
            # What is of one group by now needs no proof: of many copies, few are compared.
            batch = batch[group[batch["first"]] != group[batch["second"]]]
            same = np.array([*pool.map(_is_same, _sides(batch, aspects, thumbnails))], bool)
            if same.any():
                pairs = np.column_stack([group[batch["first"]], group[batch["second"]]])[same]
                group = components(len(group), pairs)[group]
            failures -= int((~same).sum())
            if failures < 0:
                break
    return group


def _sides(
    candidates: Candidates, aspects: NDArray[np.float32], thumbnails: Thumbnails
) -> Iterator[tuple[duplicate_proof.Side, duplicate_proof.Side] | None]:
    """Yield both images of each candidate, as they are to be compared; None without a thumbnail."""
    for one in candidates:
        first, second = thumbnails.of(int(one["first"])), thumbnails.of(int(one["second"]))
        if first is None or second is None:
            yield None
            continue
        crop = duplicate_candidates.crop(int(one["look"]), float(aspects[one["first"]]))
        other = duplicate_candidates.crop(int(one["other"]), float(aspects[one["second"]]))
        yield (
            duplicate_proof.Side(first, crop, bool(one["mirrored"]), bool(one["inverted"])),
            duplicate_proof.Side(second, other),
        )


def _is_same(sides: tuple[duplicate_proof.Side, duplicate_proof.Side] | None) -> bool:
    return sides is not None and duplicate_proof.is_same(*sides)


def _kept(before: Sequence[str]) -> Index:
    first: dict[str, int] = {}
    pairs = [(first.setdefault(name, i), i) for i, name in enumerate(before) if name]
    return np.array(pairs, np.int64).reshape(-1, 2)


def _named(component: Index, digests: Hashes) -> dict[int, str]:
    members = np.flatnonzero(np.bincount(component, minlength=len(component))[component] > 1)
    digest = {i: digests[i].tobytes().hex() for i in members.tolist()}
    lowest: dict[int, str] = {}
    for i in members.tolist():
        c = int(component[i])
        lowest[c] = min(lowest.get(c, digest[i]), digest[i])
    return {i: f"d{lowest[int(component[i])][:12]}" for i in members.tolist()}
