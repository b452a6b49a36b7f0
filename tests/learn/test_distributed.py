"""Two real processes learn and predict what one does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from handy import Run, rows_of, write_table
from safetensors.torch import load_file

from cxrtool.learn import distributed

SCRIPT = """
import copy, torch
from torch import nn
from cxrtool.learn import distributed

def network():
    torch.manual_seed(1)
    norms = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 3, 3), nn.BatchNorm2d(3)
    return nn.Sequential(*norms, nn.Flatten(), nn.Linear(3 * 16, 2)).double()

torch.manual_seed(0)
images, labels = torch.randn(13, 1, 8, 8).double(), torch.randint(0, 2, (13,))
alone = network()
nn.functional.cross_entropy(alone(images), labels).backward()
here = distributed.begin(torch.device("cpu"))
own = network()
joined, part = distributed.joined(own, here), distributed.part(13)
lost = nn.functional.cross_entropy(joined(images[part]), labels[part], reduction="sum")
(lost * distributed.processes() / 13).backward()
for one, other in zip(alone.parameters(), own.parameters(), strict=True):
    torch.testing.assert_close(one.grad, other.grad, rtol=1e-9, atol=1e-12)
for one, other in zip(alone.buffers(), own.buffers(), strict=True):
    torch.testing.assert_close(one, other)
total = distributed.summed(torch.tensor(float(distributed.rank() + 1)))
assert total == sum(range(1, distributed.processes() + 1))
rows = distributed.interleaved(torch.arange(13.0)[part, None].numpy(), 13)
assert rows[:, 0].tolist() == list(range(13))
distributed.end()
print("equal")
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def together(number: int, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as torchrun does."""
    launch = ["-m", "torch.distributed.run", f"--nproc-per-node={number}"]
    port = f"--master-port={free_port()}"
    return subprocess.run(
        [sys.executable, *launch, port, *command],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("number", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_gradients_and_norms_are_those_of_the_whole_batch(number: int, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = together(number, str(script), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    # They may write onto one line.
    assert done.stdout.count("equal") == number


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        (4, [(0, "nccl"), (1, "nccl"), (2, "nccl"), (3, "nccl")]),
        # More processes than cards: NCCL would refuse the second one on a card.
        (1, [(0, "gloo")] * 4),
        (2, [(0, "gloo"), (1, "gloo"), (0, "gloo"), (1, "gloo")]),
    ],
)
def test_more_processes_than_cards_share_them(
    cards: int, expected: list[tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    found = []
    for number in range(4):
        monkeypatch.setenv("LOCAL_RANK", str(number))
        found.append(distributed.own_card(cards))
    assert found == expected


@pytest.mark.slow
@pytest.mark.parametrize(("task", "score"), [("classify", "p_covid"), ("findings", "p_present")])
def test_train_and_evaluate_by_two(task: str, score: str, cxrtool: Run, tmp_path: Path) -> None:
    cxrtool("phantom", 40, "--size", 32, "--labels", "normal,covid", "-d", "in", "-o", "all.csv")
    cxrtool("split", "all.csv", "--test", "0.2", "--val", "0.2", "-o", "split.csv")
    rows, lists = rows_of(tmp_path / "split.csv"), ("No Finding", "a", "a|b", "b|c", "c")
    named = [row | {"finding": lists[number % 5]} for number, row in enumerate(rows)]
    write_table(tmp_path / "split.csv", named)
    for number in (1, 2):
        options = [
            "--task",
            task,
            "--arch",
            "conv8",
            "--size",
            "32",
            "--batch",
            "7",
            "--augment",
            "rotate=5",
        ]
        options += ["--epochs", "1", "--optimizer", "sgd", "--lr", "0.001", "--cache", "cache"]
        command = ["-m", "cxrtool", "train", "split.csv", "-d", f"r{number}", *options]
        done = together(number, *command, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert (
            sum(line.startswith("cxrtool train: epoch") for line in done.stderr.splitlines()) == 1
        )
        evaluate = ["-m", "cxrtool", "evaluate", "r1", "split.csv", "--cache", "cache"]
        done = together(number, *evaluate, "-o", f"p{number}.csv", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    one, two = (load_file(tmp_path / f"r{n}" / "model.safetensors") for n in (1, 2))
    for name, value in one.items():
        np.testing.assert_allclose(value, two[name], atol=1e-4, rtol=1e-3, err_msg=name)
    first, second = (rows_of(tmp_path / f"p{n}.csv") for n in (1, 2))
    assert [r["path"] for r in first] == [r["path"] for r in second]
    for a, b in zip(first, second, strict=True):
        assert float(a[score]) == pytest.approx(float(b[score]), abs=1e-6)
