"""Lines on standard error: in whose name, and how many."""

import io
import sys

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


def test_a_line_takes_the_place_of_the_bar(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.speaking("cxrtool split"):
        for number in progress.bar([1, 2], 2, "rows", "always"):
            progress.note(number)
    printed = capfd.readouterr().err
    # The bar is wiped before the line, which begins where it stood.
    assert "\rcxrtool split: 1\n" in printed
    assert "\rcxrtool split: 2\n" in printed
