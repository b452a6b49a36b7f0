"""Judge whether a result is the disease or the data set (manifest, predictions -> verdict).

The inputs are a manifest, tables of predictions, or both: a table with columns p_CLASS is one of
predictions, which any tool may have written. Each input allows more checks. DIR gets audit.html
(the verdict, the evidence and the methods on one page), audit.csv and audit.json.

The main number is AUC minus AUC_within. Of all pairs of a positive and a negative image, AUC_within
counts only pairs of the same source: there the source tells nothing. If AUC is much higher than
AUC_within, the source contributes to the result. The same is done for the view, and for the columns
of --within. With images, a fixed learner predicts the label from borders, corners, burnt-in text,
sharpness, traces of JPEG and the file, without the lungs.

Each confirmatory check has one of five verdicts. shown: the interval lies beyond the margin.
excluded: it lies inside the margin. inconclusive: neither. not identifiable: the classes come from
different sources, so that no statistic can tell. not assessed: an input is missing, and the next
step names it. The overall verdict is the worst. Intervals keep the images of a patient together and
are adjusted for all confirmatory checks. Margin, checks and seed are written to audit.json before
outcomes are read.

Predictions of a run of findings have a row for each image and finding, and each finding is audited
alone: --where finding=Edema chooses its predictions, whatever the column finding of the manifest
lists. An image whose truth is unknown is left out.

With --engine dask=ADDRESS, the workers of a cluster measure the images and run the network of
--run, with the same results. --device is then that of the workers. What --retrain trains stays on
this machine.

The exit code is 1 if a verdict of --fail-on occurs, or if an input could not be read. A stopped
audit continues where it stopped.

Example:

    cxrtool audit split.csv predictions.csv -d audit
    cxrtool audit split.csv --run runs/r18 --retrain -d audit
    cxrtool audit split.csv --run runs/r18 --retrain --retrain-also all -d audit
    cxrtool audit --predictions theirs.csv -d audit --within scanner,sex
    cxrtool audit nih.csv --predictions findings.csv --where finding=Edema -d edema
    cxrtool ingest images/ | cxrtool audit - -d audit
"""

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from cxrtool.cli import effects, option_values, options
from cxrtool.commands import _audit_inputs, _audit_options
from cxrtool.core.errors import CxrtoolError, ExitCode
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from cxrtool.audit.case import Case
    from cxrtool.audit.verdicts import CheckRow
    from cxrtool.files.failures import Failures

# The checks that look at further columns.
WITHIN = {"attributes", "hidden-slices", "preprocessing", "slices", "within"}


