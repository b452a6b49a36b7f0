"""File names and tables are UTF-8 whatever the locale says."""

from __future__ import annotations

from pathlib import Path

import pytest
from handy import Run, noise, rows_of, table, write

# What Python does of itself under LC_ALL=C is switched off.
PLAIN = {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
NAME = "Größe/röntgen-肺.png"


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_a_name_in_utf8_goes_through(cxrtool: Run, tmp_path: Path, locale: str) -> None:
    write(tmp_path / "in", {NAME: noise(1), "b/2.png": noise(2)})
    there = {"LC_ALL": locale, **PLAIN}
    done = cxrtool("ingest", "in", "-o", "ö.csv", "-j", "1", env=there)
    assert (done.returncode, done.stdout) == (0, "")
    assert {row["path"] for row in rows_of(tmp_path / "ö.csv")} == {f"in/{NAME}", "in/b/2.png"}
    given = ["equalize", "ö.csv", "-d", "größer", "--where", "label=Größe", "-j", "1"]
    (row,) = table(cxrtool(*given, env=there).stdout)
    assert row["path"].startswith("größer/") and (tmp_path / row["path"]).is_file()
    assert row["label"] == "Größe"


def test_what_is_said_is_utf8(cxrtool: Run) -> None:
    done = cxrtool("equalize", "fehlt-ß.csv", "-d", "x", env={"LC_ALL": "C", **PLAIN})
    assert done.returncode == 2
    assert done.stderr.startswith("cxrtool equalize: fehlt-ß.csv: no such file")
