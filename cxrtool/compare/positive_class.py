"""The positive class of a comparison: the one asked for, or of two the one that names a finding."""

from collections.abc import Sequence

from cxrtool.core import registry
from cxrtool.core.negative_names import NEGATIVE, plain


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
    findings = [plain(name).removesuffix("positive") for name in classes]
    denials = {f"{no}{finding}" for finding in findings for no in ("no", "non", "not")}
    denials |= {f"{finding}negative" for finding in findings}
    words = {*map(plain, NEGATIVE), *denials}
    named = [name for name in classes if plain(name) in words]
    return named[0] if len(named) == 1 else None


def reason(classes: Sequence[str]) -> str:
    """Say how the positive class of two was chosen."""
    negative = negative_class(classes)
    return f"because '{negative}' is the negative class" if negative else "the second p_ column"
