"""Of two classes the positive one is the finding, in whatever order they stand."""

from __future__ import annotations

import itertools

import pytest

from cxrtool.compare import positive_class
from cxrtool.core.errors import CxrtoolError

SPELLED = (
    "normal",
    "Normal",
    "NEGATIVE",
    "healthy",
    "no finding",
    "No_Finding",
    "no-finding",
    "No Finding ",
    "control",
    "Other",
)


@pytest.mark.parametrize(("name", "first"), [*itertools.product(SPELLED, (True, False))])
def test_the_class_without_a_finding_is_never_positive(name: str, first: bool) -> None:
    classes = [name, "covid"] if first else ["covid", name]
    assert positive_class.positive_class(classes) == "covid"
    assert positive_class.reason(classes) == f"because '{name}' is the negative class"


@pytest.mark.parametrize(
    "classes",
    [
        ["a", "b"],
        ["covid", "pneumonia"],
        ["normal", "other"],
        ["other", "normal"],
        ["abnormal", "non-covid"],
    ],
)
def test_of_names_that_do_not_decide_it_is_the_second(classes: list[str]) -> None:
    assert positive_class.positive_class(classes) == classes[1]
    assert positive_class.reason(classes) == "the second p_ column"


@pytest.mark.parametrize("negative", ["Non-COVID", "no covid", "NOT_covid", "noncovid"])
def test_a_denial_of_the_other_class_is_negative(negative: str) -> None:
    assert positive_class.positive_class(["COVID", negative]) == "COVID"
    assert positive_class.positive_class([negative, "COVID"]) == "COVID"


@pytest.mark.parametrize("positive", ["COVID-19", "COVID-19 positive", "covid19_Positive"])
@pytest.mark.parametrize("negative", ["COVID-19 negative", "covid19-NEGATIVE", "no COVID-19"])
def test_a_finding_is_positive_and_its_denial_negative(positive: str, negative: str) -> None:
    assert positive_class.positive_class([positive, negative]) == positive
    assert positive_class.positive_class([negative, positive]) == positive


@pytest.mark.parametrize("classes", [["normal"], ["normal", "covid", "pneumonia"]])
def test_of_one_class_or_three_none_is_positive(classes: list[str]) -> None:
    assert positive_class.positive_class(classes) is None


def test_what_is_asked_for_comes_first() -> None:
    assert positive_class.positive_class(["normal", "covid"], "normal") == "normal"
    with pytest.raises(CxrtoolError, match="--positive 'flu' is not one of: normal, covid"):
        positive_class.positive_class(["normal", "covid"], "flu")
