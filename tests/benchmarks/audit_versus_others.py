"""Append the alarms of other tools on the sets of audit_versus.py to DIR/alarms.csv.

    python tests/benchmarks/audit_versus_others.py shortkit|cleanlab DIR

It needs no cxrtool, but a Python environment with the tool:

    pip install shortkit-ml          (it asks for NumPy 1 and PyTorch 2.2; the methods that are used
                                      here need no PyTorch: --no-deps, numpy<2, pandas<3,
                                      scikit-learn, scipy and statsmodels do)
    pip install 'cleanlab[image]'

ShortKIT-ML: `ShortcutDetector()` with its default methods (hbac, probe, statistical) and its
default condition (indicator_count), on ImageNet features. An alarm is MODERATE RISK or HIGH RISK
(one indicator, or more). With the column `source` as `group_labels`, and without (as in the quick
start of its README, where the label takes the place of the group).

cleanlab: Datalab's issue `spurious_correlations`. An alarm is a property of the images (darkness,
blur, ...) whose score is below the default threshold, 0.3: what its report prints. The score is the
error of predicting the label from the property, as a share of the error of a baseline that predicts
the most common label. In version 2.9.0 the code of the baseline takes the number of that class
where its description has its count, so that its error is nearly 1 for two classes. The alarms with
the baseline as described are beside it: `cleanlab (baseline as described)`.
"""

import argparse
import contextlib
import csv
import importlib.metadata
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np

FIELDS = ["set", "tool", "alarm", "detail"]
Rows = list[dict[str, str]]


def sets_of(folder: Path) -> dict[str, Rows]:
    """Read the sets: their images with label and source."""
    found: dict[str, Rows] = {}
    with open(folder / "sets.csv", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["set"], []).append(row)
    return found


def done_of(folder: Path) -> set[tuple[str, str]]:
    place = folder / "alarms.csv"
    if not place.exists():
        return set()
    with open(place, newline="") as file:
        return {(row["set"], row["tool"]) for row in csv.DictReader(file)}


def append(folder: Path, row: list[str | int]) -> None:
    place = folder / "alarms.csv"
    new = not place.exists()
    with open(place, "a", newline="") as file:
        csv.writer(file).writerows([FIELDS, row] if new else [row])


def shortkit(folder: Path) -> None:
    blocks = [np.load(path) for path in sorted(folder.glob("block-*.npz"))]
    names = np.concatenate([block["names"] for block in blocks])
    features = np.concatenate([block["embedding"] for block in blocks])
    place, done = {name: row for row, name in enumerate(names)}, done_of(folder)
    for tool in ("ShortKIT-ML with column", "ShortKIT-ML"):
        for name, rows in sets_of(folder).items():
            if (name, tool) not in done:
                values = features[[place[row["image"]] for row in rows]].astype(float)
                label = np.array([int(row["label"]) for row in rows])
                source = np.array([row["source"] for row in rows])
                alarm, detail = shortkit_alarm(values, label, source if "with" in tool else None)
                append(folder, [name, tool, alarm, detail])


def shortkit_alarm(values: Any, label: Any, groups: Any) -> tuple[int, str]:
    """Return whether the default verdict is an alarm, its level, and the methods that made it."""
    from shortcut_detect import ShortcutDetector

    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        detector = ShortcutDetector()
        detector.fit(values, label, group_labels=groups)
        text = detector.summary()
    results = detector.get_results()
    if failed := [method for method, result in results.items() if not result.get("success")]:
        raise SystemExit(f"failed: {failed}")
    level = next(word for word in ("HIGH", "MODERATE", "LOW") if f"{word} RISK" in text)
    by = [method for method, result in results.items() if result["risk_indicators"]]
    return int(level != "LOW"), "; ".join([level, *by])


def cleanlab(folder: Path) -> None:
    """Score the images once: no score of Datalab's depends on which other images there are.

    (Except odd_size, which is the same for all: the images are of one size.)
    """
    from cleanlab.datalab.internal.adapter.constants import SPURIOUS_CORRELATION_ISSUE
    from cleanlab.datalab.internal.adapter.imagelab import handle_spurious_correlations

    sets, done = sets_of(folder), done_of(folder)
    scores = scored(folder, sorted({row["image"] for rows in sets.values() for row in rows}))
    limit = SPURIOUS_CORRELATION_ISSUE["spurious_correlations"]["threshold"]
    for name, rows in sets.items():
        if (name, "cleanlab") not in done:
            labels = np.array([int(row["label"]) for row in rows])
            found = handle_spurious_correlations(
                imagelab_issues=scores.loc[[row["image"] for row in rows]],
                labels=labels,
                threshold=limit,
            )["correlations_df"]
            described = found.assign(score=as_described(found["score"], labels))
            for tool, own in (("", found), (" (baseline as described)", described)):
                low = sorted(own[own["score"] < limit]["property"])
                append(folder, [name, f"cleanlab{tool}", int(bool(low)), "; ".join(low)])


def as_described(score: Any, labels: Any) -> Any:
    """Return the scores that the share of the most common label as the baseline gives."""
    counts = np.bincount(labels)
    error = score * (1 - counts.argmax() / len(labels))
    return np.minimum(1, error / (1 - counts.max() / len(labels)))


def scored(folder: Path, names: list[str]) -> Any:
    """Compute the properties of the images as Datalab does; a table with a row for each image."""
    import pandas

    place = folder / "cleanlab.csv"
    if not place.exists():
        lab = datalab(folder, names, [0, 1] * len(names))
        with contextlib.redirect_stdout(io.StringIO()):
            lab.find_issues()
        scores = lab._imagelab.issues
        scores.index = names
        scores.to_csv(place)
    return pandas.read_csv(place, index_col=0)


def datalab(folder: Path, names: list[str], labels: list[int]) -> Any:
    import datasets
    from cleanlab import Datalab

    rows = {
        "image": [str(folder / "images" / name) for name in names],
        "label": labels[: len(names)],
    }
    data = datasets.Dataset.from_dict(rows).cast_column("image", datasets.Image())
    return Datalab(data=data, label_name="label", image_key="image", verbosity=0)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tool", choices=["shortkit", "cleanlab"])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    package = {"shortkit": "shortkit-ml", "cleanlab": "cleanlab"}[given.tool]
    print(package, importlib.metadata.version(package), flush=True)
    {"shortkit": shortkit, "cleanlab": cleanlab}[given.tool](given.folder)


if __name__ == "__main__":
    main()
