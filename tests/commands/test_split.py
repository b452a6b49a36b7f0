"""cxrtool split, run as users run it: output, exit codes, pipes, messages word for word."""

import csv
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Command

SPLIT = [sys.executable, "-m", "cxrtool", "split"]


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """Sixty patients of one to three images, two labels, two sources."""
    lines = ["path,label,patient,source,sha256,dup_group,note"]
    for i in range(60):
        for k in range(1 + i % 3):
            label, source = ("covid", "normal")[i % 2], ("a", "b")[i // 2 % 2]
            note = '"with ""quotes"", and a comma"' if i == 7 else "007"
            lines.append(f"{i}-{k}.png,{label},{source}/{i},{source},{i:032x}{k:032x},,{note}")
    file = tmp_path / "m.csv"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """More rows than any pipe holds."""
    file = tmp_path / "big.csv"
    lines = (f"images/{i}.png,{'ab'[i % 2]},p{i // 3}" for i in range(60_000))
    file.write_text("path,label,patient\n" + "\n".join(lines) + "\n")
    return file


def test_hold_out(cxrtool: "Command", manifest: Path) -> None:
    done = cxrtool("split", manifest, "--test", "0.3", "--val", "0.2")
    assert done.returncode == 0
    assert done.stderr == (
        "cxrtool split: train: 60 rows of 30 patients: covid 30, normal 30\n"
        "cxrtool split: val: 24 rows of 12 patients: covid 12, normal 12\n"
        "cxrtool split: test: 36 rows of 18 patients: covid 18, normal 18\n"
    )
    # Everything but the new cell is as it was, byte for byte.
    lines = done.stdout.splitlines()
    assert lines[0].endswith(",note,split")
    assert [line.rpartition(",")[0] for line in lines] == manifest.read_text().splitlines()


def test_the_default_is_a_fifth_and_a_tenth(cxrtool: "Command", manifest: Path) -> None:
    done = cxrtool("split", stdin=manifest.read_bytes())
    counts = Counter(r["split"] for r in rows(done.stdout))
    assert counts == {"train": 84, "val": 12, "test": 24}


def test_seeds(cxrtool: "Command", manifest: Path) -> None:
    texts = [cxrtool("split", manifest, "--seed", seed).stdout for seed in (0, 0, 1, 10**80)]
    assert texts[0] == texts[1]
    assert len({*texts}) == 3


def test_folds_and_an_unseen_part(cxrtool: "Command", manifest: Path) -> None:
    done = cxrtool("split", manifest, "--folds", 4, "--unseen", "1/5")
    assert done.returncode == 0
    counts = Counter((r["split"], r["fold"]) for r in rows(done.stdout))
    assert {*counts} == {("train", "1234"[k]) for k in range(4)} | {("unseen", "")}
    assert {*counts.values()} == {24}


def test_splitting_again_leaves_nothing_of_the_old_split(
    cxrtool: "Command", manifest: Path
) -> None:
    folds = cxrtool("split", manifest, "--folds", 3).stdout
    again = cxrtool("split", stdin=folds)
    assert {r["fold"] for r in rows(again.stdout)} == {""}
    plain = cxrtool("split", manifest)
    assert [r["split"] for r in rows(again.stdout)] == [r["split"] for r in rows(plain.stdout)]
    assert again.stdout.splitlines()[0].endswith(",note,split,fold")
    judged = cxrtool("split", "--check", stdin=again.stdout)
    assert judged.returncode == 0


def test_leave_one_source_out(cxrtool: "Command", manifest: Path) -> None:
    done = cxrtool("split", manifest, "--leave-out", "source")
    assert {(r["source"], r["fold"]) for r in rows(done.stdout)} == {("a", "1"), ("b", "2")}
    assert "cxrtool split: fold 1 (a): 60 rows of 30 patients: covid 30, normal 30\n" in done.stderr
    judged = cxrtool("split", "--check", "-", stdin=done.stdout)
    assert (judged.returncode, judged.stdout) == (0, "finding,column,value,parts,rows\n")


def test_an_external_test(cxrtool: "Command", manifest: Path) -> None:
    done = cxrtool("split", manifest, "--test-where", "source=b", "--val", 0.2, "--cap", "label=9")
    counts = Counter((r["source"], r["split"], r["label"]) for r in rows(done.stdout))
    assert counts["b", "test", "covid"] == 30
    assert {key[:2] for key in counts} == {("a", "train"), ("a", "val"), ("b", "test")}
    assert sum(n for (source, *_), n in counts.items() if source == "a") == 18
    assert "cxrtool split: left out 42: over the cap of 9 for label\n" in done.stderr


def test_patients_on_both_sides_of_an_external_test(cxrtool: "Command", tmp_path: Path) -> None:
    text = "path,patient,source\n" + "".join(f"{i}.png,p{i % 9},{'ab'[i > 9]}\n" for i in range(14))
    done = cxrtool("split", "--test-where", "source=b", stdin=text)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "cxrtool split: standard input: 4 patients or duplicate groups have images on both "
        "sides (such as p1). Drop these rows (--straddle drop).\n"
    )
    done = cxrtool(
        "split", "--test-where", "source=b", "--straddle", "drop", "-o", "s.csv", stdin=text
    )
    assert done.returncode == 0
    assert Counter(r["split"] for r in rows((tmp_path / "s.csv").read_text())) == {
        "train": 6,
        "test": 4,
    }
    # Rows in are rows out and rows reported.
    left = rows((tmp_path / "failures.csv").read_text())
    assert len(left) == 4
    assert {r["reason"] for r in left} == {"would leak into the test"}


