"""What other tools call the columns of predictions (columns, first rows -> what to rename)."""

from collections.abc import Iterable, Mapping, Sequence

from cxrtool.core.negative_names import is_negative
from cxrtool.files import formats

CHANCE = "p_"
# Names of a column in other tables, in small letters and digits alone; the usual ones first.
OTHERS = {
    "path": (
        "path",
        "file",
        "filename",
        "filepath",
        "image",
        "imagepath",
        "imagefile",
        "imagename",
        "imgpath",
        "img",
        "imageid",
        "imageindex",
    ),
    "label": (
        "label",
        "class",
        "target",
        "truth",
        "groundtruth",
        "ytrue",
        "truelabel",
        "trueclass",
        "diagnosis",
        "actual",
        "labels",
    ),
}
# Words that such tables put before or after the name of a class: prob_covid, covid score.
AROUND = ("probability", "probabilities", "prob", "proba", "score", "pred", "p")
SCORES = (*AROUND, "yscore", "yprob", "ypred", "output", "prediction")
# Columns of numbers that are no probabilities, whatever their values.
NOT_CHANCES = {*formats.MANIFEST, "pred", "model", "test", "p"}


def letters(text: str) -> str:
    """Write a name in small letters and digits alone, so that spellings of it are equal."""
    return "".join(filter(str.isalnum, text.casefold()))


def meant_by(column: str, there: Sequence[str]) -> str:
    """Find the column that has what `column` is to have, by a name of other tools; else empty."""
    plain = {letters(name): name for name in reversed(there)}
    return next((plain[other] for other in OTHERS.get(column, ()) if other in plain), "")


def renamings(
    there: Sequence[str], rows: Sequence[Sequence[str]], *, by_sum: bool = True
) -> dict[str, str]:
    """Say which columns to rename, as far as a table lacks those of predictions.

    Columns of probabilities are those that are called after a label and have numbers from 0 to 1;
    if there are none (labels of 0 and 1), those whose numbers sum to 1, unless `by_sum` is false.
    Numbers that are 0 or 1 in all rows are answers, such as the truth itself, and no probabilities.
    """
    result = {
        other: column
        for column in OTHERS
        if column not in there and (other := meant_by(column, there))
    }
    if any(name.startswith(CHANCE) for name in there):
        return result
    label = next((old for old, new in result.items() if new == "label"), "label")
    values = {row[there.index(label)] for row in rows} - {""} if label in there else set[str]()
    shares = [
        name
        for at, name in enumerate(there)
        if name not in NOT_CHANCES and name not in result and _are_shares(row[at] for row in rows)
    ]
    # Of two columns of a class, `prob_covid` is the probability rather than `covid`.
    shares.sort(key=lambda name: letters(name) in map(letters, values))
    classes: dict[str, str] = {}
    for name in shares:
        if (found := _class_of(name, values)) and found not in classes.values():
            classes[name] = found
    if (
        by_sum
        and not classes
        and shares[1:]
        and _sum_to_one(rows, [there.index(name) for name in shares])
    ):
        classes = {name: name for name in shares}
    return result | {name: CHANCE + found for name, found in classes.items()}


def chances(there: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """Say which columns of probabilities to rename, by the names of classes alone."""
    found = renamings(there, rows, by_sum=False)
    return {old: new for old, new in found.items() if new.startswith(CHANCE)}


def score(there: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Say what to do with a single column of scores, which no class is named by; empty if none."""
    plain = {letters(name): name for name in there}
    name = next((plain[word] for word in SCORES if word in plain), "")
    if not name or not _are_shares(row[there.index(name)] for row in rows):
        return ""
    label = "label" if "label" in there else meant_by("label", there)
    labels = sorted({row[there.index(label)] for row in rows} - {""}) if label else []
    if len(labels) != 2:
        return f"If '{name}' is the probability of a class, rename it to p_ and the class."
    other, own = sorted(labels, key=is_negative, reverse=True)
    renamed = f"rename it to '{CHANCE}{own}' and add {CHANCE}{other} = 1 - {CHANCE}{own}"
    return f"If '{name}' is the probability of '{own}', {renamed}."


def _are_shares(cells: Iterable[str]) -> bool:
    """Whether all cells are numbers from 0 to 1, and any is neither 0 nor 1."""
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        return False
    return all(0 <= n <= 1 for n in numbers) and any(0 < n < 1 for n in numbers)


def _class_of(name: str, labels: set[str]) -> str:
    """Find the label that a column is called after: `covid`, `prob_covid`, `Covid score`."""
    plain = letters(name)
    for label in labels:
        own = letters(label)
        if own and plain in {own, *(w + own for w in AROUND), *(own + w for w in AROUND)}:
            return label
    return ""


def _sum_to_one(rows: Sequence[Sequence[str]], places: Sequence[int]) -> bool:
    return all(abs(sum(float(row[at]) for at in places) - 1) < 0.02 for row in rows)


def sentence(renamed: Mapping[str, str]) -> str:
    """Say what to rename.

    >>> sentence({"file": "path", "covid": "p_covid"})
    "Rename 'file' to 'path' and 'covid' to 'p_covid'."
    """
    if not renamed:
        return ""
    pairs = [f"'{old}' to '{new}'" for old, new in renamed.items()]
    return f"Rename {' and '.join(filter(None, [', '.join(pairs[:-1]), pairs[-1]]))}."
