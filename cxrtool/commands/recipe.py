"""Print a script that chains the commands as a paper did (nothing -> script).

Without NAME, the recipes are listed: id,name,paper,needs,cost. NAME is a name or an id (T3). A
script opens with what the paper did, what its code did where the two differ, what is our choice,
and the published figures; it ends with the paper's figures beside yours. It is plain sh and meant
to be changed: take it as it is, or save it and change it.

What it reads from the environment: DATA, the folder of the collections; OUT, where everything goes
(default: a folder of the recipe's name); SCALE, full (the default) or small, which puts phantoms
in place of the collections and ends in a few minutes on two cores: it shows that the chain runs,
and no figure of it means anything. The same command again goes on where it stopped.

Every collection is a folder of DATA, by the name of the preset that reads it (see cxrtool ingest
--list): DATA/cohen, DATA/nih, DATA/kermany and so on. Five have no preset: armiro (the folder
chest_xray_images of COVID-CXNet's repository), andrewmvd and prashant268 (collections on Kaggle:
convid19-x-rays, and the folder Data of chest-xray-covid19-pneumonia), ccxri and bimcv (COVID-19
images of CCXRI and of BIMCV-COVID19+, in any folders). --check tells which of them are missing.

Example:

    cxrtool recipe
    cxrtool recipe t3-resnet18-cross-dataset | DATA=collections OUT=t3 sh
    cxrtool recipe T3 | SCALE=small sh
    cxrtool recipe t3 --check --data collections

--check writes one row a collection (recipe,collection,folder,found); with NAME it exits with 1 if
any is missing.
"""

import os
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cxrtool.cli import effects, options
from cxrtool.cli.file_roles import Role
from cxrtool.core.errors import CxrtoolError, ExitCode

if TYPE_CHECKING:
    from cxrtool.recipes.library import Recipe


def known() -> list[str]:
    """List the names, for the shell to complete."""
    from cxrtool.recipes import library

    return library.names()


def run(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="The recipe, by name or id (default: list them).",
            autocompletion=known,
            show_default=False,
        ),
    ] = None,
    names: Annotated[bool, typer.Option("--names", help="List the names alone.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Tell which collections are in the folder of --data.")
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DIR",
            envvar="DATA",
            help="The folder of the collections, for --check.",
        ),
        Role.NAMES,
    ] = None,
    output: options.Output = "-",
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    from cxrtool.files import disk, table
    from cxrtool.recipes import library

    if names and (name or check):
        raise CxrtoolError("--names stands alone", "Drop NAME and --check.")
    effects.refuse(context, {"--data": "" if check else "without --check no folder is looked at"})
    disk.check_output(output)
    found = library.every() if name is None else [library.chosen(name)]
    if check:
        look(found, data, output, strict=name is not None)
    if names or name is not None:
        lines = [f"{r.name}\n" for r in found] if names else [r.script for r in found]
        with disk.open_output(output) as stream:
            stream.write("".join(lines).encode())
        return
    table.write(output, library.COLUMNS, (recipe.row for recipe in found))


def look(found: "list[Recipe]", data: str | None, output: str, strict: bool) -> NoReturn:
    """Write which collections are there, and exit with 1 if one is missing of a recipe named."""
    from cxrtool.files import table
    from cxrtool.recipes import library

    if not data:
        raise CxrtoolError("--check: no folder of collections", "Give --data DIR, or set DATA.")
    if not os.path.isdir(data):
        raise CxrtoolError(f"--data {data}: no such folder", "Check the path.")
    rows = list(library.checked(found, data))
    table.write(output, library.CHECKED, rows)
    missing = strict and any(row[-1] == "no" for row in rows)
    raise typer.Exit(ExitCode.SOME_INPUTS_FAILED if missing else ExitCode.DONE)
