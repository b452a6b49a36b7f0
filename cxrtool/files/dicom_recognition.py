"""Recognise DICOM by its first bytes, and find its transfer syntax, before a library reads it."""

import zlib
from typing import Literal

from cxrtool.core.errors import Unreadable

DEFLATED = b"1.2.840.10008.1.2.1.99"
# A deflated data set may not unpack to more; pydicom would unpack all of it before it says a word.
MOST_INFLATED = 256 << 20
# Value representations whose length takes four bytes.
LONG = {b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"}
SHORT = {
    b"AE",
    b"AS",
    b"AT",
    b"CS",
    b"DA",
    b"DS",
    b"DT",
    b"FD",
    b"FL",
    b"IS",
    b"LO",
    b"LT",
    b"PN",
    b"SH",
    b"SL",
    b"SS",
    b"ST",
    b"TM",
    b"UI",
    b"UL",
    b"US",
}
# So many bytes show whether a file is DICOM.
HEAD = 512
ENDINGS = (".dcm", ".dicom", ".dic")
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")


def claims(data: bytes, path: str) -> bool:
    """Whether a file is DICOM by its name or content; some are pictures despite their ending."""
    named = path.lower().endswith(ENDINGS) and not data.startswith(PICTURES)
    return named or begins(data[:HEAD])


def begins(head: bytes) -> bool:
    """Whether the first bytes are DICOM: a preamble, or elements where there is none."""
    if head[128:132] == b"DICM":
        return True
    syntaxes: list[tuple[Literal["little", "big"], bool]]
    syntaxes = [("little", True), ("little", False), ("big", True)]
    return any(_begins_with_elements(head, order, explicit) for order, explicit in syntaxes)


def _begins_with_elements(head: bytes, order: Literal["little", "big"], explicit: bool) -> bool:
    """Whether bytes are elements in the order of their tags, from group 0002 or 0008 on.

    An element is a tag, a VR where that is explicit, a length, and a value of that length (DICOM
    PS3.5, 7.1). The first ones are short, and two of them are hardly chance.
    """
    at, last, count = 0, (0, 0), 0
    while count < 2 and at + 12 <= len(head):
        group, element = (int.from_bytes(head[i : i + 2], order) for i in (at, at + 2))
        length, start = _length(head, at + 4, order, explicit)
        known = group in ((0x0002, 0x0008) if not count else range(0x0002, 0x0011))
        if not known or (count and (group, element) <= last) or length is None:
            return False
        last, count, at = (group, element), count + 1, start + length
    return count == 2


def _length(
    head: bytes, at: int, order: Literal["little", "big"], explicit: bool
) -> tuple[int | None, int]:
    """Read the length of a value, or None if there is none, and where the value starts."""
    if not explicit:
        return int.from_bytes(head[at : at + 4], order), at + 4
    vr = head[at : at + 2]
    if vr in LONG:
        return int.from_bytes(head[at + 4 : at + 8], order), at + 8
    return int.from_bytes(head[at + 2 : at + 4], order) if vr in SHORT else None, at + 4


def refuse_bomb(data: bytes) -> None:
    """Refuse a deflated data set that unpacks to too much."""
    syntax, start = _meta(data)
    if syntax != DEFLATED:
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated = 0
    for at in range(start, len(data), 1 << 16):
        piece = data[at : at + (1 << 16)]
        while piece and not inflater.eof:
            inflated += len(inflater.decompress(piece, 1 << 20))
            piece = inflater.unconsumed_tail
            if inflated > MOST_INFLATED:
                raise Unreadable(f"unpacks to more than {MOST_INFLATED >> 20} MiB")


def _meta(data: bytes) -> tuple[bytes, int]:
    """Find the transfer syntax, and the end of the file meta; no library reads both safely."""
    at, syntax = 132 if data[128:132] == b"DICM" else 0, b""
    while data[at : at + 2] == b"\x02\0":
        element, wide = data[at + 2 : at + 4], data[at + 4 : at + 6] in LONG
        length = data[at + 8 : at + 12] if wide else data[at + 6 : at + 8]
        at += 12 if wide else 8
        value = data[at : at + int.from_bytes(length, "little")]
        at += int.from_bytes(length, "little")
        if element == b"\x10\0":
            syntax = value.rstrip(b"\0 ")
    return syntax, at
