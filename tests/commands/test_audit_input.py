"""audit: what it says of bad input, and that a stopped audit ends as one that was not."""

from __future__ import annotations

import csv
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from handy import Run, noise, snapshot, start, wait_for, write, write_table
from test_audit import Cli, cli, predictions, verdicts

from cxrtool.audit import runner

__all__ = ["cli"]
# Checks that read no image: the tables name images that are not there.
UNSEEN = ("--checks", "broken,leaks,overlap,within")


def rewritten(table: Path, name: str, change: Callable[[int, dict[str, str]], object]) -> Path:
    """Write the rows of a table again, each changed in place."""
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for at, row in enumerate(rows):
        change(at, row)
    path = table.with_name(name)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_predictions_that_the_manifest_lacks_are_counted(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60)

    def moved(at: int, row: dict[str, str]) -> None:
        row["path"] = f"elsewhere/{row['path']}" if at >= 10 else row["path"]
        del row["p_normal"], row["p_covid"]

    manifest = rewritten(table, "m.csv", moved)
    result = cli("audit", manifest, table, "-d", tmp_path / "out", "--fail-on", "none", *UNSEEN)
    assert result.code == 0
    assert "the manifest lists 10 of the 60 images of the predictions" in result.err
    assert "Not in the manifest: 50 images of the predictions" in (
        (tmp_path / "out" / "audit.html").read_text()
    )


def test_labels_that_differ_are_counted(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60)
    whole = rewritten(table, "m.csv", lambda _, row: row.update(label="covid"))
    text = whole.read_text().replace("p_normal", "q_normal").replace("p_covid", "q_covid")
    whole.write_text(text)
    result = cli("audit", whole, table, "-d", tmp_path / "out", "--fail-on", "none", *UNSEEN)
    assert result.code == 0
    assert "30 predictions have another label than the manifest" in result.err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace(",", ";"), "separated by semicolons"),
        (lambda text: text.replace("p_normal", "x").replace("p_covid", "y"), "no columns p_CLASS"),
        (lambda text: text.replace("path,", "Path,", 1), "Rename 'Path' to 'path'."),
    ],
)
def test_what_stands_beside_a_manifest_is_read_as_predictions(
    change: Callable[[str], str], said: str, cli: Cli, tmp_path: Path
) -> None:
    table = predictions(tmp_path / "p.csv", number=60)
    manifest = rewritten(
        table,
        "m.csv",
        lambda _, row: [row.pop("p_normal"), row.pop("p_covid"), row.update(raw=row["path"])],
    )
    table.write_text(change(table.read_text()))
    result = cli("audit", manifest, table, "-d", tmp_path / "out", *UNSEEN)
    assert result.code == 2 and said in result.err


def test_predictions_under_other_names_are_recognised(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60)
    manifest = rewritten(table, "m.csv", lambda _, row: [row.pop(c) for c in (*row,)[-2:]])
    renamed = tmp_path / "renamed.csv"
    renamed.write_text(table.read_text().replace("p_normal", "normal").replace("p_covid", "Covid"))
    remedy = "Rename 'normal' to 'p_normal' and 'Covid' to 'p_covid'."
    for given in ([manifest, renamed], ["--predictions", renamed]):
        result = cli("audit", *given, "-d", tmp_path / "out", *UNSEEN)
        assert result.code == 2 and result.err.strip().endswith(remedy)
    # Alone, it is a manifest in which these columns are not read.
    result = cli("audit", renamed, "-d", tmp_path / "out", "--fail-on", "none", *UNSEEN)
    assert result.code == 0
    what = "'normal', 'Covid' are not read, as predictions would be. For probabilities: "
    assert f"renamed.csv: {what}{remedy}" in result.err
    without = tmp_path / "without.csv"
    without.write_text(renamed.read_text().replace("path,", "file,", 1))
    result = cli("audit", without, "-d", tmp_path / "out", *UNSEEN)
    assert result.code == 2 and "Rename 'file' to 'path', 'normal' to 'p_normal' and" in result.err


