"""Phantoms of several findings, and their training: a small network, few epochs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from handy import Row, in_process, options, write_table
from PIL import Image

NAMES = ["Edema", "Hernia", "Mass"]
CENTRES = {"Edema": (10, 12), "Hernia": (20, 36), "Mass": (30, 12)}
SMALL = ["--arch", "conv8", "--size", "32", "--batch", "8", "--lr", "0.02", "--device", "cpu"]


def discs(count: int = 24) -> list[Row]:
    """Draw up to three discs, each the sign of a finding, and list them as collections do."""
    y, x = np.mgrid[:48, :40]
    rows = []
    for number in range(count):
        there = [name for k, name in enumerate(NAMES) if (number * 5 + number // 8) >> k & 1]
        grey = np.random.default_rng(number).integers(0, 40, (48, 40), np.uint8)
        for name in there:
            across, down = CENTRES[name]
            grey[np.hypot(x - across, y - down) < 8] = 220
        Image.fromarray(grey).save(f"{number}.png")
        part = ("train", "train", "val", "test")[number // 3 % 4]
        listed = "|".join(there) or ("No Finding", "normal")[number % 2]
        row = {"path": f"{number}.png", "label": "x", "patient": str(number), "source": "s"}
        rows.append(row | {"finding": listed, "split": part})
    write_table(Path("m.csv"), rows)
    return rows


def train(*given: object, epochs: int = 1, folder: str = "r") -> int:
    fixed = ["--task", "findings", *SMALL, "-j", "1", "--epochs", epochs, "-d", folder]
    return in_process("train", "m.csv", *options(fixed, given))
