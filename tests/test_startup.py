"""--help costs what Typer costs: nothing heavy is imported."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from cxrtool.core import registry

HEAVY = (
    "numpy",
    "torch",
    "torchvision",
    "PIL",
    "skimage",
    "sklearn",
    "scipy",
    "cv2",
    "pydicom",
    "pydantic",
)


@pytest.mark.parametrize("verb", ["", *registry.names("commands")])
def test_help_imports_nothing_heavy(verb):
    code = (
        "import sys; from cxrtool.cli import app; "
        f"code = app.run({[*filter(None, [verb]), '--help']!r}); "
        f"sys.exit(code or ' '.join(m for m in {HEAVY!r} if m in sys.modules) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: cxrtool")


def test_the_package_itself_imports_nothing():
    code = "import sys; before = set(sys.modules); import cxrtool; print(set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "{'cxrtool'}\n"


def test_ingest_of_images_that_differ_does_not_import_scipy(tmp_path):
    for shade, name in enumerate(("a", "b")):
        shape = np.zeros((40, 40), np.uint8)
        shape[10 + 15 * shade :, shade * 20 :] = 200
        cv2.imwrite(str(tmp_path / f"{name}.png"), shape)
    code = (
        "import sys; from cxrtool.cli import app; "
        f"code = app.run(['ingest', {str(tmp_path)!r}, '-o', {os.devnull!r}, '-q']); "
        "sys.exit(code or ('scipy' in sys.modules and 'scipy') or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
