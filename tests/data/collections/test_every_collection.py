"""What every collection keeps, so that `ingest` can read them all alike."""

import inspect
import os

import pytest
from trees import TREES

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.data import sources
from cxrtool.files.manifest import COLUMNS

NAMES = registry.names("collections")
CLASSES = {
    "",
    "normal",
    "pneumonia",
    "covid",
    "bacteria",
    "virus",
    "tuberculosis",
    "other",
    "negative",
}
CONTRACT = {
    "cohen",
    "nih",
    "rsna",
    "kermany",
    "montgomery",
    "shenzhen",
    "chexpert",
    "padchest",
    "hannover",
    "actualmed",
    "figure1",
    "covidx",
    "corda",
    "folder",
}

# RowUpdate by ingest itself, or by other verbs.
NOT_THEIRS = {"raw", "width", "height", "sha256", "dhash", "dup_group", "split", "fold"}


# Columns that some collections add.
OWN = {
    "mask_left",
    "mask_right",
    "institution",
    "nih_image",
    "photometric",
    "scan",
    "boxes",
    "lesion",
}


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def found(name, build):
    root = build(TREES[name])
    return str(root), list(registry.module("collections", name).rows(str(root)))


def test_the_contract_is_complete():
    assert set(NAMES) >= CONTRACT


def test_has_a_sample_tree(name):
    assert name in TREES, f"add a small folder with the layout of '{name}' to TREES in trees.py"


def test_describes_itself(name):
    module = registry.module("collections", name)
    assert registry.summary("collections", name)
    named = "\nSource: https://" in inspect.getdoc(module)
    assert name == "folder" or named, f"{name}: its docstring needs a line 'Source: https://...'"


def test_options_are_few_and_have_defaults(name):
    options = registry.options(registry.module("collections", name).rows)
    assert len(options) <= 2
    assert all(option.default is not inspect.Parameter.empty for option in options)


def test_rows_have_known_columns_of_text(name, found):
    _, everything = found
    known = {*COLUMNS, *OWN} - NOT_THEIRS
    rows = [f for f in everything if not isinstance(f, Skip)]
    assert rows
    for row in rows:
        unknown = sorted(set(row) - known)
        assert not unknown, f"not in files.manifest.COLUMNS, nor in OWN of this test: {unknown}"
        assert all(isinstance(value, str) for value in row.values())
        assert row["label"] in CLASSES, f"not in CLASSES of this test: {row['label']}"
        assert "/" not in row.get("patient", "")


def test_every_path_exists_below_the_root(found):
    root, everything = found
    for row in everything:
        if not isinstance(row, Skip):
            for column in ("path", "mask", "mask_left", "mask_right"):
                path = row.get(column, "")
                assert not path or (path.startswith(f"{root}/") and os.path.isfile(path))


def test_no_image_is_told_of_twice(found):
    _, everything = found
    paths = [f["path"] for f in everything if not isinstance(f, Skip)]
    assert len(paths) == len(set(paths))


def test_skips_say_why(found):
    for skip in found[1]:
        if isinstance(skip, Skip):
            assert skip.path and skip.reason


def test_a_relative_root_gives_relative_paths(name, build, monkeypatch):
    monkeypatch.chdir(build(TREES[name]))
    for row in registry.module("collections", name).rows("."):
        if not isinstance(row, Skip):
            assert row["path"].startswith("./") and os.path.isfile(row["path"])


def test_the_same_tree_gives_the_same_rows(name, found):
    root, everything = found
    assert list(registry.module("collections", name).rows(root)) == everything


@pytest.mark.parametrize("what", ["empty", "missing", "file"])
def test_a_folder_with_nothing_in_it_is_no_crash(name, what, tmp_path):
    root = tmp_path if what == "empty" else tmp_path / "x"
    if what == "file":
        root.write_text("x")
    try:
        rows = list(registry.module("collections", name).rows(str(root)))
    except CxrtoolError as e:
        assert str(root) in str(e)
    else:
        assert rows == [] and what == "empty"


@pytest.mark.parametrize("file", ["image.png", "image.dcm", "list.json"])
def test_another_file_does_not_stand_for_its_folder(name, file, build):
    path = build(TREES[name]) / file
    path.write_bytes(b"x")
    with pytest.raises(CxrtoolError, match=f"{file}: is no folder, and --preset {name} reads"):
        list(sources.gather([str(path)], sources.Selection(preset=name)))


@pytest.mark.parametrize("file", ["m.csv", "m.txt"])
def test_a_manifest_does_not_stand_for_its_folder(file, build):
    path = build(TREES["folder"]) / file
    path.write_text("path,label\na.png,covid\n")
    with pytest.raises(CxrtoolError, match="Name the folder, or leave --preset out"):
        list(sources.gather([str(path)], sources.Selection(preset="folder")))


def test_a_tree_of_empty_files_is_no_crash(name, build):
    root = build(dict.fromkeys(TREES[name], b""))
    try:
        list(registry.module("collections", name).rows(str(root)))
    except CxrtoolError as e:
        assert str(root) in str(e)


def test_a_link_that_leads_nowhere_is_one_failure(name, found):
    root, before = found
    image = next(f["path"] for f in before if not isinstance(f, Skip))
    lost = f"{os.path.dirname(image)}/lost.png"
    os.symlink("nowhere.png", lost)
    after = list(registry.module("collections", name).rows(root))
    told = [f for f in after if isinstance(f, Skip) and f.path == lost]
    assert [f.failed for f in told] == [True]
    assert [f for f in after if f not in told] == before
