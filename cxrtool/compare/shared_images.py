"""Whether models are judged on the same images (results -> sentences)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrtool.compare.comparison import Result
from cxrtool.figures import numbers

SHOWN = 5  # At most so many models are named.
MEANING = (
    "Each row is about the images of its own model, so that a difference between models may come "
    "from the images: to compare them, evaluate them on the same ones, or choose these with --where"
)


@dataclass(frozen=True)
class SharedImages:
    """The images of models that are not judged on the same ones, and how many all have."""

    group: str
    counts: dict[str, int]
    common: int

    def __str__(self) -> str:
        each = [f"{model} {numbers.counted(n, 'image')}" for model, n in self.counts.items()]
        more = [f"{len(each) - SHOWN} more models"] if len(each) > SHOWN else []
        where = f" of {self.group}" if self.group else ""
        all_models = "both" if len(each) == 2 else f"all {len(each)}"
        common = f"{self.common} of these in common to {all_models}"
        if not self.common:
            common = f"none of these known to be in common to {all_models}, by path or `raw`"
        return (
            f"the models have different images{where}: {', '.join(each[:SHOWN] + more)}; {common}"
        )


def of(results: Sequence[Result]) -> Iterator[SharedImages]:
    """Yield each group whose models are judged on different images."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        groups.setdefault(result.group, []).append(result)
    for group, own in groups.items():
        if len(own) < 2:
            continue
        each = {result.model: len(result.judged) for result in own}
        common = max(_common([result.images[name] for result in own]) for name in ("path", "raw"))
        if any(number != common for number in each.values()) and not _may_be_versions(own, common):
            yield SharedImages(group, each, common)


def _may_be_versions(results: Sequence[Result], common: int) -> bool:
    """Whether models may judge versions of the same files, which only the column `raw` would say.

    `evaluate` writes it with --keep-columns.
    """
    unknown = any(not result.images["raw"].any() for result in results)
    return unknown and not common and len({len(result.judged) for result in results}) == 1


def _common(keys: Sequence[NDArray[np.int64]]) -> int:
    """Count the images that all models have; an image without a key (0) is not known elsewhere."""
    shared = keys[0]
    for other in keys[1:]:
        shared = np.intersect1d(shared, other)
    return int(np.count_nonzero(np.unique(shared)))