def run(
    context: typer.Context,
    inputs: _audit_options.Inputs = None,
    *,
    predictions: _audit_options.Predictions = None,
    run_folder: _audit_options.RunFolder = None,
    retrain: _audit_options.Retrain = False,
    retrain_also: _audit_options.RetrainAlso = None,
    folder: options.Dir,
    checks: _audit_options.Checks = None,
    within: _audit_options.Within = None,
    positive: _audit_options.Positive = None,
    margin: _audit_options.Margin = 0.05,
    fail_on: _audit_options.FailOn = None,
    checklist: _audit_options.Checklist = None,
    where: options.Where = None,
    root: options.Root = None,
    seed: options.Seed = 0,
    jobs: options.Jobs = "auto",
    engine: options.Engine = "local",
    device: options.Device = "auto",
    cache: options.Cache = None,
    force: options.Force = False,
    failures: options.Failures = None,
    strict: options.Strict = False,
    progress: options.Progress = "auto",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    from cxrtool.audit import case_images, pictures, runner
    from cxrtool.audit import page as pages
    from cxrtool.figures import html_page
    from cxrtool.files import disk
    from cxrtool.files.failures import Failures

    chosen = option_values.entries("--checks", *checks or ()) or list(_audit_options.names())
    failing = verdicts_of(fail_on)
    conditions = option_values.conditions("--where", where)
    manifest, tables = _audit_inputs.sorted_inputs(inputs or [], predictions or [])
    controls = controls_of(retrain_also)
    effects.refuse(context, idle(manifest, chosen, engine, run_folder, retrain))
    if run_folder and manifest in (None, "-"):
        raise CxrtoolError("--run needs the manifest of the images as a file", "Name it.")
    disk.make_folder(folder)
    disk.claim(folder)
    _audit_inputs.reserve(folder, [runner.KEPT, pictures.FOLDER])
    skipped = Failures(failures, folder=folder, strict=strict)
    columns = option_values.entries("--within", *within or ())
    crew = option_values.crew(jobs, engine)
    if run_folder:
        from cxrtool.audit import audited_run, retraining, run_predictions  # They import PyTorch.
        from cxrtool.audit.run_predictions import RunWork

        settings = _audit_inputs.prediction_settings(cache, root, option_values.crew(jobs))
        here = RunWork(
            run_folder, str(manifest), conditions, folder, settings, device, skipped, progress
        )
        work = here if engine == "local" else here.there(crew)
        tables.append(run_predictions.write(work))
    case = _audit_inputs.read(manifest, tables, conditions, columns, positive, skipped)
    _audit_inputs.check_files(folder, [*runner.FILES, f"{runner.KEPT}/", f"{pictures.FOLDER}/"])
    case = replaced(case, margin, seed, columns, root)
    case = case_images.with_images(case, crew, folder, skipped, progress)
    if run_folder:
        case = audited_run.with_network(case, work)
    if retrain:
        tables_again = retraining.predictions(here, controls, seed)
        case = _audit_inputs.without_lungs(case, tables_again, skipped)
    case, plan = runner.plan(case, chosen, changed(context))
    rows = runner.run(case, plan, folder, again=force)
    overall = runner.write(case, plan, rows, folder)
    drawn = pictures.draw(case, rows, folder)
    page = pages.page(case, plan, rows, overall, drawn, left_out(skipped))
    html_page.write(f"{folder}/{runner.PAGE}", page)
    fill(option_values.entries("--checklist", *checklist or ()), case, rows, folder)
    report(rows, overall, folder)
    code = skipped.close()
    failed = any(row.verdict in failing for row in rows if row.kind == "confirmatory")
    raise typer.Exit(ExitCode.SOME_INPUTS_FAILED if failed else code)


def left_out(skipped: "Failures") -> str:
    """Say in words how many inputs are not judged; the page is read without standard error."""
    if not len(skipped):
        return ""
    listed = os.path.basename(skipped.file or "")
    what = "1 row or image was" if len(skipped) == 1 else f"{len(skipped)} rows or images were"
    return f"{what} left out, listed in {listed}."


def verdicts_of(fail_on: list[str] | None) -> set[str]:
    """Return the verdicts that make the command fail."""
    words = option_values.entries("--fail-on", *fail_on or ()) or ["shown", "not-identifiable"]
    if "none" in words and len(words) > 1:
        raise CxrtoolError("--fail-on: none stands beside other verdicts", "Drop one of them.")
    return {_audit_options.FAILING[word] for word in words} - {""}


def controls_of(also: list[str] | None) -> list[str]:
    """Return the controls of the training without the lungs."""
    every = ["other-mask", "sham", "outline", "dilation"]
    words = option_values.entries("--retrain-also", *also or ()) or ["other-mask"]
    for word in ("none", "all"):
        if word in words and len(words) > 1:
            raise CxrtoolError(f"--retrain-also: {word} stands beside others", "Drop one of them.")
    return {"none": [], "all": every}.get(words[0], words)


def idle(
    manifest: str | None, checks: list[str], engine: str, run: str | None, retrain: bool
) -> dict[str, str]:
    """Say why options have no effect."""
    from cxrtool.audit import runner

    no_manifest = "" if manifest else "there is no manifest"
    readers = {"images", "run"} if run else {"images"}
    unread = any(readers & set(runner.module(name).NEEDS) for name in checks)
    no_images = no_manifest or ("" if unread else "no check reads images")
    no_run = "" if run else "no --run is given"
    unused = no_images if no_run else ""
    # A training stays on this machine.
    elsewhere = {} if retrain else option_values.idle_with_networks(engine)
    return {
        "--root": unused,
        "--engine": unused,
        "--jobs": unused or elsewhere.get("--jobs", ""),
        "--device": no_run,
        "--retrain": no_run
        or ("" if "lungs-out" in checks else "the check 'lungs-out' is not run"),
        "--retrain-also": "" if retrain else "--retrain is not given",
        "--cache": no_run or elsewhere.get("--cache", ""),
        "--within": ""
        if WITHIN & {*checks}
        else f"none of the checks {', '.join(sorted(WITHIN))} is run",
    }


def replaced(case: "Case", margin: float, seed: int, within: list[str], root: str | None) -> "Case":
    """Put the settings into the case."""
    return replace(case, margin=margin, seed=seed, within=tuple(within), root=root or "")


def changed(context: typer.Context) -> list[str]:
    """List the options that change the method, as they were typed."""
    about = ("--checks", "--within", "--positive", "--margin", "--seed", "--where", "--fail-on")
    return [name for name in about if name in effects.typed(context)]


def fill(names: list[str], case: "Case", rows: "list[CheckRow]", folder: str) -> None:
    """Write the checklists that are asked for."""
    from cxrtool.audit import checklist, checklist_facts

    known = checklist_facts.facts(case, rows) if names else {}
    for name in names:
        filled, number = checklist.write(name, known, folder)
        note(f"checklist-{name}.csv: {filled} of {number} items are filled; complete the others")


def report(rows: "list[CheckRow]", overall: str, folder: str) -> None:
    """Print the verdicts to standard error."""
    for row in rows:
        if row.kind == "confirmatory":
            note(f"{row.name}: {row.verdict}. {row.meaning}")
    note(f"overall: {overall} (see {folder}/audit.html)")
