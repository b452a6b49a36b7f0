"""What a command does with the files and folders that its options name.

Every parameter that names one carries its role: `Annotated[str, typer.Option(...), Role.WRITES]`.
From the roles follows, for every command alike, which outputs are reserved and which inputs may not
be overwritten.
"""

import functools
import os
import shlex
import typing
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any

from cxrtool.core import filenames, outputs
from cxrtool.core.errors import CxrtoolError
from cxrtool.core.outputs import FilledFolder, Output, Reservation
from cxrtool.files import formats

LONGEST_TITLE = 200
# As a file it would be replaced where `>>` is to append to it.
STANDARD_OUTPUT = "/dev/stdout"
SEPARATORS = (os.sep, os.altsep or os.sep)


class Role(Enum):
    """What becomes of a file or folder."""

    READS = "a file that is read, or the folder of a run"
    SEARCHES = "a file that is read, or a folder in which images are looked for"
    WRITES = "a file that is written"
    LISTS = "the file for the list of skipped inputs"
    FILLS = "the folder of what the command makes"
    KEEPS = "another folder that gets files"
    ROOT = "the folder that paths in tables are relative to"
    NAMES = "a folder of which the names alone are looked at"


@dataclass(frozen=True)
class Parameter:
    """A parameter that names files: how the user knows it, and its role."""

    name: str
    shown: str
    role: Role
    is_argument: bool


def parameters(run: Callable[..., Any]) -> list[Parameter]:
    """List the parameters of a command that have a role."""
    result = []
    for name, hint in typing.get_type_hints(run, include_extras=True).items():
        about: tuple[Any, ...] = getattr(hint, "__metadata__", ())
        role = next((m for m in about if isinstance(m, Role)), None)
        if role is not None:
            # Typer takes the first name for the default, until it is annotated.
            names = [str(about[0].default), *(about[0].param_decls or ())]
            option = next((n for n in names if n.startswith("--")), "")
            metavar = str(about[0].metavar).strip("[].")
            result.append(Parameter(name, option or metavar, role, not option))
    return result


def reserving(verb: str, command: ModuleType) -> Callable[..., Any]:
    """Return the function of a command, which then runs with its outputs reserved."""
    endings: tuple[str, ...] = getattr(command, "ENDINGS", ("",))

    @functools.wraps(command.run)
    def run(**given: Any) -> Any:
        if given.get("output") == STANDARD_OUTPUT:
            given["output"] = "-"
        with reserved(verb, command.run, given, endings) as reservation:
            for parameter in parameters(command.run):
                # Images that are named one by one; those of a manifest are compared as it is read.
                if parameter.is_argument and parameter.role is Role.READS:
                    for path in _values(given[parameter.name]):
                        reservation.check_images(filenames.stems(path), path)
            return command.run(**given)

    return run


def reserved(
    verb: str, run: Callable[..., Any], given: Mapping[str, Any], endings: tuple[str, ...] = ("",)
) -> AbstractContextManager[Reservation]:
    """Reserve what a command of such parameters writes.

    `endings` are those of the image files that it writes for a row of a manifest.
    """
    values = [(p, value) for p in parameters(run) for value in _values(given.get(p.name))]
    _check_names(values)
    by = {role: [(p, value) for p, value in values if p.role is role] for role in Role}
    folders = [FilledFolder(p.shown, value, endings) for p, value in by[Role.FILLS]]
    written = [Output(p.shown, v) for p, v in by[Role.WRITES] if v != "-" or p.name == "output"]
    written.sort(key=lambda output: output.option != "--output")
    table = written[0].path if written and written[0].option == "--output" else "-"
    lists = [Output(p.shown, value) for p, value in by[Role.LISTS]]
    if not lists and any(p.role is Role.LISTS for p in parameters(run)):
        place = outputs.list_beside(folders[0].path if folders else None, table)
        lists = [Output("--failures", place, named=False, resumed=True)] if place else []
    read = [
        (file, f"which is read ({p.shown})")
        for p, value in by[Role.READS] + by[Role.SEARCHES]
        for file in _files(p.role, value)
    ]
    return outputs.reserved(
        read,
        [*written, *lists],
        [*folders, *(FilledFolder(p.shown, value) for p, value in by[Role.KEEPS])],
        root=next((value for _, value in by[Role.ROOT]), os.environ.get("CXRTOOL_ROOT", "")),
        title=_title([verb, *(value for p, value in values if p.is_argument)], table, lists),
    )


def _check_names(values: list[tuple[Parameter, str]]) -> None:
    """Refuse names that no file can have, before anything is done: of a variable that is not set,
    and of a folder where a file is meant."""
    for parameter, value in values:
        if not value:
            raise CxrtoolError(f"{parameter.shown}: the name is empty", "Name a file or folder.")
        if parameter.role in (Role.WRITES, Role.LISTS) and value.endswith(SEPARATORS):
            what = f"{parameter.shown} {value}: is the name of a folder"
            raise CxrtoolError(what, "Name a file in it.")


def _values(given: Any) -> list[str]:
    if given is None:
        return []
    return [str(value) for value in given] if isinstance(given, list) else [str(given)]


def _files(role: Role, value: str) -> list[str]:
    """List the files that a value names; of a run, all that a run may have."""
    # Of a run the last epoch may be meant (RUN:last), and not the best.
    folder = value.removesuffix(":last")
    if role is Role.READS and os.path.isdir(folder):
        return [os.path.join(folder, name) for name in formats.RUN if name != outputs.LIST]
    return [value]


def _title(words: list[str], table: str, lists: list[Output]) -> str:
    """Name a command by its files, as seen from the folder of its list of skipped inputs.

    The same command, given again, has the same title, wherever it is given.
    """
    if not lists:
        return ""
    folder = os.path.dirname(os.path.abspath(lists[0].path))
    verb, *files = words + ["-"] * (len(words) == 1) + ["-o", table] * (table != "-")
    seen = [f if f.startswith("-") else os.path.relpath(f, folder) for f in files]
    title = shlex.join([verb, *seen])
    if len(title) > LONGEST_TITLE:
        import hashlib  # Few titles are so long.

        digest = hashlib.sha256(title.encode("utf-8", "surrogateescape")).hexdigest()
        title = f"{title[:LONGEST_TITLE]}... ({digest[:16]})"
    return title
