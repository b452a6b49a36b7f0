"""Pseudonyms are keyed, stable and private."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import pseudonyms

KEY = b"0123456789abcdef"


def test_a_pseudonym_is_keyed_and_stable() -> None:
    name = pseudonyms.pseudonym("007", KEY)
    assert name == pseudonyms.pseudonym("007", KEY)
    assert len(name) == 16 and int(name, 16) >= 0
    assert len({name, pseudonyms.pseudonym("7", KEY), pseudonyms.pseudonym("007", KEY[::-1])}) == 3
    assert pseudonyms.pseudonym("", KEY) == ""


def test_the_own_key_is_made_once_and_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    names = pseudonyms.by_key(None)
    assert not any(tmp_path.iterdir()), "no key without need"
    first = names("007")
    file = tmp_path / "cxrtool" / "pseudonym.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == ["pseudonym.key"]
    assert pseudonyms.by_key(None)("007") == first
    assert pseudonyms.by_key(str(file))("007") == first


def test_a_key_must_be_long(tmp_path: Path) -> None:
    short = tmp_path / "key"
    short.write_text("short\n")
    with pytest.raises(CxrtoolError, match="a key needs 16 bytes or more"):
        pseudonyms.by_key(str(short))


def test_no_home_no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(CxrtoolError, match=r"Name a key file\."):
        pseudonyms.load_key(None)
    assert not any(tmp_path.iterdir())
