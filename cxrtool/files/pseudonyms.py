"""Pseudonyms of patients: only the holder of the key can reproduce one."""

import functools
import hmac
import os
import secrets
from collections.abc import Callable

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import disk


def pseudonym(patient: str, key: bytes) -> str:
    """Replace a patient's identifier by one that only the holder of the key can reproduce."""
    return hmac.new(key, patient.encode(), "sha256").hexdigest()[:16] if patient else ""


def by_key(file: str | None) -> Callable[[str], str]:
    """Return what replaces identifiers, by the key of a file or the user's own.

    A file that is no key is refused immediately. The user's own key is created when it is first
    needed, so that a folder of PNG files leaves none behind.
    """
    key = functools.cache(lambda: load_key(file))
    if file is not None:
        key()
    return lambda patient: pseudonym(patient, key())


def load_key(file: str | None) -> bytes:
    """Read the key of the pseudonyms; the default key is created when it is first needed."""
    if file is not None:
        with disk.open_input(file) as stream:
            key = stream.read(1 << 16).strip()
        if len(key) < 16:
            raise CxrtoolError(f"{file}: a key needs 16 bytes or more", "Use a longer secret.")
        return key
    cache = disk.user_cache()
    if not os.path.isabs(cache):
        what = "no home folder for the key of the pseudonyms"
        raise CxrtoolError(what, "Name a key file.", settings=["key"])
    path = os.path.join(cache, "pseudonym.key")
    if not os.path.exists(path):
        disk.make_folder(os.path.dirname(path))
        disk.create(path, secrets.token_hex(32).encode())
    return load_key(path)
