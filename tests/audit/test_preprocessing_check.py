"""A preprocessing is judged over seeds and patients, on the images that all models judge."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from audit_cases import make_case
from handy import in_process
from sklearn.metrics import roc_auc_score

from cxrtool.audit import checklist_facts, runner, seed_groups
from cxrtool.audit.case import Case, ModelScores
from cxrtool.audit.checks import preprocessing
from cxrtool.audit.verdicts import NOT_ASSESSED, CheckRow

HIST, BOX = "equalize --method hist", "segment --model lungs --keep box"


def seeds_of(
    case: Case,
    steps: str,
    number: int = 5,
    *,
    gain: float = 0.0,
    source: float = 0.0,
    spread: float = 0.1,
    seed: int = 0,
) -> list[ModelScores]:
    """Make models of one preprocessing: `gain` is added for the disease, `source` for source B."""
    rng = np.random.default_rng([seed, len(steps)])
    base = case.models[0]
    logit = np.log(base.scores / (1 - base.scores))
    second = case.images.columns["source"].codes[base.rows]
    made = []
    for k in range(number):
        effect = gain + spread * rng.normal()
        own = logit + effect * case.images.positive[base.rows] + source * second
        scores = 1 / (1 + np.exp(-(own + 0.3 * rng.normal(size=len(own)))))
        name = f"{steps.split()[-1] if steps else 'plain'}-{k}"
        made.append(replace(base, name=name, scores=scores, preprocessing=steps))
    return made


def rows_of(case: Case, *models: list[ModelScores]) -> list[CheckRow]:
    return runner.assess("preprocessing", replace(case, models=[*chain(*models)]))


def test_a_gain_is_told_from_luck_and_luck_is_not_called_a_gain() -> None:
    case = make_case(400)
    plain = seeds_of(case, "")
    (row,) = rows_of(case, plain, seeds_of(case, HIST, gain=0.6))
    assert 0 < row.low < row.value < row.high and row.p < 0.05 and not row.next
    assert "): more than chance (seeds and patients)." in row.meaning and row.patients == 200
    (row,) = rows_of(case, plain, seeds_of(case, HIST))
    assert row.low < 0 < row.high and row.p > 0.05
    assert (
        "): not shown to be more than chance (seeds and patients)." in row.meaning
        and row.next.startswith("More ")
    )


def test_the_value_is_the_difference_of_the_mean_aucs() -> None:
    case = make_case(100)
    groups = [seeds_of(case, "", 6), seeds_of(case, HIST, 5, gain=0.5)]
    positive = case.images.positive
    means = [np.mean([roc_auc_score(positive, m.scores) for m in group]) for group in groups]
    (row,) = rows_of(case, *groups)
    assert row.value == pytest.approx(means[1] - means[0])
    assert f"{means[1]:.3f} (5 seeds" in row.meaning and f"{means[0]:.3f} (6 seeds" in row.meaning


def test_within_sources_a_preprocessing_that_shows_the_source_gains_nothing() -> None:
    case = make_case(400, association=0.7)
    (row,) = rows_of(case, seeds_of(case, ""), seeds_of(case, HIST, source=1.5))
    differences = {cells[0]: cells[1] for cells in row.blocks[1]["rows"]}
    assert differences["AUC"][1] > 0
    assert differences["AUC within source"][1] < 0.01
    assert differences["AUC - AUC within source"][1] > 0
    assert differences["AUC"][0] == pytest.approx(
        differences["AUC within source"][0] + differences["AUC - AUC within source"][0]
    )


@pytest.mark.parametrize("number", [1, 4])
def test_of_few_seeds_there_is_a_range_and_no_interval(number: int) -> None:
    case = make_case()
    (row,) = rows_of(case, seeds_of(case, ""), seeds_of(case, HIST, number))
    assert row.verdict == NOT_ASSESSED and np.isnan(row.value)
    said = {1: "(one seed) with", 4: "(4 seeds: "}[number]
    assert said in row.meaning and "varies with the seed" in row.meaning
    assert "--seed K" in row.next and "--keep-columns" in row.next


def test_the_same_scores_again_are_no_further_seed() -> None:
    case = make_case()
    again = [replace(seeds_of(case, HIST, 1)[0], name=f"hist-{k}") for k in range(5)]
    (row,) = rows_of(case, seeds_of(case, ""), again)
    assert row.verdict == NOT_ASSESSED
    assert "4 models have the scores of another one: counted once." in row.meaning


def test_several_preprocessings_are_adjusted_and_compared_with_the_plainest() -> None:
    case = make_case()
    plain, first = seeds_of(case, "equalize --method none --size 64"), seeds_of(case, HIST)
    (alone,) = rows_of(case, plain, first)
    rows = rows_of(case, seeds_of(case, f"{HIST} | {BOX}"), first, plain)
    assert [row.name for row in rows] == [f"preprocessing ({s})" for s in (HIST, f"{HIST} | {BOX}")]
    assert rows[0].value == alone.value and rows[0].low < alone.low
    assert rows[0].p == min(1, 2 * alone.p)
    assert "adjusted for 2 preprocessings" in rows[0].meaning
    assert [cells[2] for cells in rows[0].blocks[1]["rows"]] == [
        min(1, 2 * cells[2]) for cells in alone.blocks[1]["rows"]
    ], "as the intervals beside them"


def test_images_that_not_all_models_judge_are_left_out() -> None:
    case = make_case()
    models = seeds_of(case, "") + seeds_of(case, HIST)
    names = ("rows", "scores", "predicted")
    fewer = replace(models[7], **{n: getattr(models[7], n)[3:][::-1] for n in names})
    (row,) = rows_of(case, models[:7], [fewer], models[8:])
    assert "on the same 397 images" in row.meaning
    assert "Left out: 3 images that not all models judge." in row.meaning
    same = [replace(m, **{n: getattr(m, n)[3:] for n in names}) for m in models]
    (alone,) = rows_of(case, same)
    assert (row.value, row.low) == pytest.approx((alone.value, alone.low))
    other = replace(fewer, **{n: getattr(fewer, n)[:50] for n in names})
    (row,) = rows_of(case, models[:7], [other], models[8:])
    assert row.verdict == NOT_ASSESSED and "only 50 are judged by all" in row.meaning


def test_the_model_that_judges_far_more_images_than_the_others_is_named() -> None:
    case = make_case()
    names = ("rows", "scores", "predicted")
    models = seeds_of(case, "") + seeds_of(case, HIST)
    fewer = [replace(m, **{n: getattr(m, n)[:150] for n in names}) for m in models]
    (row,) = rows_of(case, fewer[:7], [models[7]], fewer[8:])
    assert row.verdict == NOT_ASSESSED
    assert "f the 400 images that hist-2 judges, only 150 are judged by all" in row.meaning


def test_names_that_differ_by_more_than_a_number_are_asked_about() -> None:
    case = make_case()
    plain, hist = seeds_of(case, ""), seeds_of(case, HIST)
    several = ("r18-0", "r18-1", "r50-0", "r50-1", "r50-2")
    odd = [replace(m, name=n) for m, n in zip(hist, several, strict=True)]
    numbered = [replace(m, name=f"{k} (hist-{k}.csv)") for k, m in enumerate(hist)]
    asked = [rows_of(case, plain, models)[0].meaning for models in (hist, numbered, odd)]
    assert ["seeds of one recipe?" in text for text in asked] == [False, False, True]


def test_a_model_of_several_preprocessings_is_named() -> None:
    case = make_case()
    models = seeds_of(case, "")
    models[2] = replace(models[2], preprocessing=None)
    (row,) = rows_of(case, models, seeds_of(case, HIST))
    assert row.verdict == NOT_ASSESSED and "plain-2 were preprocessed" in row.meaning


def test_a_finished_check_of_another_preprocessing_is_not_kept(tmp_path: Path) -> None:
    case = make_case(60)
    values = []
    for steps in (HIST, BOX):
        models = seeds_of(case, "") + [
            replace(m, preprocessing=steps) for m in seeds_of(case, HIST)
        ]
        own, plan = runner.plan(replace(case, models=models), ["preprocessing"], [])
        values.append(runner.run(own, plan, str(tmp_path))[0].meaning)
    assert HIST in values[0] and BOX in values[1]


def test_a_checklist_names_the_preprocessing_of_each_model() -> None:
    case = make_case()
    models = [seeds_of(case, "", 1)[0], seeds_of(case, HIST, 1)[0]]
    fact = checklist_facts.preprocessing(replace(case, models=models), [])
    assert fact.evidence == f"plain-0: none; hist-0: {HIST}."


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("he/a-0123456789abcdef.png", "a"),
        ("x/a.b.jpg", "a.b"),
        ("x/0123456789abcdef.png", "0123456789abcdef"),
    ],
)
def test_the_name_of_an_image_is_without_what_preprocessing_adds(path: str, name: str) -> None:
    assert seed_groups.stem(path) == name


def test_preprocessings_are_ordered_by_their_steps() -> None:
    steps = [f"{HIST} | {BOX}", HIST, "equalize --method none --size 64", ""]
    assert sorted(steps, key=seed_groups.plainness) == ["", *steps[2:1:-1], *steps[1::-1]]


def write_seeds(
    folder: Path, *, gain: float = 0.8, columns: tuple[str, ...] = ("raw", "preprocessing")
) -> list[Path]:
    """Write the tables of ten runs, as `evaluate --keep-columns` does."""
    rng, files = np.random.default_rng(1), []
    images = [f"images/{k}.png" for k in range(200)]
    label = np.arange(200) // 2 % 2
    base = 1.2 * label + rng.normal(size=200) - 0.6
    for steps, more in (("", 0.0), (HIST, gain)):
        for seed in range(5):
            scores = 1 / (1 + np.exp(-(base + more * label + 0.3 * rng.normal(size=200))))
            name = f"{'hist' if steps else 'plain'}-{seed}"
            files.append(folder / f"{name}.csv")
            with files[-1].open("w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["path", "label", "patient", "model", "p_no", "p_covid", *columns])
                for k, score in enumerate(scores.tolist()):
                    path = f"hist/{k}-{k:016x}.png" if steps else images[k]
                    more_cells = [{"raw": images[k], "preprocessing": steps}[c] for c in columns]
                    p = f"{score:.6f}"
                    row = [path, ["no", "covid"][label[k]], k // 2, name, 1 - float(p), p]
                    writer.writerow([*row, *more_cells])
    return files


def audited(folder: Path, *inputs: object) -> tuple[dict[str, str], int]:
    arguments = [*map(str, inputs), "--positive", "covid", "-d", str(folder)]
    assert in_process("audit", *arguments, "--checks", "preprocessing") == 0
    with (folder / "audit.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    return row, json.loads((folder / "audit.json").read_text())["judged"]


def test_tables_of_runs_are_matched_by_the_raw_image(tmp_path: Path) -> None:
    row, judged = audited(tmp_path / "a", *write_seeds(tmp_path))
    assert float(row["low"]) > 0 and "on the same 200 images" in row["meaning"]
    assert (judged, row["patients"]) == (200, "100")


def test_without_raw_they_are_matched_by_the_names_of_the_files(tmp_path: Path) -> None:
    by_raw, _ = audited(tmp_path / "a", *write_seeds(tmp_path))
    files = write_seeds(tmp_path, columns=("preprocessing",))
    by_name, judged = audited(tmp_path / "b", *files)
    assert judged == 400
    assert by_name == by_raw


def test_a_manifest_of_the_preprocessed_images_tells_both(tmp_path: Path) -> None:
    manifest = tmp_path / "hist.csv"
    lines = [f"hist/{k}-{k:016x}.png,images/{k}.png,{HIST}\n" for k in range(200)]
    manifest.write_text("path,raw,preprocessing\n" + "".join(lines))
    by_raw, _ = audited(tmp_path / "a", *write_seeds(tmp_path))
    files = write_seeds(tmp_path, columns=())
    by_manifest, judged = audited(tmp_path / "b", manifest, *files)
    assert judged == 200
    assert by_manifest == by_raw


def test_without_the_column_it_says_what_is_lacking(tmp_path: Path) -> None:
    row, _ = audited(tmp_path / "a", *write_seeds(tmp_path, columns=("raw",)))
    assert row["verdict"] == NOT_ASSESSED and "--keep-columns" in row["next"]
    assert "names none for any of 10 models" in row["meaning"]


def test_two_images_of_one_raw_file_stay_two_where_a_model_judges_both(tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    rows = [
        f"{side}/{k}.png,raw/{k}.png,{['no', 'covid'][k % 2]},{k},net,0.{5 + k % 3},0.{5 - k % 3}"
        for k in range(20)
        for side in ("left", "right")
    ]
    file.write_text("path,raw,label,patient,model,p_no,p_covid\n" + "\n".join(rows) + "\n")
    assert audited(tmp_path / "a", file)[1] == 40


def test_it_needs_predictions() -> None:
    assert preprocessing.NEEDS == ("predictions",)
    (row,) = rows_of(make_case(models=()))
    assert row.verdict == NOT_ASSESSED and "several models" in row.meaning
