"""Print a shell script that repeats the experiment of a paper (nothing -> script).

--list, or no NAME, lists the recipes as CSV: id,name,paper,needs,cost. NAME is a name or an id, as
T3. The papers are s0 (Tartaglione, ids T), s1 (CVR-Net, V), s2 (COVID-CXNet, X), s3 (Majeed, M) and
s4 (Luiz, L); --paper s0 lists the recipes of one.

A script begins with what the paper did, what its code did if that differs, our choice, and the
published results. It ends with a table of the paper's results beside yours. Scripts are plain sh:
run them as they are, or save and change them.

Scripts read three environment variables. DATA is the folder of the collections. OUT is the folder
for results (default: the recipe's name). SCALE is full (default) or small: small uses phantoms in
place of the collections and ends in a few minutes on two cores. It shows that the chain runs; its
results mean nothing, and the script says so on the screen. A script that was stopped continues when
it is run again.

Every collection is a folder of DATA with the name of its preset (see cxrtool ingest --list):
DATA/cohen, DATA/nih, DATA/kermany and so on; the list says where each is published.
--missing lists which of them are missing.

Example:

    cxrtool recipe
    cxrtool recipe --paper s0
    cxrtool recipe t3-resnet18-cross-dataset | DATA=collections OUT=t3 sh
    cxrtool recipe T3 | SCALE=small sh
    cxrtool recipe t3 --missing --data collections

--missing writes one row a collection (recipe,collection,folder,found); with NAME it exits with 1 if
any is missing.
"""

import os
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cxrtool.cli import effects, listing, options
from cxrtool.cli.file_roles import Role
from cxrtool.core.errors import CxrtoolError, ExitCode

if TYPE_CHECKING:
    from cxrtool.recipes.library import Recipe

PAPERS = ("s0", "s1", "s2", "s3", "s4")


def known() -> list[str]:
    """List the names, for the shell to complete."""
    from cxrtool.recipes import library

    return library.names()


def listed() -> listing.Listed:
    """Describe the recipes for --list."""
    from cxrtool.recipes import library

    return library.COLUMNS, (recipe.row for recipe in library.every())


def run(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Name or id of the recipe (default: list all).",
            autocompletion=known,
            show_default=False,
        ),
    ] = None,
    paper: Annotated[
        str | None,
        typer.Option(
            "--paper",
            metavar="s0|s1|s2|s3|s4",
            help="Only the recipes of this paper.",
            **options.choice(PAPERS),
        ),
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", hidden=True, help="List only the names.")
    ] = False,
    missing: Annotated[
        bool,
        typer.Option(
            "--missing", help="List which collections are missing in the folder of --data."
        ),
    ] = False,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DIR",
            envvar="DATA",
            help="The folder of the collections, for --missing.",
        ),
        Role.NAMES,
    ] = None,
    output: options.Output = "-",
    _list: Annotated[bool, listing.lister("recipes", listed)] = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run the command."""
    from cxrtool.files import disk, table
    from cxrtool.recipes import library

    if names and (name or missing):
        raise CxrtoolError("--names stands alone", "Drop NAME and --missing.")
    effects.refuse(
        context,
        {
            "--data": "" if missing else "without --missing no folder is looked at",
            "--paper": "NAME is one recipe" if name else "",
        },
    )
    disk.check_output(output)
    result = library.every(paper) if name is None else [library.chosen(name)]
    if missing:
        look(result, data, output, strict=name is not None)
    if names or name is not None:
        lines = [f"{r.name}\n" for r in result] if names else [r.script for r in result]
        with disk.open_output(output) as stream:
            stream.write("".join(lines).encode())
        return
    table.write(output, library.COLUMNS, (recipe.row for recipe in result))


def look(result: "list[Recipe]", data: str | None, output: str, strict: bool) -> NoReturn:
    """Write which collections are there, and exit with 1 if one is missing of a recipe named."""
    from cxrtool.files import table
    from cxrtool.recipes import library

    if not data:
        raise CxrtoolError("--missing: no folder of collections", "Give --data DIR, or set DATA.")
    if not os.path.isdir(data):
        raise CxrtoolError(f"--data {data}: no such folder", "Check the path.")
    rows = list(library.checked(result, data))
    table.write(output, library.CHECKED, rows)
    absent = strict and any(row[-1] == "no" for row in rows)
    raise typer.Exit(ExitCode.SOME_INPUTS_FAILED if absent else ExitCode.DONE)
