"""COVID-19 Image Repository (Hannover Medical School, 2020): data.csv beside png/.

Every image is `covid`, from one hospital. `image_id` is the file's name without its ending.
Source: https://github.com/ml-workgroup/covid-19-image-repository
"""

from collections.abc import Iterator

from cxrtool.core.errors import Skip
from cxrtool.data.collections._shared import Entry, age, pair, sex, tables, view
from cxrtool.files.table import records


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every radiograph that data.csv lists."""
    yield from pair(root, _entries(tables(root, "data.csv")[0]), "data.csv")


def _entries(table: str) -> Iterator[Entry]:
    for record in records(table, "patient_id", "image_id"):
        # Computed and digital radiography are all that was published so far.
        if record.get("modality", "CR") not in ("CR", "DX", ""):
            yield record["image_id"], f"modality is {record['modality']}, not CR or DX"
            continue
        yield (
            record["image_id"],
            {
                "label": "covid",
                "patient": record["patient_id"],
                "view": view(record.get("projection", "")),
                "age": age(record.get("age", "")),
                "sex": sex(record.get("sex", "")),
            },
        )
