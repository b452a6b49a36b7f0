"""Folders of the same name are sources of their own, and patients of the same name are told of."""

from __future__ import annotations

from pathlib import Path

import odd
import pytest
from handy import Run, noise, rows_of, table, write, write_table

NOTE = "folders of the same name are sources of their own: "
REMEDY = " (--source NAME makes them one)"
SAME_NAME = "is another folder in each of"
SHARED = "in more than one table"


@pytest.fixture
def hospitals(tmp_path: Path) -> Path:
    """Two hospitals, each with one class, whose folders have the same name; a link to the first."""
    names = ("h1/xray/covid/1.png", "h1/xray/covid/2.png")
    names += ("h2/xray/normal/1.png", "h2/xray/normal/2.png", "h2/other/normal/3.png")
    write(tmp_path, {name: noise(i) for i, name in enumerate(names)})
    (tmp_path / "link").symlink_to("h1")
    return tmp_path


def sources(text: str) -> set[tuple[str, str]]:
    return {(row["label"], row["source"]) for row in table(text)}


@pytest.mark.parametrize(
    "folders",
    [
        ["h1/xray", "h2/xray"],
        ["h1/xray/", "./h2/../h2/xray"],
        ["h1/xray", "{top}/h2/xray"],
        ["{top}/h1/xray//", "{top}/h2/xray/."],
        ["h1/xray", "h2/xray", "h1/xray", "link/xray"],
    ],
)
def test_folders_of_one_name_are_two_sources(
    cxrtool: Run, hospitals: Path, folders: list[str]
) -> None:
    done = cxrtool("ingest", *(f.format(top=hospitals) for f in folders))
    assert sources(done.stdout) == {("covid", "h1/xray"), ("normal", "h2/xray")}
    assert done.stderr.count(f"{NOTE}h1/xray, h2/xray{REMEDY}\n") == 1


def test_the_warning_of_a_class_in_one_source_is_back(cxrtool: Run, tmp_path: Path) -> None:
    places = ("h1/xray/covid", "h2/xray/normal")
    names = [f"{place}/{n}.png" for place in places for n in range(20)]
    write(tmp_path, {name: noise(i) for i, name in enumerate(names)})
    done = cxrtool("ingest", "h1/xray", "h2/xray")
    assert "warning: 'covid' occurs only in source 'h1/xray'" in done.stderr


def test_a_folder_from_within_it(cxrtool: Run, hospitals: Path) -> None:
    here = hospitals / "h1" / "xray"
    for folder in (".", "../xray", "covid/.."):
        done = cxrtool("ingest", folder, "../../h2/xray", cwd=here)
        assert sources(done.stdout) == {("covid", "h1/xray"), ("normal", "h2/xray")}


def test_files_of_folders_of_one_name(cxrtool: Run, hospitals: Path) -> None:
    write(hospitals, {"h1/films/a.png": noise(7), "h2/films/b.png": noise(8)})
    done = cxrtool("ingest", "h1/films/a.png", "h2/films/b.png")
    assert [r["source"] for r in table(done.stdout)] == ["h1/films", "h2/films"]


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (["h1/xray", "h2/other"], ["other", "xray"]),
        (["h1/xray", "link/xray"], ["xray"]),
        (["h1/xray", "h1/xray/", "{top}/h1/xray"], ["xray"]),
        (["h1/xray", "h2/xray", "--source", "both"], ["both"]),
        (["h1/xray", "h2/xray", "h2/other"], ["h1/xray", "h2/xray", "other"]),
    ],
)
def test_names_are_as_short_as_may_be(
    cxrtool: Run, hospitals: Path, folders: list[str], names: list[str]
) -> None:
    done = cxrtool("ingest", *(f.format(top=hospitals) for f in folders))
    assert sorted({r["source"] for r in table(done.stdout)}) == names
    assert (NOTE in done.stderr) == any("/" in name for name in names)


