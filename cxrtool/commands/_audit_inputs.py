"""What audit reads: a manifest, tables of predictions, and the predictions of a run."""

import os
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cxrtool.core import outputs
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.outputs import FilledFolder
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from cxrtool.audit.case import Case
    from cxrtool.core.parallel import Crew
    from cxrtool.files.failures import Failures
    from cxrtool.files.manifest import Where
    from cxrtool.learn.prediction import PredictionSettings


def reserve(folder: str, inside: Sequence[str]) -> None:
    """Reserve the folders that are filled inside of the folder, before any input is opened."""
    for name in inside:
        outputs.current().fill(FilledFolder("--dir", os.path.join(folder, name)))


def check_files(folder: str, names: Sequence[str]) -> None:
    """Refuse inputs in the place of files that will be written, before the first of them is.

    A name that ends in `/` stands for all files of that folder.
    """
    for name in names:
        path = os.path.join(folder, name)
        there = os.listdir(path) if name.endswith("/") and os.path.isdir(path) else [""]
        outputs.current().check(os.path.join(path, file) if file else path for file in there)


def sorted_inputs(inputs: list[str], predictions: list[str]) -> tuple[str | None, list[str]]:
    """Tell the manifest from tables of predictions, by their columns."""
    from cxrtool.files.manifest import header, input_or_stdin
    from cxrtool.files.predictions import is_predictions, seems_predictions
    from cxrtool.files.predictions_table import OF_MANIFEST

    _refuse_runs([*inputs, *predictions])
    tables = [*predictions, *(path for path in inputs if is_predictions(path))]
    manifests = [path for path in inputs if path not in tables]
    if manifests[1:] or (manifests and "path" not in header(manifests[0])):
        # Whoever reads them says which columns to rename.
        tables += [path for path in manifests if seems_predictions(path)]
        manifests = [path for path in manifests if path not in tables]
    ingested = [path for path in manifests if OF_MANIFEST & {*header(path)}]
    if len(ingested) == 1 and all(map(os.path.isfile, manifests)):
        # What stands beside a manifest of cxrtool is meant as predictions: their reader says why
        # it is none.
        tables += [path for path in manifests if path not in ingested]
        manifests = ingested
    if len(manifests) > 1:
        for path in manifests:
            if path != "-" and not os.path.exists(path):
                raise CxrtoolError(f"{path}: no such file", "Check the path.")
        what = f"{manifests[1]}: a second manifest, beside {manifests[0]}"
        remedy = "Join them first: cxrtool ingest A.csv B.csv."
        if manifests[1] == "-" or not os.path.isfile(manifests[1]):
            remedy = f"If it holds predictions, write --predictions {manifests[1]}."
        raise CxrtoolError(what, remedy)
    if not manifests and not tables:
        remedy = "Name one or both: cxrtool audit split.csv predictions.csv -d DIR."
        return input_or_stdin(None, CxrtoolError("no manifest and no predictions", remedy)), []
    return (manifests[0] if manifests else None), tables


def _refuse_runs(inputs: list[str]) -> None:
    """Refuse the folder of a run in place of a table, before it is opened as one."""
    for path in inputs:
        if os.path.isfile(os.path.join(path, "run.json")):
            remedy = f"It is a run: write --run {shlex.quote(path)}"
            raise CxrtoolError(f"{path}: is a folder, not a table", remedy)


def prediction_settings(cache: str | None, root: str | None, crew: "Crew") -> "PredictionSettings":
    """Say how images are read and predicted."""
    from cxrtool.files import pixel_cache
    from cxrtool.learn.prediction import PredictionSettings

    folder = cache or pixel_cache.default_folder()
    return PredictionSettings(cache=folder, root=root or "", crew=crew)


def without_lungs(case: "Case", tables: dict[str, str], skipped: "Failures") -> "Case":
    """Put the predictions of a training without the lungs, and of its controls, into the case."""
    from cxrtool.audit import case_reader

    trainings = {}
    for name, table in tables.items():
        judged = case_reader.read_predictions([table], [], [], skipped)
        own = case_reader.joined(None, judged, case.positive)
        trainings[name] = own.images, own.models[0]
    first, *controls = trainings
    return replace(
        case,
        without_lungs=trainings[first],
        lungs_out_controls={name: trainings[name] for name in controls},
    )


def read(
    manifest: str | None,
    tables: list[str],
    conditions: "list[Where]",
    within: list[str],
    positive: str | None,
    skipped: "Failures",
) -> "Case":
    """Read the rows and the scores, and choose the positive class."""
    from cxrtool.audit import case_reader, row_table
    from cxrtool.audit.case import Case
    from cxrtool.audit.case_reader import Joined

    about_rows, about_predictions = _conditions_by_table(conditions, manifest, tables)
    own = row_table.read_manifest(manifest, about_rows, within) if manifest else None
    if not tables:
        assert own is not None
        classes = [name for name in case_reader.classes_of(own) if name]
        chosen = chosen_class(classes, positive)
        joined = Joined(case_reader.of_manifest(own, chosen), [], 0, 0, 0)
    else:
        judged = case_reader.read_predictions(tables, about_predictions, within, skipped, own)
        if own is not None and about_rows:
            judged = case_reader.of_rows(own, judged)
        classes = judged.classes
        chosen = chosen_class(classes, positive)
        joined = case_reader.joined(own, judged, chosen)
    for column in within:
        if not joined.images.has(column):
            what = f"the column '{column}' is absent or empty"
            raise CxrtoolError(what, "Drop it, or add it.", settings=["within"])
    return Case(
        joined.images,
        joined.models,
        chosen,
        negatives=[name for name in classes if name != chosen],
        manifest=manifest or "",
        unmatched=joined.unmatched,
        relabelled=joined.relabelled,
        learned=joined.learned,
    )


def _conditions_by_table(
    conditions: "list[Where]", manifest: str | None, tables: list[str]
) -> "tuple[list[Where], list[Where]]":
    """Tell the conditions on rows of the manifest from those on predictions.

    With a manifest, --where chooses among its rows, and only their predictions count. Of several
    findings, the column `finding` of the predictions names the one that a row is of, where that of
    the manifest lists all that an image has.
    """
    from cxrtool.files.predictions import FINDING, is_of_findings

    if not manifest:
        return [], conditions
    if not tables or not all(map(is_of_findings, tables)):
        return conditions, []
    own = [one for one in conditions if one.column == FINDING]
    return [one for one in conditions if one.column != FINDING], own


def chosen_class(classes: list[str], asked: str | None) -> str:
    """Choose the positive class, and say how."""
    from cxrtool.compare import positive_class

    if len(classes) < 2:
        remedy = "An audit needs images of two classes."
        raise CxrtoolError(f"there is one class alone, '{''.join(classes)}'", remedy)
    chosen = positive_class.positive_class(classes, asked)
    if chosen is None:
        what = f"there are {len(classes)} classes: {', '.join(classes)}"
        raise CxrtoolError(what, "Name the positive one with --positive CLASS.")
    if asked is None:
        why = positive_class.reason(classes)
        note(f"the positive class is '{chosen}', {why} (--positive names another)")
    return chosen
