"""Lists of findings in a cell: in `Edema|Pneumonia?` there is an oedema, and nobody knows more."""

from collections.abc import Iterable

BETWEEN, UNCERTAIN = "|", "?"


def written(certain: Iterable[str], uncertain: Iterable[str] = ()) -> str:
    """Write a list: the findings that are there, then those of which nobody knows.

    >>> written(["Edema", "Fracture"], ["Pneumonia"])
    'Edema|Fracture|Pneumonia?'
    """
    return BETWEEN.join([*certain, *(name + UNCERTAIN for name in uncertain)])


def read(text: str) -> tuple[list[str], list[str]]:
    """Read a list: the findings that are there, and the uncertain ones.

    >>> read("Edema | Pneumonia?")
    (['Edema'], ['Pneumonia'])
    """
    names = [name.strip() for name in text.split(BETWEEN)]
    certain = [name for name in names if name and not name.endswith(UNCERTAIN)]
    uncertain = [name.rstrip(UNCERTAIN).rstrip() for name in names if name.endswith(UNCERTAIN)]
    return certain, [name for name in uncertain if name]
