"""The same picture has the same group, whatever stands beside it and in whatever order."""

from __future__ import annotations

from collections.abc import Sequence

import changes
import numpy as np
import pytest
from in_memory import Collection
from numpy.typing import NDArray

from cxrtool.data import duplicates
from cxrtool.data.thumbnails import Thumbnails
from cxrtool.images import duplicate_proof, fingerprints
from cxrtool.phantoms import plan, render

# Recall on phantoms is that on radiographs, save for these: beyond what is promised.
BEYOND = ("crop 10 %", "turn 5", "square")
# A phantom has less fine detail than a radiograph: several changes at once leave too little of it.
LEAST = {"several": 0.7, "strong clahe": 0.85}
PROMISED = [name for name in changes.CHANGES if name not in BEYOND]


def phantoms(count: int, size: int = 256) -> list[NDArray[np.uint8]]:
    return [render(case, size).image for case in plan(count, per_patient=1)]


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint8]]:
    return phantoms(16)


@pytest.fixture(scope="module")
def kept(pictures: list[NDArray[np.uint8]]) -> Collection:
    return Collection(pictures)


def found(images: Sequence[NDArray[np.uint8]], kept: Collection, change: str) -> list[bool]:
    """Change all images, and return of which the copy is in the group of its original alone."""
    random = np.random.default_rng(0)
    copies = Collection(changes.CHANGES[change](image, random) for image in images)
    groups, n = kept.joined(copies).groups(), len(images)
    members = [{j for j, g in enumerate(groups) if g == groups[i] != ""} for i in range(2 * n)]
    assert all(m <= {i % n, i % n + n} for i, m in enumerate(members)), "others are in the group"
    return [members[i] == {i, i + n} for i in range(n)]


def test_different_pictures_have_no_group(kept: Collection) -> None:
    assert set(kept.groups()) == {""}


@pytest.mark.parametrize("change", PROMISED)
def test_copies_are_found(pictures: list[NDArray[np.uint8]], kept: Collection, change: str) -> None:
    assert np.mean(found(pictures, kept, change)) >= LEAST.get(change, 0.9)


@pytest.mark.parametrize("change", BEYOND)
def test_beyond_the_limits_no_other_is_taken_for_a_copy(
    pictures: list[NDArray[np.uint8]], kept: Collection, change: str
) -> None:
    found(pictures, kept, change)


@pytest.mark.slow
def test_recall_among_many_patients() -> None:
    images = phantoms(200)
    many = Collection(images)
    assert set(many.groups()) == {""}
    for change in PROMISED:
        assert np.mean(found(images, many, change)) >= LEAST.get(change, 0.9), change


@pytest.mark.slow
def test_no_two_patients_are_the_same_picture() -> None:
    """All pairs that may be the same by far: not only the candidates of the search."""
    images = [duplicate_proof.Side(fingerprints.thumbnail(image)) for image in phantoms(60)]
    likeness = [
        duplicate_proof.compared(a, b)[0] for i, a in enumerate(images) for b in images[i + 1 :]
    ]
    assert max(likeness) < duplicate_proof.DETAIL


def test_exposures_of_one_patient_are_no_copies() -> None:
    cases = plan(45, per_patient=3)
    assert set(Collection(render(case, 256).image for case in cases).groups()) == {""}


def test_none_and_one(pictures: list[NDArray[np.uint8]]) -> None:
    assert Collection().groups() == []
    assert Collection(pictures[:1]).groups() == [""]


def test_equal_files_need_no_look(pictures: list[NDArray[np.uint8]]) -> None:
    same = Collection([pictures[0]] * 3)
    same.digests = bytearray(bytes.fromhex("ab" * 32) * 3)

    def read(numbers: Sequence[int]) -> object:
        raise AssertionError

    groups = duplicates.groups(*same.arrays(), Thumbnails(read))  # type: ignore[arg-type]
    assert groups == dict.fromkeys(range(3), "d" + "ab" * 6)


def test_order_does_not_matter(pictures: list[NDArray[np.uint8]]) -> None:
    images = [*pictures[:8], *(changes.cropped(p, 0.02, 0, 0.03, 0.01) for p in pictures[:2])]
    kept = Collection(images)
    names = kept.groups()
    assert len(set(names) - {""}) == 2
    order = np.random.default_rng(0).permutation(len(images))
    other = Collection(images[i] for i in order)
    digests = np.frombuffer(bytes(kept.digests), np.uint8).reshape(-1, 32)
    other.digests = bytearray(digests[order].tobytes())
    assert other.groups() == [names[i] for i in order]


def test_copies_of_copies_are_one_group(pictures: list[NDArray[np.uint8]]) -> None:
    random = np.random.default_rng(0)
    copies = [
        changes.CHANGES[c](pictures[0], random) for c in ("equalized", "mirrored", "crop 5 %")
    ]
    names = Collection([*pictures[:5], *copies]).groups()
    assert names[0] == names[5] == names[6] == names[7] != ""
    assert set(names[1:5]) == {""}


def test_many_copies_need_few_proofs(
    pictures: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of n copies of a picture, of which any two are candidates, few are compared."""
    monkeypatch.setattr(duplicates, "_BATCH", 8)
    proofs: list[bool] = []
    is_same = duplicate_proof.is_same
    monkeypatch.setattr(
        duplicate_proof, "is_same", lambda a, b: proofs.append(True) or is_same(a, b)
    )
    many = Collection(changes.jpeg(pictures[0], quality) for quality in range(40, 80))
    assert len(set(many.groups())) == 1
    assert len(proofs) < 100 < 40 * 39 // 2


def test_proofs_that_fail_come_to_an_end(
    pictures: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collection in which everything looks alike ends, and the most alike are proved."""
    monkeypatch.setattr(duplicates, "_BATCH", 1)
    monkeypatch.setattr(duplicates, "MORE_FAILURES", 3)
    proofs: list[bool] = []
    monkeypatch.setattr(duplicate_proof, "is_same", lambda a, b: bool(proofs.append(True)))
    many = Collection(changes.jpeg(pictures[0], quality) for quality in range(40, 80))
    assert set(many.groups()) == {""}
    assert len(proofs) == duplicates.FAILURES * 40 + 3 + 1


def test_blank_pictures_are_no_proof() -> None:
    blank = [np.full((64, 64), v, np.uint8) for v in (0, 90, 255)]
    assert Collection(blank).groups() == [""] * 3


def test_an_unreadable_one_is_no_duplicate(pictures: list[NDArray[np.uint8]]) -> None:
    kept = Collection([pictures[0], changes.jpeg(pictures[0], 50)])
    thumbnails = Thumbnails(lambda numbers: iter([b""] * len(numbers)))
    assert duplicates.groups(*kept.arrays(), thumbnails) == {}
    assert thumbnails.absent == 2


def test_groups_found_before_stay_together(pictures: list[NDArray[np.uint8]]) -> None:
    """A group of an earlier run holds where its images cannot be read again."""
    kept = Collection(pictures[:3])
    thumbnails = Thumbnails(lambda numbers: iter([b""] * len(numbers)))
    groups = duplicates.groups(*kept.arrays(), thumbnails, ["g", "", "g"])
    assert set(groups) == {0, 2}
    assert groups[0] == groups[2]


def test_manifests_without_fingerprints_are_searched_by_their_hashes(
    pictures: list[NDArray[np.uint8]],
) -> None:
    kept = Collection([*pictures[:6], changes.jpeg(pictures[0], 50)])
    kept.prints = bytearray(len(kept.prints))
    names = kept.groups()
    assert names[0] == names[6] != ""
    assert set(names[1:6]) == {""}
