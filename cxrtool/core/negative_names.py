"""What collections and papers call images without a finding; case and separators do not matter."""

import re

NO_FINDING = ("normal", "negative", "healthy", "no finding", "control")
# As a class, `other` is the answer no; in a list of findings it is one more finding.
NEGATIVE = (*NO_FINDING, "other")


def plain(name: str) -> str:
    """Return a name without separators, in small letters."""
    return re.sub(r"[\s_-]", "", name).casefold()


def is_negative(label: str) -> bool:
    """Tell whether a class says that there is no finding, whatever the other classes are."""
    return plain(label) in {plain(name) for name in NEGATIVE}


def says_none(name: str) -> bool:
    """Tell whether a name in a list of findings says that there is none."""
    return plain(name) in {plain(other) for other in NO_FINDING}
