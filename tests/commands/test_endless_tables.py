"""A table that never ends is refused by every reader, long before it fills the memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from handy import in_process, rows_of, write_table

from cxrtool.files import csv_records, table

READERS = {
    "equalize": ["equalize", "TABLE", "-d", "made", "-j", "1"],
    "segment": ["segment", "TABLE", "-d", "made", "-j", "1"],
    "split": ["split", "TABLE"],
    "check": ["split", "--check", "TABLE"],
    "train": ["train", "TABLE", "-d", "made", "--device", "cpu"],
    "evaluate": ["evaluate", "run", "TABLE", "--device", "cpu"],
    "cam": ["cam", "run", "TABLE", "-d", "made", "--device", "cpu"],
    "tsne": ["tsne", "run", "TABLE", "--device", "cpu"],
    "compare": ["compare", "TABLE"],
    "metadata": ["ingest", "in", "--metadata", "TABLE"],
    "boxes": ["equalize", "m.csv", "-d", "made", "--conceal", "TABLE"],
}
# What is written again and again: no line that ends, and a row of many lines.
ENDLESS = {"line": b"x" * (1 << 16), "row": b'"a\n",' * (1 << 13)}
SAID = "a line is too long. This is not a CSV file.\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phantoms: Path, small_run: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(csv_records, "LONGEST_LINE", 1 << 20)
    write_table(Path("m.csv"), rows_of(phantoms / "split.csv"))
    os.symlink(small_run, "run")
    os.mkdir("in")


@pytest.fixture(params=ENDLESS)
def fifo(request: pytest.FixtureRequest) -> Iterator[str]:
    """A pipe into which somebody writes for ever."""
    os.mkfifo("pipe.csv")

    def write() -> None:
        try:
            with open("pipe.csv", "wb", buffering=0) as pipe:
                pipe.write(b"path,label,x,y,width,height\n")
                while True:
                    pipe.write(ENDLESS[request.param])
        except BrokenPipeError:
            pass

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    yield "pipe.csv"
    writer.join(30)
    assert not writer.is_alive(), "the pipe is closed"


@pytest.mark.parametrize("reader", READERS)
def test_a_table_without_an_end_is_refused(
    reader: str, fifo: str, capfd: pytest.CaptureFixture[str]
) -> None:
    given = [fifo if word == "TABLE" else word for word in READERS[reader]]
    assert in_process(*given) == 2
    err = capfd.readouterr().err
    assert err.endswith(SAID), err
    assert err.count("\n") == 1
    assert not Path("made").exists()


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no /dev/zero here")
@pytest.mark.parametrize("reader", ["equalize", "split", "compare"])
def test_zeros_without_an_end_are_refused(reader: str, capfd: pytest.CaptureFixture[str]) -> None:
    given = ["/dev/zero" if word == "TABLE" else word for word in READERS[reader]]
    assert in_process(*given) == 2
    assert capfd.readouterr().err.endswith(SAID)


def test_a_quotation_mark_inside_a_cell_makes_no_table_endless() -> None:
    os.mkfifo("pipe.csv")
    lines = b'path,size\n5" screen.png,1\n' + b"a.png,2\n" * 400_000

    def write() -> None:
        Path("pipe.csv").write_bytes(lines)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    piped = table.Table("pipe.csv", again=True)
    writer.join(30)
    assert sum(1 for _ in piped.rows()) == 400_001
