"""What holds for every recipe: its header, its text, and what it says before it begins."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from recipe_runs import COLLECTIONS, MASKED

from cxrtool.compare import published_figures
from cxrtool.published import library as published_results
from cxrtool.recipes import library

NAMES = library.names()
SCRIPTS = {name: library.chosen(name).script for name in NAMES}
# Of these the paper has no figures.
WITHOUT_FIGURES = ("T1", "T2", "X3", "X4", "X5")
PAPERS = {"T": "tartaglione", "V": "cvr-net", "X": "covid-cxnet", "M": "majeed", "L": "luiz"}


@pytest.mark.parametrize("name", NAMES)
def test_a_header_is_complete(name: str) -> None:
    recipe = library.chosen(name)
    assert list(library.header(recipe.script)) == list(library.COLUMNS)
    assert recipe.name == name
    assert name.startswith(f"{recipe.id.lower()}-")
    assert set(recipe.needs.split()) <= COLLECTIONS.keys() | MASKED.keys()
    assert recipe.cost.startswith("full: ")
    assert "; small: " in recipe.cost


def test_ids_are_unique() -> None:
    assert len({recipe.id for recipe in library.every()}) == len(NAMES)


@pytest.mark.parametrize("paper", library.PAPERS)
def test_a_paper_has_recipes_of_its_own(paper: str) -> None:
    recipes = library.every(paper)
    assert len(recipes) > 1
    assert {recipe.id[0] for recipe in recipes} == {library.PAPERS[paper]}
    assert len({recipe.paper.partition(",")[0] for recipe in recipes}) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_script_says_what_is_whose(name: str) -> None:
    text = SCRIPTS[name]
    assert text.startswith("#!/bin/sh\n# id: ")
    comment = text[: text.index("set -eu\n")]
    assert "# Published" in comment
    assert "choices" in comment or "see T3" in comment
    assert re.search(r"code|[Pp]aper (does not|says|is|contradicts)", comment)
    assert max(map(len, text.splitlines())) <= 130
    assert max(map(len, library.part(name).splitlines())) <= 100
    assert text.endswith("\n")


@pytest.mark.parametrize("name", NAMES)
def test_a_script_needs_no_other_file(name: str) -> None:
    text = SCRIPTS[name]
    assert text.count("\nset -eu\n") == 1
    assert "# include:" not in text
    assert not re.search(r"@(name|needs|id)@", text)


@pytest.mark.parametrize("name", NAMES)
def test_every_function_is_called(name: str) -> None:
    """A part gives a script the functions that it uses, and no others."""
    text = SCRIPTS[name]
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    functions = re.findall(r"^(\w+)\(\) \{", text, re.MULTILINE)
    assert len(functions) == len(set(functions))
    for function in functions:
        assert len(re.findall(rf"(?<![\w-]){function}(?![\w-])", code)) > 1, function


@pytest.mark.parametrize("name", NAMES)
def test_needs_are_what_is_gathered(name: str) -> None:
    lines = SCRIPTS[name].splitlines()
    code = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    gathered = set(re.findall(r"\bgather ([a-z]\w+)\b", code))
    gathered |= set(re.findall(r"\bwithout_covid ([a-z]\w+) ", code))
    needs = library.chosen(name).needs.split()
    assert gathered == set(needs)
    [phantoms] = re.findall(r"^(?:phantoms|slices) \d+ \d+ \S+ (.+)$", code, re.MULTILINE)
    assert sorted(phantoms.split()) == sorted(needs)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_ends_with_the_papers_figures(name: str) -> None:
    recipe = library.chosen(name)
    own = library.part(name)
    assert f"{PAPERS[recipe.id[0]]}:" in SCRIPTS[name] or recipe.id in WITHOUT_FIGURES
    for spec in re.findall(r"--published ([\w-]+:[\w=,&-]+)(?= |\n)", own):
        assert published_figures.chosen(spec)


@pytest.mark.parametrize("name", NAMES)
def test_a_header_quotes_figures_that_the_paper_has(name: str) -> None:
    """What stands after `Published` is in the paper's tables, or in a note to them."""
    comment = SCRIPTS[name].partition("set -eu\n")[0]
    quoted = re.findall(r"(?<![\d.])\d\.\d+", comment[comment.index("# Published") :])
    columns = ("value", "std", "low", "high")
    _, rows = published_results.read(PAPERS[library.chosen(name).id[0]])
    known = [float(row[c]) for row in rows for c in columns if row[c]]
    notes = " ".join(row["note"] for row in rows)
    for figure in quoted:
        step = 0.5 * 10.0 ** -len(figure.partition(".")[2])
        near = any(abs(value - float(figure)) <= step + 1e-9 for value in known)
        assert near or figure in notes, figure


