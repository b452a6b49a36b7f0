"""audit: the verdicts on predictions whose truth is known, and what it says of bad input."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from handy import in_process

from cxrtool.audit import runner


@dataclass(frozen=True)
class Ended:
    code: int
    err: str


Cli = Callable[..., Ended]
VERDICTS = {"shown", "excluded", "inconclusive", "not identifiable", "not assessed"}


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run the command in this process: a process of its own takes seconds to start."""

    def run(*args: object) -> Ended:
        code = in_process(*map(str, args))
        return Ended(code, capfd.readouterr().err)

    return run


def predictions(
    path: Path,
    *,
    number: int = 600,
    association: float = 0.0,
    use: float = 0.0,
    columns: tuple[str, ...] = ("patient", "source", "view"),
    seed: int = 1,
) -> Path:
    """Write predictions as another tool would: a disease score that may use the source, too.

    Two images a patient; `association` is P(source B | covid) - P(source B | normal).
    """
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(number // 2):
        label = patient % 2
        source = rng.random() < 0.5 + (association if label else -association) / 2
        for image in range(2):
            chance = 1 / (1 + np.exp(-(1.5 * label + use * source - 1 + rng.normal())))
            known = {"patient": f"P{patient}", "source": "AB"[source], "view": "PA"}
            known["view"] = "AP" if rng.random() < 0.5 else "PA"
            rows.append(
                {
                    "path": f"{patient}-{image}.png",
                    "label": ["normal", "covid"][label],
                    **{name: known[name] for name in columns},
                    "p_normal": f"{1 - chance:.5f}",
                    "p_covid": f"{chance:.5f}",
                }
            )
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def verdicts(folder: Path) -> dict[str, str]:
    with (folder / "audit.csv").open(newline="") as file:
        return {row["check"]: row["verdict"] for row in csv.DictReader(file)}


@pytest.mark.parametrize(
    ("association", "use", "expected", "code"),
    [
        (0.0, 0.0, "excluded", 0),
        (0.8, 2.0, "shown", 1),
        (0.5, 0.0, "excluded", 0),
        (2.0, 2.0, "not identifiable", 1),
    ],
)
def test_predictions_of_another_tool_are_judged(
    cli: Cli, tmp_path: Path, association: float, use: float, expected: str, code: int
) -> None:
    table = predictions(tmp_path / "theirs.csv", association=association, use=use)
    result = cli("audit", table, "-d", tmp_path / "out")
    assert result.code == code
    assert verdicts(tmp_path / "out")["within source"] == expected
    page = (tmp_path / "out" / "audit.html").read_text()
    assert "not a medical device" in page and expected in page


def test_the_files_have_the_columns_of_the_contract(cli: Cli, tmp_path: Path) -> None:
    cli("audit", predictions(tmp_path / "p.csv"), "-d", tmp_path / "out")
    with (tmp_path / "out" / "audit.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == runner.COLUMNS
    assert {r["verdict"] for r in rows if r["kind"] == "confirmatory"} <= VERDICTS
    record = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert {"overall", "estimand", "margin", "family", "seed", "checks"} <= set(record)
    assert [row["check"] for row in rows] == [row["check"] for row in record["checks"]]


def test_the_plan_is_written_before_outcomes_are_read(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(case: object) -> list[object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner.module("within"), "assess", stopped)
    assert cli("audit", predictions(tmp_path / "p.csv"), "-d", tmp_path / "out").code == 130
    record = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert record["overall"] is None and record["checks"] == []
    assert {"within source", "within view"} <= set(record["family"])


def test_finished_checks_are_kept_and_others_are_not(cli: Cli, tmp_path: Path) -> None:
    table, out = predictions(tmp_path / "p.csv"), tmp_path / "out"
    cli("audit", table, "-d", out)
    before = {f.name: f.read_bytes() for f in out.iterdir() if f.is_file()}
    (out / "checks" / "within.json").write_text("{damaged")
    times = {f.name: f.stat().st_mtime_ns for f in (out / "checks").iterdir()}
    assert cli("audit", table, "-d", out).code == 0
    assert {f.name: f.read_bytes() for f in out.iterdir() if f.is_file()} == before
    again = {f.name for f in (out / "checks").iterdir() if f.stat().st_mtime_ns != times[f.name]}
    assert again == {"within.json"}
    # Other data: nothing is kept.
    predictions(table, seed=2)
    cli("audit", table, "-d", out)
    assert (out / "audit.csv").read_bytes() != before["audit.csv"]


def test_a_kept_check_is_of_the_same_columns(cli: Cli, tmp_path: Path) -> None:
    """Without predictions, --within changes no test, and the checks of attributes read it."""
    label = [("normal", "covid")[k % 2] for k in range(80)]
    rows = [f"{k}.png,{name},P{k},A,S-{name},W-{name}" for k, name in enumerate(label)]
    manifest, out = tmp_path / "m.csv", tmp_path / "out"
    manifest.write_text("\n".join(["path,label,patient,source,fold,mask_flag", *rows]) + "\n")
    base = ("audit", manifest, "-d", out, "--checks", "attributes")
    # Both columns are read in every audit.
    for column, other in (("fold", "mask_flag"), ("mask_flag", "fold")):
        assert cli(*base, "--within", column).code == 0
        text = (out / "audit.json").read_text()
        assert f"{column} (" in text and f"{other} (" not in text


def test_within_needs_a_check_that_reads_it(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=20)
    result = cli("audit", table, "-d", tmp_path / "out", "--within", "view", "--checks", "broken")
    assert result.code == 2
    assert "--within has no effect: none of the checks attributes, hidden-slices," in result.err
    assert cli("audit", table, "-d", tmp_path, "--within", "view", "--checks", "slices").code == 0


def test_absent_columns_are_named(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", columns=("patient",))
    result = cli("audit", table, "-d", tmp_path / "out")
    assert result.code == 0
    assert verdicts(tmp_path / "out")["within source"] == "not assessed"
    assert "Source: absent" in result.err
    assert json.loads((tmp_path / "out" / "audit.json").read_text())["absent"] == [
        "source",
        "view",
        "sex",
        "age",
    ]


def test_predictions_are_joined_to_the_manifest(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", columns=("patient",), association=0.8, use=2)
    truth = predictions(tmp_path / "with.csv", association=0.8, use=2)
    with truth.open(newline="") as file:
        rows = [
            {n: r[n] for n in ("path", "label", "patient", "source")} for r in csv.DictReader(file)
        ]
    with (tmp_path / "m.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "split"])
        writer.writeheader()
        writer.writerows({**row, "split": "test"} for row in rows)
    result = cli("audit", tmp_path / "m.csv", table, "-d", tmp_path / "out", "--checks", "within")
    assert verdicts(tmp_path / "out")["within source"] == "shown" and result.code == 1


def test_a_leak_is_counted_and_its_effect_is_shown(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv")
    with table.open(newline="") as file:
        rows = [{n: r[n] for n in ("path", "label", "patient")} for r in csv.DictReader(file)]
    own = [{**row, "split": "test"} for row in rows]
    learned = [{**row, "path": f"train-{row['path']}", "split": "train"} for row in rows[:20]]
    with (tmp_path / "m.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, own[0])
        writer.writeheader()
        writer.writerows([*own, *learned])
    call = ("audit", tmp_path / "m.csv", table, "-d", tmp_path / "out", "--checks", "leaks")
    assert cli(*call).code == 1
    with (tmp_path / "out" / "audit.csv").open(newline="") as file:
        leak, effect = csv.DictReader(file)
    assert leak["verdict"] == "shown" and "20 of 600" in leak["meaning"]
    assert effect["check"] == "leaks: effect on AUC" and effect["low"] < effect["high"]


def test_constant_scores_are_a_fault(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv")
    lines = table.read_text().splitlines()
    flat = [lines[0], *(line.rsplit(",", 2)[0] + ",0.5,0.5" for line in lines[1:])]
    table.write_text("\n".join(flat) + "\n")
    assert cli("audit", table, "-d", tmp_path / "out").code == 1
    assert verdicts(tmp_path / "out")["broken"] == "shown"


def test_an_auc_below_one_half_names_several_causes(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv")
    text = table.read_text().replace("p_normal,p_covid", "p_covid,p_normal", 1)
    table.write_text(text)
    result = cli("audit", table, "-d", tmp_path / "out", "--checks", "broken")
    assert "wrong order" in result.err and "cue" in result.err


def test_predicted_classes_are_compared_with_their_probabilities(cli: Cli, tmp_path: Path) -> None:
    first, *rows = (table := predictions(tmp_path / "p.csv")).read_text().splitlines()
    above = [float(row.split(",")[-1]) > 0.5 for row in rows]
    for names, verdict in ((["normal", "covid"], "excluded"), (["covid", "normal"], "shown")):
        named = [f"{row},{names[one]}" for row, one in zip(rows, above, strict=True)]
        table.write_text("\n".join([f"{first},pred", *named]) + "\n")
        cli("audit", table, "-d", tmp_path, "--checks", "broken", "--fail-on", "none")
        assert verdicts(tmp_path)["broken"] == verdict


def test_fail_on_says_which_verdicts_make_the_exit_code_1(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", association=0.8, use=2)
    base = ("audit", table, "-d", tmp_path / "out")
    assert cli(*base, "--fail-on", "none").code == 0
    assert cli(*base, "--fail-on", "not-identifiable").code == 0
    assert cli(*base, "--fail-on", "shown").code == 1
    assert cli(*base, "--fail-on", "none,shown").code == 2


@pytest.mark.parametrize("number", [4, 10, 20])
def test_few_images_are_inconclusive_or_not_assessed(cli: Cli, tmp_path: Path, number: int) -> None:
    table = predictions(tmp_path / "p.csv", number=number)
    assert cli("audit", table, "-d", tmp_path / "out").code in (0, 1)
    outcome = verdicts(tmp_path / "out")
    assert outcome["within source"] not in ("shown", "excluded")


def test_a_run_predicts_the_held_out_images(
    cli: Cli, tmp_path: Path, phantoms: Path, small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRTOOL_CACHE", str(phantoms / "cache"))
    monkeypatch.chdir(phantoms)
    split, out = phantoms / "split.csv", tmp_path / "out"
    assert cli("audit", split, "--run", small_run, "-d", out, "-j", "1").code in (0, 1)
    held_out = ("--where", "split=test", "-o", tmp_path / "p.csv")
    assert cli("evaluate", small_run, split, *held_out).code == 0
    assert (out / "predictions.csv").read_bytes() == (tmp_path / "p.csv").read_bytes()
    assert verdicts(out)["leaks"] == "excluded"
    # The images are measured, once, and again for nothing.
    before = (out / "measurements.csv").read_bytes()
    assert cli("audit", split, "--run", small_run, "-d", out, "-j", "1").code in (0, 1)
    assert (out / "measurements.csv").read_bytes() == before


def test_options_of_a_run_need_one(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=20)
    result = cli("audit", table, "-d", tmp_path / "out", "--device", "cpu")
    assert result.code == 2 and "--device has no effect" in result.err
    result = cli("audit", table, "-d", tmp_path / "out", "--run", tmp_path)
    assert result.code == 2


@pytest.mark.slow
def test_a_recipe_is_trained_again_without_the_lungs(
    cli: Cli, tmp_path: Path, phantoms: Path, small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXRTOOL_CACHE", str(phantoms / "cache"))
    monkeypatch.chdir(phantoms)
    split, out = phantoms / "split.csv", tmp_path / "out"
    call = ("audit", split, "--run", small_run, "--retrain", "-d", out, "-j", "1")
    call = (*call, "--checks", "lungs-out", "--retrain-also", "all")
    assert cli(*call).code in (0, 1)
    options = [
        json.loads((folder / "run.json").read_text())["options"]
        for folder in (small_run, out / "lungs-out" / "run")
    ]
    assert options[0] == options[1]
    with (out / "audit.csv").open(newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["check"] == "lungs out")
    assert row["kind"] == "descriptive" and 0 <= float(row["value"]) <= 1
    # The lungs are black: the images differ, and the run was not trained on the old ones.
    with (out / "lungs-out" / "manifest.csv").open(newline="") as file:
        assert all("lungs-out" in row["path"] for row in csv.DictReader(file))
    # Each control is a training of its own, and its AUC stands in the table.
    controls = {"other-mask", "sham", "outline", "dilation-3", "dilation-6", "dilation-12"}
    assert {p.parent.parent.name for p in out.glob("lungs-out/*/run/run.json")} == controls
    record = json.loads((out / "audit.json").read_text())["checks"][0]
    assert len(rows_of_check(out)) == 8 and "outline of the lungs alone" in record["meaning"]
    before = (out / "audit.csv").read_bytes()
    assert cli(*call).code in (0, 1)
    assert (out / "audit.csv").read_bytes() == before


def rows_of_check(out: Path) -> list[list[object]]:
    kept = json.loads((out / "checks" / "lungs-out.json").read_text())
    table: list[list[object]] = kept["rows"][0]["blocks"][0]["rows"]
    return table


def test_controls_of_a_training_need_one(cli: Cli, tmp_path: Path, small_run: Path) -> None:
    call = ("audit", tmp_path / "m.csv", "--run", small_run, "-d", tmp_path / "out")
    result = cli(*call, "--retrain-also", "sham")
    assert result.code == 2 and "--retrain is not given" in result.err
    result = cli(*call, "--retrain", "--retrain-also", "all,sham")
    assert result.code == 2 and "all stands beside others" in result.err
    assert not (tmp_path / "out").exists()
