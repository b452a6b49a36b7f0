"""cxrtool recipe: scripts, their listing, and whether their collections are there."""

import csv
import io
import subprocess
from pathlib import Path

import pytest

from cxrtool.recipes import library

SCRIPTS = Path(library.recipes.__file__).parent


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_the_listing_has_every_recipe_in_the_order_of_ids(cxrtool):
    done = cxrtool("recipe", "--list")
    assert (done.returncode, done.stderr) == (0, "")
    assert cxrtool("recipe").stdout == done.stdout
    listed = rows(done.stdout)
    assert list(listed[0]) == ["id", "name", "paper", "needs", "cost"]
    assert sorted(r["name"] for r in listed) == sorted(p.stem for p in SCRIPTS.glob("[a-z]*.sh"))
    ids = [(r["id"][0], int(r["id"][1:])) for r in listed]
    assert ids == sorted(ids)
    assert all(cell for row in listed for cell in row.values())


def test_x2_comes_before_x10():
    def recipe(text):
        return library.Recipe(text, "", "", "", "", "")

    assert sorted([recipe("X10"), recipe("X2")], key=lambda r: r.order)[0].id == "X2"


def test_names_are_one_a_line(cxrtool):
    done = cxrtool("recipe", "--names")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [r["name"] for r in rows(cxrtool("recipe").stdout)]


@pytest.mark.parametrize(("paper", "letter"), library.PAPERS.items())
def test_the_recipes_of_one_paper(cxrtool, paper, letter):
    listed = rows(cxrtool("recipe", "--paper", paper).stdout)
    assert {r["id"][0] for r in listed} == {letter}
    names = cxrtool("recipe", "--paper", paper, "--names").stdout.split()
    assert names == [r["name"] for r in listed]
    assert set(names) == {n for n in library.names() if n.startswith(letter.lower())}


@pytest.mark.parametrize(
    "name", ["t3-resnet18-cross-dataset", "T3", "t3", "T3-ResNet18-cross-DATASET"]
)
def test_a_script_comes_out_byte_for_byte(cxrtool, name):
    done = cxrtool("recipe", name)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == library.chosen("T3").script
    own = (SCRIPTS / "t3-resnet18-cross-dataset.sh").read_text()
    header, _, commands = own.partition("# include: preamble s0\n")
    assert done.stdout.startswith(header)
    assert done.stdout.endswith(commands)


def test_output_is_a_file_that_the_shell_can_read(cxrtool, tmp_path):
    done = cxrtool("recipe", "T6", "-o", "t6.sh")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert subprocess.run(["sh", "-n", tmp_path / "t6.sh"]).returncode == 0
    assert (tmp_path / "t6.sh").read_text() == library.chosen("T6").script


def test_an_unknown_name_lists_the_right_ones(cxrtool):
    done = cxrtool("recipe", "t3-resnet19-cross-dataset")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(
        "cxrtool recipe: recipe 't3-resnet19-cross-dataset' is not one of: l1-"
    )
    assert done.stderr.endswith("Did you mean 't3-resnet18-cross-dataset'?\n")
    assert all(name in done.stderr for name in library.names())


@pytest.fixture
def data(tmp_path):
    """A folder with two of the collections, and one that is empty."""
    for name in ("corda", "cohen"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "metadata.csv").write_text("a\n")
    (tmp_path / "data" / "kermany").mkdir()
    return tmp_path / "data"


def test_check_tells_what_is_missing(cxrtool, data):
    done = cxrtool("recipe", "T6", "--missing", "--data", "data")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == (
        "recipe,collection,folder,found\n"
        "t6-no-preprocessing,corda,data/corda,yes\n"
        "t6-no-preprocessing,kermany,data/kermany,no\n"
    )


def test_check_of_what_is_there_exits_0(cxrtool, data):
    (data / "kermany" / "train").mkdir()
    done = cxrtool("recipe", "t6", "--missing", env={"DATA": str(data)})
    assert done.returncode == 0
    assert {r["found"] for r in rows(done.stdout)} == {"yes"}


def test_check_of_all_is_a_list_and_no_failure(cxrtool, data):
    done = cxrtool("recipe", "--missing", "--data", data)
    assert done.returncode == 0
    found = {(r["collection"], r["found"]) for r in rows(done.stdout)}
    assert {("cohen", "yes"), ("corda", "yes"), ("kermany", "no"), ("nih", "no")} <= found
    needs = sum(len(r.needs.split()) for r in library.every())
    assert len(rows(done.stdout)) == needs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--missing",), "--missing: no folder of collections. Give --data DIR, or set DATA."),
        (("--missing", "--data", "nowhere"), "--data nowhere: no such folder. Check the path."),
        (("T3", "--names"), "--names stands alone. Drop NAME and --missing."),
        (
            ("S0",),
            "recipe 'S0' is a paper with several recipes. See cxrtool recipe --paper s0.",
        ),
        (("--paper", "s5"), "--paper 's5' is not one of: s0, s1, s2, s3, s4. Choose one of them."),
        (("T3", "--paper", "s0"), "--paper has no effect: NAME is one recipe. Leave it out."),
        (("--names", "--missing"), "--names stands alone. Drop NAME and --missing."),
    ],
)
def test_mistakes_are_one_line_and_exit_2(cxrtool, options, message):
    done = cxrtool("recipe", *options, env={"DATA": ""})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"cxrtool recipe: {message}\n"
