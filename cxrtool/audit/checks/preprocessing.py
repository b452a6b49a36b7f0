"""Does a preprocessing change the AUC by more than the luck of seeds and of these patients?

A network that is trained again with another seed has another AUC on the same images, often by more
than a preprocessing is said to gain. So groups of models are compared: those of each preprocessing
(column `preprocessing`) with those of the plainest one, on the images that all of them judge. The
interval is about other seeds and other patients at once. The same difference within sources tells
whether the preprocessing helps against the disease, or in recognising the source.
"""

from collections.abc import Sequence

import numpy as np

from cxrtool.audit import seed_groups
from cxrtool.audit.case import Case
from cxrtool.audit.seed_groups import ENOUGH_SEEDS, IN_COMMON, CommonImages, SeedGroup
from cxrtool.audit.verdicts import DESCRIPTIVE, CheckRow, NotAssessed, not_assessed
from cxrtool.figures import numbers
from cxrtool.stats.cluster_variance import FEWEST
from cxrtool.stats.seed_contrast import SeedContrast, SeedFigures, contrast
from cxrtool.stats.within import Marks

TITLE = "Preprocessing, over several seeds"
KIND = "descriptive"
NEEDS = ("predictions",)
REFERENCE = (
    "X. Bouthillier et al., Accounting for variance in machine learning benchmarks, Proceedings of "
    "Machine Learning and Systems 3, 2021."
)
NAME = "preprocessing"
LEVEL = 0.95
AUC = "AUC"
HOW = (
    f"Train {ENOUGH_SEEDS} seeds or more with each preprocessing ('cxrtool train MANIFEST --seed K "
    "-d runs/NAME-K'), predict with each run ('cxrtool evaluate runs/NAME-K MANIFEST "
    "--keep-columns -o NAME-K.csv'), and audit all these tables together ('cxrtool audit *.csv "
    "--checks preprocessing -d DIR')."
)


def assess(case: Case) -> list[CheckRow]:
    """Return a row for each preprocessing but the plainest."""
    if len(case.models) < 2:
        raise NotAssessed("this takes the predictions of several models", HOW)
    common = seed_groups.common_images(case)
    _check_groups(case, common)
    _check_images(case, common)
    plain, *others = common.groups
    return [_row(case, common, plain, other, len(others)) for other in others]


def _check_groups(case: Case, common: CommonImages) -> None:
    if common.mixed:
        why = f"the images of {', '.join(common.mixed)} were preprocessed in different ways"
        remedy = "Give each run a name of its own, and predict images of one preprocessing with it."
        raise NotAssessed(why, remedy)
    if len(common.groups) < 2:
        name = common.groups[0].name
        recorded = f"the images of all models had {name}, by the column preprocessing"
        if not common.groups[0].steps:
            recorded = f"the column preprocessing names none for any of {len(case.models)} models"
        raise NotAssessed(recorded, HOW)


def _check_images(case: Case, common: CommonImages) -> None:
    most = max(case.models, key=lambda model: len(model.rows))
    number = len(common.rows)
    if number < IN_COMMON * max(1, len(most.rows)):
        why = (
            f"of the {len(most.rows)} images that {most.name} judges, only {number} are judged by "
            "all models"
        )
        remedy = (
            "Predict the same test images with every run. With --keep-columns the column raw tells "
            "which they are, whatever was made of them."
        )
        raise NotAssessed(why, remedy)
    strata = common.strata(case, np.ones(number, bool))
    if len(strata.present) < 2 or min(strata.effective) < FEWEST:
        why = "the images that all models judge are of one class, or of one patient in a class"
        raise NotAssessed(why, "Predict images of both classes with every run.")


def _row(
    case: Case, common: CommonImages, plain: SeedGroup, other: SeedGroup, number: int
) -> CheckRow:
    name = f"{NAME} ({other.steps})" if number > 1 else NAME
    every = np.ones(len(common.rows), bool)
    ours, theirs = (common.figures(case, group, every) for group in (other, plain))
    lead = f"AUC {_range(ours)} with {other.name}, {_range(theirs)} with {plain.name}"
    lead += f", on the same {len(common.rows)} images"
    if not (plain.is_enough and other.is_enough):
        return _too_few(name, lead, common, [other, plain])
    # Of several preprocessings the best is looked at: all are adjusted for their number.
    level = 1 - (1 - LEVEL) / number
    result = contrast(ours, theirs, common.strata(case, every))
    row = CheckRow(name, DESCRIPTIVE, value=result.value)
    row.low, row.high = result.bounds(level)
    row.p = min(1.0, number * result.p)
    row.patients = len(np.unique(case.images.patients[common.rows]))
    differences = {AUC: result} | _within(case, common, other, plain)
    row.sources = _sources(case, common)
    row.meaning = " ".join([f"{lead}.", *_sentences(row, differences, level, number)])
    row.meaning += _remarks(common, [other, plain])
    row.next = _next(row, result)
    row.blocks = [_table(case, common, [plain, other]), _differences(differences, level, number)]
    return row


def _range(figures: SeedFigures) -> str:
    mean, low, high = map(numbers.value, seed_groups.spread(figures.values))
    number = len(figures.values)
    return f"{mean} (one seed)" if number == 1 else f"{mean} ({number} seeds: {low} to {high})"


def _too_few(name: str, lead: str, common: CommonImages, groups: Sequence[SeedGroup]) -> CheckRow:
    """Show ranges: how much seeds vary is not known from a few."""
    why = (
        f"{lead}. The AUC varies with the seed of the training: with fewer than {ENOUGH_SEEDS} "
        "seeds of each, a difference may be due to chance alone"
    )
    return not_assessed(name, why + _remarks(common, groups).rstrip("."), HOW, DESCRIPTIVE)


