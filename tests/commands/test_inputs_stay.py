"""No output takes the place of an input: every option that writes, aimed at everything read."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import handy
import pytest
from handy import in_process

from cxrtool.cli import file_roles
from cxrtool.cli.descriptions import verbs
from cxrtool.cli.file_roles import Parameter, Role
from cxrtool.core import registry
from cxrtool.files import formats

Said = pytest.CaptureFixture[str]

TRAIN = "m.csv -d made --arch conv8 --size 32 --epochs 1 --batch 8 --cache cache"
LUNGS = "nlm --preset montgomery --join-masks made"
# How each command is called, on the small files that `scene` makes.
CALLS = {
    "audit": "m.csv --run run -d made --cache cache --checks broken --fail-on none "
    "--positive covid",
    "cam": "run m.csv -d made",
    "compare": "p.csv --bootstrap 0 --metrics auc --plots made",
    "demo": "-d made",
    "equalize": "m.csv -d made",
    "evaluate": "run m.csv --cache cache",
    "ingest": "m.csv --convert made",
    "phantom": "2 --size 32 -d made",
    "recipe": "T3",
    "segment": "m.csv --model threshold -d made",
    "split": "m.csv",
    "train": TRAIN,
    "tsne": "run m.csv --cache cache --perplexity 2 --permutations 1",
}
RUN = ("run.json", "model.safetensors", "history.csv", "last.safetensors")
# What is read, by the command and its parameter: the call (in place of the above, if it differs),
# and the file.
READ = {
    ("audit", "MANIFEST|PREDICTIONS"): [
        ("", "m.csv"),
        ("m.csv p.csv -d made --checks broken --fail-on none --positive covid", "p.csv"),
    ],
    ("audit", "--predictions"): [
        ("--predictions p.csv -d made --checks broken --fail-on none --positive covid", "p.csv"),
    ],
    ("audit", "--run"): [("", f"run/{name}") for name in RUN],
    ("cam", "RUN"): [("", f"run/{name}") for name in RUN],
    ("cam", "MANIFEST|IMAGE"): [("", "m.csv"), ("run images/1.png -d made", "images/1.png")],
    ("cam", "--hierarchy"): [("run m.csv -d made --hierarchy below", "below/model.safetensors")],
    ("cam", "--beside"): [("run m.csv -d made --beside maps.csv --grid sheet.png", "maps.csv")],
    ("compare", "PREDICTIONS"): [
        ("", "p.csv"),
        ("p.csv q.csv --metrics auc --plots made", "q.csv"),
    ],
    ("equalize", "MANIFEST"): [("", "m.csv")],
    ("equalize", "--conceal"): [("m.csv -d made --conceal boxes.csv", "boxes.csv")],
    ("evaluate", "RUN"): [("", f"run/{name}") for name in RUN],
    ("evaluate", "MANIFEST|IMAGE"): [
        ("", "m.csv"),
        ("run images/1.png images/2.png --cache cache", "images/2.png"),
    ],
    ("evaluate", "--ensemble"): [("run m.csv --cache cache --ensemble run2", "run2/run.json")],
    ("evaluate", "--hierarchy"): [
        ("run m.csv --cache cache --hierarchy run2", "run2/model.safetensors"),
    ],
    ("ingest", "PATH"): [
        ("", "m.csv"),
        ("images --convert made", "images/1.png"),
        ("images/1.png images/2.png --convert made", "images/2.png"),
        ("cohen --preset cohen --convert made", "cohen/metadata.csv"),
        ("cohen --preset cohen --convert made", "cohen/images/1.png"),
        # Even an image that is left out, by its view, is an input.
        ("cohen --preset cohen --view AP --convert made", "cohen/images/1.png"),
        (LUNGS, "nlm/CXR_png/MCUCXR_0002_0.png"),
        (LUNGS, "nlm/ManualMask/leftMask/MCUCXR_0002_0.png"),
    ],
    ("ingest", "--metadata"): [("images --metadata meta.csv --convert made", "meta.csv")],
    ("ingest", "--key"): [("images --key secret --convert made", "secret")],
    ("segment", "MANIFEST"): [("", "m.csv")],
    ("segment", "--model"): [("m.csv --model lungs -d made", f"lungs/{name}") for name in RUN],
    ("split", "MANIFEST"): [("", "m.csv"), ("m.csv --check", "m.csv")],
    ("train", "MANIFEST"): [("", "m.csv")],
    ("train", "--weights"): [
        (f"{TRAIN} --weights run2", "run2/model.safetensors"),
        (f"{TRAIN} --weights w.safetensors", "w.safetensors"),
    ],
    ("tsne", "RUN"): [("", f"run/{name}") for name in RUN],
    ("tsne", "MANIFEST"): [("", "m.csv")],
}
# Files that the rows of a table name, by its column; they go with every call of the first table.
NAMED = {"m.csv": ("path", "raw", "mask", "lesion"), "p.csv": ("path", "raw")}
# Files that an option of a plug-in names: the command, the call, and the file.
PLUGGED = {
    ("equalizers", "match", "reference"): (
        "equalize",
        "m.csv -d made --method match:reference=typical.png",
        "typical.png",
    ),
}
# Folders of which the names of the files follow from what is read.
HASHED, HASHED_OF = {"--cache"}, ("path/3.png", "m.csv")
SHORT = {"--dir": "-d"}

COMMANDS = {v: file_roles.parameters(registry.module("commands", v).run) for v in CALLS}
WRITERS = [
    (verb, p)
    for verb, found in COMMANDS.items()
    for p in found
    if p.role in (Role.WRITES, Role.LISTS, Role.FILLS, Role.KEEPS)
]


def reads(verb: str) -> list[tuple[str, str]]:
    """List what a command reads: the call, and the file."""
    found = [read for (of, _), reads in READ.items() if of == verb for read in reads]
    found += [(call, file) for of, call, file in PLUGGED.values() if of == verb]
    table = next((t for t in NAMED if t in CALLS[verb].split()), "")
    found += [("", f"{column}/3.png") for column in NAMED.get(table, ())]
    return [(call or CALLS[verb], file) for call, file in found]


@pytest.fixture(scope="module")
def template(phantoms: Path, small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small files for every command to read."""
    top = tmp_path_factory.mktemp("template")
    rows, chosen = [], handy.rows_of(phantoms / "split.csv")
    for part, number in (("train", 2), ("val", 1), ("test", 1)):
        for label in ("covid", "normal"):
            same = [r for r in chosen if (r["split"], r["label"]) == (part, label)]
            rows += same[:number]
    for n, row in enumerate(rows):
        for column in NAMED["m.csv"]:
            (top / column).mkdir(exist_ok=True)
            place = f"{column}/{n}.png"
            shutil.copy(row[column], top / place)
            row[column] = place
    shutil.copytree(top / "path", top / "images")
    handy.write_table(top / "m.csv", rows)
    told = [
        {
            "path": r["path"],
            "raw": r["raw"],
            "label": r["label"],
            "model": "one",
            "p_covid": f"{n % 5 / 4}",
            "p_normal": f"{1 - n % 5 / 4}",
        }
        for n, r in enumerate(rows)
    ]
    handy.write_table(top / "p.csv", told)
    handy.write_table(top / "q.csv", [{**row, "model": "two"} for row in told])
    for copy in ("run", "run2", "below"):
        shutil.copytree(small_run, top / copy)
    # The second level of a hierarchy, and the pictures of an earlier call.
    about = top / "below" / "run.json"
    about.write_text(about.read_text().replace('"covid"', '"old"').replace('"normal"', '"young"'))
    drawn = {"pred": "covid", "class": "covid", "score": "0.5", "in_lung": "", "flag": ""}
    maps = [{"path": r["path"], "label": r["label"], "overlay": r["raw"], **drawn} for r in rows]
    handy.write_table(top / "maps.csv", maps)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(top)
        masks = "m.csv --task segment --arch unet:width=4 --size 32 --epochs 1 --batch 2 --cache c"
        assert in_process("train", *masks.split(), "-d", "lungs", "-q") == 0
    shutil.copy(small_run / "model.safetensors", top / "w.safetensors")
    shutil.copytree(top / "images", top / "cohen" / "images")
    cohen = [
        {
            "patientid": f"{n}",
            "finding": "COVID-19",
            "view": ("AP", "PA")[n % 2],
            "modality": "X-ray",
            "filename": f"{n}.png",
        }
        for n in range(len(rows))
    ]
    handy.write_table(top / "cohen" / "metadata.csv", cohen)
    meta = [{"path": f"{n}.png", "label": "covid"} for n in range(len(rows))]
    handy.write_table(top / "meta.csv", meta)
    box = {"path": "path/1.png", "x": "1", "y": "1", "width": "3", "height": "3"}
    handy.write_table(top / "boxes.csv", [box])
    for n, row in enumerate(rows):
        for folder in ("CXR_png", "ManualMask/leftMask", "ManualMask/rightMask"):
            (top / "nlm" / folder).mkdir(parents=True, exist_ok=True)
            picture = row["path" if folder == "CXR_png" else "mask"]
            shutil.copy(top / picture, top / "nlm" / folder / f"MCUCXR_{n:04}_0.png")
    (top / "secret").write_bytes(b"a secret of sixteen bytes or more\n")
    shutil.copy(top / "path" / "1.png", top / "typical.png")
    return top


