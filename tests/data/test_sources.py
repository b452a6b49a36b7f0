"""The class of an image, by patterns on the collection's own words."""

import pytest

from cxrtool.data import sources

PATTERNS = [("*edema*", "oedema"), ("*mass*", "mass")]


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
