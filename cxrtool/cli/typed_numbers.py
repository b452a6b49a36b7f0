"""Numbers as people write them, where an option takes them as programs do: 5 %, 0,05, 2,000."""

import math
import re
from collections.abc import Sequence
from typing import Any

OPTION = re.compile(r"^invalid value for '(--[a-z-]+)'")
PLAIN = r"(\d+\.?\d*|\.\d+)"
PERCENT, SHARE = re.compile(PLAIN + " ?%"), re.compile(PLAIN)
COMMA, THOUSANDS = re.compile(r"(\d*),(\d+)"), re.compile(r"\d{1,3}(,\d{3})+")


def remedy(said: str, command: Any, words: Sequence[str]) -> str:
    """Say how a number is written, of an error about one; empty of other errors."""
    option = OPTION.match(said)
    if not option:
        return ""
    text, (low, high) = _value(option[1], words), _range(option[1], command)
    if "not a whole number" in said:
        return as_whole(text, low, high)
    return as_written(text, low, high)


def as_whole(text: str, low: float, high: float) -> str:
    """Say how a whole number is written without a separator; empty of other texts."""
    plain = text.replace(",", "")
    if THOUSANDS.fullmatch(text) and low <= int(plain) <= high:
        return f"Write it without a separator: {plain}."
    return ""


def as_written(text: str, low: float, high: float) -> str:
    """Say how a number with a sign % or a decimal comma is written, if it is in the range."""
    if percent := PERCENT.fullmatch(text):
        share = float(percent[1]) / 100
        return f"Write {text} as {share:g}." if low <= share <= high else ""
    if comma := COMMA.fullmatch(text):
        pointed = f"{comma[1] or 0}.{comma[2]}"
        return f"Write it with a point: {pointed}." if low <= float(pointed) <= high else ""
    # From 2 on: 1.5 is rather a slip of the finger than 1.5 %.
    if SHARE.fullmatch(text) and high <= 1 and 2 <= float(text) <= 100 * high:
        return f"If it means {text} %, write {float(text) / 100:g}."
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


def _range(option: str, command: Any) -> tuple[float, float]:
    """Return the least and the largest value of an option."""
    for parameter in command.params:
        if option in parameter.opts:
            low, high = parameter.min, parameter.max
            return -math.inf if low is None else low, math.inf if high is None else high
    return -math.inf, math.inf
