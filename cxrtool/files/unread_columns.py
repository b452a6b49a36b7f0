"""Columns that are not read because of their name, though they seem to be what a command reads."""

import difflib
import shlex
from collections.abc import Collection, Iterable

from cxrtool.core.progress import note
from cxrtool.files.foreign_columns import letters
from cxrtool.files.table import Table

# What other tables call the columns of a manifest, in small letters and digits alone.
OTHER_NAMES = {
    "patient": ("patient", "patientid", "patientnumber", "pid", "subject", "subjectid"),
    "source": ("source", "hospital", "site", "institution", "centre", "center", "dataset"),
    "view": ("view", "viewposition", "projection"),
    "sex": ("sex", "gender", "patientsex", "patientgender"),
    "age": ("age", "patientage", "ageyears"),
}
# Columns whose absence goes unnoticed: their names are recognised with a mistake of typing, too.
QUIET = ("patient", "source")
# How alike a name must be, which begins with the same letter: `soruce`, `paitent`, `patients`.
ALIKE, SHORTEST = 0.83, 5


def warn(
    tables: Iterable[Table],
    read: Collection[str],
    known: Collection[str] = (),
    remedy: str = "name it '{name}'",
) -> None:
    """Warn of columns that seem to be one that is read, where a table lacks that one.

    What is `known` from elsewhere may be absent. The remedy may name the `{column}`, too.
    """
    for table in tables:
        for name, others in OTHER_NAMES.items():
            if name not in read or name in known or name in table.columns:
                continue
            for column in table.columns:
                if letters(column) in others or _is_nearly(name, letters(column)):
                    what = f"{table.name}: column '{column}' is not read as the {name}"
                    do = remedy.format(name=name, column=shlex.quote(column))
                    note(f"warning: {what}: if it is the {name}, {do}")


def _is_nearly(name: str, text: str) -> bool:
    if name not in QUIET or len(text) < SHORTEST or text[0] != name[0]:
        return False
    return difflib.SequenceMatcher(None, text, name).ratio() >= ALIKE
