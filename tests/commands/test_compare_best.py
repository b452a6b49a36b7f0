"""The best of several models, as `cxrtool compare` names it below the table."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from handy import in_process


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield


def predictions(name: str, right: int, images: int = 40, fold: int = 0) -> None:
    """Write predictions of which so many are right."""
    with open(f"{name}.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "patient", "model", "fold", "p_normal", "p_covid"])
        for i in range(images):
            is_covid = i % 2
            p = 0.9 if (i < right) == bool(is_covid) else 0.1
            label = ("normal", "covid")[is_covid]
            writer.writerow([f"{i}.png", label, f"p{i}", name, fold or i % 4 + 1, 1 - p, p])


def compare(*args: str, code: int = 0) -> str:
    assert in_process("compare", *args, "-o", "out") == code
    return Path("out").read_text() if Path("out").exists() else ""


def test_the_best_model_is_named_below_the_table() -> None:
    predictions("first", 36)
    predictions("second", 30)
    text = compare("first.csv", "second.csv", "--metrics", "accuracy", "--best", "accuracy")
    assert (
        text.rstrip()
        .splitlines()[-1]
        .startswith("The best of 2 models by accuracy is first: 0.900; their mean is 0.825.")
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--best", "auc"), "--best auc: it is not in --metrics. Add it to --metrics."),
        (("--best", "accuracy"), "--best accuracy: there is one model. Name several."),
        (("--best", "size"), "--best 'size' is not one of: "),
    ],
)
def test_mistakes_are_one_line(
    given: tuple[str, ...], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    predictions("own", 30)
    assert in_process("compare", "own.csv", "--metrics", "accuracy", *given) == 2
    said = capfd.readouterr().err.splitlines()[-1]
    assert said.startswith(f"cxrtool compare: {message}")
