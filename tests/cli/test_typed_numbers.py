"""Numbers that are written as people write them are refused with how to write them."""

from __future__ import annotations

import pytest
from handy import in_process

from cxrtool.cli import typed_numbers


@pytest.mark.parametrize(
    ("typed", "remedy"),
    [
        ("audit m.csv -d made --margin 5%", "not a number. Write 5% as 0.05."),
        ("audit m.csv -d made --margin=2.5%", "not a number. Write 2.5% as 0.025."),
        ("audit m.csv -d made --margin 0,05", "not a number. Write it with a point: 0.05."),
        ("audit m.csv -d made --margin 5", "above 0.5. If it means 5 %, write 0.05."),
        ("compare p.csv --ci 95", "above 1. If it means 95 %, write 0.95."),
        ("split m.csv --test 20%", "is not between 0 and 1. Write 20% as 0.2."),
        ("split m.csv --val 0,2", "is not between 0 and 1. Write it with a point: 0.2."),
        ("compare p.csv --ci 95%", "not a number. Write 95% as 0.95."),
    ],
)
def test_a_number_is_written_as_a_program_reads_it(
    typed: str, remedy: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert in_process(*typed.split()) == 2
    said = capfd.readouterr().err
    assert said.endswith(f"{remedy}\n") and said.count("\n") == 1


@pytest.mark.parametrize(
    "typed",
    [
        "compare p.csv --ci 950",
        "compare p.csv --ci -1",
        "compare --bootstrap=x",
        "phantom 2 --size x -d made",
    ],
)
def test_of_other_numbers_nothing_is_guessed(typed: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert in_process(*typed.split()) == 2
    said = capfd.readouterr().err
    assert "Write" not in said and "write" not in said


def test_the_last_value_counts() -> None:
    said = "invalid value for '--ci': not a number. See cxrtool compare --help."
    assert "as 0.9." in typed_numbers.remedy(said, ["--ci", "95", "--ci=90%"])
