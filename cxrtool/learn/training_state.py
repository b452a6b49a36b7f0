"""How far a training has come: the typed content of last.json."""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

Figures = dict[str, Any]


@dataclass
class TrainingState:
    """The epochs that are done, the best of them, and what was chosen on the way."""

    epoch: int = 0
    waited: int = 0  # epochs since the best one
    best: Figures = field(default_factory=dict)
    history: list[Figures] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    schedule: dict[str, Any] = field(default_factory=dict)
    key: str = ""  # differs for runs of other options, data or versions
    batch: int | None = None  # where the run chose it
    rate: float | None = None  # where the run chose it
    rates: list[list[float]] = field(default_factory=list)  # that it was chosen from, with losses

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Self:
        """Read a record whose fields have been checked; those of later versions are left out."""
        names = {f.name for f in dataclasses.fields(cls)}
        return cls(**{name: value for name, value in record.items() if name in names})

    def record(self) -> dict[str, Any]:
        """Return the fields that have a value, for JSON, in the order in which they are read."""
        fields = dataclasses.asdict(self)
        optional = ("columns", "batch", "rate", "rates")
        there = {k: v for k, v in fields.items() if k not in optional or v not in (None, [])}
        record: dict[str, Any] = json.loads(json.dumps(there, sort_keys=True))
        return record

    def add(self, row: Figures, fallen: float) -> bool:
        """Add an epoch; return whether it is the best so far.

        `fallen` is the monitored figure, less being better. Where it is no number, as without a
        validation part, the last epoch is the best there is.
        """
        self.epoch, self.columns = row["epoch"], list(row)
        self.history.append(row)
        least = self.best.get("fallen")
        if math.isfinite(fallen) and least is not None and fallen >= least:
            self.waited += 1
            return False
        self.best = {"fallen": fallen if math.isfinite(fallen) else None, **row}
        self.waited = 0
        return True

    def chosen(self) -> dict[str, Any]:
        """Return what was found for the options that ask for it, by the option's name."""
        pairs = {"batch": self.batch, "lr": self.rate}
        return {option: value for option, value in pairs.items() if value is not None}