@pytest.fixture
def scene(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of them, to work in."""
    shutil.copytree(template, tmp_path / "scene")
    monkeypatch.chdir(tmp_path / "scene")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CXRTOOL_ROOT", raising=False)
    return tmp_path / "scene"


def content(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder, and where its links lead."""
    return {
        str(p.relative_to(folder)): os.readlink(p).encode() if p.is_symlink() else p.read_bytes()
        for p in folder.rglob("*")
        if p.is_file() or p.is_symlink()
    }


def refused(call: str, option: str, said: Said) -> None:
    """Run a command, which is to end before it has changed any file."""
    before = content(Path())
    code = in_process(*call.split())
    told = said.readouterr().err
    assert (code, content(Path())) == (2, before), f"{call}: {told}"
    # An option of the template may be given again.
    remarks = (": warning: ", "the last one counts")
    lines = [line for line in told.splitlines() if not any(text in line for text in remarks)]
    assert len(lines) == 1 and option in lines[0], f"{call}: {told}"


def test_every_command_and_every_parameter_that_names_files_is_covered() -> None:
    assert set(CALLS) == set(registry.names("commands"))
    for verb in verbs():
        files = {
            p.name
            for p in (*verb.arguments, *verb.options)
            if re.search(r"FILE|DIR|RUN|CSV|MANIFEST|IMAGE|PATH|PREDICTIONS|\.csv", p.metavar or "")
        }
        assert files == {p.name for p in COMMANDS[verb.name]}, verb.name
    read = {
        (verb, p.shown)
        for verb, found in COMMANDS.items()
        for p in found
        if p.role in (Role.READS, Role.SEARCHES)
    }
    assert read == set(READ)
    named = {
        (folder, name, option.name)
        for folder, function in {v.plugins for v in verbs() if v.plugins}
        for name in registry.names(folder)
        for option in registry.options(getattr(registry.module(folder, name), function))
        if option.kind is registry.File
    }
    assert named == set(PLUGGED)
    assert set(formats.RUN) >= set(RUN)


def of(found: tuple[str, Parameter]) -> str:
    return f"{found[0]} {found[1].shown}"


ONE_FILE = [w for w in WRITERS if w[1].role in (Role.WRITES, Role.LISTS) and reads(w[0])]
FOLDERS = [w for w in WRITERS if w[1].role in (Role.FILLS, Role.KEEPS) and reads(w[0])]


@pytest.mark.parametrize("found", ONE_FILE, ids=of)
def test_a_file_that_is_read_is_no_output(
    found: tuple[str, Parameter], scene: Path, capfd: Said
) -> None:
    verb, parameter = found
    for call, file in reads(verb):
        refused(f"{verb} {call} {parameter.shown} {file}", parameter.shown, capfd)


@pytest.mark.parametrize("found", ONE_FILE, ids=of)
def test_by_whatever_way_it_is_named(
    found: tuple[str, Parameter], scene: Path, capfd: Said
) -> None:
    verb, parameter = found
    call, file = reads(verb)[0]
    Path("symbolic").symlink_to(file)
    os.link(file, "hard")
    for way in (f"./path/../{file}", "symbolic", "hard", os.path.abspath(file)):
        refused(f"{verb} {call} {parameter.shown} {way}", parameter.shown, capfd)


def pairs() -> Iterator[tuple[str, str, str]]:
    for verb, found in COMMANDS.items():
        files = [p.shown for p in found if p.role in (Role.WRITES, Role.LISTS)]
        yield from ((verb, a, b) for n, a in enumerate(files) for b in files[:n])


@pytest.mark.parametrize(("verb", "one", "other"), list(pairs()))
def test_two_outputs_are_two_files(
    verb: str, one: str, other: str, scene: Path, capfd: Said
) -> None:
    refused(f"{verb} {CALLS[verb]} {one} new.png {other} ./path/../new.png", one, capfd)
    Path("link.png").symlink_to("new.png")
    refused(f"{verb} {CALLS[verb]} {one} link.png {other} new.png", one, capfd)


def folder_of(call: str, parameter: Parameter) -> Path:
    words = call.split()
    return Path(words[words.index(SHORT.get(parameter.shown, parameter.shown)) + 1])


def filling(verb: str, parameter: Parameter) -> list[tuple[str, str]]:
    """List the calls that fill a folder, and what they read."""
    option = SHORT.get(parameter.shown, parameter.shown)
    found = sorted((call, file) for call, file in reads(verb) if option in call.split())
    if parameter.shown in HASHED:
        found = [(c, file) for c, file in found if c == CALLS[verb] and file not in HASHED_OF]
    return found


def written(verb: str, call: str, parameter: Parameter) -> list[Path]:
    """Run a command: what it writes into a folder."""
    shutil.rmtree(folder_of(call, parameter), ignore_errors=True)
    assert in_process(verb, *call.split(), "-q") == 0
    return sorted(
        p for p in folder_of(call, parameter).rglob("*") if p.is_file() and p.name != "failures.csv"
    )


def one_of_each_kind(places: list[Path]) -> list[Path]:
    kinds = {re.sub(r".*[0-9a-f]{16}|-.*(?=\.svg)", "", p.name): p for p in reversed(places)}
    return list(kinds.values())


@pytest.mark.parametrize("found", FOLDERS, ids=of)
def test_a_file_that_is_read_is_not_replaced_in_a_folder_that_is_filled(
    found: tuple[str, Parameter], scene: Path, capfd: Said
) -> None:
    """What is read is, behind a link, the very file that would be written."""
    verb, parameter = found
    last, made = "", list[Path]()
    for call, file in filling(verb, parameter):
        if call != last:
            last, made = call, one_of_each_kind(written(verb, call, parameter))
            capfd.readouterr()
        for place in made:
            old = place.read_bytes()
            os.replace(file, place)
            Path(file).symlink_to(place.absolute())
            refused(f"{verb} {call}", parameter.shown, capfd)
            os.replace(place, file)
            place.write_bytes(old)


def test_a_row_of_a_stream_is_compared_before_anything_is_replaced(scene: Path) -> None:
    before = content(scene)
    done = handy.shell(scene, "cat m.csv | cxrtool evaluate run - --device cpu -o path/7.png")
    assert done.returncode == 2
    assert "which row 9 of standard input names (path)" in done.stderr
    assert content(scene).items() >= before.items()


def test_a_stream_makes_no_image_where_a_later_row_has_one(scene: Path) -> None:
    """A manifest of the originals and of what was made of them, into the same folder."""
    assert handy.shell(scene, "cxrtool equalize m.csv -d eq -o eq.csv").returncode == 0
    rows = [*handy.rows_of(Path("m.csv")), *handy.rows_of(Path("eq.csv"))[-1:]]
    columns = handy.rows_of(Path("m.csv"))[0]
    handy.write_table(Path("both.csv"), [{c: row[c] for c in columns} for row in rows])
    before = content(scene)
    for call in ("both.csv", "< both.csv", "- < <(cat both.csv)", "<(cat both.csv)"):
        done = handy.shell(scene, f"cxrtool equalize --method clahe -d eq {call}")
        assert (done.returncode, done.stdout) == (2, "")
        last = Path(rows[-1]["path"]).name
        assert f": eq/{last} would overwrite an input" in done.stderr
        assert content(scene) == before
    # What it was made from alone, or it alone, is no trouble.
    for name in ("m.csv", "eq.csv"):
        done = handy.shell(scene, f"cat {name} | cxrtool equalize --method clahe -d eq")
        assert done.returncode == 0 and len(handy.table(done.stdout)) == len(rows) - 1


def test_standard_streams_are_files_too(scene: Path) -> None:
    before = content(scene)
    for call in ("split -o m.csv < m.csv", "split m.csv >> m.csv", "ingest images >> images/1.png"):
        done = handy.shell(scene, f"cxrtool {call}")
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
        assert content(scene) == before
    assert handy.shell(scene, "cxrtool split m.csv < m.csv > /dev/null").returncode == 0


def test_paths_of_a_table_are_relative_to_the_root(
    scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said
) -> None:
    call = ["evaluate", "run", "m.csv", "--cache", "cache", "-o", f"{scene}/mask/0.png", "-q"]
    (tmp_path / "elsewhere").mkdir()
    for name in ("run", "m.csv"):
        os.symlink(scene / name, tmp_path / "elsewhere" / name)
    monkeypatch.chdir(tmp_path / "elsewhere")
    before = content(scene)
    assert in_process(*call, "--root", "../scene") == 2
    assert "which row 2 of m.csv names (mask)" in capfd.readouterr().err
    monkeypatch.setenv("CXRTOOL_ROOT", str(scene))
    assert in_process(*call) == 2
    assert in_process("split", "m.csv", "-o", f"{scene}/raw/0.png", "-q") == 2
    assert content(scene) == before


@pytest.mark.parametrize(
    "found",
    [w for w in WRITERS if w[1].role in (Role.FILLS, Role.KEEPS) and w[0] != "demo"],
    ids=of,
)
def test_a_planted_link_is_replaced_and_not_followed(
    found: tuple[str, Parameter], scene: Path
) -> None:
    verb, parameter = found
    call = filling(verb, parameter)[0][0] if reads(verb) else CALLS[verb]
    call += " --force" * (verb not in ("compare", "evaluate", "tsne"))
    places = written(verb, call, parameter)
    assert places
    (scene / "mine").write_text("mine")
    if parameter.shown == "--dir":
        places.append(places[0].with_name("failures.csv"))
        with Path("m.csv").open("a") as table:  # something to put on the list
            table.write("absent.png" + "," * (len(handy.rows_of(Path("m.csv"))[0]) - 1) + "\n")
    for place in places:
        place.unlink(missing_ok=True)
        place.symlink_to(scene / "mine")
    assert in_process(verb, *call.split(), "-q") in (0, 1)
    assert (scene / "mine").read_text() == "mine"
    assert places[0].is_file() and not places[0].is_symlink()


@pytest.mark.parametrize(
    ("call", "link"),
    [("phantom 2 --size 32 -d made", "made/masks"), (f"train {TRAIN} --repeat 2", "made/seed-1")],
)
def test_a_folder_inside_is_no_way_out(call: str, link: str, scene: Path, capfd: Said) -> None:
    Path("made").mkdir()
    Path("other").mkdir()
    Path(link).symlink_to(scene / "other")
    assert in_process(*call.split()) == 2
    assert f"{link}: is a link that leads out of made. Remove it, or" in capfd.readouterr().err
    assert not os.listdir("other")
    # The folder itself may be a link, and so may a folder that stays inside.
    shutil.rmtree("made")
    Path("made").symlink_to("other")
    (scene / "other" / "real").mkdir()
    Path(link).symlink_to("real")
    assert in_process(*call.split(), "-q") == 0
    assert os.listdir("other/real")


def test_a_file_that_the_user_names_may_be_a_link(scene: Path) -> None:
    Path("there").mkdir()
    Path("s.csv").symlink_to("there/s.csv")
    for _ in range(2):
        assert in_process("split", "m.csv", "-o", "s.csv", "-q") == 0
        assert Path("s.csv").is_symlink() and len(handy.rows_of(Path("there/s.csv"))) == 8
