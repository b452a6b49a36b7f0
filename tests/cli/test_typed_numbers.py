"""Numbers that are written as people write them are refused with how to write them."""

from __future__ import annotations

import pytest
from handy import in_process

from cxrtool.cli import typed_numbers
from cxrtool.cli.app import build


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
        ("split m.csv --test 20", "is not between 0 and 1. If it means 20 %, write 0.2."),
        ("compare --bootstrap 2,000", "whole number. Write it without a separator: 2000."),
        ("split m.csv --folds=1,000", "whole number. Write it without a separator: 1000."),
        ("train m.csv -d x --epochs 1,000,000", "Write it without a separator: 1000000."),
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
        "compare p.csv --ci 1.5",
        "compare p.csv --ci 1.2.3%",
        "audit m.csv -d made --margin 95%",
        "audit m.csv -d made --margin 95",
        "train m.csv -d run --epochs 2,5",
        "train m.csv -d run --epochs 50%",
        "evaluate run m.csv --tta 1,000",
    ],
)
def test_of_other_numbers_nothing_is_guessed(typed: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert in_process(*typed.split()) == 2
    said = capfd.readouterr().err
    assert "Write" not in said and "write" not in said


@pytest.mark.parametrize("typed", ["200%", "1,5", "1.2.3%", ".%", "1.5", "200", "-20%"])
def test_a_share_out_of_range_is_not_written_anew(
    typed: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert in_process("split", "m.csv", f"--test={typed}") == 2
    assert capfd.readouterr().err.endswith("between 0 and 1. Write it as 0.2 or 1/11.\n")


def test_the_last_value_counts() -> None:
    command = build("compare").commands["compare"]
    said = "invalid value for '--ci': not a number. See cxrtool compare --help."
    assert "as 0.9." in typed_numbers.remedy(said, command, ["--ci", "95", "--ci=90%"])
