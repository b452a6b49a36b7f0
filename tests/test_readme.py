"""Every command that the README and the guides show runs as it stands."""

import csv
import pathlib
import re
import shutil
import subprocess
import sys

import in_shell
import pytest

from cxrtool.cli import manual
from cxrtool.core import registry
from cxrtool.demo import page

ROOT = pathlib.Path(manual.ROOT)
# In this order a reader goes from one page to the next.
FIRST = ("data", "preprocessing", "splitting", "training", "evidence")
GUIDES = [*FIRST, *(name for name in manual.guide_names(str(ROOT)) if name not in FIRST)]
PAGES = {
    path: (ROOT / path).read_text(encoding="utf-8")
    for path in ("README.md", *(f"{manual.GUIDES}/{name}.md" for name in GUIDES))
}
README = PAGES["README.md"]
BLOCKS = re.findall(r"```sh\n(.*?)```", "".join(PAGES.values()), re.DOTALL)
LINKS = [
    (path, link)
    for path, text in PAGES.items()
    for link in re.findall(r"\[[^]]*\]\(([^):]+)\)", text)
]

FINDINGS = {"covid": "COVID-19", "pneumonia": "SARS", "normal": "No Finding"}


def test_the_smaller_install_comes_before_the_large_one():
    assert README.index("/whl/cpu") < README.index("\n    make demo\n")


@pytest.fixture
def world(tmp_path):
    """A folder with what a reader has: images/, cohen/, scans/ and all.csv."""
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
    return folder


def test_the_commands_run_in_the_order_of_the_pages(world):
    """A block may use what an earlier one made, so that only all pages together stand alone."""
    path = f"{in_shell.program().folder}:/usr/bin:/bin"
    for block in BLOCKS:
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", block],
            cwd=world,
            env={"PATH": path, "HOME": str(world)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{block}\n{done.stderr}"


def test_the_commands_for_own_images_of_the_demo_are_those_of_the_quick_start():
    lines = "".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL)).splitlines()
    places = [lines.index(command) for command in page.OWN]
    assert places == sorted(places)


def test_there_are_blocks_and_each_command_is_in_one():
    shown = "\n".join(BLOCKS)
    assert all(f"cxrtool {verb}" in shown for verb in registry.names("commands"))


def test_it_names_the_test_command_that_ci_calls():
    ci = (ROOT / ".ci" / "run").read_text()
    assert "make test" in README
    assert "test" in re.search(r"for check in (.*); do", ci)[1].split()


@pytest.mark.parametrize("path, link", LINKS)
def test_links_lead_to_files(path, link):
    assert (ROOT / path).parent.joinpath(link).is_file()


def test_the_readme_is_short_and_lists_every_guide():
    assert len(README.encode()) <= 10_000
    listed = re.findall(r"^\| \[(\w+)\]\(man/guides/\1\.md\)", README, re.MULTILINE)
    assert sorted(listed) == sorted(GUIDES)


def test_the_example_of_a_plug_in_is_one():
    """The equalizer of the guide has the shape of those of the package, and works."""
    import numpy as np

    text = PAGES[f"{manual.GUIDES}/extending.md"]
    code = re.search(r"gamma\.py`:\n\n((?:    .*\n|\n)+)", text)[1]
    names = {}
    exec("\n".join(line[4:] for line in code.split("\n")), names)
    assert [str(o) for o in registry.options(names["equalize"])] == ["gamma=0.7"]
    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert (names["equalize"](image, 8, gamma=1) == image).all()
    assert names["equalize"](image.astype(np.uint16) * 257, 16, gamma=2).max() == 65535
