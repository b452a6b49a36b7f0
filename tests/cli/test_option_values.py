"""Values of options, as they are typed."""

import os

import pytest

from cxrtool.cli import option_values
from cxrtool.core.errors import CxrtoolError


@pytest.mark.parametrize(
    ("text", "value"), [("0.2", 0.2), ("1/11", 1 / 11), ("0", 0.0), (None, None)]
)
def test_a_fraction_is_a_decimal_or_a_ratio(text, value):
    assert option_values.fraction("--test", text) == value


@pytest.mark.parametrize("text", ["1.5", "-0.1", "x", "1/0", "nan", "inf", ""])
def test_other_fractions_are_refused(text):
    with pytest.raises(CxrtoolError, match=r"--test '.*' is not between 0 and 1"):
        option_values.fraction("--test", text)


def test_a_pair_is_cut_at_its_last_sign():
    assert option_values.pair("--map-label", "a=b=c") == ("a=b", "c")


def test_conditions_take_quoted_commas_and_a_negation():
    first, second = option_values.conditions("--where", ['label="a,b",c', "view!=L"])
    assert first.holds("a,b")
    assert first.holds("c")
    assert not first.holds("a")
    assert second.holds("PA")
    assert not second.holds("L")


@pytest.mark.parametrize("text", ["label", "=x", "!=x"])
def test_a_condition_without_a_column_or_sign_is_refused(text):
    with pytest.raises(CxrtoolError, match="--where"):
        option_values.conditions("--where", [text])


@pytest.mark.parametrize(
    ("text", "written"), [("label==covid", "label=covid"), ("view!==L,PA", "view!=L,PA")]
)
def test_a_comparison_of_a_program_is_said_to_be_written_otherwise(text, written):
    with pytest.raises(CxrtoolError, match=f"two signs '='.* Write {written}[.]$"):
        option_values.conditions("--where", [text])
    (quoted,) = option_values.conditions("--where", ['label="=x"'])
    assert quoted.holds("=x")


@pytest.mark.parametrize("text", ["label=0", "label=-1", "label=x", "label"])
def test_a_cap_is_a_positive_count(text):
    with pytest.raises(CxrtoolError, match="--cap"):
        option_values.count("--cap", text)


def test_there_are_as_many_workers_as_cores_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A cluster gives a job some of the cores of a machine."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {1, 5, 9}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert option_values.crew("auto").jobs == 3
    assert option_values.crew("7").jobs == 7
