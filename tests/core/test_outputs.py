"""Outputs are told from inputs by what the file system says they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cxrtool.core import outputs
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.outputs import FilledFolder, Output, reserved
from cxrtool.files import disk
from cxrtool.files.table import Table


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_file_that_is_opened_is_compared() -> None:
    Path("a").write_text("path\nb\n")
    for read in (
        lambda: disk.read_bytes("a", 99),
        lambda: disk.open_input("a"),
        lambda: Table("a"),
    ):
        with (
            reserved([], [Output("--stats", "./a")]),
            pytest.raises(CxrtoolError, match=r"^--stats \./a would overwrite a, which is read\. "),
        ):
            read()


def test_an_output_that_is_reserved_later_is_compared_with_what_was_read() -> None:
    Path("a").touch()
    with reserved([("a", "which is read")], []), pytest.raises(CxrtoolError, match="overwrite a"):
        outputs.current().add(Output("--dir", "a", named=False))


def test_what_a_command_goes_on_from_is_read_by_it_alone() -> None:
    Path("state").touch()
    with reserved([], [Output("--dir", "state", named=False, resumed=True)]):
        assert disk.read_bytes("state", 9) == b""
        with pytest.raises(CxrtoolError):
            outputs.current().protect("state", "which a row names")


def test_nothing_is_lost_where_nothing_is() -> None:
    os.mkfifo("fifo")
    with reserved(
        [("absent", ""), ("fifo", ""), ("a\0b", "")],
        [
            Output("-o", "absent"),
            Output("--plot", "fifo"),
            Output("--stats", "/dev/null"),
            Output("--failures", "/dev/null"),
        ],
    ):
        outputs.current().protect("fifo", "")


def test_names_that_differ_by_their_case_are_one_file_for_some_file_systems() -> None:
    Path("made").mkdir()
    Path("made/Roc.svg").touch()
    with reserved([("made/Roc.svg", "")], [], [FilledFolder("--plot", "made")]):
        outputs.current().check(["made/other.svg", "elsewhere/roc.svg"])
        with pytest.raises(CxrtoolError, match=r"made/roc\.svg would overwrite an input"):
            outputs.current().check(["made/roc.svg"])


def test_a_link_in_the_chain_is_an_input_too() -> None:
    Path("made").mkdir()
    Path("real").touch()
    Path("made/between").symlink_to("../real")
    Path("image").symlink_to("made/between")
    with reserved([("image", "")], [], [FilledFolder("--dir", "made")]):
        with pytest.raises(CxrtoolError):
            outputs.current().target("made/between")
        assert outputs.current().target("made/real") == os.path.realpath("made/real")


def test_commands_within_a_command_fill_its_folder_only(here: Path) -> None:
    """As those of demo do: no file that they name is the user's own choice."""
    Path("out").mkdir()
    Path("demo").mkdir()
    Path("demo/link.csv").symlink_to("../out/link.csv")
    Path("demo/away").symlink_to("../out")
    with reserved([], [], [FilledFolder("--dir", "demo")]):
        os.chdir("demo")
        with reserved([], [Output("-o", "link.csv")]), disk.open_output("link.csv") as file:
            file.write(b"x")
        for given in ([Output("-o", "away/a.csv")], [FilledFolder("--dir", "away")]):
            of = [g for g in given if isinstance(g, Output)]
            into = [g for g in given if isinstance(g, FilledFolder)]
            with (
                pytest.raises(CxrtoolError, match="away: is a link that leads out of demo"),
                reserved([], of, into),
            ):
                pass
    assert (here / "demo" / "link.csv").read_bytes() == b"x" and not os.listdir(here / "out")


def test_a_folder_that_is_searched_is_not_filled() -> None:
    Path("in/deep").mkdir(parents=True)
    for folder in ("in", "in/deep"):
        with (
            reserved([], [], [FilledFolder("--convert", folder)]),
            pytest.raises(CxrtoolError, match=f"^{folder} is inside in, where the next run"),
        ):
            outputs.current().search("in")
    with reserved([], [], [FilledFolder("--convert", "in")]):
        outputs.current().search("in/deep")


def test_a_device_that_the_user_names_by_a_link_stays() -> None:
    Path("nowhere").symlink_to(os.devnull)
    with reserved([], [Output("--output", "nowhere")]), disk.open_output("nowhere") as file:
        file.write(b"x")
    assert os.readlink("nowhere") == os.devnull


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="the system names no descriptors")
def test_a_pipe_that_a_shell_names_is_written_into() -> None:
    reads, writes = os.pipe()
    path = f"/dev/fd/{writes}"
    with reserved([], [Output("--output", path)]), disk.open_output(path) as file:
        disk.check_output(path)
        file.write(b"x")
    # Nobody else may have it written into: a link in a folder that is filled leads nowhere.
    Path("made").mkdir()
    Path("made/link").symlink_to(path)
    with reserved([], [], [FilledFolder("--dir", "made")]), disk.atomic("made/link") as file:
        file.write(b"y")
    os.close(writes)
    with open(reads, "rb") as pipe:
        assert pipe.read() == b"x"
    assert Path("made/link").read_bytes() == b"y" and not os.path.islink("made/link")
