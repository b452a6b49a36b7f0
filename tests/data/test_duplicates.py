"""The same picture has the same group, whatever stands beside it and in whatever order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from cxrtool.data import duplicates, packed_rows
from cxrtool.images import hashing
from cxrtool.phantoms import plan, render


def pictures(count: int = 6) -> list[NDArray[np.uint8]]:
    cases = plan(60)[::10]
    return [render(case, 256).image for case in cases[:count]]


def groups(images: Sequence[NDArray[Any]], digests: Sequence[str]) -> list[str]:
    def thumbnails(looks: Sequence[tuple[int, bool]]) -> Iterator[Any]:
        for number, square in looks:
            shown = hashing.square(images[number]) if square else images[number]
            yield hashing.thumbnail(shown)

    def squared(image: NDArray[Any]) -> str:
        height, width = image.shape
        return "" if height == width else hashing.dhash(hashing.square(image))

    hashes = [hashing.dhash(i) for i in images]
    return named(digests, hashes, [squared(i) for i in images], thumbnails)


def named(
    digests: Sequence[str], hashes: Sequence[str], squares: Sequence[str], thumbnails: Any
) -> list[str]:
    found = duplicates.groups(*map(packed_rows.hashes, (digests, hashes, squares)), thumbnails)
    return [found.get(i, "") for i in range(len(digests))]


def digests(count: int) -> list[str]:
    return [hashlib.sha256(bytes([n])).hexdigest() for n in range(count)]


def test_different_pictures_have_no_group() -> None:
    images = pictures()
    assert groups(images, digests(len(images))) == [""] * len(images)


def test_none_and_one() -> None:
    assert groups([], []) == []
    assert groups(pictures(1), digests(1)) == [""]


def test_equal_files_need_no_look() -> None:
    def thumbnails(looks: Sequence[tuple[int, bool]]) -> Iterator[Any]:
        assert not looks
        return iter(())

    image = pictures(1)[0]
    same = named(["ab" * 32] * 3, [hashing.dhash(image)] * 3, [""] * 3, thumbnails)
    assert same == ["d" + "ab" * 6] * 3


@pytest.mark.parametrize("change", ["jpeg", "smaller", "darker", "sixteen", "square"])
def test_copies_are_found(change: str) -> None:
    images = pictures()
    first = images[0]
    if change == "square":
        images[0] = np.pad(first, ((0, 0), (30, 30)))
        copy: NDArray[Any] = first
    elif change == "jpeg":
        copy = cv2.imdecode(cv2.imencode(".jpg", first, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], 0)
    elif change == "smaller":
        copy = cv2.resize(first, (180, 180), interpolation=cv2.INTER_AREA)
    elif change == "darker":
        copy = (first * 0.7).astype(np.uint8)
    else:
        copy = first.astype(np.uint16) * 257
    names = groups([*images, copy], digests(len(images) + 1))
    assert names[0] == names[-1] != "" and set(names[1:-1]) == {""}


def test_order_does_not_matter() -> None:
    images = pictures(4)
    images += [np.ascontiguousarray(i[2:-2, 2:-2]) for i in images[:2]]
    marks = digests(len(images))
    names = groups(images, marks)
    assert len(set(names) - {""}) == 2
    order = np.random.default_rng(0).permutation(len(images))
    again = groups([images[i] for i in order], [marks[i] for i in order])
    assert again == [names[i] for i in order]


def test_blank_pictures_are_no_proof() -> None:
    blank = [np.full((64, 64), v, np.uint8) for v in (0, 90, 255)]
    assert groups(blank, digests(3)) == [""] * 3


def test_an_unreadable_one_is_no_duplicate() -> None:
    image = pictures(1)[0]
    hashed = hashing.dhash(image)
    found = named(digests(2), [hashed] * 2, [""] * 2, lambda looks: iter([None] * 2))
    assert found == ["", ""]


def test_groups_found_before_stay_together() -> None:
    """A group of an earlier run holds where its images cannot be read again."""
    images = pictures(3)
    packed = [packed_rows.hashes(h) for h in (digests(3), map(hashing.dhash, images), [""] * 3)]
    found = duplicates.groups(*packed, lambda looks: iter([None] * len(looks)), ["g", "", "g"])
    assert set(found) == {0, 2}
    assert found[0] == found[2]