def test_each_name_is_the_shortest_that_tells_it_apart(cxrtool: Run, tmp_path: Path) -> None:
    names = [f"{n}/xray/a/1.png" for n in ("p/h1", "q/h1", "q/h2")]
    write(tmp_path, {name: noise(i) for i, name in enumerate(names)})
    done = cxrtool("ingest", "p/h1/xray", "q/h1/xray", "q/h2/xray")
    assert [r["source"] for r in table(done.stdout)] == ["p/h1/xray", "q/h1/xray", "h2/xray"]


def test_a_source_of_the_table_or_collection_stays(cxrtool: Run, hospitals: Path) -> None:
    (hospitals / "t.csv").write_text(
        "file,source\nh1/xray/covid/1.png,a\nh1/xray/covid/2.png,a\nh2/xray/normal/1.png,b\n"
        "h2/xray/normal/2.png,b\n"
    )
    done = cxrtool("ingest", "h1/xray", "h2/xray", "--metadata", "t.csv")
    assert sources(done.stdout) == {("covid", "a"), ("normal", "b")}
    assert NOTE not in done.stderr
    write(hospitals, {f"{n}/ct/COVID/1.png": noise(ord(n)) for n in "ab"})
    done = cxrtool("ingest", "a/ct", "b/ct", "--preset", "scov")
    assert {r["source"] for r in table(done.stdout)} == {"scov"}
    assert NOTE not in done.stderr


def test_patients_follow_the_name(cxrtool: Run, tmp_path: Path) -> None:
    write(tmp_path, {f"{n}/xray/a.dcm": odd.dicom(PatientID="1") for n in ("h1", "h2")})
    rows = table(cxrtool("ingest", "h1/xray", "h2/xray").stdout)
    owners = [(r["source"], r["patient"].rpartition("/")[0]) for r in rows]
    assert owners == [("h1/xray", "h1/xray"), ("h2/xray", "h2/xray")]


# --- patients of joined manifests -----------------------------------------------------------------


def manifests(cxrtool: Run, top: Path, *options: str) -> None:
    """Ingest each hospital with a table that numbers its patients from 1."""
    for n in "12":
        (top / f"t{n}.csv").write_text("file,patient\n1.png,1\n2.png,2\n")
        given = (f"h{n}/xray", "--metadata", f"t{n}.csv", *options)
        assert cxrtool("ingest", *given, "-o", f"pc{n}.csv").returncode == 0


@pytest.mark.parametrize("options", [[], ["--source", "site"]])
def test_patients_of_two_hospitals_are_told_of(
    cxrtool: Run, hospitals: Path, options: list[str]
) -> None:
    manifests(cxrtool, hospitals, *options)
    owner = options[-1] if options else "xray"
    done = cxrtool("ingest", "pc1.csv", "pc2.csv")
    assert done.stderr.count(SHARED) == 1
    assert (
        "cxrtool ingest: warning: 2 patients are in more than one table, with images of different "
        f"folders, and count as one person each, for example '{owner}/1' in pc1.csv (h1/xray) and "
        f"pc2.csv (h2/xray); if they are different people, ingest one of them again with "
        "--source NAME\n"
    ) in done.stderr
    # The remedy is one.
    cxrtool("ingest", "h2/xray", "--metadata", "t2.csv", "--source", "south", "-o", "pc2.csv")
    assert SHARED not in cxrtool("ingest", "pc1.csv", "pc2.csv").stderr


