"""The decision threshold of evaluate: as typed, or chosen on validation or on these images."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note
from cxrtool.figures import numbers

if TYPE_CHECKING:
    from cxrtool.core.errors import Skip
    from cxrtool.files.manifest import Manifest
    from cxrtool.files.run_record import About
    from cxrtool.learn.leaks import Seen
    from cxrtool.learn.prediction import Floats, Predictor

    Pair = tuple[dict[str, str], Floats]

# With fewer validation images of a class a threshold is mostly chance.
FEW = 10


def of_first(threshold: str, about: "About", calibrate: bool) -> float | None:
    """Return the threshold of one run."""
    from cxrtool.learn import prediction

    if threshold == "val":
        _warn_few(about)
    return _read(threshold, prediction.of_val(about, calibrate))


def of_validation(
    source: "Manifest | None", seen: "Sequence[Seen]", predictor: "Predictor"
) -> float:
    """Choose the threshold on the validation images, by what predicts: all runs, all looks."""
    from cxrtool.learn import prediction

    remedy = "Give the manifest that the runs were trained on, or a probability."
    if source is None:
        raise CxrtoolError("--threshold val needs the validation images here", remedy)
    for run in seen:
        if run.images is None:
            what = f"--threshold val: {run.name} keeps no record of its validation images"
            why = "its manifest had no sha256, or it was made by an earlier version"
            raise CxrtoolError(
                f"{what} ({why})", "Train it again with --force, or give a probability."
            )
    every = (dict(zip(source.columns, cells, strict=True)) for cells in source.every_row())
    rows = (row for row in every if all(run.recorded(row) == "val" for run in seen))
    unread: list[Skip] = []
    best = prediction.best_threshold(
        prediction.predicted(rows, predictor, unread.append), predictor
    )
    if best is None:
        what = f"{source.name}: no images of both classes on which all the runs were validated"
        raise CxrtoolError(what, remedy)
    lost = f" ({len(unread)} cannot be read)" if unread else ""
    note(f"threshold {numbers.measure(best[0])}, of {best[1]} validation images{lost}")
    return best[0]


def youden(pairs: "list[Pair]", predictor: "Predictor") -> float:
    """Choose the threshold that is best for these very images."""
    from cxrtool.learn import prediction

    best = prediction.best_threshold(pairs, predictor) if len(predictor.first) == 2 else None
    if best is None:
        what = "--threshold youden needs images of both of two classes, with their labels"
        raise CxrtoolError(what, "Use --threshold val.")
    note(
        f"threshold {numbers.measure(best[0])}, the best for these very images: the results are "
        "too optimistic"
    )
    return best[0]


def _warn_few(about: "About") -> None:
    """Say where a threshold was chosen on few images of a class."""
    counts = about.data.get("val") or {}
    few = [f"{counts[name]} of '{name}'" for name in about.classes if counts.get(name, FEW) < FEW]
    if few:
        note(f"warning: the threshold was chosen on few validation images: {', '.join(few)}")


def _read(text: str, of_val: float) -> float | None:
    """Read a probability, or take that of the validation part."""
    if text == "val":
        return of_val
    if text == "youden":
        return None  # It is chosen when all is seen.
    return float(text)