@pytest.mark.parametrize("kept", [True, False])
def test_labels_are_taken_from_the_manifest(cli: Cli, tmp_path: Path, kept: bool) -> None:
    table = predictions(tmp_path / "p.csv", number=60, association=0.5, use=1)

    def unscored(_: int, row: dict[str, str]) -> None:
        del row["p_normal"], row["p_covid"]

    def unlabelled(at: int, row: dict[str, str]) -> None:
        # All labels are missing, or the column is there and half of its cells are empty.
        if not kept:
            del row["label"]
        elif at % 2:
            row["label"] = ""

    manifest = rewritten(table, "m.csv", unscored)
    bare = rewritten(table, "bare.csv", unlabelled)
    # The model is named by its file.
    (tmp_path / "bare").mkdir()
    bare = bare.rename(tmp_path / "bare" / "p.csv")
    whole = cli("audit", manifest, table, "-d", tmp_path / "whole", "--fail-on", "none", *UNSEEN)
    result = cli("audit", manifest, bare, "-d", tmp_path / "out", "--fail-on", "none", *UNSEEN)
    assert whole.code == result.code == 0
    number = 30 if kept else 60
    assert f"{number} predictions have no label: the label of the manifest counts" in result.err
    tables = [(tmp_path / name / "audit.csv").read_bytes() for name in ("whole", "out")]
    assert tables[0] == tables[1]


def test_without_a_manifest_predictions_need_labels(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60)
    bare = rewritten(table, "bare.csv", lambda _, row: row.pop("label"))
    result = cli("audit", bare, "-d", tmp_path / "out")
    assert result.code == 2 and "label" in result.err


@pytest.mark.parametrize("beside", [(), ("m.csv",), ("--predictions",)])
def test_a_run_in_place_of_a_table_is_named(
    cli: Cli, tmp_path: Path, beside: tuple[str, ...]
) -> None:
    run = tmp_path / "a run"
    run.mkdir()
    (run / "run.json").write_text("{}")
    result = cli("audit", *beside, run, "-d", tmp_path / "out")
    assert result.code == 2 and not (tmp_path / "out").exists()
    assert f"is a folder, not a table. It is a run: write --run '{run}'" in result.err


def renamed(row: dict[str, str]) -> None:
    row.update(hospital=row.pop("source"), Patient_ID=row.pop("patient"))


def test_columns_that_seem_to_be_source_and_patient_are_named(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60)
    other = rewritten(table, "other.csv", lambda _, row: renamed(row))
    result = cli("audit", other, "-d", tmp_path / "out", "--fail-on", "none", *UNSEEN)
    said = [line for line in result.err.splitlines() if "is not read as" in line]
    assert [line[line.index("column '") :] for line in said] == [
        "column 'Patient_ID' is not read as the patient: if it is the patient, name it 'patient'",
        "column 'hospital' is not read as the source: if it is the source, name it 'source'",
    ]


def test_columns_that_the_manifest_has_are_not_looked_for(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60)

    def without_scores(row: dict[str, str]) -> None:
        del row["p_normal"], row["p_covid"]

    manifest = rewritten(table, "m.csv", lambda _, row: without_scores(row))
    other = rewritten(table, "other.csv", lambda _, row: renamed(row))
    arguments = ("-d", tmp_path / "out", "--fail-on", "none", *UNSEEN)
    assert "is not read as" not in cli("audit", manifest, table, *arguments).err
    assert "is not read as" not in cli("audit", manifest, other, *arguments).err


def test_sources_that_differ_by_blanks_alone_are_one(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60, association=0.5, use=1)

    def padded(at: int, row: dict[str, str]) -> None:
        row["source"] = f" {row['source']} " if at % 3 == 0 else row["source"]

    spaced = rewritten(table, "spaced.csv", padded)
    spaced = spaced.rename(tmp_path / "q.csv")
    result = cli("audit", spaced, "-d", tmp_path / "out", "--fail-on", "none", *UNSEEN)
    assert "differs from another value by blanks alone" in result.err
    cli("audit", table, "-d", tmp_path / "whole", "--fail-on", "none", *UNSEEN)
    rows = [
        [row["value"] for row in json.loads((tmp_path / name / "audit.json").read_text())["checks"]]
        for name in ("whole", "out")
    ]
    assert rows[0] == rows[1]


