"""The shape of the house: who may open files, who may import what, what stands in a docstring."""

import ast
import pathlib
import re
import shutil
import subprocess

import pytest

import cxrtool
from cxrtool.core import registry

PACKAGE = pathlib.Path(cxrtool.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LIGHT = {"typer", "cxrtool"}


def name(path):
    return str(path.relative_to(PACKAGE))


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


OPENING = {"open", "read_text", "write_text", "read_bytes", "write_bytes"} | {
    "TemporaryFile",
    "mkstemp",
}
REMOVING = {"unlink", "remove", "rmdir", "removedirs", "rmtree", "rename", "replace"}
# What guards the workers reads its own memory use and silences a descriptor: no user's files.
GUARDS = ("worker_pool.py", "worker_server.py", "app.py", "signals.py")


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_files_are_opened_and_removed_in_one_room_only(path):
    """Other rooms call the functions of the modules of files/, such as `disk.read_bytes`."""
    if path.relative_to(PACKAGE).parts[0] == "files" or path.name in GUARDS:
        return
    own = {p.stem for p in (PACKAGE / "files").glob("*.py")}
    for call in (n.func for n in ast.walk(tree(path)) if isinstance(n, ast.Call)):
        if isinstance(call, ast.Name):
            assert call.id != "open"
        elif isinstance(call, ast.Attribute) and call.attr in OPENING:
            assert isinstance(call.value, ast.Name) and call.value.id in own
        if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name):
            assert call.value.id not in ("os", "shutil") or call.attr not in REMOVING


def test_matplotlib_is_imported_in_one_room_only():
    """The room says first where matplotlib may keep its own files."""
    found = {p for p in MODULES if re.search(r"(?m)^ *(import|from) matplotlib", p.read_text())}
    assert found and {p.parent.name for p in found} == {"figures"}


@pytest.mark.parametrize("path", sorted((PACKAGE / "commands").glob("[!_]*.py")), ids=name)
def test_commands_import_nothing_heavy_at_the_top(path):
    import sys

    for node in tree(path).body:
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        else:
            continue
        for module in modules:
            top = module.partition(".")[0]
            assert top in LIGHT or top in sys.stdlib_module_names, module
            assert not module.startswith("cxrtool.files"), module


@pytest.mark.parametrize("verb", registry.names("commands"))
def test_a_verb_states_its_flow_and_has_an_example(verb):
    module = registry.module("commands", verb)
    first = module.__doc__.partition("\n")[0]
    assert first.endswith(").")
    assert "->" in first
    assert "Example:" in module.__doc__
    assert f"    cxrtool {verb}" in module.__doc__


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_is_too_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 320


def test_the_top_level_has_what_belongs_there() -> None:
    """What a trial leaves behind in the folder is not committed with the rest."""
    root = PACKAGE.parent
    if not shutil.which("git") or not (root / ".git").exists():
        pytest.skip("no git, or no repository")
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True)
    folders = {".ci", "completions", "cxrtool", "man", "tests"}
    files = {".dockerignore", ".gitignore", "CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile"}
    files |= {"LICENSE", "Makefile", "README.md", "pyproject.toml"}
    assert {path.partition("/")[0] for path in listed.stdout.splitlines()} <= folders | files
