"""compare --by-pairs: the parts of AUC against counting pairs, in every format, and refusals."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from handy import Row, in_process, rows_of, write_table

Said = pytest.CaptureFixture[str]

pytestmark = pytest.mark.usefixtures("own_folder")


def judged(classes: tuple[str, ...] = ("normal", "covid"), seed: int = 0) -> list[Row]:
    """Write predictions of 90 images of two sources and two views."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(90):
        label = int(rng.integers(len(classes)))
        p = rng.dirichlet(1 + 2 * np.eye(len(classes))[label])
        source = "east" if rng.random() < (0.8 if label else 0.3) else "west"
        row = {"path": f"{k}.png", "label": classes[label], "patient": str(k // 2)}
        row |= {"source": source, "view": ("PA", "AP")[k % 2], "only": "x"}
        rows.append(row | {f"p_{c}": f"{v:.9f}" for c, v in zip(classes, p, strict=True)})
    return rows


def counted(rows: list[Row], column: str, label: str) -> dict[str, float]:
    """Count the pairs one by one."""
    ours = [row for row in rows if row["label"] == label and row[column]]
    others = [row for row in rows if row["label"] != label and row[column]]
    same: list[float] = []
    different: list[float] = []
    for one, other in itertools.product(ours, others):
        first, second = float(one[f"p_{label}"]), float(other[f"p_{label}"])
        right = (first > second) + (first == second) / 2
        (same if one[column] == other[column] else different).append(right)
    whole, inside, across = map(np.mean, (same + different, same, different))
    return {
        "pairs_within": len(same) / len(same + different),
        "auc_all": float(whole),
        "auc_within": float(inside),
        "auc_between": float(across),
        "auc_minus_within": float(whole - inside),
        "between_minus_within": float(across - inside),
    }


def compare(*arguments: str) -> int:
    return in_process("compare", "m.csv", "--metrics", "auc", "-o", "out", *arguments)


def test_tidy_rows_and_objects_have_what_counting_gives() -> None:
    rows = judged()
    write_table(Path("m.csv"), rows)
    assert compare("--by-pairs", "source,view", "--format", "csv") == 0
    tidy = {row["metric"]: row for row in rows_of(Path("out"))}
    assert compare("--by-pairs", "source", "--by-pairs", "view", "--format", "json") == 0
    objects = json.loads(Path("out").read_text())[0]["pairs"]
    assert [found["column"] for found in objects] == ["source", "view"]
    for found in objects:
        for name, value in counted(rows, found["column"], "covid").items():
            row = tidy[f"{name}_{found['column']}"]
            assert float(row["value"]) == pytest.approx(value)
            assert (row["class"], row["n"]) == ("covid", "90") == (found["class"], str(found["n"]))
            if name == "pairs_within":
                assert found[name] == pytest.approx(value) and row["low"] == ""
                continue
            assert found[name]["value"] == pytest.approx(value)
            assert float(row["low"]) == found[name]["low"] < value < found[name]["high"]


def test_the_auc_of_all_pairs_is_that_of_the_table() -> None:
    write_table(Path("m.csv"), judged())
    assert compare("--by-pairs", "source", "--format", "json", "--ci", "0.9") == 0
    found = json.loads(Path("out").read_text())[0]
    whole = found["pairs"][0]["auc_all"]
    for name in ("value", "low", "high"):
        assert whole[name] == pytest.approx(found["metrics"]["auc"][name])


def test_groups_models_and_classes_have_a_row_each(capfd: Said) -> None:
    write_table(Path("m.csv"), judged(("normal", "covid", "other")))
    assert compare("--by-pairs", "source", "--by", "view", "--format", "github") == 0
    tables = Path("out").read_text().split("\n\n")
    lines = tables[1].strip().splitlines()
    assert len(lines) == 2 + 2 * 3
    assert all(name in lines[0] for name in ("view", "pairs by", "AUC within", "AUC - within"))


def test_images_without_a_value_are_left_out_and_counted(capfd: Said) -> None:
    rows = judged()
    for row in rows[:10]:
        row["source"] = ""
    write_table(Path("m.csv"), rows)
    assert compare("--by-pairs", "source", "--format", "json") == 0
    found = json.loads(Path("out").read_text())[0]["pairs"][0]
    assert found["n"] == 80
    assert found["auc_within"]["value"] == pytest.approx(
        counted(rows, "source", "covid")["auc_within"]
    )
    assert "--by-pairs source: 10 rows without source are left out" in capfd.readouterr().err


def test_a_group_of_one_class_is_empty_and_no_number(capfd: Said) -> None:
    rows = [row | {"view": "PA" if row["label"] == "covid" else "AP"} for row in judged()]
    write_table(Path("m.csv"), rows)
    assert compare("--by-pairs", "source", "--by", "view", "--format", "json") == 0
    for found in json.loads(Path("out").read_text()):
        assert found["pairs"][0]["auc_within"]["value"] is None
    # All pairs are across views: AUC_within is undefined, and nothing else is.
    assert compare("--by-pairs", "view", "--format", "json") == 0
    found = json.loads(Path("out").read_text())[0]["pairs"][0]
    assert found["pairs_within"] == 0 and found["auc_within"]["value"] is None
    assert found["auc_minus_within"] == {"value": None, "low": None, "high": None}
    assert found["auc_between"]["value"] == found["auc_all"]["value"]


def test_the_report_has_the_parts() -> None:
    write_table(Path("m.csv"), judged())
    assert compare("--by-pairs", "source", "--report", "page.html") == 0
    assert "AUC within and between groups" in Path("page.html").read_text()
    assert compare("--report", "plain.html") == 0
    assert "AUC within and between groups" not in Path("plain.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--by-pairs", "only"], "--by-pairs only: it is 'x' in every row"),
        (["--by-pairs", "none"], "'none'"),
        (["--by-pairs", "source", "--by", "source"], "it is in --by as well"),
        (["--by-pairs", "source", "--matrix", "model,source"], "--matrix stands alone"),
        (["--by-pairs", ","], "--by-pairs"),
    ],
)
def test_refusals(arguments: list[str], words: str, capfd: Said) -> None:
    write_table(Path("m.csv"), judged())
    assert compare(*arguments) == 2
    error = capfd.readouterr().err
    assert words in error and not Path("out").exists()
