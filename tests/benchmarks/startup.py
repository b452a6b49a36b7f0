"""What `cxrtool --help` costs beside a bare Typer program, and a manifest-only verb on 1,000 rows.

    python tests/benchmarks/startup.py

Targets: help at most 1.6 x the bare program in the same run; the verb under 0.5 s.
"""

import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

BARE = '''
import typer
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
@app.command()
def hello(name: str) -> None:
    """Say hello."""
    print(f"Hello {name}")
app()
'''
ROUNDS = 15


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        bare, rows = pathlib.Path(folder, "bare.py"), pathlib.Path(folder, "rows.csv")
        bare.write_text(BARE)
        lines = (f"{i}.png,{'ab'[i % 2]},p{i // 3}\n" for i in range(1000))
        rows.write_text("path,label,patient\n" + "".join(lines))
        commands = {
            "bare Typer --help": [sys.executable, str(bare), "--help"],
            "cxrtool --help": [sys.executable, "-m", "cxrtool", "--help"],
            "cxrtool split --help": [sys.executable, "-m", "cxrtool", "split", "--help"],
            "cxrtool split, 1,000 rows": [sys.executable, "-m", "cxrtool", "split", str(rows)],
        }
        # Taken in turn, so that a slow moment of the machine hits all alike.
        taken = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                taken[name].append(seconds(command))
    base = statistics.median(taken["bare Typer --help"])
    print(f"{'median of ' + str(ROUNDS):28} {'seconds':>8} {'ratio':>6}")
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"{name:28} {median:8.3f} {median / base:6.2f}")


if __name__ == "__main__":
    main()
