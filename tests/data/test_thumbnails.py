"""Thumbnails come back as they were kept, from memory, from the disk, or from the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from cxrtool.data import thumbnails
from cxrtool.data.thumbnails import Thumbnails, encode
from cxrtool.images.fingerprints import SIDE


def shade(grey: int) -> bytes:
    return encode(np.full((SIDE, SIDE), grey, np.uint8))


def nothing(numbers: Sequence[int]) -> Iterator[bytes]:
    assert not numbers
    return iter(())


@pytest.mark.parametrize("memory", [10, 32 << 20])
def test_what_is_kept_is_not_read_again(memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnails, "_IN_MEMORY", memory)
    kept = Thumbnails(nothing)
    for number in (3, 0, 5000):
        kept.keep(number, shade(number % 251))
    kept.load(np.array([5000, 0, 3, 3]))
    for number in (3, 0, 5000):
        found = kept.of(number)
        assert found is not None and (found == number % 251).all()
    assert kept.of(1) is None and kept.of(10**6) is None
    kept.close()


def test_what_is_missing_is_read_once() -> None:
    asked: list[list[int]] = []

    def read(numbers: Sequence[int]) -> Iterator[bytes]:
        asked.append(list(numbers))
        return (shade(number) if number != 4 else b"" for number in numbers)

    kept = Thumbnails(read)
    kept.keep(1, shade(1))
    kept.load(np.array([2, 1, 4]))
    assert kept.absent == 1 and kept.of(4) is None
    kept.load(np.array([2, 4, 7]))
    assert asked == [[2, 4], [7]]
    assert kept.absent == 1
    kept.close()


def test_a_full_disk_keeps_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Thumbnails(lambda numbers: (shade(9) for _ in numbers))
    kept.keep(0, shade(7))

    def full(_: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept._file, "write", full)
    kept.load(np.arange(3))
    assert kept.absent == 2
    found = kept.of(0)
    assert found is not None and (found == 7).all()
    kept.close()
