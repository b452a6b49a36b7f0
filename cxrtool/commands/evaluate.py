"""Predict with a run and print metrics (run + manifest or images -> predictions).

Writes one row per image, in the order of the manifest: path, label, patient, source, split, fold,
model, pred and one probability per class. If labels are known, a table of metrics goes to standard
error, with warnings: one class predicted for all images, an AUC below 0.5, a source with constant
scores, images that were preprocessed differently from the training images, images whose source,
file format or image size alone predict the label (else training images of which this is recorded).

With two classes, the second class of the run (the last p_ column) is predicted if its probability
is above --threshold. The threshold is 0.5, or the best one on the run's validation images (val), or
the best one on the evaluated images (youden), which makes the metrics too good. With --ensemble or
--tta, the threshold val is chosen for the combined prediction, on validation images that all runs
have in common and that the manifest must contain; --where does not apply to them. --calibrate
scales each run by its own temperature.

Patients and pictures that the run was trained or validated on are counted, from the run's record of
images and from the manifest. --strict refuses them before anything is written. Rows that are marked
as train or val themselves are evaluated on purpose: those of train are only counted, unless there
is nothing else. A run keeps digests of its images, and no patients: a patient of training is known
only if the manifest also has rows of that patient which the run was trained on. If neither the
record nor the column `split` says whether the run was trained on an image, a warning says so, and
--strict refuses it.

--epoch last takes the weights of the last epoch, as papers do that do not choose an epoch.

With --ensemble the probabilities are averaged. With --hierarchy the decision is taken level by
level: first by RUN with --threshold, then by RUN2 within RUN's second class. The probabilities are
products, so `pred` is not always the class with the highest probability. Metrics of decisions use
`pred`; AUC, average precision, Brier score and calibration error use the probabilities.

With torchrun several processes share the images.

A run of findings (multi-label: cxrtool train --task findings, or --epochs 0 --arch chexnet)
predicts them independently, in one row for each image and finding: the column `finding` names it,
label and pred are absent or present, and p_absent and p_present sum to 1. --keep-columns keeps the
list of the image as the column `findings`. The truth is the list in the
manifest's column `finding` (`Edema|Pneumonia`); where the list has a name that the run does not
know, findings that are not in it have no label. With --target LABEL every output is taken as a
score for this label instead. Each finding is a table of its own for other commands: cxrtool compare
--by finding, or --where finding=Pneumonia.

Example:

    cxrtool evaluate runs/r18 split.csv --where split=test -o predictions.csv
    cxrtool evaluate runs/r18 split.csv --where split=test --epoch last -o last.csv
    cxrtool evaluate runs/r18 chest.png
    cxrtool evaluate chexnet nih.csv | cxrtool compare - --by finding --metrics auc
    cxrtool evaluate runs/f1 folds.csv --where fold=1 --calibrate --tta 4 > fold-1.csv
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from cxrtool.cli import effects, option_values, options
from cxrtool.commands import (
    _evaluate_findings,
    _evaluate_leaks,
    _evaluate_options,
    _evaluate_threshold,
    _model_inputs,
)
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from collections.abc import Iterable

    import torch

    from cxrtool.files.run_folder import Run
    from cxrtool.learn.prediction import Floats, PredictionSettings, Predictor
    from cxrtool.learn.prediction_judge import Judge

    Row = dict[str, str]
    Pair = tuple[Row, Floats]


def run(
    context: typer.Context,
    folder: _evaluate_options.Folder,
    inputs: _evaluate_options.Inputs = None,
    epoch: _evaluate_options.Epoch = "best",
    threshold: _evaluate_options.Threshold = "0.5",
    calibrate: _evaluate_options.Calibrate = False,
    tta: _evaluate_options.Tta = 0,
    ensemble: _evaluate_options.Ensemble = None,
    hierarchy: _evaluate_options.Hierarchy = None,
    batch: options.Batch = 64,
    test: _evaluate_options.Test = None,
    target: _evaluate_options.Target = None,
    keep_columns: _evaluate_options.KeepColumns = False,
    device: options.Device = "auto",
    cache: options.Cache = None,
    where: options.Where = None,
    root: options.Root = None,
    jobs: options.Jobs = "auto",
    engine: options.Engine = "local",
    output: options.Output = "-",
    failures: options.Failures = None,
    strict: options.Strict = False,
    progress: options.Progress = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    from cxrtool.files import disk, pixel_cache, predictions, table
    from cxrtool.files import run_folder as runs
    from cxrtool.files.failures import Failures
    from cxrtool.learn import distributed, inference, leaks, prediction, prediction_judge

    disk.check_output(output)
    if runs.read(folder).about.task == "findings":
        raise typer.Exit(_evaluate_findings.run(context, context.params))
    effects.refuse(context, {"--target": f"{folder} has classes, and no findings"})
    effects.refuse(context, option_values.idle_with_networks(engine))
    first = [replace(runs.classifier(f), epoch=epoch) for f in (folder, *(ensemble or ()))]
    below = replace(runs.classifier(hierarchy), epoch=epoch) if hierarchy else None
    check_runs([one.folder for one in first])
    effects.refuse(
        context, idle(first, below, threshold) | _model_inputs.idle_with_images(inputs or [])
    )
    here = _model_inputs.device_here(device, engine)
    where_to = distributed.begin(inference.device(here))
    output, failures = _model_inputs.outputs_of_process(output, failures, inputs or [])
    composed = threshold == "val" and (len(first) > 1 or tta > 0)
    conditions = option_values.conditions("--where", where)
    source = _model_inputs.opened(inputs or [], conditions, again=strict or composed)
    seen = [leaks.Seen(one) for one in [*first, *([below] if below else [])]]
    watch = leaks.Watch(seen)
    if strict:
        _evaluate_leaks.refuse(source, inputs or [], seen)
    number = _model_inputs.number_of(source, inputs or [])
    rows = _model_inputs.rows_of(source, inputs or [], first[0].about, root, watch)
    settings = prediction.PredictionSettings(
        batch=batch,
        calibrate=calibrate,
        tta=tta,
        cache=cache or pixel_cache.default_folder(),
        root=root or "",
        crew=option_values.crew(jobs, engine),
        remote="" if engine == "local" else device,
    )
    predictor = predictor_of(first, below, where_to, settings)
    judge = prediction_judge.Judge(predictor.classes)
    if composed:
        cut: float | None = _evaluate_threshold.of_validation(source, seen[: len(first)], predictor)
    else:
        cut = _evaluate_threshold.of_first(threshold, first[0].about, calibrate)
    kept = list(source.columns) if source and keep_columns else []
    kept, rows = _model_inputs.named(test, kept, rows)
    columns, always = (predictions.columns(predictor.classes, c) for c in (kept, ()))
    effects.refuse(context, _model_inputs.idle_without_more(source, columns, always, test))
    skipped = Failures(failures, output=output, strict=strict)
    pairs: Iterable[Pair] = skipped.checked(prediction.predicted(rows, predictor, skipped.add))
    with _model_inputs.counted(number, predictor, progress):
        if threshold == "youden":
            pairs = list(pairs)
            cut = _evaluate_threshold.youden(pairs, predictor)
        decided = prediction.decided(pairs, predictor, cut, judge)
        table.write(output, columns, ([row.get(c, "") for c in columns] for row in decided))
    note_metrics(judge)
    judge.warn_of_traps([*first, *([below] if below else [])])
    _evaluate_leaks.warn(watch)
    distributed.end()
    raise typer.Exit(skipped.close())


def predictor_of(
    first: "list[Run]", below: "Run | None", device: "torch.device", settings: "PredictionSettings"
) -> "Predictor":
    """Load the networks of an ensemble, and of the second level of a hierarchy."""
    from cxrtool.learn import inference, prediction

    models = [inference.Model(run, device) for run in first]
    second = inference.Model(below, device) if below else None
    return prediction.Predictor(models, second, settings)


def check_runs(folders: list[str]) -> None:
    """Refuse a run that would count twice in an ensemble."""
    import os

    seen: set[str] = set()
    for folder in folders:
        place = os.path.realpath(folder)
        if place in seen:
            raise CxrtoolError(f"{folder}: named twice", "An ensemble needs different runs.")
        seen.add(place)


def idle(first: "list[Run]", below: "Run | None", threshold: str) -> dict[str, str]:
    """Say why options have no effect with these runs: those of the first level, and below it."""
    classes = len(first[0].about.classes)
    several = f"{first[0].folder} has {classes} classes, of which the likeliest is predicted"
    no_val = {
        one.folder: f"{one.folder} was trained without validation images of two classes"
        for one in [*first, *([below] if below else [])]
        if not one.about.has_validation
    }
    of_first = [no_val[one.folder] for one in first if one.folder in no_val]
    last = "a run keeps the temperature and the threshold of its best epoch only"
    if first[0].epoch == "last":
        no_val = dict.fromkeys([one.folder for one in first], last)
        of_first = [last]
    return {
        "--threshold": several if classes != 2 else "",
        "--threshold val": next(iter(of_first), "") if threshold == "val" else "",
        "--calibrate": next(iter(no_val.values()), ""),
    }


def note_metrics(judge: "Judge") -> None:
    """Say how good the predictions are, and what looks wrong in them."""
    figures = judge.table()
    if figures:
        note(
            f"{len(judge.labels)} images with a label: "
            + ", ".join(f"{name} {value}" for name, value in figures)
        )
    judge.warn()