@pytest.mark.parametrize("name", NAMES)
def test_the_shell_can_read_it(name: str) -> None:
    done = subprocess.run(["sh", "-n"], input=SCRIPTS[name], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="install shellcheck")
@pytest.mark.parametrize("name", NAMES)
def test_shellcheck_finds_nothing(name: str) -> None:
    command = ["shellcheck", "-s", "sh", "-"]
    done = subprocess.run(command, input=SCRIPTS[name], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def begun(name: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh"],
        input=SCRIPTS[name],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_needs(name: str, tmp_path: Path) -> None:
    needs = library.chosen(name).needs
    for variables, message in (
        ({}, f"{name}: DATA is not set. Set it to the folder that holds: {needs}.\n"),
        ({"SCALE": "big"}, f"{name}: SCALE=big is neither full nor small\n"),
    ):
        done = begun(name, tmp_path, **variables)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", message)
    first = needs.split()[0]
    done = begun(name, tmp_path, DATA="data")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{name}: no folder data/{first}. Put this collection there;")
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["t6-no-preprocessing", "m1-normal-or-covid"])
def test_a_small_run_warns_of_phantoms(name: str, tmp_path: Path) -> None:
    shim = tmp_path / "cxrtool"
    shim.write_text("#!/bin/sh\nexit 3\n")
    shim.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = begun(name, tmp_path, SCALE="small", OUT=str(tmp_path / "out"), PATH=path)
    assert done.returncode == 3
    assert done.stderr.startswith(f"{name}: SCALE=small: phantoms (synthetic images) replace the")
    assert "do not compare them with the paper's.\n" in done.stderr


@pytest.mark.parametrize("name", NAMES)
def test_awk_does_not_cut_tables(name: str) -> None:
    """A cell may hold a comma, where awk -F, would begin another."""
    assert not re.search(r"\bawk\b.*-F *,|\bcut\b.*-d *,|IFS=,", SCRIPTS[name])


def called(name: str, call: str, folder: Path) -> str:
    """Call functions of a recipe, beside nothing else of it."""
    functions = re.findall(r"^\w+\(\) \{.*?^\}$", SCRIPTS[name], re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        ["sh", "-eu"],
        input="\n".join([*functions, call]),
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


HARD = """\
path,raw,label,pred,split,p_covid
"a, b.png","a, ""b"".png",covid,covid,train,0.5
c.png,c.png,normal,normal,val,0.99
"d, e.png","d, 'e'.png",covid,covid,val,9.5e-05
f.png,f.png,covid,normal,val,0.75
g.png,"g, h, i.png",covid,covid,val,0.25
"""


@pytest.mark.parametrize(
    "name, call, paths",
    [
        ("x11", "first_of t.csv val 2 covid", ["d, e.png", "f.png"]),
        ("x11", "first_of t.csv val 1 normal covid", ["c.png", "d, e.png"]),
        ("x5", "first_of t.csv train 3 covid normal", ["a, b.png"]),
        ("v5", "surest t.csv 2", ["f.png", "a, b.png"]),
        ("v3", "surest t.csv 9", ["f.png", "a, b.png", "g.png", "d, e.png"]),
        ("m4", "EACH=2; some right t.csv", ["a, b.png", "d, e.png", "c.png"]),
        ("m4", "EACH=2; some wrong t.csv", ["f.png"]),
    ],
)
def test_rows_are_found_whatever_is_in_their_cells(
    name: str, call: str, paths: list[str], tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text(HARD)
    text = called(library.chosen(name).name, call, tmp_path)
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["path"] for row in rows] == paths
    # Whole rows, as they are in the table.
    table = {row["path"]: row for row in csv.DictReader(HARD.splitlines())}
    assert rows == [table[path] for path in paths]


def test_the_median_of_a_column_is_found(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HARD)
    name = library.chosen("t1").name
    assert called(name, "median p_covid t.csv", tmp_path) == "0.5\n"
    assert called(name, "median hd95 t.csv", tmp_path) == "\n"
