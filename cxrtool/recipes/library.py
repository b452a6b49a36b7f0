"""The recipes: what their headers say, and whether the collections that they need are there."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cxrtool import recipes
from cxrtool.core import registry
from cxrtool.files.text import read_text

COLUMNS = ("id", "name", "paper", "needs", "cost")
CHECKED = ("recipe", "collection", "folder", "found")
ENDING = ".sh"

_FIELD = re.compile(r"# (\w+): (.+)")
_MORE = "#   "


@dataclass(frozen=True)
class Recipe:
    """A script, and what its header says of it."""

    id: str
    name: str
    paper: str
    needs: str
    cost: str
    script: str

    @property
    def row(self) -> list[str]:
        """The recipe as the listing shows it."""
        return [getattr(self, column) for column in COLUMNS]

    @property
    def order(self) -> tuple[str, int]:
        """Its place in the listing: X2 comes before X10."""
        return self.id[0], int(self.id[1:])


def names() -> list[str]:
    """List the recipes by name, which needs no script to be read."""
    result = os.listdir(os.path.dirname(recipes.__file__))
    return sorted(f.removesuffix(ENDING) for f in result if f.endswith(ENDING))


def every() -> list[Recipe]:
    """Read all recipes, in the order of their ids."""
    return sorted(map(_read, names()), key=lambda recipe: recipe.order)


def _read(name: str) -> Recipe:
    script = read_text(os.path.join(os.path.dirname(recipes.__file__), name + ENDING))
    return Recipe(**header(script), script=script)


def header(script: str) -> dict[str, str]:
    """Read the fields at the top of a script; a line that is indented goes on with the last."""
    fields: dict[str, str] = {}
    last = ""
    for line in script.splitlines()[1:]:
        if match := _FIELD.fullmatch(line):
            last = match[1]
            fields[last] = match[2]
        elif last and line.startswith(_MORE):
            fields[last] += " " + line.removeprefix(_MORE)
        else:
            break
    return fields


def chosen(wanted: str) -> Recipe:
    """Find a recipe by its name or its id, in letters of any case."""
    known = every()
    for recipe in known:
        if wanted.lower() in (recipe.name, recipe.id.lower()):
            return recipe
    raise registry.unknown("recipe", wanted, [recipe.name for recipe in known])


def checked(result: Sequence[Recipe], data: str) -> Iterator[list[str]]:
    """Look for the collections in a folder: a row for each that a recipe needs."""
    for recipe in result:
        for collection in recipe.needs.split():
            folder = os.path.join(data, collection)
            yield [recipe.name, collection, folder, "yes" if _holds_some(folder) else "no"]


def _holds_some(folder: str) -> bool:
    if not os.path.isdir(folder):
        return False
    with os.scandir(folder) as entries:
        return next(entries, None) is not None
