"""Every command that the README shows runs as it stands."""

import csv
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

from cxrtool.cli import manual
from cxrtool.core import registry

README = (pathlib.Path(manual.ROOT) / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)

FINDINGS = {"covid": "COVID-19", "pneumonia": "SARS", "normal": "No Finding"}


@pytest.fixture
def world(tmp_path):
    """A folder with what the README's user has: images/, cohen/, scans/ and all.csv."""
    folder = tmp_path
    cxrtool = [sys.executable, "-m", "cxrtool"]
    made = [*cxrtool, "phantom", "120", "-d", "made", "--size", "32", "-o", "made.csv"]
    subprocess.run(made, cwd=folder, check=True)
    with (folder / "made.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    cohen = [["patientid", "finding", "view", "modality", "filename"]]
    scans = [["file", "finding", "patientid", "set"]]
    patients = [["image", "number"]]
    for row in rows:
        image = folder / row["path"]
        for place in (f"images/{row['label']}", "cohen/images", "scans"):
            (folder / place).mkdir(parents=True, exist_ok=True)
            shutil.copy(image, folder / place)
        finding, view = FINDINGS[row["label"]], row["view"].replace(" Supine", "")
        cohen.append([row["patient"], finding, view, "X-ray", image.name])
        scans.append([image.name, row["label"], row["patient"], "train"])
        patients.append([image.name, row["patient"]])
        hospital = folder / ("north" if row["source"] == "hospital-1" else "south") / row["label"]
        hospital.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, hospital)
    tables = {"cohen/metadata.csv": cohen, "scans.csv": scans, "patients.csv": patients}
    for name, table in tables.items():
        with (folder / name).open("w", newline="") as file:
            csv.writer(file).writerows(table)
    text = (folder / "made.csv").read_text()
    for number, source in enumerate(("cohen", "nih", "hannover"), 1):
        text = text.replace(f"hospital-{number}", source)
    (folder / "all.csv").write_text(text)
    shim = folder / "bin" / "cxrtool"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cxrtool "$@"\n')
    shim.chmod(0o755)
    return folder


def test_the_commands_run_in_the_order_of_the_page(world):
    """A block may use what an earlier one made, so that only the whole page stands alone."""
    path = f"{world / 'bin'}:/usr/bin:/bin"
    for block in BLOCKS:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", block],
            cwd=world,
            env={"PATH": path, "HOME": str(world)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"


def test_there_are_blocks_and_each_command_is_in_one():
    shown = "\n".join(BLOCKS)
    assert all(f"cxrtool {verb}" in shown for verb in registry.names("commands"))


def test_it_names_the_test_command_that_ci_calls():
    ci = (pathlib.Path(manual.ROOT) / ".ci" / "run").read_text()
    assert "make test" in README
    assert "test" in re.search(r"for check in (.*); do", ci)[1].split()


def test_the_pictures_are_there():
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", README):
        assert (pathlib.Path(manual.ROOT) / picture).is_file()
