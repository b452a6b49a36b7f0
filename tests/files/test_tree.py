"""Everything below a folder is found once, in the same order everywhere, or told of."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import odd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cxrtool.core.errors import CxrtoolError, NoImage, Skip
from cxrtool.files import tree


def make(root: Path, *names: str, data: bytes = b"") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def found(root: Path) -> list[str]:
    paths = [p for p in tree.images(str(root)) if isinstance(p, str)]
    return [os.path.relpath(p, root) for p in paths]


def skipped(root: Path) -> dict[str, tuple[str, bool]]:
    skips = [s for s in tree.images(str(root)) if isinstance(s, Skip) and type(s) is not NoImage]
    return {os.path.relpath(s.path, root): (s.reason, s.failed) for s in skips}


def no_images(root: Path) -> list[str]:
    return [os.path.relpath(s.path, root) for s in tree.images(str(root)) if type(s) is NoImage]


def test_order_is_that_of_the_bytes(tmp_path: Path) -> None:
    names = ["Z/1.png", "a/1.png", "a/10.png", "a/2.png", "a b.png", "é.png"]
    make(tmp_path, *names)
    assert found(tmp_path) == ["Z/1.png", "a/1.png", "a/10.png", "a/2.png", "a b.png", "é.png"]


def test_endings_and_first_bytes(tmp_path: Path) -> None:
    make(tmp_path, "a.PNG", "b.Jpeg", "c.dcm", "d.txt", "e.csv", "f")
    make(tmp_path, "g", data=odd.DICOMS["explicit.dcm"]())
    make(tmp_path, "h.dat", data=odd.PICTURES["l.png"]())
    make(tmp_path, "i", data=odd.PICTURES["l.webp"]())
    make(tmp_path, "._j.png", "__MACOSX/k.png")
    assert found(tmp_path) == ["a.PNG", "b.Jpeg", "c.dcm", "g", "h.dat", "i"]
    assert skipped(tmp_path) == {}
    assert no_images(tmp_path) == ["._j.png", "__MACOSX", "d.txt", "e.csv", "f"]


NAMES = st.sampled_from(
    [
        "a.png",
        "b.nii.gz",
        "c.eps",
        "d.fits",
        "e.txt",
        ".DS_Store",
        "Thumbs.db",
        "._a.png",
        "f",
        "g/h",
    ]
)
DATA = st.sampled_from([b"", b"text", odd.PICTURES["l.png"](), odd.DICOMS["bare-explicit"]()])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, DATA))
def test_every_file_is_an_image_or_told_of(tmp_path: Path, files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory(dir=tmp_path) as top:
        for name, data in files.items():
            make(Path(top), name, data=data)
        told = [path.path if isinstance(path, Skip) else path for path in tree.images(top)]
        assert sorted(told) == sorted(f"{top}/{name}" for name in files)


def test_links(tmp_path: Path) -> None:
    make(tmp_path, "real/a.png", "elsewhere.txt")
    (tmp_path / "dangling.png").symlink_to("nowhere")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "real" / "up").symlink_to("..")
    (tmp_path / "zz").symlink_to("real")
    (tmp_path / "to.png").symlink_to("real/a.png")
    assert found(tmp_path) == ["real/a.png", "to.png"]
    twice = "a link to a folder that is read already", False
    assert skipped(tmp_path) == {
        "dangling.png": ("a link that leads nowhere", True),
        "loop.png": ("a link that leads nowhere", True),
        "real/up": twice,
        "zz": twice,
    }


def test_a_link_to_a_class_elsewhere_is_followed(tmp_path: Path) -> None:
    make(tmp_path / "store", "x.png")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "covid").symlink_to("../store")
    assert found(tmp_path / "data") == ["covid/x.png"]


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    os.mkfifo(tmp_path / "b")
    (tmp_path / "c.png").mkdir()
    assert found(tmp_path) == []
    assert skipped(tmp_path) == {"a.png": ("not a regular file", True)}


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    try:
        make(tmp_path, os.fsdecode(b"\xff.png"))
    except OSError:
        pytest.skip("this file system takes no such name")
    assert [reason for reason, _ in skipped(tmp_path).values()] == ["its name is not UTF-8"]


def test_a_tree_deeper_than_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
    Path("a.png").touch()
    monkeypatch.chdir(tmp_path)
    paths = list(tree.images("d"))
    assert [str(p)[-5:] for p in paths] == ["a.png"]
    # rmtree would be as deep.
    os.chdir(os.path.dirname(str(paths[0])))
    os.unlink("a.png")
    for _ in range(1500):
        os.chdir("..")
        os.rmdir("d")


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(CxrtoolError, match=r"absent: no such folder\. Name the folder that holds"):
        list(tree.images(str(tmp_path / "absent")))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("a/same.png", "x/a/same.png"),
        ("b/same.png", "x/b/same.png"),
        ("SAME.PNG", "x/a/same.png"),
        ("a\\same.png", "x/a/same.png"),
        ("one.jpg", "x/one.png"),
        ("one", "x/one.png"),
        ("1.2.3.4", "x/1.2.3.4.dcm"),
        ("two.png", None),
        ("", None),
    ],
)
def test_index(name: str, path: str | None, tmp_path: Path) -> None:
    make(tmp_path, "x/a/same.png", "x/b/same.png", "x/one.png", "x/1.2.3.4.dcm")
    index = tree.Index(str(tmp_path))
    assert index.find(name) == (None if path is None else str(tmp_path / path))
