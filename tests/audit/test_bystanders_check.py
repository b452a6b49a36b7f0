"""The check of bystanders: a planted cue is found, an image of the disease alone is not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cxrtool.audit import runner, verdicts
from cxrtool.audit.case import Case, ImageRows, ModelScores
from cxrtool.audit.verdicts import CheckRow
from cxrtool.files.text_columns import Coded
from cxrtool.images import bystanders
from cxrtool.stats.metrics import Floats

NUMBER = 240


def case(
    change: Callable[[Floats, Floats], None] = lambda values, label: None,
    score: Callable[[Floats, Floats], Floats] | None = None,
    seed: int = 0,
) -> Case:
    """Return a case with measurements at random, which `change` may change by the label."""
    rng = np.random.default_rng(seed)
    label = (rng.random(NUMBER) < 0.5).astype(np.int64)
    values = rng.normal(size=(NUMBER, len(bystanders.NAMES)))
    change(values, label)
    images = ImageRows(
        lambda row: f"{row}.png",
        label,
        np.arange(NUMBER),
        {"patient": np.arange(NUMBER) + 1},
        {"source": Coded(["A", "B"], rng.integers(0, 2, NUMBER))},
        np.ones(NUMBER, bool),
    )
    models = []
    if score is not None:
        scores = 1 / (1 + np.exp(-score(values, label) - rng.normal(size=NUMBER)))
        models = [ModelScores("m", np.arange(NUMBER), scores, np.full(NUMBER, -1))]
    return Case(images, models, "ill", ["well"], measured=lambda: values)


def rows_of(one: Case) -> dict[str, CheckRow]:
    one, _ = runner.plan(one, ["bystanders"], [])
    rows = runner.assess("bystanders", one)
    verdicts.adjust(rows, max(1, len(one.family)))
    return {row.name: row for row in rows}


def at(name: str) -> int:
    return bystanders.NAMES.index(name)


def with_text(values: Floats, label: Floats) -> None:
    values[:, at("text_count")] += 3 * label


def test_a_cue_in_the_data_is_shown() -> None:
    rows = rows_of(case(with_text))
    assert rows["bystanders"].verdict == "shown"
    assert rows["bystanders within sources"].verdict == "shown"
    assert rows["bystanders"].value > 0.9
    # The terminal and audit.csv have no table.
    assert "table of cues in audit.html" in rows["bystanders"].next


def test_a_cue_in_classes_of_different_sources_is_that_of_the_sources() -> None:
    whole = case(with_text)
    sources = Coded(["A", "B"], whole.images.positive)
    parted = replace(whole, images=replace(whole.images, columns={"source": sources}))
    rows = rows_of(parted)
    assert rows["bystanders"].verdict == "not identifiable" and rows["bystanders"].low > 0.7
    assert "one class alone" in rows["bystanders"].meaning
    assert "To remove the cues does not help" in rows["bystanders"].next
    inside = rows["bystanders within sources"]
    assert inside.verdict == "not assessed" and "too few" not in inside.meaning.lower()
    assert inside.meaning == "Each source has one class alone."
    assert inside.next == "Add images of both classes of the same source."
    one = replace(whole, images=replace(whole.images, columns={}))
    assert rows_of(one)["bystanders"].verdict == "shown", "without the column nothing is known"


def test_the_margin_is_not_that_of_the_data() -> None:
    row = rows_of(replace(case(with_text), margin=0.3))["bystanders"]
    assert row.verdict == "shown" and row.limit == 0.7


def test_without_images_no_test_is_counted() -> None:
    unseen = case()
    images = replace(unseen.images, of_manifest=np.zeros(NUMBER, bool))
    none = replace(unseen, images=images, measured=lambda: None)
    rows = rows_of(none)
    assert list(rows) == ["bystanders"] and rows["bystanders"].verdict == "not assessed"
    assert runner.plan(none, ["bystanders"], [])[0].family == []


def test_measurements_at_random_are_not() -> None:
    assert rows_of(case())["bystanders"].verdict != "shown"


def test_a_weak_cue_is_not_shown_in_the_data() -> None:
    def weak(values: Floats, label: Floats) -> None:
        values[:, at("text_count")] += 0.5 * label

    row = rows_of(case(weak))["bystanders"]
    assert row.limit == pytest.approx(0.7) and row.verdict != "shown" and row.value > 0.55


def test_anatomy_at_the_edges_decides_nothing() -> None:
    def brighter(values: Floats, label: Floats) -> None:
        values[:, at("border_mean_bottom")] += 3 * label

    row = rows_of(case(brighter))["bystanders"]
    assert row.verdict != "shown"
    edges = [r for r in row.blocks[0]["rows"] if r[:2] == ["border", "edges of the chest"]]
    assert edges[0][2][0] > 0.9


def test_a_model_that_uses_the_cue_is_shown_and_one_that_does_not_is_not() -> None:
    def uses(values: Floats, label: Floats) -> Floats:
        text: Floats = 1.5 * values[:, at("text_count")]
        return text

    def does_not(values: Floats, label: Floats) -> Floats:
        return 1.5 * label

    assert rows_of(case(with_text, uses))["bystanders used"].verdict == "shown"
    rows = rows_of(case(with_text, does_not))
    assert rows["bystanders used"].verdict != "shown"
    # The data carry it all the same, and would give it to the next model.
    assert rows["bystanders"].verdict == "shown"


@pytest.mark.parametrize("missing", ["all", "most"])
def test_images_that_are_gone_are_not_assessed(missing: str) -> None:
    one = case(with_text)
    values = one.measured()
    assert values is not None
    values = values.copy()
    values[: NUMBER if missing == "all" else NUMBER - 12] = np.nan
    row = rows_of(replace(one, measured=lambda: values))["bystanders"]
    assert row.verdict == "not assessed" and row.next


def test_without_a_manifest_there_are_no_images() -> None:
    rows = rows_of(replace(case(with_text), measured=lambda: None))
    assert {row.verdict for row in rows.values()} == {"not assessed"}
