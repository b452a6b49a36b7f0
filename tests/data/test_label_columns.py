"""The columns of rows as numbers, whatever the process."""

from __future__ import annotations

import numpy as np

from cxrtool.data import label_columns
from cxrtool.data.label_columns import FORMAT, SIZE, SOURCE, LabelColumns
from cxrtool.files.text_columns import Coded

ROWS = [
    {
        "path": "x/1.png",
        "raw": "a/1.JPG",
        "label": "covid",
        "patient": "p",
        "source": "a",
        "width": "10",
        "height": "20",
    },
    {"path": "x/2.png", "label": "normal", "patient": "q", "source": "b"},
    {"path": "x/3.png", "label": "", "patient": "", "source": ""},
    {
        "path": "x/4.png",
        "label": "covid",
        "patient": "p",
        "source": "a",
        "width": "10",
        "height": "20",
    },
    {"path": "x/5.png", "patient": ""},
]


def columns(used: list[bool] | None = None) -> dict[str, list[str]]:
    taken = LabelColumns()
    taken.add(ROWS[:2])
    taken.add(iter(ROWS[2:]))
    label, patients, others = taken.columns(None if used is None else np.array(used))
    texts = {name: [c.names[k] for k in c.codes] for name, c in {"label": label, **others}.items()}
    return texts | {"patient": [str(k) for k in patients]}


def test_cells_are_those_of_the_rows() -> None:
    assert columns() == {
        "label": ["covid", "normal", "", "covid", ""],
        SOURCE: ["a", "b", "", "a", ""],
        FORMAT: ["jpg", "png", "png", "png", "png"],
        SIZE: ["10x20", "", "", "10x20", ""],
        # Numbered as they come; an image without a patient is one of its own.
        "patient": ["0", "1", "2", "0", "3"],
    }


def test_rows_that_are_not_used_are_left_out() -> None:
    some = columns([False, True, False, True, False])
    assert some["label"] == ["normal", "covid"] and some["patient"] == ["1", "0"]


def test_no_rows() -> None:
    label, patients, others = LabelColumns().columns()
    assert not len(label.codes) and not len(patients) and not len(others[SIZE].codes)


def test_a_size_of_one_image_in_twenty_is_common_and_a_rarer_one_is_not() -> None:
    codes = np.repeat([0, 1, 2], [1, 2, 37])
    assert label_columns.common(Coded(["1x1", "2x2", "3x3"], codes)).tolist() == [False, True, True]
    assert label_columns.common(Coded([], codes[:0])).tolist() == []
