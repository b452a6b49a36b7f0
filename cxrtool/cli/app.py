"""The command line: every module of commands/ is a subcommand; errors become one line here."""

import errno
import inspect
import os
import re
import sys
import traceback
from typing import Any, NoReturn

import typer
from typer.main import get_command

from cxrtool import __version__
from cxrtool.cli import (
    address_space,
    error_lines,
    file_roles,
    old_names,
    option_names,
    repeated_options,
    signals,
    typed_words,
)
from cxrtool.core import progress, registry
from cxrtool.core.errors import CxrtoolError, ExitCode, Terminated
from cxrtool.core.progress import Speaker

ABOUT = f"""\
Chest X-ray classification from files to figures, and whether to believe it.

Each command reads files and writes files, so that they chain:

    folders -> ingest -> manifest -> equalize, segment, split -> manifest
    manifest -> train -> run;  run + manifest -> evaluate -> predictions
    predictions -> compare -> tables, plots, a page;  run -> cam, tsne -> pictures
    manifest, predictions -> audit -> verdict: the disease or the data set?

A manifest is a CSV file, one row an image. Data goes to standard output, everything else to
standard error. This is research software, not a medical device.

Exit codes: {", ".join(f"{c.value} {c.name.lower().replace('_', ' ')}" for c in ExitCode)}.
"""


def help_text(text: str) -> str:
    """Keep indented blocks of a docstring as they stand; Typer would wrap them."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(f"\b\n{p}" if re.search(r"(?m)^    ", p) else p for p in paragraphs)


SETTINGS: dict[str, Any] = {"help_option_names": ["--help", "-h"], "max_content_width": 100}


def build(chosen: str | None = None) -> Any:
    """Make the command line from the files of commands/.

    With the name of a command, that one alone has its options, and with an empty one none has: a
    single call needs no more, and starts in two thirds of the time.
    """
    app = typer.Typer(
        name="cxrtool",
        help=help_text(ABOUT),
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        no_args_is_help=False,
        context_settings=SETTINGS,
    )

    @app.callback(invoke_without_command=True)
    def root(
        context: typer.Context,
        version: bool = typer.Option(False, "--version", help="Print the version."),
    ) -> None:
        if version:
            typer.echo(f"cxrtool {__version__}")
            raise typer.Exit()
        if context.invoked_subcommand is None:
            raise CxrtoolError("no command", f"Choose one of: {', '.join(verbs)}; or see --help.")

    verbs = registry.names("commands")
    for verb in [chosen] if chosen else verbs:
        text = help_text(registry.docstring("commands", verb))
        run = _without_options
        if chosen != "":
            run = file_roles.reserving(verb, registry.module("commands", verb))
        app.command(verb, help=text, short_help=text.partition(" (")[0])(run)
    return get_command(app)


def _without_options() -> None:
    """Stand for a command that is only listed."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run one command and end the process with the code that says how it went."""
    given = sys.argv[1:] if arguments is None else arguments
    code: int = ExitCode.BROKE_MIDWAY
    with progress.speaking("cxrtool") as speaker:
        try:
            with signals.raising():
                verb = _begin(given)
                speaker.name = _named(verb)
                code = _flush(run(given, verb))
        except (KeyboardInterrupt, Terminated) as e:  # It came between two of the lines above.
            code = _fail(e, *error_lines.outcome(e))
    signals.leave(code)


def _begin(given: list[str]) -> str:
    """Prepare what the whole process has one of, and return the name of the command."""
    _hold_standard_streams()
    # Threads that wait for one another at full speed take the cores from whoever they wait for: on
    # a machine that is shared, a step of training takes two to four times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    return _verb(given)


def _verb(arguments: list[str]) -> str:
    """Return the name of the command, if it is one; the options before it have no values."""
    first = next((word for word in arguments if not word.startswith("-")), "")
    return first if first in registry.names("commands") else ""


def _named(verb: str) -> str:
    return f"cxrtool {verb}".rstrip()


def run(arguments: list[str], limited: str = "") -> int:
    """Run one command and return its exit code; every error becomes one line here.

    With the name of a command in `limited`, its libraries are tried first where `ulimit -v` is set.
    """
    verb = _verb(arguments)
    with progress.speaking(_named(verb)) as speaker:
        try:
            if not {"--help", "-h"} & set(arguments):
                address_space.check(limited)
            _check_words(arguments)
            if verb and not error_lines.has_working_folder():
                raise CxrtoolError("the working folder was removed", "Change to another one.")
            _invoke(verb, arguments, speaker)
        except typer.Exit as e:
            return e.exit_code
        except (Exception, KeyboardInterrupt, Terminated) as e:
            signals.settle()
            return _fail(e, *error_lines.outcome(signals.received() or e))
    return ExitCode.DONE


def _invoke(verb: str, arguments: list[str], speaker: Speaker) -> None:
    """Read the options of a command, and run it."""
    words, notes = old_names.replaced(verb, arguments)
    application, name = build(verb), "cxrtool"
    command = application
    # The group reads its own options first, for which Typer imports pydantic, even for the help of
    # a command: half of the time that this takes.
    if words[:1] == [verb]:
        command, name, words = application.commands[verb], _named(verb), words[1:]
    with option_names.added(application, verb), typed_words.explained(command, [*words]):
        try:
            if command is not application:
                notes += repeated_options.notes(verb, command, words, SETTINGS)
            context = command.make_context(name, words, **SETTINGS)
            speaker.level = _level(context.params)
        finally:
            for line in notes:
                progress.note(line)
        with context:
            command.invoke(context)


def _level(given: dict[str, Any]) -> int:
    """Return how much a command is to print: -1 with -q, 1 with -v, else 0."""
    quiet, verbose = given.get("quiet", False), given.get("verbose", False)
    if quiet and verbose:
        raise CxrtoolError("-q and -v contradict each other", "Drop one of them.")
    return int(verbose) - int(quiet)


def _check_words(arguments: list[str]) -> None:
    """Refuse what could not be written into a table; an image of such a name is skipped later."""
    for word in arguments:
        try:
            word.encode()
        except UnicodeEncodeError:
            if not os.path.isfile(word):
                shown = word.encode("utf-8", "backslashreplace").decode()
                raise CxrtoolError(
                    f"'{shown}' is not UTF-8", "Rename it, or write it so."
                ) from None


def _fail(e: BaseException, line: object, code: ExitCode) -> int:
    """Say what went wrong (nothing of a closed pipe), with the traceback where -v asks for it."""
    if line and progress.is_verbose():
        for entry in traceback.format_exception(e):
            for text in entry.splitlines():
                progress.error(text)
    if line:
        progress.error(line)
    return code


def _hold_standard_streams() -> None:
    """Keep descriptors 0 to 2 taken, so that no file the run opens lands on a closed one.

    A closed standard output gets a descriptor that cannot be written, so that data sent there
    is an error and not lost in silence.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if descriptor == 2 else os.O_RDONLY)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - to the end


def _flush(code: int) -> int:
    """Empty standard output; what cannot be written there is not success."""
    if code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED):
        return code  # Nobody may be reading, and a second signal would be waited for.
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        return ExitCode.CLOSED_PIPE
    except OSError as e:
        if code != ExitCode.BROKE_MIDWAY:  # Otherwise it has been said.
            reason = (e.strerror or "").lower()
            full = f"standard output: {reason}. Free some space, then run it again."
            progress.error(error_lines.CLOSED if e.errno == errno.EBADF else full)
        return ExitCode.BROKE_MIDWAY
    return code
