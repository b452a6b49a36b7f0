"""The positive class of a comparison: the one asked for, or of two the one that names a finding."""

import re
from collections.abc import Sequence

from cxrtool.core import registry

# What collections and papers call images without the finding (case and separators aside).
NEGATIVE = ("normal", "negative", "healthy", "no finding", "control", "other")


def positive_class(classes: Sequence[str], asked: str | None = None) -> str | None:
    """Name the positive class, or None where there are not two classes and none is asked for.

    Of two classes it is the one that is not among NEGATIVE. Where both or neither are, it is the
    second.
    """
    if asked is not None:
        registry.choose("--positive", asked, classes)
        return asked
    if len(classes) != 2:
        return None
    negative = negative_class(classes)
    return next(name for name in reversed(classes) if name != negative)


def negative_class(classes: Sequence[str]) -> str | None:
    """Name the one of two classes whose name says that there is no finding; None if both do."""
    if len(classes) != 2:
        return None
    findings = [_plain(name).removesuffix("positive") for name in classes]
    denials = {f"{no}{finding}" for finding in findings for no in ("no", "non", "not")}
    denials |= {f"{finding}negative" for finding in findings}
    words = {*map(_plain, NEGATIVE), *denials}
    named = [name for name in classes if _plain(name) in words]
    return named[0] if len(named) == 1 else None


def is_negative(label: str) -> bool:
    """Tell whether a label says that there is no finding, whatever the classes are."""
    return _plain(label) in {_plain(name) for name in NEGATIVE}


def reason(classes: Sequence[str]) -> str:
    """Say how the positive class of two was chosen."""
    negative = negative_class(classes)
    return f"because '{negative}' is the negative class" if negative else "the second p_ column"


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).casefold()