def test_a_row_that_occurs_twice_counts_once(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60)
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines, *lines[1:11]]) + "\n")
    result = cli("audit", table, "-d", tmp_path / "out")
    assert result.code == 1 and "10 skipped" in result.err
    assert json.loads((tmp_path / "out" / "audit.json").read_text())["judged"] == 60


def test_scores_that_are_no_numbers_are_left_out_and_listed(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60)
    some = rewritten(
        table, "some.csv", lambda at, row: row.update(p_covid="nan" if at < 8 else row["p_covid"])
    )
    result = cli("audit", some, "-d", tmp_path / "out")
    assert result.code == 1 and "p_covid is 'nan'" in result.err and "8 skipped" in result.err
    page = (tmp_path / "out" / "audit.html").read_text()
    assert "8 rows or images were left out, listed in failures.csv." in page
    none = rewritten(table, "none.csv", lambda _, row: row.update(p_covid="nan"))
    result = cli("audit", none, "-d", tmp_path / "none")
    assert result.code == 2 and not (tmp_path / "none" / "audit.html").exists()


def test_three_classes_need_a_positive_one(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60)
    third = rewritten(
        table, "three.csv", lambda at, row: row.update(label="tb" if at % 6 == 0 else row["label"])
    )
    third.write_text(
        third.read_text()
        .replace("p_covid", "p_covid,p_tb", 1)
        .replace("\n", ",0.0\n")
        .replace("p_covid,p_tb,0.0", "p_covid,p_tb", 1)
    )
    result = cli("audit", third, "-d", tmp_path / "out")
    assert result.code == 2 and "there are 3 classes" in result.err and "--positive" in result.err
    assert cli("audit", third, "-d", tmp_path / "out", "--positive", "covid").code in (0, 1)


@pytest.mark.parametrize("text", ["", "path,label,p_normal,p_covid\n", "path,label\n"])
def test_a_table_without_rows_is_refused(cli: Cli, tmp_path: Path, text: str) -> None:
    (tmp_path / "p.csv").write_text(text)
    result = cli("audit", tmp_path / "p.csv", "-d", tmp_path / "out")
    assert result.code == 2 and "p.csv" in result.err and "Traceback" not in result.err


def test_one_image_is_refused_in_one_line(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=4)
    table.write_text("\n".join(table.read_text().splitlines()[:2]) + "\n")
    result = cli("audit", table, "-d", tmp_path / "out")
    # The classes are those of the columns: the page says that nothing could be assessed.
    assert result.code == 0
    assert set(verdicts(tmp_path / "out").values()) <= {"not assessed", ""}


