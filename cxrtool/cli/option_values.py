"""What is typed for an option, as values: numbers, shares, pairs, lists, conditions, workers."""

import os
from typing import TYPE_CHECKING, Any

from cxrtool.cli import typed_numbers
from cxrtool.core import commas
from cxrtool.core.errors import CxrtoolError

if TYPE_CHECKING:
    from cxrtool.core.parallel import Crew
    from cxrtool.files import manifest


def number(text: str, kind: type[int] | type[float] = int) -> Any:
    """Return the number that was typed; 0 for a word."""
    return kind(text) if text[:1].isdigit() or text[:1] in ".+-" else kind(0)


def default_jobs() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def idle_jobs(engine: str) -> str:
    """Say why --jobs has no effect with this engine, if so."""
    return "" if engine == "local" else "the workers are those of --engine"


def idle_with_networks(engine: str) -> dict[str, str]:
    """Say why options have no effect where the engine runs networks, too."""
    keeps = "" if engine == "local" else "the workers of --engine read every image anew"
    return {"--jobs": idle_jobs(engine), "--cache": keeps}


def crew(jobs: str, engine: str = "local") -> "Crew":
    """Read who does the work."""
    from cxrtool.core.parallel import Crew

    return Crew(number(jobs) or default_jobs(), engine.partition("=")[2])


def fraction(option: str, text: str | None) -> float | None:
    """Read a share such as `0.2` or `1/11`."""
    if text is None:
        return None
    above, slash, below = text.partition("/")
    try:
        value = float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError):
        value = -1.0
    if not 0 <= value <= 1:
        remedy = typed_numbers.as_written(text, 0, 1) or "Write it as 0.2 or 1/11."
        raise CxrtoolError(f"{option} '{text}' is not between 0 and 1", remedy)
    return value


def pair(option: str, text: str, empty: bool = False) -> tuple[str, str]:
    """Read a KEY=VALUE; the key may hold an equals sign, the value not."""
    key, equals, value = text.rpartition("=")
    if not equals or not key or not (value or empty):
        raise CxrtoolError(f"{option} '{text}' is not KEY=VALUE", "Write both sides.")
    return key.strip(), value.strip()


def count(option: str, text: str) -> tuple[str, int]:
    """Read a KEY=N."""
    key, value = pair(option, text)
    if not value.isdecimal() or int(value) < 1:
        raise CxrtoolError(f"{option} {key}: '{value}' is not a whole number above 0", "Change it.")
    return key, int(value)


def entries(option: str, *texts: str | None) -> list[str]:
    """Read the entries of lists such as `PA,AP`, in their order; none is empty."""
    result = [entry for text in texts if text is not None for entry in commas.split(text)]
    if "" in result:
        raise CxrtoolError(f"{option}: an entry of the list is empty", "Write it as A,B.")
    return result


def conditions(option: str, texts: list[str] | None) -> "list[manifest.Where]":
    """Read COLUMN=V[,V...] conditions."""
    from cxrtool.files.manifest import Where

    result = []
    for text in texts or ():
        try:
            result.append(Where.parse(text))
        except ValueError as e:
            raise CxrtoolError(f"{option} {e}", _as_condition(text)) from None
    return result


def _as_condition(text: str) -> str:
    """Say how a condition is written; of a comparison as programs write it, how this one is."""
    column, equals, value = text.partition("==")
    if equals and column:
        return f"Write {column.removesuffix('!')}{'!' * column.endswith('!')}={value}."
    return "Write it as view=PA,AP or label!=unknown."
