"""Actualmed COVID-19 Chest X-ray (Chung et al., 2020): metadata.csv beside images/.

The classes are `covid` and `normal` (No finding: COVID-19 was excluded, which says nothing of other
diseases); `finding` keeps the word. Inconclusive rows have no finding and are left out.
Source: https://github.com/agchung/Actualmed-COVID-chestxray-dataset
"""

from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections._shared import Entry, age, lung_class, pair, sex, tables, view
from cxrtool.files.text import old_records


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every X-ray that metadata.csv lists."""
    yield from pair(root, _entries(tables(root, "metadata.csv")[0]), "metadata.csv")


def _entries(table: str) -> Iterator[Entry]:
    for record in old_records(table, "patientid", "finding", "view", "imagename"):
        label = lung_class(record["finding"])
        if not label:
            yield record["imagename"], "inconclusive, no finding"
            continue
        yield (
            record["imagename"],
            {
                "label": label,
                "patient": record["patientid"],
                "view": view(record["view"]),
                "age": age(record.get("age", "")),
                "sex": sex(record.get("sex", "")),
                "finding": record["finding"],
            },
        )
