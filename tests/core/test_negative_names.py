"""Which names say that there is no finding."""

import pytest

from cxrtool.core import negative_names


@pytest.mark.parametrize("name", ["normal", "No_Finding", "no-finding", "HEALTHY", "Negative"])
def test_names_of_none_in_any_spelling(name: str) -> None:
    assert negative_names.says_none(name) and negative_names.is_negative(name)


def test_other_is_a_negative_class_and_a_finding_in_a_list() -> None:
    assert negative_names.is_negative("Other") and not negative_names.says_none("Other")
    assert not negative_names.is_negative("Edema")
