"""What the man page of a command says that no option tells: its guides and its exit codes."""

from cxrtool.core.errors import ExitCode

# The guides that a reader of a command's page goes on with, the nearest first.
GUIDES = {
    "audit": ("auditing", "reliability", "results", "limits"),
    "cam": ("evidence", "limits"),
    "compare": ("evidence", "statistics"),
    "demo": ("phantoms", "installing"),
    "equalize": ("preprocessing",),
    "evaluate": ("training", "evidence", "preprocessing"),
    "ingest": ("data", "duplicates"),
    "phantom": ("phantoms",),
    "recipe": ("recipes",),
    "segment": ("preprocessing", "limits"),
    "split": ("splitting", "duplicates"),
    "train": ("training", "performance"),
    "tsne": ("evidence", "statistics", "preprocessing"),
}

MEANING = {
    ExitCode.DONE: "All of it was done.",
    ExitCode.SOME_INPUTS_FAILED: "The run ended, but some inputs failed; each is a line on "
    "standard error and a row of failures.csv.",
    ExitCode.NOTHING_DONE: "Nothing was done: bad usage, an input that makes the run "
    "meaningless, or no image that could be used. No table was written.",
    ExitCode.BROKE_MIDWAY: "It broke midway for a reason outside the inputs (disk full, out of "
    "memory); what is on the disk is whole, and the same command again goes on from there.",
    ExitCode.INTERRUPTED: "Interrupted; likewise whole and resumable.",
    ExitCode.CLOSED_PIPE: "The reader of standard output went away.",
    ExitCode.TERMINATED: "Terminated; likewise whole and resumable.",
}
# What exit code 1 means beyond that, or in place of it where no input can fail.
ONE = {
    "audit": "Or the audit came to a verdict that --fail-on names.",
    "demo": "A command of the chain ended with 1; its own page says why.",
    "recipe": "With --missing and a recipe named: a collection that it needs is not there.",
    "split": "With --check: there are findings.",
}
# What exit code 2 means where no images are read, and of a chain of commands.
TWO = {
    "demo": "Bad usage, or a command of the chain ended with 2; its own line says why.",
    "phantom": "Nothing was done: bad usage. No table was written.",
    "recipe": "Nothing was done: bad usage. No script was written.",
}


def meanings(command: str, has_failures: bool) -> dict[ExitCode, str]:
    """Return the exit codes that a command may have, and what each means."""
    result = dict(MEANING)
    failed = MEANING[ExitCode.SOME_INPUTS_FAILED] if has_failures else ""
    result[ExitCode.SOME_INPUTS_FAILED] = f"{failed} {ONE.get(command, '')}".strip()
    result[ExitCode.NOTHING_DONE] = TWO.get(command, MEANING[ExitCode.NOTHING_DONE])
    return {code: text for code, text in result.items() if text}


def of_all_commands() -> dict[ExitCode, str]:
    """Return what the exit codes mean for the commands in general."""
    one = (
        "With split --check: there are findings; with audit: it came to a verdict that --fail-on "
        "names."
    )
    text = f"{MEANING[ExitCode.SOME_INPUTS_FAILED]} {one}"
    return {**MEANING, ExitCode.SOME_INPUTS_FAILED: text}
