"""The planted mark: it is drawn in its corner, and is found where there is nothing else."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cxrtool.audit import runner
from cxrtool.audit.case import Case, ImageRows
from cxrtool.audit.checks import spike_in
from cxrtool.files import image, image_facts
from cxrtool.files.text_columns import Coded
from cxrtool.images import bystanders


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 180), (1024, 900)])
def test_the_mark_is_brighter_and_in_its_corner(size: tuple[int, int]) -> None:
    grey = np.full(size, 80, np.uint8)
    marked = spike_in.mark(grey)
    changed = np.argwhere(marked != grey)
    assert marked.shape == size and marked.dtype == np.uint8
    assert (marked >= grey).all() and (grey == 80).all()
    assert len(changed) == 0 or (changed.max(axis=0) < 0.2 * np.array(size) + 3).all()


def test_a_mark_in_all_images_of_a_class_is_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    number = 60
    values = np.zeros((number, len(bystanders.NAMES)))
    for k in range(number):
        smooth = np.cumsum(rng.normal(size=(96, 96)), axis=1) * 3 + 100
        Image.fromarray(np.clip(smooth, 0, 255).astype(np.uint8)).save(tmp_path / f"{k}.png")
        encoded = image.load(tmp_path / f"{k}.png")
        values[k] = bystanders.measure(image.decode(encoded).grey, image_facts.facts(encoded))
    images = ImageRows(
        lambda row: f"{row}.png",
        np.arange(number) % 2,
        np.arange(number),
        {},
        {"source": Coded(["A"], np.zeros(number, np.int64))},
        np.ones(number, bool),
    )
    case = Case(images, [], "ill", ["well"], root=str(tmp_path), measured=lambda: values)
    case, _ = runner.plan(case, ["bystanders", "spike-in"], [])
    (row,) = runner.assess("spike-in", case)
    assert row.value <= 1 and "would have been shown" in row.meaning
    aucs = [cells[1][0] for cells in row.blocks[0]["rows"]]
    assert aucs == sorted(aucs) or aucs[-1] > 0.9
    values[:, bystanders.NAMES.index("text_count")] += 5 * images.positive
    (before,) = runner.assess("spike-in", case)
    assert before.verdict == "not assessed" and "already" in before.meaning
    values[:, bystanders.NAMES.index("text_count")] -= 5 * images.positive
    (tmp_path / "0.png").unlink()
    (again,) = runner.assess("spike-in", case)
    assert again.patients == number - 1
