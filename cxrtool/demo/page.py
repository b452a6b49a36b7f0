"""The results of the demonstration on one page."""

import os
from collections.abc import Mapping
from statistics import fmean
from typing import Any

from cxrtool.demo import chain
from cxrtool.figures import html_page, numbers
from cxrtool.figures.html_page import Page
from cxrtool.figures.tables import Cell, ReportTable
from cxrtool.files import manifest, run_record

Figures = dict[str, dict[str, dict[str, Any]]]  # group, model, what compare says of it

TITLE = "Is it the disease, or the data set?"
LEAD = (
    "Three networks are trained to detect covid on chest X-rays. On held-out patients, as papers "
    "report them, all three succeed, even one that never sees a lung. On new patients they differ. "
    "All images are synthetic (phantoms), so the truth is known. The commands at the end of this "
    "page computed every number on it."
)
# The quick start of the README, whose tests run it.
OWN = (
    "cxrtool ingest images/ -o images.csv",
    "cxrtool split images.csv --test 0.2 --val 0.2 -o split.csv",
    "cxrtool train split.csv --arch resnet18 --size 64 --epochs 2 -d runs/first",
    "cxrtool evaluate runs/first split.csv --where split=test -o predictions.csv",
    "cxrtool compare predictions.csv",
    "cxrtool audit split.csv predictions.csv -d audit --positive covid --fail-on none",
)
FAR = 0.1  # A fall of the AUC by this much is worth a word.


def page(folder: str) -> Page:
    """Tell the story of what the commands left in a folder."""
    result = Page(TITLE, LEAD)
    inside, outside = (_figures(folder, name)[""] for name in ("inside", "outside"))
    _promise(result, inside)
    _truth(result, folder, inside, outside)
    _why(result, folder)
    _audit(result, folder)
    _next(result)
    _commands(result)
    return result


def _promise(page: Page, inside: dict[str, Any]) -> None:
    section = page.section("What a paper would report")
    section.text(
        "In the training set each class comes from its own hospital, as in most collections of "
        "2020. The split is by patient: no patient is in both training and test set. Results on "
        "the held-out patients:"
    )
    columns = ["network", "what it sees", "n", "AUC", "sensitivity", "specificity"]
    section.table(
        ReportTable(columns, [_row(name, inside[name]) for name in chain.RUNS]),
        "Held-out patients of the same two hospitals, with 95 % confidence intervals.",
    )
    blind = _auc(inside["background"])
    section.finding(
        "bad",
        f"The network `background` was trained on images without lungs. Its AUC is "
        f"{numbers.value(blind)}: such a result does not show that a network uses the disease.",
    )


def _truth(page: Page, folder: str, inside: dict[str, Any], outside: dict[str, Any]) -> None:
    section = page.section("The same networks, and new patients")
    section.text(
        "New patients of three hospitals, each with both classes: two hospitals of the "
        "training set, and a new one."
    )
    by_hospital = _figures(folder, "by-hospital")
    everywhere = [inside, outside, *by_hospital.values()]
    columns = ["network", "AUC inside", "AUC of new patients", *(f"in {h}" for h in by_hospital)]
    rows = [[name, *(_interval(models[name]) for models in everywhere)] for name in chain.RUNS]
    section.table(
        ReportTable(columns, rows),
        "Area under the ROC curve with 95 % confidence intervals; 0.5 is chance.",
    )
    for name, seen in chain.RUNS.items():
        before, after = _auc(inside[name]), _auc(outside[name])
        fell = before - after > FAR
        there = numbers.value(after)
        words = f"falls from {numbers.value(before)} to {there}" if fell else f"stays at {there}"
        section.finding("bad" if fell else "good", f"`{name}` ({seen}): the AUC {words}.")
    section.text(
        "All results on the new patients, with curves and paired tests: `figures.html`, "
        "in the same folder."
    )


def _why(page: Page, folder: str) -> None:
    section = page.section("Why")
    section.text(
        "t-SNE places images close together if a network represents them similarly. A probe "
        "measures what the plot suggests: how well hospital and label can be predicted from the "
        "features, for patients that the probe was not trained on."
    )
    for name, seen in (("raw", "the images as they are"), ("lungs", "only the lungs")):
        probes = run_record.json_file(os.path.join(folder, f"{name}-tsne.json"))["probes"]
        source, label = probes["source"], probes["label"]
        words = f"hospital {_probed(source)}, disease {_probed(label)}"
        section.picture(
            os.path.join(folder, f"{name}-tsne.svg"),
            f"The new patients as {name} sees them: {words}",
            f"The network that sees {seen}: {words}.",
        )
    section.text(
        "Where does a network look? Each image is covered part by part. Parts that lower the "
        "score when they are covered are hot."
    )
    for name in ("raw", "lungs"):
        share, lungs, number = _heat(os.path.join(folder, f"{name}-maps.csv"))
        section.picture(
            os.path.join(folder, f"{name}-maps.png"),
            f"Heat maps of the network {name}",
            f"`{name}`: {numbers.percent(share)} of the heat lies in the lungs, which are "
            f"{numbers.percent(lungs)} of the image (the mean of {number} new images; "
            "some are shown).",
        )


