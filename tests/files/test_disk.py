"""A file stands under its name when it is whole, and not before."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cxrtool.core import outputs
from cxrtool.core.errors import BrokenRun, CxrtoolError
from cxrtool.core.outputs import Output
from cxrtool.files import disk


def test_atomic_writes_all_or_nothing(tmp_path: Path) -> None:
    target = tmp_path / "a"
    with disk.atomic(target) as file:
        file.write(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    with pytest.raises(KeyError), disk.atomic(target) as file:
        file.write(b"half")
        raise KeyError
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("fresh", [False, True])
def test_atomic_names_a_file_when_it_is_on_the_disk(
    fresh: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name may reach the disk before the bytes do, and after a power cut stand for nothing."""
    done: list[str] = []

    def flush(descriptor: int) -> None:
        assert os.fstat(descriptor).st_size == 3, "it is whole"
        done.append("flushed")

    def name(*places: object) -> None:
        done.append("named")
        really(*places)

    how = "link" if fresh else "replace"
    really = getattr(os, how)
    monkeypatch.setattr(os, "fsync", flush)
    monkeypatch.setattr(os, how, name)
    with disk.atomic(tmp_path / "a", fresh=fresh) as file:
        file.write(b"new")
    assert done == ["flushed", "named"]


def test_atomic_keeps_to_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with disk.atomic(tmp_path / "a") as file:
            file.write(b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_atomic_follows_a_link_that_the_user_named(tmp_path: Path) -> None:
    link, there = tmp_path / "link", tmp_path / "there"
    link.symlink_to("there")
    with outputs.reserved([], [Output("--output", str(link))]), disk.atomic(link) as file:
        file.write(b"x")
    assert there.read_bytes() == b"x" and link.is_symlink()
    with disk.atomic(link) as file:
        file.write(b"y")
    assert there.read_bytes() == b"x" and link.read_bytes() == b"y" and not link.is_symlink()


@pytest.mark.parametrize("target", ["folder", "nowhere", "/dev/null"])
def test_atomic_replaces_a_link_wherever_it_leads(target: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(target)
    with disk.atomic(tmp_path / "link") as file:
        file.write(b"x")
    assert (tmp_path / "link").read_bytes() == b"x"
    assert sorted(os.listdir(tmp_path)) == ["folder", "link"]


def test_atomic_takes_a_fresh_name_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(data: bytes) -> None:
        with disk.atomic(tmp_path / "a", fresh=True) as file:
            file.write(data)

    write(b"first")
    with pytest.raises(FileExistsError):
        write(b"second")
    assert (tmp_path / "a").read_bytes() == b"first" and os.listdir(tmp_path) == ["a"]

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    write(b"where there are no links")
    assert os.listdir(tmp_path) == ["a"]


def test_atomic_takes_the_longest_name(tmp_path: Path) -> None:
    with disk.atomic(tmp_path / ("x" * 255)) as file:
        file.write(b"x")
    assert os.listdir(tmp_path) == ["x" * 255]


def test_a_full_disk_breaks_the_run(tmp_path: Path) -> None:
    with pytest.raises(BrokenRun, match="no space left on device"), disk.atomic(tmp_path / "a"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert not os.listdir(tmp_path)


def test_the_error_of_another_file_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), disk.atomic(tmp_path / "a"):
        os.stat(tmp_path / "absent")


@pytest.mark.parametrize("check", [False, True])
def test_wrong_places(check: bool, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    def refuse(path: Path, words: str) -> None:
        with pytest.raises(CxrtoolError, match=words) as refused:
            if check:
                disk.check_output(str(path))
            else:
                with disk.open_output(str(path)):
                    pass
        assert refused.value.code == 2 and str(path) in str(refused.value)

    refuse(tmp_path, "is a folder")
    refuse(tmp_path / "no" / "a", "no such")
    refuse(tmp_path / "file" / "a", "not a directory|no such folder")


def test_devices_are_written_in_place() -> None:
    disk.check_output(os.devnull)
    with disk.open_output(os.devnull) as file:
        file.write(b"x")
    assert Path(os.devnull).is_char_device()


def test_sweep_removes_what_the_dead_left(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    mine = disk._part_prefix() + "x.part"
    left = disk._part_prefix(dead.pid) + "x.part"
    absurd = disk._part_prefix(10**30) + "x.part"
    foreign = f".cxrtool-000000-{dead.pid}-x.part"
    for name in (mine, left, absurd, foreign, "a.part"):
        (tmp_path / name).touch()
    disk.sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([mine, absurd, foreign, "a.part"])


def test_read_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert disk.read_bytes(tmp_path / "a", 3) == b"abc"
    with pytest.raises(ValueError, match="it has 0 MiB, more than 0"):
        disk.read_bytes(tmp_path / "a", 2)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(ValueError, match="not a regular file"):
        disk.read_bytes(tmp_path / "fifo", 9)


def test_create_takes_no_place_that_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "key"
    disk.create(str(path), b"first")
    disk.create(str(path), b"second")
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["key"] and path.stat().st_mode & 0o777 == 0o600


def test_open_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CxrtoolError, match=r"absent: no such file or directory\. Check the path"):
        disk.open_input(str(tmp_path / "absent"))
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CxrtoolError, match="standard input is closed"):
        disk.open_input("-")


def test_a_closed_standard_output(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    for use in (disk.check_output, lambda path: disk.open_output(path).__enter__()):
        with pytest.raises(BrokenRun, match="standard output is closed"):
            use("-")
    (tmp_path / "a").touch()
    with open(tmp_path / "a", "rb") as reading:
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(reading))
        with pytest.raises(BrokenRun, match="standard output is closed"):
            disk.check_output("-")


CLAIM = "import sys; from cxrtool.files import disk; disk.claim(sys.argv[1]); print('mine'); "


def claiming(folder: Path, then: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CLAIM + then, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_claim_keeps_others_out_until_it_ends(tmp_path: Path) -> None:
    first = claiming(tmp_path, "sys.stdout.flush(); sys.stdin.read()")
    assert first.stdout is not None and first.stdout.readline() == "mine\n"
    (tmp_path / "link").symlink_to(tmp_path)
    for name in (tmp_path, tmp_path / "link"):
        with pytest.raises(CxrtoolError) as refused:
            disk.claim(str(name))
        assert refused.value.code == 2
        assert str(refused.value) == (
            f"{name}: another run is writing into it. Wait for its end, or name another folder: "
            "commands of one pipe need one each."
        )
    first.kill()  # Even so it lets go.
    first.communicate()
    second = claiming(tmp_path)
    assert second.communicate(timeout=30) == ("mine\n", "")


def test_a_run_may_claim_a_folder_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claims: dict[str, int] = {}
    monkeypatch.setattr(disk, "_claimed", claims)
    disk.claim(str(tmp_path))
    disk.claim(f"{tmp_path}/../{tmp_path.name}")
    assert list(claims) == [os.path.realpath(tmp_path)]
    assert os.listdir(tmp_path) == [], "a claim leaves nothing behind"
    os.close(claims.popitem()[1])


def test_a_folder_that_cannot_be_locked_is_used_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    claims: dict[str, int] = {}
    monkeypatch.setattr(disk, "_claimed", claims)
    monkeypatch.setattr(fcntl, "flock", refuse)
    disk.claim(str(tmp_path))
    os.close(claims.popitem()[1])
