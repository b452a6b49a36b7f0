"""A collection of images as `ingest` sees it, without files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrtool.data import duplicates
from cxrtool.data.thumbnails import Thumbnails, encode
from cxrtool.images import fingerprints, hashing

Image = NDArray[Any]


class Collection:
    """Digests, hashes, fingerprints and thumbnails of images."""

    def __init__(self, images: Iterable[Image] = ()) -> None:
        self.digests, self.hashes, self.squares = bytearray(), bytearray(), bytearray()
        self.prints, self.thumbnails = bytearray(), list[bytes]()
        for image in images:
            self.add(image)

    def __len__(self) -> int:
        return len(self.thumbnails)

    def add(self, image: Image) -> None:
        dhash, fingerprint, small = fingerprints.hashed(image)
        oblong = image.shape[0] != image.shape[1]
        square = hashing.dhash(hashing.square(image)) if oblong else "00" * 32
        # A copy is another file, even where its pixels are the same.
        digest = hashlib.sha256(f"{len(self)} {dhash} {fingerprint}".encode())
        self.digests += digest.digest()
        self.hashes += bytes.fromhex(dhash)
        self.squares += bytes.fromhex(square)
        self.prints += fingerprints.packed(fingerprint) or bytes(fingerprints.BYTES)
        self.thumbnails.append(encode(small))

    def joined(self, other: Collection) -> Collection:
        """Return both, this one first."""
        both = Collection()
        for name in ("digests", "hashes", "squares", "prints", "thumbnails"):
            setattr(both, name, getattr(self, name) + getattr(other, name))
        return both

    def arrays(self) -> list[NDArray[np.uint8]]:
        """Return what `duplicates.groups` takes."""
        kept = (self.digests, self.hashes, self.squares)
        arrays = [np.frombuffer(bytes(one), np.uint8).reshape(-1, 32) for one in kept]
        prints = np.frombuffer(bytes(self.prints), np.uint8).reshape(-1, fingerprints.BYTES)
        return [*arrays, prints]

    def read(self, numbers: Sequence[int]) -> Iterator[bytes]:
        return (self.thumbnails[number] for number in numbers)

    def groups(self) -> list[str]:
        """Return the duplicate group of each image."""
        found = duplicates.groups(*self.arrays(), Thumbnails(self.read))
        return [found.get(i, "") for i in range(len(self))]
