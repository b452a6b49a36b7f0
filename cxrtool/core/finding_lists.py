"""Lists of findings in a cell: `Edema|Pneumonia?` says oedema, and perhaps pneumonia."""

from collections.abc import Iterable

BETWEEN, UNCERTAIN = "|", "?"


def written(certain: Iterable[str], uncertain: Iterable[str] = ()) -> str:
    """Write a list: the findings that are present, then the uncertain ones.

    >>> written(["Edema", "Fracture"], ["Pneumonia"])
    'Edema|Fracture|Pneumonia?'
    """
    return BETWEEN.join([*certain, *(name + UNCERTAIN for name in uncertain)])


def read(text: str) -> tuple[list[str], list[str]]:
    """Read a list: the findings that are present, and the uncertain ones.

    >>> read("Edema | Pneumonia?")
    (['Edema'], ['Pneumonia'])
    """
    names = [name.strip() for name in text.split(BETWEEN)]
    certain = [name for name in names if name and not name.endswith(UNCERTAIN)]
    uncertain = [name.rstrip(UNCERTAIN).rstrip() for name in names if name.endswith(UNCERTAIN)]
    return certain, [name for name in uncertain if name]