def _within(
    case: Case, common: CommonImages, other: SeedGroup, plain: SeedGroup
) -> dict[str, SeedContrast]:
    """Contrast AUC within the values of each column, and what the column adds to the AUC."""
    result = {}
    for column in case.strata:
        keep = _known(case, common, column)
        if keep is None:
            continue
        strata = common.strata(case, keep)
        pairs = [
            (common.figures(case, g, keep), common.figures(case, g, keep, column))
            for g in (other, plain)
        ]
        inside = [part for _, part in pairs]
        added = [
            SeedFigures(all_.values - part.values, all_.influence - part.influence)
            for all_, part in pairs
        ]
        if not np.isnan(inside[0].values).any():
            result[f"AUC within {column}"] = contrast(inside[0], inside[1], strata)
            result[f"AUC - AUC within {column}"] = contrast(added[0], added[1], strata)
    return result


def _known(case: Case, common: CommonImages, column: str) -> Marks | None:
    """Mark the images whose value is known; None unless there are two values and both classes."""
    if not case.images.has(column):
        return None
    keep = case.images.known(column)[common.rows]
    rows = common.rows[keep]
    several = len(np.unique(case.images.columns[column].codes[rows])) > 1
    strata = common.strata(case, keep) if several else None
    fits = strata is not None and len(strata.present) == 2 and min(strata.effective) >= FEWEST
    return keep if fits else None


def _sources(case: Case, common: CommonImages) -> int:
    if not case.images.has("source"):
        return 0
    known = common.rows[case.images.known("source")[common.rows]]
    return len(np.unique(case.images.columns["source"].codes[known]))


def _sentences(
    row: CheckRow, differences: dict[str, SeedContrast], level: float, number: int
) -> list[str]:
    """Say whether there is more than luck, and where."""
    interval = numbers.interval(row.value, row.low, row.high)
    if np.isnan(row.low):
        return [f"The difference of the means is {interval}; nothing varies."]
    luck = "more than chance (seeds and patients)"
    if row.low <= 0 <= row.high:
        luck = f"not shown to be {luck}"
    adjusted = f", adjusted for {number} preprocessings" if number > 1 else ""
    sentences = [
        f"The difference of the means is {interval} ({numbers.level(LEVEL)} interval over seeds "
        f"and patients{adjusted}): {luck}."
    ]
    if (inside := differences.get("AUC within source")) is not None:
        added = differences["AUC - AUC within source"]
        sentences.append(
            f"Within sources it is {numbers.interval(inside.value, *inside.bounds(level))}; what "
            f"the source adds to the AUC changes by "
            f"{numbers.interval(added.value, *added.bounds(level))}."
        )
    return sentences


def _remarks(common: CommonImages, groups: Sequence[SeedGroup]) -> str:
    """Say what was left out, and what looks as if it were no matter of seeds."""
    texts = []
    if common.left_out:
        texts.append(
            f"Left out: {numbers.counted(common.left_out, 'image')} that not all models judge."
        )
    if common.copies:
        have = numbers.counted_that(common.copies, "model", "has", "have")
        texts.append(f"{have} the scores of another one: counted once.")
    if odd := [group for group in groups if group.names_differ]:
        names = ", ".join(model.name for model in odd[0].models)
        texts.append(
            f"Names differ by more than a number ({names}): are these seeds of one recipe?"
        )
    return " " + " ".join(texts) if texts else ""


def _next(row: CheckRow, result: SeedContrast) -> str:
    """Say what would make the interval narrower."""
    if not row.low <= 0 <= row.high:
        return ""
    seeds, patients = result.of_seeds, result.of_patients
    more, less = ("seeds", "patients") if seeds > patients else ("patients", "seeds")
    larger, smaller = map(numbers.value, (max(seeds, patients), min(seeds, patients)))
    return f"More {more} help most: standard error {larger} over {more}, {smaller} over {less}."


def _table(case: Case, common: CommonImages, groups: Sequence[SeedGroup]) -> dict[str, object]:
    """Show each group: AUC over its seeds, and within sources."""
    every = np.ones(len(common.rows), bool)
    known = _known(case, common, "source")
    cells: list[list[object]] = []
    for group in groups:
        figures = [common.figures(case, group, every)]
        if known is not None:
            figures.append(common.figures(case, group, known, "source"))
        spreads = [seed_groups.spread(own.values) for own in figures]
        deviation = float(figures[0].values.std(ddof=1))
        cells.append([group.name, len(group.models), spreads[0], deviation, *spreads[1:]])
    inside = ["AUC within sources [range]"] * (known is not None)
    return {
        "kind": "table",
        "columns": ["preprocessing", "seeds", "AUC [range]", "SD over seeds", *inside],
        "rows": cells,
        "caption": f"Mean AUC of each preprocessing on {len(common.rows)} images that all models "
        "judge, and the range over seeds.",
    }


def _differences(
    differences: dict[str, SeedContrast], level: float, number: int
) -> dict[str, object]:
    """Show each difference with the two parts of its standard error."""
    adjusted = f" (they and p are adjusted for {number} preprocessings)" if number > 1 else ""
    rows = [
        [
            name,
            (one.value, *one.bounds(level)),
            min(1.0, number * one.p),
            one.of_seeds,
            one.of_patients,
        ]
        for name, one in differences.items()
    ]
    return {
        "kind": "table",
        "columns": ["of", "difference", "p", "error over seeds", "error over patients"],
        "rows": rows,
        "caption": f"Differences of the means, with intervals of {numbers.level(level)} over seeds "
        f"and patients{adjusted}, and the standard errors of each alone. The patients of the "
        "training set are the same for all models: what other training patients would change is "
        "not in it.",
    }
