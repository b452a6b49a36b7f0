"""Where tensors live."""

from __future__ import annotations

import pytest
import torch

from cxrtool.core.errors import CxrtoolError
from cxrtool.learn import inference


@pytest.mark.parametrize("name", ["cuda:999", "cuda", "mps"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    if name in ("cuda", "mps"):
        there = torch.cuda.is_available() if name == "cuda" else torch.backends.mps.is_available()
        if there:
            assert inference.device(name).type == name
            return
    with pytest.raises(CxrtoolError, match=f"^the device {name} is not available") as refused:
        inference.device(name)
    assert "Choose one of: auto, cpu" in str(refused.value)
    assert (refused.value.code, refused.value.settings) == (2, ("device",))


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"), [(False, False, "cpu"), (False, True, "mps"), (True, True, "cuda")]
)
def test_auto_takes_an_accelerator_where_there_is_one(
    cuda: bool, mps: bool, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)  # No such device need be here.
    assert inference.device("auto").type == expected