def _audit(page: Page, folder: str) -> None:
    section = page.section("The audit")
    section.text(
        "`cxrtool audit` puts this into a verdict. On the first two hospitals it compares images "
        "of the same hospital, of which there are none of both classes. On the new patients it "
        "also shows by how much the scores of the hospitals differ among patients of one label: "
        "a network that uses the disease alone scores all hospitals alike."
    )
    inside, outside = (_audited(folder, f"audit-{end}side") for end in ("in", "out"))
    columns = ["network", "verdict on the first two hospitals", "spread between hospitals, in SDs"]
    rows: list[list[Cell]] = [
        [
            name,
            inside[f"within source ({name})"]["verdict"],
            outside[f"independence ({name})"]["value"],
        ]
        for name in chain.RUNS
    ]
    section.table(
        ReportTable(columns, rows),
        "The check `within source` on held-out patients, and the check `independence` on new "
        "patients (standard deviation of the mean scores of the hospitals, given the label).",
    )
    overall = run_record.json_file(os.path.join(folder, "audit-outside", "audit.json"))["overall"]
    section.text(
        f"The verdict on the new patients is `{overall}`, and does not contradict Table 2: it asks "
        "only whether the hospital raises the AUC of these images, which it can hardly do where "
        "each hospital has both classes, and which a few hundred images seldom exclude; Table 2 "
        "shows how far the AUC fell from the first two hospitals."
    )
    section.finding(
        "note",
        "On the first two hospitals no statistic can tell the disease from the hospital, however "
        "high the AUC is. All checks are in `audit-inside/audit.html` and "
        "`audit-outside/audit.html`.",
    )


def _audited(folder: str, name: str) -> dict[str, dict[str, Any]]:
    """Return the rows of an audit by their names."""
    rows = run_record.json_file(os.path.join(folder, name, "audit.json"))["checks"]
    return {row["check"]: row for row in rows}


def _next(page: Page) -> None:
    section = page.section("Your own images")
    section.text(
        "A folder with one subfolder per class is enough to start. With a table of sources and "
        "patients, all of the above can be done."
    )
    section.code("\n".join(OWN))
    section.text(
        "Two epochs at 64 pixels are only for trying it out: leave out `--size` and `--epochs` for "
        "a real run. `--positive` names the class of the disease. With `--fail-on none` the audit "
        "ends with exit code 0 whatever its verdict is."
    )


def _commands(page: Page) -> None:
    section = page.section("Every command of this page")
    section.text("Run in an empty folder:")
    for step in chain.steps():
        section.text(f"{step.title}. {step.why}")
        section.code("\n".join(f"cxrtool {command}" for command in step.commands))


def _row(name: str, text: Mapping[str, Any]) -> list[Cell]:
    metrics = ("auc", "sensitivity", "specificity")
    seen = chain.RUNS[name]
    return [name, seen, text["n"], *(_interval(text, metric) for metric in metrics)]


def _interval(text: Mapping[str, Any], metric: str = "auc") -> Cell:
    return _bounded(text["metrics"][metric])


def _bounded(figure: Mapping[str, Any]) -> Cell:
    value, low, high = figure["value"], figure["low"], figure["high"]
    return value if low is None or value is None else (value, low, high)


def _auc(text: Mapping[str, Any]) -> float:
    return float(text["metrics"]["auc"]["value"])


def _probed(result: Mapping[str, Any]) -> str:
    accuracy, chance = (numbers.value(result[key]) for key in ("balanced_accuracy", "chance"))
    return f"{accuracy} (chance {chance})"


def _heat(path: str) -> tuple[float, float, int]:
    """Return the mean share of heat in the lungs, and of lungs in the image, and of how many."""
    source = manifest.Manifest(path)
    rows = [dict(zip(source.columns, cells, strict=True)) for cells in source.rows()]
    text = [row for row in rows if row["in_lung"]]
    share, lungs = (
        fmean(float(row[name]) for row in text) for name in ("in_lung", "lung_fraction")
    )
    return share, lungs, len(text)


def _figures(folder: str, name: str) -> Figures:
    result: Figures = {}
    for text in run_record.json_value(os.path.join(folder, f"{name}.json")):
        result.setdefault(text["group"], {})[text["model"]] = text
    return result


def write(folder: str) -> str:
    """Write the page: its path."""
    path = os.path.join(folder, "index.html")
    html_page.write(path, page(folder))
    return path
