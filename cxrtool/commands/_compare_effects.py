"""Which options of compare have no effect in a call, and why; the call as it was typed."""

from collections.abc import Sequence

import typer

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
) -> dict[str, str]:
    """Say why options have no effect."""
    one = f"--matrix shows the first of them alone, {metrics[0]}" if len(metrics) > 1 else ""
    by_chance = bootstrap or "permutation" in tests
    asked = set(metrics) if metrics and not is_drawn and not tests else {"accuracy"}
    of_p = "no metric that is shown depends on the predicted class"
    only = of_p if asked <= OF_PROBABILITIES else ""
    shown = {"json": "--format json always has the confusion matrices"}.get(form, "")
    none = "with --averages there is no positive class" if averages else ""
    return {
        "--positive": none,
        "--threshold": only or none,
        "--interval": only if interval == "normal" else "",
        "--confusion": "--matrix shows one metric" if matrix else shown,
        "--metrics": one if matrix else "",
        "--seed": "" if by_chance else "without a bootstrap and permutations nothing is drawn",
    }


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
