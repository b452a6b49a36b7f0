"""Names of models in several tables: whether one name stands for one model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cxrtool.core.progress import note
from cxrtool.files.text_columns import Coded, Ints

SHOWN = 3


def combined(columns: Sequence[NDArray[np.generic]], known: NDArray[np.bool_]) -> Ints:
    """Number the rows by the values of several columns; 0 where the values are unknown."""
    result = np.zeros(len(known), np.int64)
    for column in columns:
        pairs = np.column_stack([result, column])
        result = np.unique(pairs, axis=0, return_inverse=True)[1].ravel()
    return np.where(known, result + 1, 0)


def told_apart(model: Coded, file: Ints, files: Sequence[str], images: Sequence[Ints]) -> Coded:
    """Add the file to the name of a model that several files have for the same images.

    `images` are keys of the rows, 0 if unknown: two rows with an equal key show one image. A model
    whose files have different images stays one, as of one run on several test sets; a line says so,
    since the folders of two runs may have the same name.
    """
    names, codes = list(model.names), model.codes.copy()
    for k, name in enumerate(model.names):
        mine = codes == k
        there = np.unique(file[mine]).tolist()
        if len(there) < 2:
            continue
        if not any(_overlap(keys[mine], file[mine]) for keys in images):
            _note_one_model(name, [files[f] for f in there])
            continue
        for f in there:
            codes[mine & (file == f)] = len(names)
            names.append(f"{name} ({files[f]})")
    used, codes = np.unique(codes, return_inverse=True)
    return Coded([names[k] for k in used], codes)


def _overlap(keys: Ints, file: Ints) -> bool:
    """Whether two files have rows of one image."""
    pairs = np.unique(np.column_stack([keys, file])[keys != 0], axis=0)
    return len(np.unique(pairs[:, 0])) < len(pairs)


def _note_one_model(name: str, files: Sequence[str]) -> None:
    shown = ", ".join(files[:SHOWN]) + (", ..." if len(files) > SHOWN else "")
    note(
        f"the model '{name}' is in {len(files)} files with different images ({shown}): they count "
        "as one model; if they are of several runs, give each a name of its own in the column model"
    )
