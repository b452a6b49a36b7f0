"""Lists of findings are read as they are written."""

import pytest

from cxrtool.core import finding_lists


@pytest.mark.parametrize(
    ("text", "certain", "uncertain"),
    [
        ("", [], []),
        (" Edema |Mass? | | Flu ?", ["Edema"], ["Mass", "Flu"]),
        ("?|??", [], []),
    ],
)
def test_blanks_and_marks(text: str, certain: list[str], uncertain: list[str]) -> None:
    assert finding_lists.read(text) == (certain, uncertain)
    assert finding_lists.read(finding_lists.written(certain, uncertain)) == (certain, uncertain)