def test_the_papers_split_says_what_it_leaks(cxrtool: "Command", manifest: Path) -> None:
    done = cxrtool("split", manifest, "--paper", "image")
    parts: dict[str, set[str]] = {}
    for r in rows(done.stdout):
        parts.setdefault(r["patient"], set()).add(r["split"])
    torn = {p for p, there in parts.items() if len(there) > 1}
    images = sum(r["patient"] in torn for r in rows(done.stdout))
    assert torn
    assert done.stderr.endswith(
        f"cxrtool split: warning: {len(torn)} patients are in more than one part "
        f"({images} images leak)\n"
    )
    judged = cxrtool("split", "--check", stdin=done.stdout)
    assert judged.returncode == 1
    found = rows(judged.stdout)
    assert {f["value"] for f in found if f["finding"] == "patient in several parts"} == torn


def test_no_group_warns_of_the_patients_that_leak(cxrtool: "Command", manifest: Path) -> None:
    done = cxrtool("split", manifest, "--group", "none")
    assert done.returncode == 0
    assert "patients are in more than one part" in done.stderr
    assert "have no patient" not in done.stderr


def test_a_manifest_without_patients(cxrtool: "Command") -> None:
    text = "path\n" + "".join(f"{i}.png\n" for i in range(10))
    done = cxrtool("split", stdin=text)
    assert done.stderr == (
        "cxrtool split: standard input: no column 'patient' among: path. "
        "Group by another column, or by none to divide image by image (--group).\n"
    )
    for options in (("--group", "none"), ("--paper", "image")):
        done = cxrtool("split", *options, stdin=text)
        assert done.returncode == 0
        assert done.stderr == (
            "cxrtool split: train: 7 rows\n"
            "cxrtool split: val: 1 rows\n"
            "cxrtool split: test: 2 rows\n"
        )


def test_patients_that_are_unknown(cxrtool: "Command") -> None:
    text = "path,patient\n" + "".join(f"{i}.png,\n" for i in range(10))
    done = cxrtool("split", stdin=text)
    assert done.returncode == 0
    assert done.stderr.endswith(
        "warning: 10 rows have no patient: each counts as a patient of its own\n"
    )
    assert " rows of unknown patients" in done.stderr and " 0 patients" not in done.stderr


def test_where_chooses_rows(cxrtool: "Command", manifest: Path) -> None:
    done = cxrtool("split", manifest, "--where", "source=a", "--where", "label!=covid")
    assert {(r["source"], r["label"]) for r in rows(done.stdout)} == {("a", "normal")}
    assert "warning: label is 'normal' in every row" in done.stderr