def test_sources_of_one_name_are_told_of(cxrtool: Run, hospitals: Path) -> None:
    for n in "12":
        assert cxrtool("ingest", f"h{n}/xray", "-o", f"{n}.csv").returncode == 0
    done = cxrtool("ingest", "1.csv", "2.csv")
    assert sources(done.stdout) == {("covid", "xray"), ("normal", "xray")}
    assert (
        "cxrtool ingest: warning: 'xray' is another folder in each of 1.csv, 2.csv, and counts as "
        "one source; if they are several, ingest these folders in one command, or each with a "
        "--source of its own\n"
    ) in done.stderr
    # Of more manifests, once.
    write(hospitals, {"h3/xray/covid/1.png": noise(9)})
    cxrtool("ingest", "h3/xray", "-o", "3.csv")
    said = cxrtool("ingest", "1.csv", "2.csv", "3.csv").stderr
    assert said.count(SAME_NAME) == 1
    assert "in each of 1.csv, 2.csv, 3.csv, and" in said
    # A name that was given, one manifest in two parts, and a copy of the images are meant so.
    cxrtool("ingest", "h2/xray", "--source", "south", "-o", "2.csv")
    assert SAME_NAME not in cxrtool("ingest", "1.csv", "2.csv").stderr
    cxrtool("ingest", "h1/xray", "--source", "south", "-o", "1.csv")
    assert SAME_NAME not in cxrtool("ingest", "1.csv", "2.csv").stderr
    rows = rows_of(hospitals / "1.csv")
    write_table(hospitals / "one.csv", rows[:1])
    write_table(hospitals / "two.csv", rows[1:])
    assert SAME_NAME not in cxrtool("ingest", "one.csv", "two.csv").stderr
    write(hospitals, {"copy/xray/covid/1.png": noise(0)})
    cxrtool("ingest", "copy/xray", "-o", "copy.csv")
    cxrtool("ingest", "h1/xray", "-o", "1.csv")
    assert SAME_NAME not in cxrtool("ingest", "1.csv", "copy.csv").stderr


def test_tables_without_sources_are_told_of(cxrtool: Run, hospitals: Path) -> None:
    for n, name in (("1", "covid"), ("2", "normal")):
        row = {"path": f"{hospitals}/h{n}/xray/{name}/1.png", "label": name, "patient": "7"}
        write_table(hospitals / f"{n}.csv", [row])
    done = cxrtool("ingest", "1.csv", "2.csv")
    assert "warning: 1 patient is in more than one table" in done.stderr
    assert "'7' in 1.csv (h1/xray) and 2.csv (h2/xray)" in done.stderr


@pytest.mark.parametrize("source", ["xray", "site"])
@pytest.mark.parametrize("column", ["label", "patient", "path"])
def test_a_manifest_in_two_parts_is_one(
    cxrtool: Run, tmp_path: Path, source: str, column: str
) -> None:
    names = [f"h1/xray/{c}/{p}{v}.png" for c in ("covid", "normal") for p in "12" for v in "ab"]
    write(tmp_path, {name: noise(i) for i, name in enumerate(names)})
    lines = [f"{name},{name[-6]}\n" for name in names]
    (tmp_path / "t.csv").write_text("file,patient\n" + "".join(lines))
    given = ("h1/xray", "--metadata", "t.csv", "--source", source)
    cxrtool("ingest", *given, "-o", "all.csv")
    rows = rows_of(tmp_path / "all.csv")
    first = rows[0][column]
    write_table(tmp_path / "one.csv", [r for r in rows if r[column] == first])
    write_table(tmp_path / "two.csv", [r for r in rows if r[column] != first])
    done = cxrtool("ingest", "one.csv", "two.csv")
    assert len(table(done.stdout)) == len(names)
    assert SHARED not in done.stderr


def test_a_copy_of_the_images_is_the_same_people(cxrtool: Run, hospitals: Path) -> None:
    manifests(cxrtool, hospitals)
    rows = rows_of(hospitals / "pc1.csv")
    for row in rows:
        row["path"] = row["raw"] = row["path"].replace("h1", "copy")
    write_table(hospitals / "copy.csv", rows)
    assert SHARED not in cxrtool("ingest", "pc1.csv", "copy.csv").stderr
    assert SHARED not in cxrtool("ingest", "pc1.csv", "./pc1.csv").stderr


def test_parts_of_a_published_collection_have_its_numbers(cxrtool: Run, hospitals: Path) -> None:
    manifests(cxrtool, hospitals, "--source", "nih")
    assert SHARED not in cxrtool("ingest", "pc1.csv", "pc2.csv").stderr


def test_folders_are_those_below_the_root(cxrtool: Run, hospitals: Path) -> None:
    manifests(cxrtool, hospitals, "--root", str(hospitals))
    here = hospitals / "h1"
    given = ("ingest", "../pc1.csv", "../pc2.csv", "--root", "..")
    assert (
        f"pc1.csv (xray) and ../pc2.csv ({hospitals}/h2/xray)" in cxrtool(*given, cwd=here).stderr
    )
