"""What evaluate does with a run of findings: one row for each image and finding."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cxrtool.cli import effects, option_values
from cxrtool.commands import _evaluate_leaks, _model_inputs
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.progress import note

if TYPE_CHECKING:
    import typer

    from cxrtool.files.run_folder import Run
    from cxrtool.learn.findings import FindingsJudge

# These are of one list of probabilities that sum to 1.
IDLE = ("--ensemble", "--hierarchy", "--calibrate", "--tta")


def run(context: "typer.Context", given: Mapping[str, Any]) -> int:
    """Write the predictions, and return the exit code."""
    from dataclasses import replace

    from cxrtool.files import pixel_cache, predictions, run_folder, table
    from cxrtool.files.failures import Failures
    from cxrtool.learn import distributed, findings, inference, leaks, prediction

    folder, inputs = given["folder"], given["inputs"] or []
    why = f"{folder} predicts findings, independently of one another"
    if given["target"] is not None and not given["target"].strip():
        raise CxrtoolError("--target is empty", "Name a label, or leave it out.")
    refused = dict.fromkeys(IDLE, why) | _model_inputs.idle_with_images(inputs)
    engine = given["engine"]
    effects.refuse(context, refused | option_values.idle_with_networks(engine))
    if given["threshold"] in ("val", "youden"):
        what = f"--threshold {given['threshold']}: {why}, and one threshold is for all of them"
        raise CxrtoolError(what, "Give a probability, or leave it out.")
    one, strict = replace(run_folder.read(folder), epoch=given["epoch"]), given["strict"]
    seen = leaks.Seen(one)
    if strict and seen.of_weights:
        what = f"nothing says which images {folder} was trained on"
        raise CxrtoolError(what, "Evaluate without --strict.")
    here = _model_inputs.device_here(given["device"], engine)
    device = distributed.begin(inference.device(here))
    output, failures = _model_inputs.outputs_of_process(given["output"], given["failures"], inputs)
    conditions = option_values.conditions("--where", given["where"])
    source = _model_inputs.opened(inputs, conditions, again=strict)
    if strict:
        _evaluate_leaks.refuse(source, inputs, [seen])
    watch = leaks.Watch([seen])
    number = _model_inputs.number_of(source, inputs)
    rows = _model_inputs.rows_of(source, inputs, one.about, given["root"], watch)
    settings = prediction.PredictionSettings(
        batch=given["batch"],
        cache=given["cache"] or pixel_cache.default_folder(),
        root=given["root"] or "",
        crew=option_values.crew(given["jobs"], engine),
        remote="" if engine == "local" else given["device"],
    )
    predictor = findings.FindingsPredictor(inference.Model(one, device), settings)
    truth = findings.Truth(one.about.classes, given["target"])
    judge = findings.FindingsJudge(truth)
    kept = kept_of(source.columns) if source and given["keep_columns"] else []
    kept, rows = _model_inputs.named(given["test"], kept, rows)
    columns, always = (
        predictions.columns(truth.answers, [findings.COLUMN, *more]) for more in (kept, ())
    )
    effects.refuse(context, _model_inputs.idle_without_more(source, columns, always, given["test"]))
    skipped = Failures(failures, output=output, strict=strict)
    result = findings.answered(
        rows,
        predictor,
        truth,
        float(given["threshold"]),
        judge,
        skipped.add,
    )
    cells = ([row.get(c, "") for c in columns] for row in skipped.checked(result))
    with _model_inputs.counted(number, predictor, given["progress"]):
        table.write(output, columns, cells)
    _note(judge, one)
    _evaluate_leaks.warn(watch)
    distributed.end()
    return skipped.close()


def kept_of(columns: "Sequence[str]") -> list[str]:
    """Keep the columns of a manifest; its list of findings is called otherwise than a finding."""
    from cxrtool.learn.findings import COLUMN, LISTS

    if COLUMN in columns and LISTS in columns:
        what = f"--keep-columns writes the lists in {COLUMN} as the column {LISTS}, which is there"
        raise CxrtoolError(what, "Rename it in the manifest.")
    return [LISTS if name == COLUMN else name for name in columns]


def _note(judge: "FindingsJudge", run: "Run") -> None:
    """Say how good each finding is, and what the AUC may rest on."""
    from cxrtool.stats import label_traps

    if figures := judge.table():
        note("AUC of " + ", ".join(f"{name} {value}" for name, value in figures))
    for text in judge.warnings():
        note(text)
    if warning := label_traps.warning_of_run(run.folder, run.about.label_traps):
        note(warning)