def test_hostile_names_stay_data(cli: Cli, tmp_path: Path) -> None:
    names = ("<script>alert(1)</script>", 'a\nb\r"c{0}')
    table = predictions(tmp_path / "p.csv", number=80)
    bad = rewritten(table, "bad.csv", lambda at, row: row.update(source=names[at % 4 // 2]))
    result = cli("audit", bad, "-d", tmp_path / "out", "--fail-on", "none")
    assert result.code == 0 and "Traceback" not in result.err
    assert "<script>alert" not in (tmp_path / "out" / "audit.html").read_text()
    # A message is one line, whatever a name holds.
    assert all(line.startswith("cxrtool audit: ") for line in result.err.splitlines())


def test_a_column_may_have_braces(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=80)
    text = table.read_text().replace("view", "{value}", 1)
    table.write_text(text)
    call = ("audit", table, "-d", tmp_path / "out", "--within", "{value}", "--checks", "within")
    assert cli(*call).code == 0
    assert "within {value}" in verdicts(tmp_path / "out")


@pytest.mark.parametrize("stopped", ["broken", "overlap", "within"])
def test_an_audit_that_was_stopped_ends_the_same(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stopped: str
) -> None:
    table = predictions(tmp_path / "p.csv", number=80, association=0.5, use=1)
    cli("audit", table, "-d", tmp_path / "whole", "--checklist", "claim")

    def interrupted(case: object) -> list[object]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runner.module(stopped), "assess", interrupted)
        assert cli("audit", table, "-d", tmp_path / "out", "--checklist", "claim").code == 130
    assert not (tmp_path / "out" / "audit.html").exists()
    cli("audit", table, "-d", tmp_path / "out", "--checklist", "claim")
    for path in (tmp_path / "whole").rglob("*"):
        if path.is_file():
            other = tmp_path / "out" / path.relative_to(tmp_path / "whole")
            assert other.read_bytes() == path.read_bytes(), path


def test_conditions_choose_the_predictions_too(cli: Cli, tmp_path: Path) -> None:
    """Predictions of rows that --where leaves out are not judged."""
    table = predictions(tmp_path / "p.csv", number=60)

    def parted(at: int, row: dict[str, str]) -> None:
        row["part"] = "one" if at < 20 else "two"
        del row["p_normal"], row["p_covid"]

    manifest = rewritten(table, "m.csv", parted)
    call = ("audit", manifest, table, "-d", tmp_path / "out", "--fail-on", "none", *UNSEEN)
    assert cli(*call, "--where", "part=one").code == 0
    record = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert (record["images"], record["judged"], record["not_in_manifest"]) == (20, 20, 0)
    elsewhere = rewritten(table, "e.csv", lambda at, row: row.update(path=f"e{at}.png"))
    result = cli("audit", manifest, elsewhere, *call[3:], "--where", "part=one")
    assert result.code == 2 and "no prediction is of a row" in result.err


def test_a_source_that_misleads_is_an_effect_too(cli: Cli, tmp_path: Path) -> None:
    """The model uses the source, which follows the other class in these images."""
    table = predictions(tmp_path / "p.csv", association=-0.8, use=4)
    cli("audit", table, "-d", tmp_path / "out", *UNSEEN)
    assert verdicts(tmp_path / "out")["within source"] == "shown"
    assert "misleads" in (tmp_path / "out" / "audit.csv").read_text()


def test_small_probabilities_are_scores(cli: Cli, tmp_path: Path) -> None:
    def tiny(at: int, row: dict[str, str]) -> None:
        row["p_covid"] = f"{1e-20 * float(row['p_covid']):.5e}"
        row["p_normal"] = "1"

    table = rewritten(predictions(tmp_path / "p.csv"), "tiny.csv", tiny)
    assert cli("audit", table, "-d", tmp_path / "out", *UNSEEN).code == 0
    assert verdicts(tmp_path / "out")["broken"] == "excluded"


def test_predictions_of_training_images_are_no_evidence(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=120)

    def parted(at: int, row: dict[str, str]) -> None:
        row["split"] = "train" if at < 40 else "test"

    mixed = rewritten(table, "mixed.csv", parted)
    result = cli("audit", mixed, "-d", tmp_path / "mixed", *UNSEEN)
    assert "40 predictions are of training or validation images" in result.err
    assert json.loads((tmp_path / "mixed" / "audit.json").read_text())["judged"] == 80
    seen = rewritten(table, "seen.csv", lambda at, row: row.update(split="train"))
    assert cli("audit", seen, "-d", tmp_path / "seen", *UNSEEN).code == 1
    assert verdicts(tmp_path / "seen")["leaks"] == "shown"


def test_a_path_in_two_parts_is_a_leak(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=120, columns=("source", "view"))

    def manifest_row(at: int, row: dict[str, str]) -> None:
        row["split"] = "test"
        del row["p_normal"], row["p_covid"]

    twice = rewritten(table, "m.csv", manifest_row)
    header, *held_out = twice.read_text().splitlines()
    seen = [line.replace("test", "train") for line in held_out[:40]]
    twice.write_text("\n".join([header, *seen, *held_out]) + "\n")
    assert cli("audit", twice, table, "-d", tmp_path / "out", *UNSEEN).code == 1
    assert verdicts(tmp_path / "out")["leaks"] == "shown"
    assert f"{len(seen)} of 120" in (tmp_path / "out" / "audit.csv").read_text()


def test_what_the_manifest_lacks_is_that_of_the_predictions(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=120, association=0.5)

    def bare(at: int, row: dict[str, str]) -> None:
        for name in ("patient", "source", "p_normal", "p_covid"):
            del row[name]

    manifest = rewritten(table, "m.csv", bare)
    cli("audit", table, "-d", tmp_path / "alone", *UNSEEN)
    cli("audit", manifest, table, "-d", tmp_path / "both", *UNSEEN)
    read = [json.loads((tmp_path / name / "audit.json").read_text()) for name in ("alone", "both")]
    assert read[0]["checks"] == read[1]["checks"], "patients and sources are known"


def test_ages_are_compared_in_bands(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=240)

    def aged(at: int, row: dict[str, str]) -> None:
        row["age"], row["code"] = f"{30 + at * 7 % 40}.5", f"{at // 2}"

    aged_table = rewritten(table, "aged.csv", aged)
    call = ("audit", aged_table, "-d", tmp_path / "out", "--within", "age,code", *UNSEEN)
    assert cli(*call).code == 0
    found = verdicts(tmp_path / "out")
    assert found["within age band"] in ("excluded", "inconclusive")
    assert found["within code"] == "not assessed"


def test_a_column_of_within_must_be_there(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60)
    result = cli("audit", table, "-d", tmp_path / "out", "--within", "scaner")
    assert result.code == 2 and "'scaner' is absent or empty" in result.err


def test_models_with_different_labels_are_refused(cli: Cli, tmp_path: Path) -> None:
    table = predictions(tmp_path / "p.csv", number=60)
    rewritten(table, "a.csv", lambda at, row: row.update(model="a"))

    def other(at: int, row: dict[str, str]) -> None:
        row["model"], row["label"] = "b", "covid" if at < 9 else row["label"]

    rewritten(table, "b.csv", other)
    result = cli("audit", tmp_path / "a.csv", tmp_path / "b.csv", "-d", tmp_path / "out")
    assert result.code == 2 and "another label than another model's" in result.err


@pytest.mark.slow
def test_an_audit_that_is_killed_ends_the_same(tmp_path: Path, cxrtool: Run) -> None:
    """It is killed when some images are measured, and when some checks are finished."""
    files = {f"x/{n:03}.png": noise(n, 300) for n in range(80)}
    write(tmp_path, files)
    rows = [
        {"path": name, "label": ["normal", "covid"][n % 2], "patient": f"a/{n}"}
        for n, name in enumerate(files)
    ]
    write_table(tmp_path / "m.csv", rows)
    assert cxrtool("audit", "m.csv", "-d", "whole").returncode in (0, 1)
    marks = ("out/audit.json", "out/checks/attributes.json", "out/measurements.csv")
    for mark in marks:
        process = start(tmp_path, "audit", "m.csv", "-d", "out", start_new_session=True)
        wait_for((tmp_path / mark).exists)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    assert cxrtool("audit", "m.csv", "-d", "out").returncode in (0, 1)
    assert snapshot(tmp_path / "out") == snapshot(tmp_path / "whole")


def test_predictions_from_a_pipe_are_not_taken_for_a_manifest(cxrtool: Run, tmp_path: Path) -> None:
    """They would be left out of the audit without a word: a pipe cannot be looked into."""
    table = predictions(tmp_path / "p.csv", number=60).read_text()
    done = cxrtool("audit", "-d", "out", stdin=table)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "standard input: holds predictions" in done.stderr
    assert "(--predictions -)" in done.stderr
    (tmp_path / "m.csv").write_text("path,label\na.png,covid\n")
    done = cxrtool("audit", "m.csv", "-", "-d", "out", stdin=table)
    assert done.returncode == 2 and "write --predictions -." in done.stderr
    done = cxrtool("audit", "--predictions", "-", "-d", "out", *UNSEEN, stdin=table)
    assert done.returncode in (0, 1) and verdicts(tmp_path / "out")["broken"] == "excluded"


def test_a_table_that_is_not_there_is_no_second_manifest(cli: Cli, tmp_path: Path) -> None:
    manifest = tmp_path / "split.csv"
    manifest.write_text("path,label\na.png,covid\n")
    result = cli("audit", manifest, tmp_path / "predictons.csv", "-d", tmp_path / "out")
    assert result.code == 2
    assert "predictons.csv: no such file" in result.err
