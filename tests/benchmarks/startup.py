"""What a command costs before it does anything: beside a bare Typer program, and beside torch.

    python tests/benchmarks/startup.py

Processor time, which other work on the machine changes little. Goals: `cxrtool --help` at most 1.3
x the bare program, `cxrtool VERB --help` at most 2 x; `evaluate` of one image at most 1.15 x
`import torch` (ResNet-18 also imports torchvision).
"""

import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

BARE = '''
import typer
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
@app.command()
def hello(name: str) -> None:
    """Say hello."""
    print(f"Hello {name}")
app()
'''
ROUNDS = 11
CXRTOOL = [sys.executable, "-m", "cxrtool"]


def seconds(command: list[str]) -> float:
    """Return the processor time of a process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def runs(folder: pathlib.Path) -> dict[str, list[str]]:
    """Train two small runs; return commands that predict one image."""
    phantoms = ["phantom", "30", "--size", "48", "-d", f"{folder}/p", "-o", f"{folder}/p.csv"]
    split = ["split", f"{folder}/p.csv", "--test", "0.3", "--val", "0.3", "-o", f"{folder}/s.csv"]
    subprocess.run([*CXRTOOL, *phantoms, "-q"], check=True)
    subprocess.run([*CXRTOOL, *split, "-q"], check=True)
    image = next((folder / "p" / "images").iterdir())
    commands = {}
    for arch in ("conv8", "resnet18"):
        run = f"{folder}/{arch}"
        train = ["train", f"{folder}/s.csv", "--arch", arch, "--size", "48", "--epochs", "1"]
        subprocess.run([*CXRTOOL, *train, "-d", run, "-q"], check=True)
        evaluate = [*CXRTOOL, "evaluate", run, str(image), "-o", f"{folder}/e.csv", "-q"]
        commands[f"evaluate, {arch}, one image"] = evaluate
    return commands


def table(title: str, commands: dict[str, list[str]]) -> None:
    """Print the medians, and their ratios to the first command's."""
    # Taken in turn, so that a slow moment of the machine hits all alike.
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, command in commands.items():
            taken[name].append(seconds(command))
    base = statistics.median(next(iter(taken.values())))
    print(f"{title:32} {'seconds':>8} {'ratio':>6}")
    for name, times in taken.items():
        median = statistics.median(times)
        print(f"{name:32} {median:8.3f} {median / base:6.2f}")


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        bare, rows = folder / "bare.py", folder / "rows.csv"
        bare.write_text(BARE)
        lines = (f"{i}.png,{'ab'[i % 2]},p{i // 3}\n" for i in range(1000))
        rows.write_text("path,label,patient\n" + "".join(lines))
        without = {
            "bare Typer --help": [sys.executable, str(bare), "--help"],
            "cxrtool --help": [*CXRTOOL, "--help"],
            "cxrtool split --help": [*CXRTOOL, "split", "--help"],
            "cxrtool train --help": [*CXRTOOL, "train", "--help"],
            "cxrtool split, 1,000 rows": [*CXRTOOL, "split", str(rows)],
        }
        table(f"median of {ROUNDS}, processor time", without)
        torch = {"import torch": [sys.executable, "-c", "import torch"]}
        table("", torch | runs(folder))


if __name__ == "__main__":
    main()
