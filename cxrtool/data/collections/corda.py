"""CORDA (Tartaglione et al., 2020): CORDA.csv beside RX+-COVID+/, RX--COVID-/ and so on.

COVID is the swab, RX whether the radiograph looks ill. The classes are `covid`, `normal` (neither),
`other` (the radiograph alone) and `negative` (no COVID-19, the radiograph not judged); `finding`
keeps both signs. To get the authors' two classes, rename all but `covid` with --map-label. The data
are given out on request; this layout is read off the authors' code, whose later release has
fold0_train.csv and fold0_test.csv with paths. Without a table, the folders' names give all but the
patient.
Source: https://corsa.di.unito.it/
"""

import os
import re
from collections.abc import Iterator

from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.data.collections._shared import Entry, age, pair, sex, tables, view
from cxrtool.files.table import records
from cxrtool.files.tree import images

ONE_TABLE = ("CORDA_fix.csv", "CORDA.csv")
FOLDS = ("fold0_train.csv", "fold0_test.csv")
SIGNS = {"1": "+", "0": "-"}

_FOLDER = re.compile(r"RX([+-])-COVID([+-])")


def rows(root: str) -> Iterator[dict[str, str] | Skip]:
    """Yield a row for every radiograph in the table, or else in the folders."""
    paths = tables(root, *ONE_TABLE, *FOLDS, needed=False)
    if not paths:
        yield from _by_folder(root)
        return
    # A table that lists everything makes those of the folds superfluous.
    paths = paths[:1] if os.path.basename(paths[0]) in ONE_TABLE else paths
    entries = (entry for table in paths for entry in _entries(table))
    yield from pair(root, entries, " or ".join(map(os.path.basename, paths)))


def _entries(table: str) -> Iterator[Entry]:
    for record in records(table, "covid"):
        covid, rx = (_sign(record.get(column, "")) for column in ("covid", "rx"))
        image = record.get("image_id", "")
        name = record.get("path") or f"RX{rx}-COVID{covid}/{image}"
        modality = record.get("modality", "")
        if modality not in ("", "CR", "DX"):
            yield name, f"modality is {modality}, not CR or DX"
        elif not covid:
            yield name, "no result of the swab"
        else:
            yield name, _row(covid, rx) | _person(record)


def _sign(value: str) -> str:
    return SIGNS.get(value.removesuffix(".0"), "")


def _row(covid: str, rx: str) -> dict[str, str]:
    negative = {"-": "normal", "+": "other"}.get(rx, "negative")
    return {
        "label": "covid" if covid == "+" else negative,
        "finding": f"RX{rx}-COVID{covid}" if rx else f"COVID{covid}",
    }


def _person(record: dict[str, str]) -> dict[str, str]:
    known = (record.get(c, "") for c in ("patient_id", "patientid", "patient"))
    return {
        "patient": next(filter(None, known), ""),
        "view": view(record.get("view", "")),
        "age": age(record.get("age", "")),
        "sex": sex(record.get("sex", "")),
        "institution": record.get("institution", ""),
    }


def _by_folder(root: str) -> Iterator[dict[str, str] | Skip]:
    some = False
    for path in images(root):
        if isinstance(path, Skip):
            yield path
        elif match := _FOLDER.fullmatch(os.path.basename(os.path.dirname(os.path.abspath(path)))):
            some = True
            yield {"path": path, **_row(covid=match[2], rx=match[1])}
        else:
            yield Skip(path, "not in a folder such as RX+-COVID+", failed=False)
    if not some:
        expected = ", ".join((*ONE_TABLE, *FOLDS))
        what = f"{root}: neither one of {expected} nor folders such as RX+-COVID+"
        raise CxrtoolError(what, "Name the collection's top folder.")
