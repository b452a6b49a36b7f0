"""Rows come out as they went in, and take little memory meanwhile."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrtool.data import packed_rows

CELL = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]))


@given(st.lists(st.dictionaries(st.sampled_from("abcdef"), CELL, min_size=1)))
def test_rows_come_out_as_they_went_in(rows):
    kept = packed_rows.Rows()
    for row in rows:
        kept.add(row)
    assert (list(kept), len(kept)) == (rows, len(rows))
    assert set(kept.columns()) == {name for row in rows for name in row}
    assert list(kept.taken()) == rows


def test_a_row_that_was_taken_is_gone():
    kept = packed_rows.Rows()
    kept.add({"a": "1"})
    list(kept.taken())
    with pytest.raises(ValueError, match="row 0 has been taken"):
        kept[0]


def test_a_row_takes_little_more_than_its_text():
    tracemalloc.start()
    kept = packed_rows.Rows()
    for number in range(10_000):
        kept.add({f"column{i}": f"{number:010}" for i in range(14)})
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 10_000 * (14 * 11 + 200)


def test_hashes_become_bytes_and_an_empty_one_zeros():
    packed = packed_rows.hashes(["ff" * 32, "", "01" * 32])
    assert packed.shape == (3, 32)
    assert packed[:, 0].tolist() == [255, 0, 1]
