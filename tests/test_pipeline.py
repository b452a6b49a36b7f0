"""The commands together, as shells run them: pipes, closed pipes, full disks, signals."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

CXRTOOL = f"{sys.executable} -m cxrtool"
HEADER = "path,label,patient\n"


def sh(script, folder, **more):
    return subprocess.run(
        ["bash", "-c", f'set -o pipefail; cxrtool() {{ {CXRTOOL} "$@"; }}; {script}'],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=900,
        env={**os.environ, "HOME": str(folder), "XDG_CACHE_HOME": str(folder)},
        **more,
    )


@pytest.fixture
def big(tmp_path):
    rows = (f"{i}.png,{'ab'[i % 2]},p{i // 3}\n" for i in range(30_000))
    (tmp_path / "big.csv").write_text(HEADER + "".join(rows))
    return tmp_path


def test_a_chain_ends_in_a_clean_split(tmp_path):
    done = sh(
        "cxrtool phantom 60 -d ph --size 32 | cxrtool ingest - |"
        " cxrtool split --test 0.3 --val 0.2 | tee split.csv | cxrtool split --check",
        tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "finding,column,value,parts,rows\n"), done.stderr
    assert len((tmp_path / "split.csv").read_text().splitlines()) == 61


def test_a_closed_pipe_ends_a_command_silently_with_141(big):
    done = sh("cxrtool split -q big.csv | head -n 1; echo ${PIPESTATUS[0]}", big)
    assert done.stdout == "path,label,patient,split\n141\n"
    assert done.stderr == ""


@pytest.mark.parametrize("arguments", ["--help", "split --help", "--version", "ingest --list"])
def test_help_into_a_closed_pipe_is_silent(tmp_path, arguments):
    done = sh(f"cxrtool {arguments} | sleep 0; true", tmp_path)
    assert done.stderr == ""


@pytest.mark.skipif(not pathlib.Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", ["split -q big.csv", "--help", "ingest --list"])
def test_a_full_disk_is_no_success(big, arguments):
    done = sh(f"cxrtool {arguments} >/dev/full", big)
    assert done.returncode == 3
    assert "no space left on device. " in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_closed_standard_output_is_no_success(big):
    done = sh("cxrtool split -q big.csv >&-", big)
    assert done.returncode == 3
    assert (
        done.stderr == "cxrtool split: standard output is closed. Name an output file (--output).\n"
    )


def test_a_closed_standard_output_does_not_matter_where_nothing_goes_there(big):
    done = sh("cxrtool split -q big.csv -o out.csv >&-", big)
    assert (done.returncode, done.stderr) == (0, "")
    assert (big / "out.csv").read_text().startswith("path,label,patient,split\n")


@pytest.mark.parametrize(
    "script",
    [
        "cxrtool split -q big.csv -o >(cat > out.csv); wait $!",
        "cxrtool split -q big.csv -o /dev/stdout | cat > out.csv",
        "mkfifo named; cat named > out.csv & cxrtool split -q big.csv -o named; wait",
    ],
    ids=["a pipe of the shell", "/dev/stdout", "a named pipe"],
)
def test_an_output_may_be_a_pipe(big, script):
    done = sh(script, big)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len((big / "out.csv").read_text().splitlines()) == 30_001


def test_dev_stdout_is_standard_output(big):
    """As a file it would replace what is there already; closed, it would lose the table."""
    done = sh("echo before > out.txt; cxrtool split -q big.csv -o /dev/stdout >> out.txt", big)
    assert done.returncode == 0
    assert (big / "out.txt").read_text().startswith("before\npath,label,patient,split\n")
    done = sh("cxrtool split -q big.csv -o /dev/stdout >&-", big)
    assert (done.returncode, done.stdout) == (3, "") and "is closed" in done.stderr


def test_a_closed_standard_input_is_a_usage_error(tmp_path):
    done = sh("cxrtool split <&-", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("cxrtool split: no manifest. Name one, or pipe one in")


def test_a_closed_standard_error_changes_nothing(big):
    done = sh("cxrtool split big.csv 2>&- | wc -l", big)
    assert (done.returncode, done.stdout.strip()) == (0, "30001")


@pytest.mark.parametrize(
    ("sent", "code", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_a_signal_ends_a_run_with_its_code_and_nothing_half_done(tmp_path, sent, code, word):
    process = subprocess.Popen(
        [sys.executable, "-m", "cxrtool", "phantom", "5000", "-d", "ph", "-o", "ph.csv"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("ph/images/*.png"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(sent)
    _, errors = process.communicate(timeout=900)
    assert process.returncode == code
    assert errors == f"cxrtool phantom: {word}. Run it again to finish\n"
    assert not (tmp_path / "ph.csv").exists()
    assert not list(tmp_path.glob(".cxrtool-*.part"))


def test_a_fault_of_the_program_says_so_in_one_line(tmp_path, monkeypatch, capfd):
    from cxrtool.cli import app
    from cxrtool.data import split_check

    def broken(*_):
        raise KeyError("surprise")

    monkeypatch.setattr(split_check, "check", broken)
    monkeypatch.chdir(tmp_path)
    pathlib.Path("m.csv").write_text("path,label,patient,split\n1.png,covid,P1,train\n")
    assert app.run(["split", "--check", "m.csv"]) == 3
    error = capfd.readouterr().err
    assert "KeyError: 'surprise'. This is an error in cxrtool" in error
    assert error.count("\n") == 1
    # With -v, what a report needs: where it happened.
    assert app.run(["split", "--check", "m.csv", "-v"]) == 3
    lines = capfd.readouterr().err.splitlines()
    assert "cxrtool split: Traceback (most recent call last):" in lines
    assert any("in broken" in line for line in lines)
    assert all(line.startswith("cxrtool split: ") for line in lines)
    assert "KeyError: 'surprise'. This is an error in cxrtool" in lines[-1]


# Two tables of predictions are drawn, by a library that has files of its own.
DRAW = "cxrtool compare p.csv --plots plots --report page.html -o table.md -q"


@pytest.mark.slow
def test_files_are_written_where_they_were_asked_for_and_in_the_cache_alone(tmp_path):
    for name in ("work", "home", "temporary"):
        (tmp_path / name).mkdir()
    rows = "".join(f"{i}.png,{'ab'[i % 2]},p{i},0.{i},{1 - i / 10:.1f}\n" for i in range(1, 9))
    (tmp_path / "work" / "p.csv").write_text("path,label,patient,p_a,p_b\n" + rows)
    places = "unset XDG_CACHE_HOME MPLCONFIGDIR; export HOME=$PWD/../home TMPDIR=$PWD/../temporary"
    done = sh(f"{places}; {DRAW}", tmp_path / "work")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    made = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
    elsewhere = {p for p in made if not p.startswith(("work/", "home/.cache/cxrtool/"))}
    assert not elsewhere
    assert {p.name for p in (tmp_path / "work").iterdir()} == {
        *("p.csv", "page.html", "plots", "table.md")
    }
    # A home that cannot be written is no reason for another word on standard error.
    done = sh(f"{places}; export HOME=/dev/null/home; {DRAW}", tmp_path / "work")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_network_connection_is_opened(tmp_path):
    """Workers are reached through sockets of this machine, which have no host."""
    code = (
        "import sys\n"
        "def audit(event, arguments):\n"
        "    if event == 'socket.getaddrinfo' or (\n"
        "        event == 'socket.connect' and isinstance(arguments[1], tuple)\n"
        "    ):\n"
        "        raise SystemExit(f'network: {arguments}')\n"
        "sys.addaudithook(audit)\n"
        "from cxrtool.cli import app\n"
        "for command in ('phantom 12 -d ph --size 32 -q -o p.csv',\n"
        "                'ingest ph/images -q -o m.csv',\n"
        "                'split p.csv --test 0.5 --stratify none -q -o s.csv'):\n"
        "    assert app.run(command.split()) == 0, command\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=900
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.csv", "p.csv", "ph", "s.csv"]
