"""Columns of texts in little memory give back what they were given."""

from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from cxrtool.files import text_columns


@given(st.lists(st.text(), max_size=20))
def test_texts(texts: list[str]) -> None:
    kept = text_columns.Texts()
    texts = [t.encode("utf-8", "replace").decode() for t in texts]
    for text in texts:
        kept.add(text)
    assert [kept[k] for k in range(len(texts))] == texts


def test_digests_are_the_same_in_every_run() -> None:
    code = "from cxrtool.files.text_columns import digests; print(digests(['a', '', 'b']))"
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1] == f"{text_columns.digests(['a', '', 'b'])}\n"
    assert text_columns.digests([""]).tolist() == [0]
