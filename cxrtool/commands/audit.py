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

The exit code is 1 if a verdict of --fail-on occurs, or if an input could not be read. A stopped
audit continues where it stopped.

Example:

    cxrtool audit split.csv predictions.csv -d audit
    cxrtool audit split.csv --run runs/r18 --retrain -d audit
    cxrtool audit --predictions theirs.csv -d audit --within scanner,sex
    cxrtool ingest images/ | cxrtool audit - -d audit
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from cxrtool.cli import effects, options
from cxrtool.cli.file_roles import Role
from cxrtool.core import outputs
from cxrtool.core.errors import CxrtoolError, ExitCode
from cxrtool.core.progress import note

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cxrtool.audit.case import Case, ModelScores
    from cxrtool.audit.verdicts import CheckRow
    from cxrtool.core.parallel import Crew
    from cxrtool.files.failures import Failures
    from cxrtool.files.manifest import Where
    from cxrtool.learn.prediction import PredictionSettings

# The words of --fail-on, and the verdicts that they mean.
FAILING = {
    "shown": "shown",
    "not-identifiable": "not identifiable",
    "inconclusive": "inconclusive",
    "not-assessed": "not assessed",
    "none": "",
}


def names() -> "Sequence[str]":
    """List the checks."""
    from cxrtool.core import registry

    return registry.names("checks")


def checklists() -> "Sequence[str]":
    """List the checklists."""
    from cxrtool.audit import checklist

    return checklist.names()


def run(
    context: typer.Context,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MANIFEST|PREDICTIONS...]",
            help="A manifest, tables of predictions, or both; '-' reads a manifest from standard "
            "input.",
        ),
        Role.READS,
    ] = None,
    *,
    predictions: Annotated[
        list[str] | None,
        typer.Option(
            "--predictions",
            metavar="FILE",
            help="A table of predictions (path, label, p_CLASS; patient and source if known). "
            "May be repeated.",
        ),
        Role.READS,
    ] = None,
    run_folder: Annotated[
        str | None,
        typer.Option(
            "--run",
            metavar="RUN",
            help="A run that predicts the held-out images of the manifest; the predictions are "
            "kept in DIR/predictions.csv.",
        ),
        Role.READS,
    ] = None,
    retrain: Annotated[
        bool,
        typer.Option(
            "--retrain",
            help="Train the run's recipe again on images without the lungs, in DIR/lungs-out. "
            "This takes as long as the run did.",
        ),
    ] = False,
    folder: options.Dir,
    checks: Annotated[
        list[str] | None,
        typer.Option(
            "--checks",
            metavar="NAME[,NAME...]",
            help="Checks to run (default: all).",
            **options.choices(names),
        ),
    ] = None,
    within: Annotated[
        list[str] | None,
        typer.Option(
            "--within",
            metavar="COLUMN[,COLUMN...]",
            help="Further columns for AUC within groups, besides source and view.",
        ),
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(
            "--positive",
            metavar="CLASS",
            help="The positive class; all others together are negative (default with two classes: "
            "as in compare).",
        ),
    ] = None,
    margin: Annotated[
        float,
        typer.Option(
            "--margin",
            metavar="D",
            min=0.001,
            max=0.5,
            help="Smallest difference in AUC that matters.",
        ),
    ] = 0.05,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="VERDICT[,VERDICT...]",
            help="Verdicts that make the exit code 1: shown, not-identifiable, inconclusive, "
            "not-assessed, or none (default: shown,not-identifiable).",
            **options.choices(list(FAILING)),
        ),
    ] = None,
    checklist: Annotated[
        list[str] | None,
        typer.Option(
            "--checklist",
            metavar="NAME[,NAME...]",
            help="Also write DIR/checklist-NAME.csv: the items of a published checklist, with "
            "what the audit knows of them.",
            **options.choices(checklists),
        ),
    ] = None,
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

    chosen = options.entries("--checks", *checks or ()) or list(names())
    failing = verdicts_of(fail_on)
    conditions = options.conditions("--where", where)
    manifest, tables = sorted_inputs(inputs or [], predictions or [])
    effects.refuse(context, idle(manifest, chosen, engine, run_folder))
    if run_folder and manifest in (None, "-"):
        raise CxrtoolError("--run needs the manifest of the images as a file", "Name it.")
    disk.make_folder(folder)
    disk.claim(folder)
    skipped = Failures(failures, folder=folder, strict=strict)
    columns = options.entries("--within", *within or ())
    crew = options.crew(jobs, engine)
    if run_folder:
        from cxrtool.audit import retraining, run_predictions  # They import PyTorch.
        from cxrtool.audit.run_predictions import RunWork

        settings = prediction_settings(cache, root, options.crew(jobs))
        work = RunWork(
            run_folder, str(manifest), conditions, folder, settings, device, skipped, progress
        )
        tables.append(run_predictions.write(work))
    case = read(manifest, tables, conditions, columns, positive, skipped)
    case = replaced(case, margin, seed, columns, root)
    case = case_images.with_images(case, crew, folder, skipped, progress)
    if retrain:
        case = without_lungs(case, retraining.predictions(work), skipped)
    for inside in (runner.KEPT, pictures.FOLDER):
        outputs.current().check_below(f"{folder}/{inside}")
    case, plan = runner.plan(case, chosen, changed(context))
    rows = runner.run(case, plan, folder, again=force)
    overall = runner.write(case, plan, rows, folder)
    drawn = pictures.draw(case, rows, folder)
    html_page.write(f"{folder}/audit.html", pages.page(case, plan, rows, overall, drawn))
    fill(options.entries("--checklist", *checklist or ()), case, rows, folder)
    report(rows, overall, folder)
    code = skipped.close()
    failed = any(row.verdict in failing for row in rows if row.kind == "confirmatory")
    raise typer.Exit(ExitCode.SOME_INPUTS_FAILED if failed else code)


