"""Which options of compare have no effect in a call, and why; the call as it was typed."""

import os
from collections.abc import Sequence

import typer

from cxrtool.cli import effects
from cxrtool.core import progress

# Options that change no figure.
MUTE = ("quiet", "verbose", "progress")


# Figures of probabilities, which no decision threshold changes, and which are no shares of images.
OF_PROBABILITIES = {
    "auc",
    "average_precision",
    "brier",
    "ece",
    "ece_debiased",
    "calibration_slope",
    "calibration_intercept",
}


def of(
    matrix: str | None,
    metrics: list[str],
    tests: list[str],
    bootstrap: int,
    interval: str,
    is_drawn: bool,
    averages: bool = False,
    form: str = "",
    confusion: bool = False,
) -> dict[str, str]:
    """Say why options have no effect."""
    from cxrtool.compare.comparison import BY_FORMULA

    one = f"--matrix shows the first of them alone, {metrics[0]}" if len(metrics) > 1 else ""
    used = _used(matrix, metrics, tests, is_drawn)
    of_p = "no metric that is shown depends on the predicted class"
    only = of_p if used and used <= OF_PROBABILITIES else ""
    confused = not matrix and (confusion or form == "json")
    formulas = "the metrics that are shown have formulas alone"
    own = formulas if used and used <= set(BY_FORMULA) else ""
    shown = {"json": "--format json always has the confusion matrices"}.get(form, "")
    none = "with --averages there is no positive class" if averages else ""
    resampled = interval == "bootstrap" or tests or matrix or is_drawn
    nothing = "without a bootstrap and permutations nothing is drawn"
    return {
        "--positive": none,
        "--threshold": ("" if confused else only) or none,
        "--interval": {"normal": only, "bootstrap": own}.get(interval, ""),
        "--confusion": "--matrix shows one metric" if matrix else shown,
        "--metrics": one if matrix else "",
        "--seed": "" if resampled and bootstrap else nothing,
        "--bootstrap": "" if resampled else "nothing that is shown is resampled",
    }


def _used(matrix: str | None, metrics: list[str], tests: list[str], is_drawn: bool) -> set[str]:
    """Return the metrics that are shown or tested; empty stands for all."""
    if is_drawn or not (metrics or matrix):
        return set()
    shown = set(metrics[:1] or ["auc"]) if matrix else set(metrics)
    return shown | ({"accuracy"} if "mcnemar" in tests else set())


def of_best(matrix: str | None, format: str) -> dict[str, str]:
    """Say why --best has no effect."""
    records = f"--format {format} writes a record per figure" if format in ("csv", "json") else ""
    return {"--best": "--matrix compares no models" if matrix else records}


# Endings of files that are read as one format, by which another one may be missed.
ENDINGS = {".csv": "csv", ".json": "json", ".html": "html", ".tex": "latex", ".tsv": "tsv"}


def note_format(context: typer.Context, output: str, form: str) -> None:
    """Say that the format does not follow the name of the file, if that suggests another one."""
    suggested = ENDINGS.get(os.path.splitext(output)[1].lower(), form)
    if suggested != form and "--format" not in effects.typed(context):
        progress.note(f"{output} has the format {form}: --format {suggested} writes {suggested}")


def averages_of(classes: Sequence[str]) -> dict[str, str]:
    """Say why --averages has no effect with these classes."""
    several = f"with {len(classes)} classes the averages are shown, unless --positive selects one"
    return {"--averages": several if len(classes) != 2 else ""}


def command_line(context: typer.Context) -> str:
    """Write the command as it was typed, an option a line."""
    import shlex

    lines = ["cxrtool compare"]
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        if source is None or source.name != "COMMANDLINE" or name in MUTE:
            continue
        value = context.params[name]
        values = value if isinstance(value, list) else [value]
        if name == "files":
            lines[0] += "".join(f" {shlex.quote(file)}" for file in values)
        else:
            option = parameter.opts[0]
            lines += [option if v is True else f"{option} {shlex.quote(str(v))}" for v in values]
    return " \\\n    ".join(lines)
