"""The class of an image, by patterns on the collection's own words."""

import pytest

from cxrtool.data import sources

PATTERNS = [("*edema*", "oedema"), ("*mass*", "mass")]


def test_a_finding_that_no_pattern_fits_is_not_mapped_to_nothing() -> None:
    row = {"finding": "Edema|Mass", "label": ""}
    assert sources._label(row, [], set()) == ""
    assert sources._label(row, [("fracture", "")], {"fracture"}) == ""
    assert sources._label(row, [("*mass", "")], {"*mass"}) is None


@pytest.mark.parametrize(
    ("finding", "label"),
    [
        ("Edema|Mass?", "oedema"),
        ("Mass|Edema?", "mass"),
        ("Edema?", "of the collection"),
        ("Fracture|Edema?|Mass?", "of the collection"),
    ],
)
def test_no_class_is_named_by_an_uncertain_finding(finding: str, label: str) -> None:
    row, unused = {"finding": finding, "label": "of the collection"}, {"*edema*", "*mass*"}
    assert sources._label(row, PATTERNS, unused) == label
