"""Lines on standard error: in whose name, and how many."""

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


def test_a_line_takes_the_place_of_the_bar(capfd: pytest.CaptureFixture[str]) -> None:
    with progress.speaking("cxrtool split"):
        for number in progress.bar([1, 2], 2, "rows", "always"):
            progress.note(number)
    printed = capfd.readouterr().err
    # The bar is wiped before the line, which begins where it stood.
    assert "\rcxrtool split: 1\n" in printed
    assert "\rcxrtool split: 2\n" in printed
