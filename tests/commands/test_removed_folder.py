"""The working folder may be removed, before a command or while it works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from handy import in_process

from cxrtool.core import registry

Said = pytest.CaptureFixture[str]


@pytest.mark.skipif(os.name != "posix", reason="elsewhere it cannot be removed while it is used")
@pytest.mark.parametrize("verb", registry.names("commands"))
def test_no_command_begins_in_a_folder_that_was_removed(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert in_process(verb, str(tmp_path / "m.csv")) == 2
    what = "the working folder was removed. Change to another one."
    assert capfd.readouterr() == ("", f"cxrtool {verb}: {what}\n")


LATER = """
import os
import torch
from cxrtool.learn import inference
inference.device("cpu")
os.rmdir(os.getcwd())
layer = torch.nn.Conv2d(1, 8, 3)
layer(torch.ones(8, 1, 32, 32)).sum().backward()
print((torch.ones(300, 300) @ torch.ones(300, 300)).sum().item())
"""


@pytest.mark.skipif(os.name != "posix", reason="elsewhere it cannot be removed while it is used")
def test_libraries_are_loaded_while_the_folder_is_there(tmp_path: Path) -> None:
    """MKL ends the process with a code of its own if it is first used later."""
    (tmp_path / "gone").mkdir()
    words = [sys.executable, "-c", LATER]
    done = subprocess.run(words, cwd=tmp_path / "gone", capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "27000000.0\n"), done.stderr
