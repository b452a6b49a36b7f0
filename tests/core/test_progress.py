"""Lines on standard error: in whose name, and how many."""

import io
import os
import re
import sys
from collections.abc import Iterator

import pytest

from cxrtool.core import progress


@pytest.mark.parametrize(
    ("level", "expected"),
    [(-1, "error"), (0, "error note"), (1, "error note detail"), (progress.MUTE, "")],
)
def test_the_level_holds_lines_back(
    level: int, expected: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with progress.speaking("cxrtool split") as speaker:
        speaker.level = level
        progress.error("error")
        progress.note("note")
        progress.detail("detail")
    lines = capfd.readouterr().err.splitlines()
    assert lines == [f"cxrtool split: {word}" for word in expected.split()]


def test_nothing_of_a_command_outlives_it(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="wrong"), progress.speaking("cxrtool split") as speaker:
        speaker.level = 1
        progress.mute()
        raise ValueError("wrong")
    progress.note("after")
    progress.detail("held back")
    assert capfd.readouterr().err == "cxrtool: after\n"


def test_a_process_that_is_mute_says_nothing_to_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.speaking("cxrtool"):
        with progress.speaking("cxrtool train"):
            progress.mute()
            assert list(progress.bar([1, 2], 2, "rows", "always")) == [1, 2]
        progress.error("late")
    assert capfd.readouterr().err == ""


def test_a_command_inside_another_speaks_in_its_own_name(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.speaking("cxrtool demo"):
        with progress.speaking("cxrtool train"):
            progress.note("inner")
        progress.note("outer")
    assert capfd.readouterr().err == "cxrtool train: inner\ncxrtool demo: outer\n"


class Screen(io.StringIO):
    """Standard error as a terminal, or as a file."""

    def __init__(self, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.mark.parametrize(
    ("when", "is_terminal", "level", "shown"),
    [
        ("auto", True, 0, True),
        ("auto", True, -1, False),
        ("auto", False, 1, False),
        ("always", False, -1, True),
        ("never", True, 1, False),
    ],
)
def test_bars_are_for_terminals_unless_asked_for(
    when: str, is_terminal: bool, level: int, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Screen(is_terminal))
    with progress.speaking("cxrtool split") as speaker:
        speaker.level = level
        assert list(progress.bar([1, 2], 2, "rows", when)) == [1, 2]
        with progress.counter(2, 0, "rows", when) as count:
            count(1)
    assert ("0/2 [" in screen.getvalue()) == shown
    assert shown or not screen.getvalue()


def test_a_terminal_without_a_width_has_lines(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pty = pytest.importorskip("pty", reason="such terminals are of Unix")
    ends = pty.openpty()
    with open(ends[1], "w") as screen:
        monkeypatch.setattr(sys, "stderr", screen)
        clock = Clock(monkeypatch)
        with progress.speaking("cxrtool cam"):
            assert list(progress.bar(clock.each([40, 40]), 2, "images")) == [0, 1]
    os.close(ends[0])
    assert "1 of 2 images after 40 s" in capfd.readouterr().err


def test_a_line_takes_the_place_of_the_bar(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.speaking("cxrtool split"):
        for number in progress.bar([1, 2], 2, "rows", "always"):
            progress.note(number)
    printed = capfd.readouterr().err
    # The bar is wiped before the line, which begins where it stood.
    assert "\rcxrtool split: 1\n" in printed
    assert "\rcxrtool split: 2\n" in printed


class Clock:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(progress, "clock", lambda: self.now)

    def each(self, seconds: list[float]) -> Iterator[int]:
        """Yield numbers, each after so many seconds of work."""
        for number, passed in enumerate(seconds):
            self.now += passed
            yield number


def said(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    seconds: list[float],
    total: int | None,
    *,
    level: int = 0,
    when: str = "auto",
) -> list[str]:
    monkeypatch.setattr(sys, "stderr", Screen(is_terminal=False))
    clock = Clock(monkeypatch)
    with progress.speaking("cxrtool segment") as speaker:
        speaker.level = level
        work = progress.bar(clock.each(seconds), total, "images", when)
        assert list(work) == list(range(len(seconds)))
    return capfd.readouterr().err.splitlines()


def test_long_work_without_a_terminal_has_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert said(monkeypatch, capfd, [5] * 40, 40) == [
        "cxrtool segment: 6 of 40 images after 30 s, about 3 min left",
        "cxrtool segment: 18 of 40 images after 90 s, about 2 min left",
        "cxrtool segment: 30 of 40 images after 2 min, about 50 s left",
    ]
    assert said(monkeypatch, capfd, [20, 20], None) == ["cxrtool segment: 2 images after 40 s"]
    assert said(monkeypatch, capfd, [20, 20], 2) == ["cxrtool segment: 2 of 2 images after 40 s"]


def test_short_work_a_quiet_command_and_a_program_that_reads_bars_get_no_lines(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert said(monkeypatch, capfd, [0.7] * 40, 40) == []
    assert said(monkeypatch, capfd, [5] * 40, 40, level=-1) == []
    assert said(monkeypatch, capfd, [5] * 40, 40, level=progress.MUTE) == []
    assert said(monkeypatch, capfd, [5] * 40, 40, when="never") == []


def test_a_day_of_work_has_lines_for_a_page_not_for_a_book(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = said(monkeypatch, capfd, [10] * 8640, 8640)
    assert 20 < len(lines) < 100
    assert re.fullmatch(r".*: \d+ of 8640 images after \d+ h \d+ min, about .* left", lines[-1])


def test_what_a_resumed_run_had_done_before_is_no_speed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", Screen(is_terminal=False))
    clock = Clock(monkeypatch)
    with progress.speaking("cxrtool train"), progress.counter(100, 50, "images") as count:
        clock.now += 40
        count(10)
    line = "cxrtool train: 60 of 100 images after 40 s, about 3 min left\n"
    assert capfd.readouterr().err == line


def test_items_end_with_whoever_stops_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind them are workers, which are to stop at once."""
    monkeypatch.setattr(sys, "stderr", Screen(is_terminal=False))
    ended: list[str] = []

    def items() -> Iterator[int]:
        try:
            yield from range(9)
        finally:
            ended.append("items")

    kept = items()
    work = progress.bar(kept, 9, "images")
    assert next(iter(work)) == 0
    work.close()  # type: ignore[attr-defined]
    assert ended == ["items"]
