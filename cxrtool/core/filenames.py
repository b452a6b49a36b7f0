"""How the files that are made from a row are named: readable, their own, the same at every run."""

import os
import re
from hashlib import sha256

DIGEST = re.compile(r"(^|-)[0-9a-f]{16}$")


def stems(path: str, raw: str = "") -> tuple[str, str]:
    """Return the two names that a row's file may have, before anything of the image is known."""
    return file_name(path, raw), file_name(path, raw, anonymous=True)


def file_name(path: str, raw: str = "", anonymous: bool = False) -> str:
    """Name the file made from a row by its `path` and `raw`, without an ending.

    The name of a DICOM file may hold the patient's, so nothing of it is kept (`anonymous`). A name
    that was made so before does not grow.
    """
    key = f"{raw}\0{path}" if raw and raw != path else path
    digest = sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    stem = DIGEST.sub("", os.path.splitext(os.path.basename(path))[0])
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "_", stem).lstrip("-.")[:60]
    return digest if anonymous or not readable else f"{readable}-{digest}"