def test_dry_run_says_and_writes_nothing(
    cxrtool: "Command", manifest: Path, tmp_path: Path
) -> None:
    done = cxrtool("split", manifest, "-n", "-o", "out.csv")
    assert (done.returncode, done.stdout) == (0, "")
    assert "train: 84 rows" in done.stderr
    (tmp_path / "s.csv").write_text("path,split\na,dev\n")
    done = cxrtool("split", "--check", "s.csv", "-n", "-o", "out.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert not (tmp_path / "out.csv").exists()


def test_not_in_place(cxrtool: "Command", manifest: Path) -> None:
    before = manifest.read_text()
    done = cxrtool("split", "-o", "m.csv", stdin=before, cwd=manifest.parent)
    assert done.returncode == 0, "a pipe is not the file"
    manifest.write_text(before)
    assert cxrtool("split", manifest, "-o", manifest).returncode == 2
    assert manifest.read_text() == before
    assert sorted(p.name for p in manifest.parent.iterdir()) == ["m.csv"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--test", "2"], "--test '2' is not between 0 and 1. If it means 2 %, write 0.02."),
        (["--test", "nan"], "--test 'nan' is not between 0 and 1. Write it as 0.2 or 1/11."),
        (
            ["--test", "0.6", "--val", "0.4"],
            "nothing is left to train on. Choose smaller shares (--test, --val).",
        ),
        (["--cap", "label=x"], "--cap label: 'x' is not a whole number above 0. Change it."),
        (
            ["--stratify", "labl"],
            "m.csv: no column 'labl' among: path, label, patient, source, sha256, dup_group, "
            "note. Did you mean 'label'?",
        ),
        (
            ["--where", "source=c"],
            "m.csv: no row fulfils source=c. The values of source are: 'a' (60), 'b' (60).",
        ),
        (
            ["--folds", "31"],
            "m.csv: label 'covid' has 30 patients, too few for 31 parts. Leave it out "
            "(label!=covid), merge classes in ingest, or do not stratify (--where, --stratify).",
        ),
        (
            ["--where", "label=covid", "--stratify", "label"],
            "m.csv: label is 'covid' in every row: one class only. "
            "Join another source, or do not stratify (--stratify).",
        ),
        (
            ["--test", "1e-9", "--stratify", "none", "--leave-out", "source"],
            "one fold for each source leaves no room for other parts. "
            "Choose one of these (--leave-out, --test).",
        ),
        (["-o", "nowhere/s.csv"], None),
        (["-o", "."], None),
    ],
)
def test_what_cannot_be_done_is_one_line(
    cxrtool: "Command", manifest: Path, options: list[str], message: str | None
) -> None:
    done = cxrtool("split", "m.csv", *options)
    assert (done.returncode, done.stdout) == (2, "")
    said = [line for line in done.stderr.splitlines() if " rows of " not in line]
    assert len(said) == 1
    if message is not None:
        assert said == [f"cxrtool split: {message}"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty, without even a header. "),
        (b"path,label,patient\n", "no rows after the header. Check how it was created."),
        (b"path,patient\na,p\nb\n", "row 3: 1 cells where the header has 2. Complete the row."),
        (b"path,patient\na,\0\n", "row 2: it holds a NUL byte. Save it again as CSV, UTF-8."),
        (
            "path,patient\na,p\n".encode("utf-16"),
            "row 1: it is UTF-16. Save it again as CSV, UTF-8.",
        ),
        (
            b"path;patient\na;p\n",
            "row 1: its cells are separated by semicolons. Save it with commas (CSV UTF-8).",
        ),
        (b"path,patient\na,p\n", "1 patient cannot fill 3 parts. Ask for fewer parts."),
    ],
)
@pytest.mark.parametrize("piped", [False, True])
def test_a_bad_manifest_is_one_line(
    cxrtool: "Command", tmp_path: Path, content: bytes, message: str, piped: bool
) -> None:
    (tmp_path / "m.csv").write_bytes(content)
    done = cxrtool("split", "-" if piped else "m.csv", stdin=content)
    name = "standard input" if piped else "m.csv"
    assert (done.returncode, done.stdout) == (2, "")
    if not content:
        pipe = "Name a file, or check the command that writes into the pipe."
        message += pipe if piped else "Check how it was created."
    assert done.stderr == f"cxrtool split: {name}: {message}\n"


