"""Figure 1 COVID-19 Chest X-ray (Chung et al., 2020): metadata.csv beside images/.

The classes are `covid`, `pneumonia` and `normal`; `finding` keeps the word. Rows without a finding
are left out. The column `patientid` names the image (`COVID-00003a`) and is its file's name; a
letter at its end counts the images of one person, so `patient` goes without it. The table is not in
UTF-8, and ages such as `50+` or `early 40s` are dropped.
Source: https://github.com/agchung/Figure1-COVID-chestxray-dataset
"""

from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections._shared import Entry, age, lung_class, pair, sex, tables, view
from cxrtool.files.text import old_records


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every X-ray that metadata.csv lists."""
    yield from pair(root, _entries(tables(root, "metadata.csv")[0]), "metadata.csv")


def _entries(table: str) -> Iterator[Entry]:
    for record in old_records(table, "patientid", "finding", "view"):
        label = lung_class(record["finding"])
        if not label:
            yield record["patientid"], "no finding"
            continue
        yield (
            record["patientid"],
            {
                "label": label,
                "patient": person(record["patientid"]),
                "view": view(record["view"]),
                "age": age(record.get("age", "")),
                "sex": sex(record.get("sex", "")),
                "finding": record["finding"],
            },
        )


def person(image: str) -> str:
    """Drop the letter that counts the images of one person, as in `COVID-00003b`."""
    return image.rstrip("abcdefgh")
