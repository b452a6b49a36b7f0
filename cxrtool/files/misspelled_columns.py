"""Columns whose names are nearly those that are looked for (columns -> remedies)."""

import difflib
from collections.abc import Sequence

from cxrtool.files import foreign_columns, formats

# What cxrtool itself calls a column. Another name was typed by the user.
OWN = {*formats.MANIFEST, "pred", "model", "test"}
# How alike two names must be to be named as a mistake of typing.
ALIKE = 0.75


def remedy(column: str, there: Sequence[str]) -> str:
    """Say which column may be meant by one that is not there, if one may."""
    if foreign := foreign_columns.meant_by(column, there):
        return foreign_columns.sentence({foreign: column})
    near = difflib.get_close_matches(column, there, 1, ALIKE)
    if not near:
        return ""
    if column in OWN and near[0] not in OWN:
        return f"Rename '{near[0]}' to '{column}'."
    return f"Did you mean '{near[0]}'?"
