"""Rows come out as they went in, and take little memory meanwhile."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrtool.data import packed_rows

CELL = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))


@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), CELL, min_size=1)))
def test_rows_come_out_as_they_went_in(rows):
    kept = packed_rows.PackedRows()
    for row in rows:
        kept.add(row)
    assert (list(kept), len(kept)) == (rows, len(rows))
    assert set(kept.columns()) == {name for row in rows for name in row}
    assert list(kept.taken()) == rows


def test_a_row_that_was_taken_is_gone():
    kept = packed_rows.PackedRows()
    kept.add({"a": "1"})
    list(kept.taken())
    with pytest.raises(ValueError, match="row 0 has been taken"):
        kept[0]


def test_a_row_takes_little_more_than_its_text():
    tracemalloc.start()
    kept = packed_rows.PackedRows()
    for number in range(10_000):
        kept.add({f"column{i}": f"{number:010}" for i in range(14)})
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 10_000 * (14 * 11 + 200)


def test_digests_become_bytes_and_text_again():
    kept = packed_rows.Digests(2, lambda x: bytes.fromhex(x) if len(x) == 4 else None, bytes.hex)
    texts = ["ff00", "", "odd", "0102"]
    cells = [kept.add(text) for text in texts]
    assert cells[1:3] == ["", "odd"]
    assert kept.array().tolist() == [[255, 0], [0, 0], [0, 0], [1, 2]]
    assert [kept.text(i, cell) for i, cell in enumerate(cells)] == texts
