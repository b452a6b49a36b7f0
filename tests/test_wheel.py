"""The wheel and the sdist are complete: what they install works without the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from handy import noise, write, write_table

from cxrtool.cli import manual
from cxrtool.core import registry

ROOT = Path(manual.ROOT)
TAKEN = ("cxrtool", "man", "completions", "pyproject.toml", "README.md", "LICENSE")


def build(top: Path, kind: str) -> Path:
    """Build a wheel or an sdist into a folder."""
    pytest.importorskip("setuptools", "77", reason="install setuptools>=77")
    for name in TAKEN:
        source, target = ROOT / name, top / "source" / name
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    made = built(top / "source", kind)
    shutil.rmtree(top / "source")
    return made


def built(source: Path, kind: str) -> Path:
    code = f"import setuptools.build_meta as b; print(b.build_{kind}('..'))"
    python = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(python, cwd=source, capture_output=True, text=True, check=True)
    return source.parent / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment into which the wheel is installed; other packages are those of the tests."""
    top = tmp_path_factory.mktemp("wheel")
    wheel = build(top, "wheel")
    venv.create(top / "env", with_pip=False, symlinks=True)
    library = next((top / "env").glob("lib/python*/site-packages"))
    packages = [p for p in sys.path if p.endswith("site-packages")]
    (library / "tests.pth").write_text("\n".join(dict.fromkeys(packages)))
    pip = [sys.executable, "-m", "pip", "--python", str(top / "env"), "install", "--no-deps", "-q"]
    subprocess.run([*pip, "--no-index", "--disable-pip-version-check", str(wheel)], check=True)
    return top / "env"


def test_man_pages_and_completions_are_there(installed: Path) -> None:
    share = installed / "share"
    for verb in registry.names("commands"):
        assert (share / "man" / "man1" / f"cxrtool-{verb}.1").is_file()
    for name in manual.guide_names(str(ROOT)):
        assert (share / "man" / "man7" / f"cxrtool-{name}.7").is_file()
    for file in (
        "man/man5/cxrtool-manifest.5",
        "bash-completion/completions/cxrtool.bash",
        "zsh/site-functions/_cxrtool",
        "fish/vendor_completions.d/cxrtool.fish",
    ):
        assert (share / file).is_file()


def test_what_needs_files_of_the_package_works(installed: Path, tmp_path: Path) -> None:
    write(tmp_path, {"a.png": noise(1, 64)})
    write_table(tmp_path / "m.csv", [{"path": "a.png", "label": "a", "patient": "1"}])
    own = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": ""}
    environment = os.environ | own
    where = "import cxrtool; print(cxrtool.__file__)"
    for words in (
        ["-c", where],
        ["-m", "cxrtool", "recipe", "T3"],
        ["-m", "cxrtool", "demo", "-n", "-d", "demo"],
        ["-m", "cxrtool", "compare", "--published", "list"],
        ["-m", "cxrtool", "segment", "m.csv", "--keep", "mask", "-d", "made", "-q", "-o", "s.csv"],
        ["-m", "cxrtool", "ingest", "m.csv", "-q", "-o", "i.csv"],
    ):
        command = [str(installed / "bin" / "python"), *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, (words, done.stderr)
        if words[0] == "-c":
            assert Path(done.stdout.strip()).is_relative_to(installed)


def test_every_data_file_of_the_package_is_in_it(installed: Path) -> None:
    library = next(installed.glob("lib/python*/site-packages/cxrtool"))
    here = ROOT / "cxrtool"
    kept = {p.relative_to(here) for p in here.rglob("*") if p.is_file()}
    kept = {p for p in kept if "__pycache__" not in p.parts and p.suffix != ".pyc"}
    assert kept <= {p.relative_to(library) for p in library.rglob("*")}


def test_the_sdist_is_complete_and_makes_the_same_wheel(installed: Path, tmp_path: Path) -> None:
    with tarfile.open(build(tmp_path, "sdist")) as archive:
        archive.extractall(tmp_path, filter="data")
    source = next(p for p in tmp_path.iterdir() if p.is_dir())
    pages = {p.relative_to(ROOT).as_posix() for p in (ROOT / "man").glob("*.[157]")}
    files = {p.relative_to(source).as_posix() for p in source.rglob("*")}
    assert files >= {"LICENSE", "README.md", "pyproject.toml", "completions/_cxrtool", *pages}
    with zipfile.ZipFile(built(source, "wheel")) as wheel:
        names = {name for name in wheel.namelist() if name.startswith("cxrtool/")}
    library = next(installed.glob("lib/python*/site-packages"))
    here = {p.relative_to(library).as_posix() for p in (library / "cxrtool").rglob("*")}
    assert names == {name for name in here if (library / name).is_file() and ".pyc" not in name}
