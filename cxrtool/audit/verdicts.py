"""The five verdicts, and the rows that carry them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from cxrtool.figures import numbers
from cxrtool.stats import intervals
from cxrtool.stats.intervals import Bounds

SHOWN, EXCLUDED, INCONCLUSIVE = "shown", "excluded", "inconclusive"
NOT_IDENTIFIABLE, NOT_ASSESSED = "not identifiable", "not assessed"
# The sentence of a row that is shown because its value is below the floor.
BELOW = "below"
# The overall verdict is the first of these that occurs.
WORST_FIRST = (SHOWN, NOT_IDENTIFIABLE, INCONCLUSIVE, NOT_ASSESSED, EXCLUDED)

CONFIRMATORY, DESCRIPTIVE, CONTROL = "confirmatory", "descriptive", "control"
ALPHA, POWER = 0.05, 0.8
# No AUC and no difference of two is larger.
MOST = 1.0


@dataclass
class CheckRow:
    """One row of the audit.

    Attributes
    ----------
    name
        The row, with the column and the model that it is about: `within source (resnet18)`.
    verdict
        Empty for a confirmatory row until all p-values are known; descriptive rows have none.
    limit
        A confirmatory value beyond this limit is an effect beyond the margin.
    floor
        A value below it is an effect, too; NaN where only high values are one.
    beyond
        The verdict of a value beyond the limit, where that may have more than one cause.
    most
        The largest true value that is expected: no larger one is called detectable.
    error
        The standard error where there is an effect, if that is larger than without one.
    ladder
        The interval at each level that Holm's procedure may ask for, the narrowest level first.
    sentences
        What each verdict means, and an effect `BELOW` the floor, with `{value}`, `{low}`,
        `{high}` and `{power}`.
    next
        The next command or action.
    blocks
        Tables and pictures for the page (see `page.add_blocks`).
    """

    name: str
    kind: str = CONFIRMATORY
    check: str = ""  # the module; set by the runner
    verdict: str = ""
    value: float = np.nan
    low: float = np.nan
    high: float = np.nan
    p: float = np.nan
    detectable: float = np.nan
    patients: int = 0
    sources: int = 0
    meaning: str = ""
    next: str = ""
    limit: float = np.nan
    floor: float = np.nan
    beyond: str = SHOWN
    most: float = MOST
    error: float = 0.0
    ladder: list[Bounds] = field(default_factory=list)
    sentences: dict[str, str] = field(default_factory=dict)
    blocks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_tested(self) -> bool:
        """Whether it has a p-value, and so takes part in Holm's procedure."""
        return bool(self.ladder)

    def record(self) -> dict[str, Any]:
        """Return the row for JSON; what is unknown is null."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @classmethod
    def of(cls, record: dict[str, Any]) -> "CheckRow":
        """Make a row of what `record` returned."""
        values: dict[str, Any] = {k: np.nan if v is None else v for k, v in record.items()}
        values["ladder"] = [tuple(bounds) for bounds in values["ladder"]]
        return cls(**values)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: numbers of Python, and null for what is not finite."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not np.isfinite(value) else value


class NotAssessed(Exception):
    """A check as a whole lacks something: why it was not assessed, and what supplies it."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(why)
        self.why, self.remedy = why, remedy


def not_assessed(name: str, why: str, remedy: str, kind: str = CONFIRMATORY) -> CheckRow:
    """Return a row that lacks something: why, and what supplies it."""
    meaning = f"{why[:1].upper()}{why[1:]}."
    return CheckRow(name, kind, verdict=NOT_ASSESSED, meaning=meaning, next=remedy)


def levels(number: int) -> list[float]:
    """Return the levels of the intervals of so many tests, as Holm's procedure asks for them."""
    return [1 - ALPHA / (number - k) for k in range(number)]


def adjust(rows: Sequence[CheckRow], number: int) -> None:
    """Give each tested row its verdict and interval by Holm's procedure over `number` tests.

    Each side is tested at half of ALPHA, so that a row is `shown` exactly where the interval of its
    step lies beyond the limit, or below the floor. Tests that could not be made count all the same:
    the family is fixed before outcomes are read.
    """
    step, rejected = 0, True
    for row in sorted((r for r in rows if r.is_tested), key=lambda r: r.p):
        at = min(step, number - 1)
        row.low, row.high = row.ladder[at]
        rejected = rejected and (row.low > row.limit or row.high < row.floor)
        step += rejected
        row.verdict = row.beyond if rejected else _not_shown(row)
        row.next = "" if row.verdict == EXCLUDED else row.next
        row.detectable = _detectable(row, 1 - ALPHA / (number - at))
    for row in rows:
        row.meaning = row.meaning or _sentence(row)


def _not_shown(row: CheckRow) -> str:
    inside = row.high < row.limit and not row.low <= row.floor
    return EXCLUDED if inside else INCONCLUSIVE


def _detectable(row: CheckRow, level: float) -> float:
    """Return the smallest true value that would be shown with 80 % power; NaN if there is none."""
    z = intervals.quantile(level)
    error = max((row.high - row.low) / 2 / z, row.error)
    value = float(row.limit + (z + intervals.quantile(2 * POWER - 1)) * error)
    return value if value < row.most else np.nan


def _sentence(row: CheckRow) -> str:
    """Say what the verdict of a row means."""
    which = BELOW if row.verdict == SHOWN and row.high < row.floor else row.verdict
    text = row.sentences.get(which, row.sentences.get("", ""))
    texts = {name: numbers.value(getattr(row, name)) for name in ("value", "low", "high")}
    for name, own in {**texts, "power": _power(row)}.items():
        # Not str.format: a column that is named in the sentence may have braces.
        text = text.replace(f"{{{name}}}", own)
    return text


def _power(row: CheckRow) -> str:
    """Say what the images of a row can show."""
    if np.isnan(row.detectable):
        return "There are too few images to show any effect."
    # What may be an effect on either side is a difference of two AUCs.
    what = "AUC" if np.isnan(row.floor) else "difference"
    return (
        f"These images would show a true {what} of {numbers.value(row.detectable)} or more "
        f"(with a power of {numbers.level(POWER)})."
    )


def overall(rows: Sequence[CheckRow]) -> str:
    """Return the worst verdict of the confirmatory rows."""
    there = {row.verdict for row in rows if row.kind == CONFIRMATORY}
    return next((verdict for verdict in WORST_FIRST if verdict in there), NOT_ASSESSED)
