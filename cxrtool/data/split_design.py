"""The designs of a split: which parts there are, how large, and what may not be combined."""

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
        clash = [
            (
                self.leave_out and (self.test or self.val or self.folds or self.test_where),
                "--leave-out makes its own folds: drop --test, --val, --folds and --test-where",
            ),
            (self.test_where and self.test, "--test and --test-where both choose the test rows"),
            (self.folds and self.val, "with --folds, the next fold serves as val: drop --val"),
            (self.unseen and not self.folds, "--unseen reserves rows of --folds: give --folds"),
            (self.lender == "", "--balance borrow= names no source to borrow from"),
            (
                (self.test or 0) + (self.val or 0) + (self.unseen or 0) >= 1,
                "--test, --val and --unseen together leave nothing to train on",
            ),
        ]
        for wrong, why in clash:
            if wrong:
                raise CxrtoolError(why, "See cxrtool split --help.")

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
