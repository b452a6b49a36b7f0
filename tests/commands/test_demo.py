"""`cxrtool demo`: its commands are commands, its story says what the figures say."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from handy import in_process, shell, write_table
from PIL import Image

from cxrtool.cli import app
from cxrtool.demo import chain, page

COMMANDS = [command for step in chain.steps() for command in step.commands]
Said = pytest.CaptureFixture[str]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_options_that_it_is_given(command: str) -> None:
    verb, *given = shlex.split(command)
    whole: Any = app.build()
    with whole.make_context("cxrtool", [verb]) as context:
        found = whole.get_command(context, verb)
        assert found.make_context(verb, given, parent=context)


def test_every_file_is_made_before_it_is_read() -> None:
    made: set[str] = set()
    for command in COMMANDS:
        _, *words = shlex.split(command)
        there = {word for word in words if word.endswith(".csv")}
        output = words[words.index("-o") + 1] if "-o" in words else ""
        assert there - {output} <= made, command
        made |= {output}


def test_the_dry_run_is_a_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = shell(tmp_path, "cxrtool demo -n -d 'a b' > demo.sh && sh -n demo.sh")
    assert done.returncode == 0 and done.stderr == ""
    text = Path("demo.sh").read_text()
    assert text.startswith("set -e\nmkdir -p 'a b'\ncd 'a b'\n")
    assert [c for c in COMMANDS if f"\ncxrtool {c}\n" not in text] == []
    assert not Path("a b").exists()
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", "-s", "sh", "demo.sh"], check=True)


def test_a_script_that_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    for closed in (">&-", ">/dev/full"):
        done = shell(tmp_path, f"cxrtool demo -n -d made {closed}")
        assert done.returncode in (2, 3) and done.stderr.count("\n") == 1
    assert not (tmp_path / "made").exists()


def test_a_command_that_fails_ends_it_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Said
) -> None:
    monkeypatch.chdir(tmp_path)
    failing = [chain.Step("One", "To see.", ["split nowhere.csv"])]
    monkeypatch.setattr(chain, "steps", lambda: failing)
    monkeypatch.setenv("CXRTOOL_CACHE", "kept")
    assert in_process("demo", "-d", "made") == 2
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "cxrtool demo: == Step 1 of 1, One: To see.",
        "cxrtool demo: $ cxrtool split nowhere.csv",
        "cxrtool split: nowhere.csv: no such file or directory. Check the path.",
    ]


def told(model: str, auc: float, group: str = "") -> dict[str, Any]:
    figures = {"value": auc, "low": auc / 2, "high": auc}
    names = ("auc", "sensitivity", "specificity")
    return {"model": model, "group": group, "n": 96, "metrics": dict.fromkeys(names, figures)}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """What the commands leave, as far as the story reads it."""
    inside = {"raw": 1.0, "lungs": 0.9, "background": 0.997}
    outside = {"raw": 0.6, "lungs": 0.88, "background": 0.61}
    for name, values in (("inside", inside), ("outside", outside)):
        rows = [told(model, auc) for model, auc in values.items()]
        (tmp_path / f"{name}.json").write_text(json.dumps(rows))
    by = [told(model, 0.7, hospital) for hospital in ("h-1", "h-2") for model in inside]
    (tmp_path / "by-hospital.json").write_text(json.dumps(by))
    probe = {"balanced_accuracy": 0.91, "chance": 0.33, "p": 0.005}
    for name in ("raw", "lungs"):
        stats = {"probes": {"source": probe, "label": probe | {"balanced_accuracy": 0.52}}}
        (tmp_path / f"{name}-tsne.json").write_text(json.dumps(stats))
        Image.new("L", (40, 30)).save(tmp_path / f"{name}-maps.png")
        shutil.copy(tmp_path / f"{name}-maps.png", tmp_path / f"{name}-tsne.svg")
        heat = [
            {"path": "a.png", "in_lung": "0.2", "lung_fraction": "0.3"},
            {"path": "b.png", "in_lung": "0.4", "lung_fraction": "0.3"},
            {"path": "c.png", "in_lung": "", "lung_fraction": "0.9"},
        ]
        write_table(tmp_path / f"{name}-maps.csv", heat)
    for end, check, verdict in (
        ("in", "within source", "not identifiable"),
        ("out", "independence", ""),
    ):
        rows = [{"check": f"{check} ({n})", "verdict": verdict, "value": 6.25} for n in inside]
        (tmp_path / f"audit-{end}side").mkdir()
        (tmp_path / f"audit-{end}side" / "audit.json").write_text(
            json.dumps({"overall": "inconclusive", "checks": rows})
        )
    return tmp_path


def test_the_story_says_what_the_figures_say(made: Path) -> None:
    text = Path(page.write(str(made))).read_text()
    for expected in (
        "Its AUC is 0.997",
        "the AUC falls from 1.000 to 0.600",
        "the AUC stays at 0.880",
        "hospital 0.910 (chance 0.330), disease 0.520 (chance 0.330)",
        "30 % of the heat lies in the lungs, which are 30 % of the image (the mean of 2 new images",
        "not a medical device",
        "<td>not identifiable</td>",
        "6.250",
        "The verdict on the new patients is <code>inconclusive</code>, and does not contradict ",
    ):
        assert expected in text, expected
    assert "<b>Table 2.</b> Area under the ROC curve" in text, "the table that it is about"
    assert "imagenet" not in text, "its weights are a download"


# Some minutes on two idle cores, far longer on a busy machine: the limit only ends what hangs.
LONGEST = 3600


@pytest.mark.slow
def test_the_whole_demonstration(tmp_path: Path) -> None:
    """A network that never sees a lung does as well inside as any, and new patients tell."""
    done = shell(tmp_path, "cxrtool demo -d made", LONGEST)
    assert done.returncode == 0, done.stderr
    page = Path(done.stdout.strip())
    assert page == tmp_path / "made" / "index.html" and "data:image" in page.read_text()
    inside, outside = (
        {
            t["model"]: t["metrics"]["auc"]["value"]
            for t in json.loads((page.parent / n).read_text())
        }
        for n in ("inside.json", "outside.json")
    )
    assert min(inside.values()) > 0.95
    assert outside["lungs"] > 0.9 > 0.75 > max(outside["raw"], outside["background"])
    checks = {
        row["check"]: row
        for end in ("inside", "outside")
        for row in json.loads((page.parent / f"audit-{end}" / "audit.json").read_text())["checks"]
        if row["check"].startswith("within source" if end == "inside" else "independence")
    }
    assert checks["within source (lungs)"]["verdict"] == "not identifiable"
    assert checks["independence (lungs)"]["value"] < 1 < checks["independence (raw)"]["value"]
    again = shell(tmp_path, "cxrtool demo -d made", LONGEST)
    assert again.returncode == 0 and "continues after epoch" in again.stderr
