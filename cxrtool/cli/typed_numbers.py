"""Numbers as people write them, where an option takes them as programs do: 5 %, 0,05."""

import re
from collections.abc import Sequence

OPTION = re.compile(r"^invalid value for '(--[a-z-]+)'")
ABOVE = re.compile(r": above ([0-9]+(?:\.[0-9]+)?)")
PERCENT, COMMA = re.compile(r"([0-9.]+) ?%"), re.compile(r"([0-9]*),([0-9]+)")


def remedy(said: str, words: Sequence[str]) -> str:
    """Say how a number is written, of an error about one; empty of other errors."""
    option = OPTION.match(said)
    text = _value(option[1], words) if option else ""
    if written := as_written(text):
        return written
    above = ABOVE.search(said)
    if above and float(above[1]) <= 1 < _number(text) <= 100:
        return f"If it means {text} %, write {_hundredth(text)}."
    return ""


def as_written(text: str) -> str:
    """Say how a program reads a number with a sign % or a decimal comma; empty of other texts."""
    if percent := PERCENT.fullmatch(text):
        return f"Write {text} as {_hundredth(percent[1])}."
    if comma := COMMA.fullmatch(text):
        return f"Write it with a point: {comma[1] or 0}.{comma[2]}."
    return ""


def _value(option: str, words: Sequence[str]) -> str:
    """Return what was typed for an option; the last value counts."""
    values = [
        (equals and value) or "".join(words[at + 1 : at + 2])
        for at, word in enumerate(words)
        for name, equals, value in [word.partition("=")]
        if name == option
    ]
    return values[-1] if values else ""


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _hundredth(text: str) -> str:
    return f"{_number(text) / 100:g}"
