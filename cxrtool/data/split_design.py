"""The designs of a split: which parts there are, how large, and what may not be combined."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from cxrtool.core.errors import CxrtoolError
from cxrtool.files.manifest import Where


@dataclass(frozen=True)
class SplitPart:
    """One part of a split, as its two columns name it, and its share of the rows."""

    split: str
    fold: str
    target: float
    left_out: str = ""

    def __str__(self) -> str:
        name = f"fold {self.fold}" if self.fold else self.split
        return f"{name} ({self.left_out})" if self.left_out else name


@dataclass(frozen=True, kw_only=True)
class Design:
    """What the user asked for."""

    test: float | None = None
    val: float | None = None
    folds: int | None = None
    unseen: float | None = None
    leave_out: str | None = None
    test_where: list[Where] = field(default_factory=list)
    group: str = "patient"
    stratify: list[str] | None = None
    balance: str | None = None
    caps: list[tuple[str, int]] = field(default_factory=list)
    leaky: bool = False
    drop_straddlers: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse combinations that contradict each other."""
        for why, remedy, settings in self._contradictions():
            raise CxrtoolError(why, remedy, settings=settings)

    def _contradictions(self) -> Iterator[tuple[str, str, list[str]]]:
        """Yield what is wrong, what to do, and the settings that it concerns."""
        others = [n for n in ("test", "val", "folds", "test_where") if getattr(self, n)]
        if self.leave_out and others:
            what = f"one fold for each {self.leave_out} leaves no room for other parts"
            yield what, "Choose one of these.", ["leave_out", *others]
        if self.test_where and self.test:
            yield "the test set is chosen twice", "Choose one of these.", ["test", "test_where"]
        if self.folds and self.val:
            what = "with folds, the next fold is the validation set"
            yield what, "Leave the other out.", ["val"]
        if self.unseen and not self.folds:
            yield "rows can be reserved from folds only", "Ask for folds.", ["folds", "unseen"]
        if self.lender == "":
            yield "no source to borrow from", "Write it as borrow=SOURCE.", ["balance"]
        if (self.test or 0) + (self.val or 0) + (self.unseen or 0) >= 1:
            shares = [n for n in ("test", "val", "unseen") if getattr(self, n)]
            yield "nothing is left to train on", "Choose smaller shares.", shares

    @property
    def lender(self) -> str | None:
        """The source whose rows fill up the classes."""
        return self.balance[7:] if self.balance and self.balance.startswith("borrow=") else None

    @property
    def alone(self) -> bool:
        """Whether images are divided one by one."""
        return self.leaky or self.group == "none"

    @property
    def by_row(self) -> bool:
        """Whether chance falls on single rows, and not on groups of them alone."""
        return self.alone or bool(self.caps) or self.balance is not None

    @property
    def spreads(self) -> bool:
        """Whether rows are divided among several parts, by chance."""
        return not self.leave_out and len(self.parts()) > 1

    def parts(self) -> list[SplitPart]:
        """List the parts that free rows are divided among; the shares sum to 1."""
        if self.folds:
            test, unseen = self.test or 0.0, self.unseen or 0.0
            each = (1 - test - unseen) / self.folds
            parts = [SplitPart("train", str(k + 1), each) for k in range(self.folds)]
            parts += [SplitPart("test", "", test), SplitPart("unseen", "", unseen)]
        elif self.test is None and self.val is None and not self.test_where:
            parts = [
                SplitPart("train", "", 0.7),
                SplitPart("val", "", 0.1),
                SplitPart("test", "", 0.2),
            ]
        else:
            test, val = self.test or 0.0, self.val or 0.0
            parts = [
                SplitPart("train", "", 1 - test - val),
                SplitPart("val", "", val),
                SplitPart("test", "", test),
            ]
        return [p for p in parts if p.target > 0]