def verdicts_of(fail_on: list[str] | None) -> set[str]:
    """Return the verdicts that make the command fail."""
    words = options.entries("--fail-on", *fail_on or ()) or ["shown", "not-identifiable"]
    if "none" in words and len(words) > 1:
        raise CxrtoolError("--fail-on: none stands beside other verdicts", "Drop one of them.")
    return {FAILING[word] for word in words} - {""}


def sorted_inputs(inputs: list[str], predictions: list[str]) -> tuple[str | None, list[str]]:
    """Tell the manifest from tables of predictions, by their columns."""
    from cxrtool.files.manifest import input_or_stdin
    from cxrtool.files.predictions import is_predictions

    tables = [*predictions, *(path for path in inputs if is_predictions(path))]
    manifests = [path for path in inputs if path not in tables]
    if len(manifests) > 1:
        what = f"{manifests[1]}: a second manifest, beside {manifests[0]}"
        raise CxrtoolError(what, "Join them first: cxrtool ingest A.csv B.csv.")
    if not manifests and not tables:
        return input_or_stdin(None), []
    return (manifests[0] if manifests else None), tables


def prediction_settings(cache: str | None, root: str | None, crew: "Crew") -> "PredictionSettings":
    """Say how images are read and predicted."""
    from cxrtool.files import pixel_cache
    from cxrtool.learn.prediction import PredictionSettings

    folder = cache or pixel_cache.default_folder()
    return PredictionSettings(cache=folder, root=root or "", crew=crew)


def without_lungs(case: "Case", table: str, skipped: "Failures") -> "Case":
    """Put the predictions of a training without the lungs into the case."""
    from cxrtool.audit import case_reader

    judged = case_reader.read_predictions([table], [], [], skipped)
    images, (model, *_), _ = case_reader.joined(None, judged, case.positive)
    return replace(case, without_lungs=(images, model))


def idle(manifest: str | None, checks: list[str], engine: str, run: str | None) -> dict[str, str]:
    """Say why options have no effect."""
    from cxrtool.audit import runner

    no_manifest = "" if manifest else "there is no manifest"
    unread = any("images" in runner.module(name).NEEDS for name in checks)
    no_images = no_manifest or ("" if unread else "no check reads images")
    no_run = "" if run else "no --run is given"
    unused = no_images if no_run else ""
    return {
        "--root": unused,
        "--engine": no_images,
        "--jobs": unused or (options.idle_jobs(engine) if no_run else ""),
        "--device": no_run,
        "--retrain": no_run
        or ("" if "lungs-out" in checks else "the check 'lungs-out' is not run"),
        "--cache": no_run,
        "--within": "" if "within" in checks else "the check 'within' is not run",
    }


def read(
    manifest: str | None,
    tables: list[str],
    conditions: "list[Where]",
    within: list[str],
    positive: str | None,
    skipped: "Failures",
) -> "Case":
    """Read the rows and the scores, and choose the positive class."""
    from cxrtool.audit import case_reader
    from cxrtool.audit.case import Case

    own = case_reader.read_manifest(manifest, conditions, within) if manifest else None
    if not tables:
        assert own is not None
        classes = [name for name in case_reader.classes_of(own) if name]
        chosen = chosen_class(classes, positive)
        images = case_reader.of_manifest(own, chosen)
        models: list[ModelScores] = []
        unmatched = 0
    else:
        # With a manifest, --where chooses among its rows, and predictions follow.
        judged = case_reader.read_predictions(
            tables, [] if manifest else conditions, within, skipped
        )
        classes = judged.classes
        chosen = chosen_class(classes, positive)
        images, models, unmatched = case_reader.joined(own, judged, chosen)
    negatives = [name for name in classes if name != chosen]
    return Case(images, models, chosen, negatives, manifest=manifest or "", unmatched=unmatched)


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
