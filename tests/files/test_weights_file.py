"""Weights are read whole, or refused by the file's name."""

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save

from cxrtool.core.errors import CxrtoolError
from cxrtool.files import weights_file

DATA = save({"a": torch.arange(6.0).reshape(2, 3), "b.c": torch.ones(1, dtype=torch.half)})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    path.write_bytes(DATA)
    return path


def test_tensors_come_by_their_names(path: Path) -> None:
    found = weights_file.tensors(path, hashlib.sha256(DATA).hexdigest())
    assert set(found) == {"a", "b.c"}
    assert found["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["b.c"].dtype == torch.half
    assert set(weights_file.tensors(path)) == {"a", "b.c"}


@pytest.mark.parametrize("data", [b"", b"no weights", DATA[:-1], DATA[:30]])
def test_what_is_no_whole_file_of_weights_is_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(CxrtoolError, match=r"w\.safetensors cannot be used: it is not a whole"):
        weights_file.tensors(path)


def test_another_file_than_the_digest_tells_is_refused(path: Path) -> None:
    with pytest.raises(CxrtoolError, match="SHA-256 is wrong"):
        weights_file.tensors(path, "0" * 64)


def test_a_missing_file_and_a_folder_are_refused(path: Path) -> None:
    with pytest.raises(CxrtoolError, match="no such file"):
        weights_file.tensors(path.with_name("other"))
    with pytest.raises(CxrtoolError, match="cannot be used"):
        weights_file.tensors(path.parent)
