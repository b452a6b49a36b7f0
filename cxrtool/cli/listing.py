"""--list, the one option that lists the choices of a command."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import typer

from cxrtool.core import registry

Listed = tuple[Sequence[str], Iterable[Sequence[str]]]  # columns and rows


def lister(what: str, listed: Callable[[], Listed]) -> Any:
    """Make --list."""

    def show(value: bool) -> None:
        if value:
            from cxrtool.files import table

            table.write("-", *listed())
            raise typer.Exit

    # Eager, so that nothing else need be given.
    summary = f"List the {what} as CSV on standard output and end."
    return typer.Option("--list", help=summary, is_eager=True, callback=show)


def plugin_lister(
    plugins: tuple[str, str], more: Callable[[str], tuple[str, ...]] | None = None
) -> Any:
    """Make --list for a folder of plug-ins.

    `more` returns further cells of a choice, by its name; of no name, their columns.
    """

    def listed() -> Listed:
        cells = more or (lambda name: ())
        rows = ((*row, *cells(row[0])) for row in registry.listing(*plugins))
        return ("name", "options", "summary", *cells("")), rows

    return lister(plugins[0], listed)