def test_what_is_no_file(cxrtool: "Command", tmp_path: Path) -> None:
    for name, message in (
        ("none.csv", "none.csv: no such file or directory. Check the path."),
        (
            ".",
            ".: is a folder, not a table. Make a manifest of it first: "
            "cxrtool ingest FOLDER -o FILE.csv",
        ),
        ("/dev/null", "/dev/null: empty, without even a header. Check how it was created."),
    ):
        done = cxrtool("split", name)
        assert (done.returncode, done.stderr) == (2, f"cxrtool split: {message}\n")


def test_a_fifo_is_read_once(cxrtool: "Command", manifest: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(manifest.read_bytes(),))
    writer.start()
    done = cxrtool("split", fifo)
    writer.join()
    assert done.stdout == cxrtool("split", manifest).stdout


def shell(script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = f'split() {{ "{sys.executable}" -m cxrtool split "$@"; }}\n{script}'
    return subprocess.run(
        ["bash", "-c", command], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_closed_pipe_ends_it_silently(big: Path) -> None:
    done = shell("split big.csv -q | head -1; exit ${PIPESTATUS[0]}", big.parent)
    assert (done.returncode, done.stdout) == (141, "path,label,patient,split\n")
    assert done.stderr == ""


def test_a_lost_output_is_no_success(manifest: Path) -> None:
    done = shell("split m.csv -q > /dev/full", manifest.parent)
    assert done.returncode == 3
    assert done.stderr == (
        "cxrtool split: standard output: no space left on device. "
        "Free some space, then run it again.\n"
    )
    done = shell("split m.csv -q >&-", manifest.parent)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    done = shell("split <&-", manifest.parent)
    assert done.returncode == 2
    assert done.stderr.startswith("cxrtool split: no manifest.")


def test_joined_manifests(manifest: Path) -> None:
    # `cat` brings the second header along.
    done = shell(
        "sed s,/,/x,g m.csv > n.csv; cat m.csv n.csv | split -q | tail -n +2 | wc -l",
        manifest.parent,
    )
    assert done.stdout.strip() == "240"


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_leave_nothing_half_done(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    process = subprocess.Popen(
        [*SPLIT, "-", "-o", "out.csv"], cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin and process.stderr
    process.stdin.write(b"path,patient\n")
    process.stdin.flush()
    time.sleep(1)
    process.send_signal(sent)
    said = process.stderr.read()
    process.stdin.close()
    process.stderr.close()
    assert process.wait(timeout=30) == code
    assert said.count(b"\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_split_follows_the_pictures_not_where_they_lie(
    cxrtool: "Command", tmp_path: Path
) -> None:
    for name, folder in (("here", "x"), ("there", "/far/away/x")):
        rows = (f"{folder}/{i}.png,{'ab'[i % 2]},{i:064x}\n" for i in range(40))
        (tmp_path / f"{name}.csv").write_text("path,label,sha256\n" + "".join(rows))
    for options in (("--group", "none"), ("--paper", "image")):
        parts = [
            [
                line.rpartition(",")[2]
                for line in cxrtool("split", f"{n}.csv", *options).stdout.split()
            ]
            for n in ("here", "there")
        ]
        assert parts[0] == parts[1] and len(set(parts[0])) == 4


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--val", "0.2", "--test", "0.2"), ("--folds", "5")])
def test_a_million_rows_fit_in_a_gibibyte(tmp_path: Path, options: tuple[str, ...]) -> None:
    file, out = tmp_path / "big.csv", tmp_path / "out.csv"
    with file.open("w") as stream:
        stream.write("path,label,patient,source,view,sha256\n")
        for i in range(1_000_000):
            patient, label = f"site/patient-{i // 2:07d}", ("covid", "normal")[i // 2 * 31 % 2]
            stream.write(f"images/{patient}/image-{i}.png,{label},{patient},ab,PA,{i:064x}\n")
    words = [*SPLIT, str(file), *options, "--stratify", "label,source", "-o", str(out), "-q"]
    process = subprocess.Popen(words)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert usage.ru_maxrss < 1 << 20, f"{usage.ru_maxrss >> 10} MiB"
    with out.open() as stream:
        assert sum(1 for _ in stream) == 1_000_001
