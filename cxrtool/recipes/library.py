"""The recipes: what their headers say, and whether the collections that they need are there."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cxrtool import recipes
from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.files.text import read_text
from cxrtool.recipes import assembly
from cxrtool.recipes.assembly import header

COLUMNS = ("id", "name", "paper", "needs", "cost")
CHECKED = ("recipe", "collection", "folder", "found")
ENDING = ".sh"
# The letter that the ids of a paper's recipes begin with.
PAPERS = {"s0": "T", "s1": "V", "s2": "X", "s3": "M", "s4": "L"}


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
    # What begins with an underscore is a part that recipes include.
    files = (f for f in result if f.endswith(ENDING) and not f.startswith("_"))
    return sorted(f.removesuffix(ENDING) for f in files)


def every(paper: str | None = None) -> list[Recipe]:
    """Read all recipes, or those of one paper (s0 to s4), in the order of their ids."""
    letter = PAPERS[paper] if paper else ""
    first = (name for name in names() if name.startswith(letter.lower()))
    return sorted(map(_read, first), key=lambda recipe: recipe.order)


def part(name: str) -> str:
    """Read a script, or a part that scripts include."""
    return read_text(os.path.join(os.path.dirname(recipes.__file__), name + ENDING))


def _read(name: str) -> Recipe:
    script = part(name)
    return Recipe(**header(script), script=assembly.assembled(script, part))


def chosen(wanted: str) -> Recipe:
    """Find a recipe by its name or its id, in letters of any case."""
    for name in names():
        # A name begins with the id.
        if wanted.lower() in (name, name.partition("-")[0]):
            return _read(name)
    if wanted.lower() in PAPERS:
        why = f"recipe '{wanted}' is a paper with several recipes"
        raise CxrtoolError(why, f"See cxrtool recipe --paper {wanted.lower()}.")
    raise registry.unknown("recipe", wanted, names())


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
