"""The options that mean the same wherever they stand, each spelled once.

-d --dir, -f --force, -j --jobs, -n --dry-run, -o --output, -q --quiet, -v --verbose.
"""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from cxrtool.cli.file_roles import Role
from cxrtool.core import commas, registry
from cxrtool.core.errors import CxrtoolError

# A larger number of epochs, images of a batch and the like is a slip of the finger.
MOST = 1_000_000_000


# Names, or what lists them, where that takes an import.
Names = Sequence[str] | Callable[[], Sequence[str]]


def checked(names: Names, check: Callable[[str, str], object]) -> dict[str, Any]:
    """Make an option whose values are checked as they are read, before anything else is done."""

    def callback(context: typer.Context, option: typer.CallbackParam, value: Any) -> Any:
        # A default is right, and may take seconds to check.
        if source(context, str(option.name)) != "DEFAULT":
            for text in value if isinstance(value, list) else [value]:
                check(option.opts[0], text)
        return value

    return {"callback": callback, "autocompletion": lambda: _every(names)}


def _every(names: Names) -> list[str]:
    return list(names() if callable(names) else names)


def source(context: typer.Context, name: str) -> str:
    """Return where the value of an option is from: COMMANDLINE, ENVIRONMENT or DEFAULT."""
    result = context.get_parameter_source(name)
    return "DEFAULT" if result is None else result.name


def choice(names: Names) -> dict[str, Any]:
    """Make an option take one of some names, spelled exactly so: a plain choice has no options."""
    return checked(names, lambda option, text: registry.choose(option, text, _every(names)))


def choices(names: Names, *, all_by_default: bool = False) -> dict[str, Any]:
    """Make an option take a list of some names, separated by commas."""

    def check(option: str, text: str) -> None:
        if all_by_default and text == "all":
            raise CxrtoolError(f"{option} all: these are the default", f"Leave {option} out.")
        for name in commas.split(text):
            registry.choose(option, name, _every(names))

    return checked(names, check)


def spec(folder: str, function: str, *, or_folder: bool = False) -> dict[str, Any]:
    """Make an option take the SPEC of a plug-in: its name, keys and values are checked.

    With `or_folder` it may be the path of a folder instead.
    """

    def check(option: str, text: str) -> None:
        if not (or_folder and os.path.isdir(text)):
            registry.load(folder, text, function, option)

    return checked(lambda: registry.names(folder), check)


def function_spec(functions: Callable[[], Mapping[str, Callable[..., Any]]]) -> dict[str, Any]:
    """Make an option take a SPEC whose choices are functions; `functions` imports them."""
    return checked(
        lambda: list(functions()),
        lambda option, text: registry.pick(option, text, functions()),
    )


def word_or(
    words: Sequence[str], other: str, accepts: Callable[[str], bool], example: str
) -> dict[str, Any]:
    """Make an option take one of some words, or something else that `accepts` accepts.

    Parameters
    ----------
    words : the words, spelled exactly so.
    other : what else it may be, for the message: `a number of images`.
    accepts : whether a text is such a thing; a ValueError means no.
    example : how that is written.
    """

    def check(option: str, text: str) -> None:
        if text not in words and not _is_accepted(accepts, text):
            what = f"{option} '{text}' is not one of: {', '.join(words)}, {other}"
            near = registry.nearest(text, words)
            raise CxrtoolError(what, f"Did you mean '{near}'?" if near else f"Write {example}.")

    return checked(words, check)


def number_or(
    word: str, low: float, high: float, kind: type[int] | type[float] = int
) -> dict[str, Any]:
    """Make an option take a number, or a word that stands for what is usual."""
    what = "a whole number" if kind is int else "a number"
    example = f"{max(low, 1):g}"
    return word_or(
        [word],
        f"{what} from {low:g} to {high:g}",
        lambda t: low <= kind(t) <= high,
        f"it as {example}",
    )


def _is_accepted(accepts: Callable[[str], bool], text: str) -> bool:
    try:
        return bool(text) and accepts(text)
    except ValueError:
        return False


Manifest = Annotated[
    str | None,
    typer.Argument(
        metavar="MANIFEST",
        help="The manifest; '-' or nothing reads standard input.",
        show_default=False,
    ),
    Role.READS,
]
Output = Annotated[
    str,
    typer.Option(
        "--output", "-o", metavar="FILE", help="File for the table; '-' is standard output."
    ),
    Role.WRITES,
]
Dir = Annotated[
    str,
    typer.Option(
        "--dir", "-d", metavar="DIR", help="Folder for the files that the command writes."
    ),
    Role.FILLS,
]
Bits = Annotated[
    str,
    typer.Option(
        "--bits",
        metavar="8|16",
        help="Bit depth of the new images; 16 keeps the depth of images with more than 8 bits.",
        **choice(("8", "16")),
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="COLUMN=V[,V...]",
        help="Use only rows with one of these values (COLUMN!=V: with none of them). May be "
        "repeated; all conditions must hold.",
    ),
]
Root = Annotated[
    str | None,
    typer.Option(
        "--root",
        metavar="DIR",
        envvar="CXRTOOL_ROOT",
        help="Base folder for relative paths in a manifest (default: the working folder).",
    ),
    Role.ROOT,
]
Jobs = Annotated[
    str,
    typer.Option(
        "--jobs",
        "-j",
        metavar="auto|N",
        help="Number of workers; auto means one per core.",
        **number_or("auto", 1, 4096),
    ),
]
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="local|dask=ADDRESS",
        help="Process images on this machine, or on the workers of a Dask scheduler. These need "
        "the "
        "same files and the same version of cxrtool.",
        **word_or(
            ["local"],
            "dask=ADDRESS",
            lambda text: bool(re.fullmatch("dask=.+", text)),
            "it as dask=tcp://HOST:8786",
        ),
    ),
]
Device = Annotated[
    str,
    typer.Option(
        "--device",
        metavar="auto|cpu|cuda[:N]|mps",
        help="Device for the network; auto uses an accelerator if there is one.",
        **word_or(
            ["auto", "cpu", "cuda", "mps"],
            "cuda:N",
            lambda text: bool(re.fullmatch(r"cuda:\d{1,4}", text)),
            "it as cuda:0",
        ),
    ),
]
Cache = Annotated[
    str | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        envvar="CXRTOOL_CACHE",
        help="Folder for decoded images (default: cxrtool/pixels in the user's cache).",
    ),
    Role.KEEPS,
]
Batch = Annotated[
    int,
    typer.Option(
        "--batch", metavar="N", min=1, max=MOST, help="Number of images processed at once."
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        "--seed",
        metavar="N",
        min=0,
        max=2**63 - 1,
        help="Seed of all random choices.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Print what would be done, and write nothing.")
]
Force = Annotated[
    bool, typer.Option("--force", "-f", help="Redo what already exists instead of skipping it.")
]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first input that fails.")]
Failures = Annotated[
    str | None,
    typer.Option(
        "--failures",
        metavar="FILE",
        help="File for the list of skipped inputs (default: failures.csv in DIR, or beside "
        "OUTPUT).",
    ),
    Role.LISTS,
]
Progress = Annotated[
    str,
    typer.Option(
        "--progress",
        metavar="WHEN",
        help="Progress bars: auto, always or never. Without a terminal, auto prints a line about "
        "once a minute when a step takes longer than 30 seconds.",
        **choice(("auto", "always", "never")),
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print less to standard error.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Print more to standard error.")]
