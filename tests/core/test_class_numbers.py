"""Numbers of classes are read, or refused."""

from __future__ import annotations

import pytest

from cxrtool.core import class_numbers
from cxrtool.core.errors import CxrtoolError

CLASSES = ["covid", "a=b", "normal, healthy"]


def test_numbers_are_read_by_class() -> None:
    assert class_numbers.read("covid=25, a=b=0.5") == {"covid": 25.0, "a=b": 0.5}
    text = '"normal, healthy=2",covid=3'
    assert class_numbers.of_classes(text, CLASSES, "rebalance", int) == {2: 2, 0: 3}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "covid",
        "covid=",
        "=1",
        "covid=0",
        "covid=-1",
        "covid=nan",
        "covid=1e7",
        "a=1,a=2",
        "a=1,",
    ],
)
def test_what_is_no_number_above_zero_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        class_numbers.read(text)


def test_a_number_of_images_is_whole() -> None:
    with pytest.raises(ValueError):
        class_numbers.read("covid=1.5", int)


def test_a_class_that_is_not_there_is_named() -> None:
    with pytest.raises(CxrtoolError, match=r"'virus' is none of the classes: covid, a=b") as e:
        class_numbers.of_classes("virus=1", CLASSES, "class_weights")
    assert list(e.value.settings) == ["class_weights"]
