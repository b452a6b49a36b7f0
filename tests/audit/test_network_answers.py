"""Batches of changed images that a network is asked about: the same here and on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from audit_cases import coded, make_case
from cluster import in_this_process
from handy import noise, pixels, write
from PIL import Image

from cxrtool.audit import audited_run
from cxrtool.audit.audited_run import AuditedRun
from cxrtool.audit.case import Case
from cxrtool.audit.changed_images import KINDS, Changed, Place
from cxrtool.audit.network_features import IMAGENET, RANDOM, RUN
from cxrtool.audit.run_predictions import RunWork
from cxrtool.core import worker_pool
from cxrtool.core.errors import CxrtoolError, Skip
from cxrtool.core.parallel import Crew
from cxrtool.files import run_folder, run_record
from cxrtool.learn import inference
from cxrtool.learn.inference import Model
from cxrtool.learn.prediction import PredictionSettings

SIZE, IMAGES = 32, 30
MASK = "lungs.png"


class Listed:
    """Stands for the failures of a command."""

    def __init__(self) -> None:
        self.skips: list[Skip] = []

    def add(self, skip: Skip) -> None:
        self.skips.append(skip)


def killing(path: str = "") -> Callable[[Any], bool]:
    """Return whether a worker would read the image that ends its process."""

    def kills(item: Any) -> bool:
        places = [item] if isinstance(item, Place) else item.images
        lost = getattr(item, "lost", {})
        return any(place.path == path for n, place in enumerate(places) if n not in lost)

    return kills


@pytest.fixture
def case(tmp_path: Path) -> Case:
    """Make images on the disk, all of them with a mask."""
    made = make_case(IMAGES)
    write(tmp_path, {f"{k}.png": noise(k, SIZE) for k in range(IMAGES)})
    lungs = np.zeros((SIZE, SIZE), np.uint8)
    lungs[8:24, 4:14] = lungs[8:24, 18:28] = 255
    Image.fromarray(lungs).save(tmp_path / MASK)
    made.images.columns["mask"] = coded([MASK] * IMAGES)
    return replace(made, root=str(tmp_path))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditedRun:
    """Make a run with fresh weights; few images go together."""
    monkeypatch.setattr(audited_run, "BATCH", 4)
    # Workers that are to find lungs import PyTorch for seconds; here every image has its mask.
    monkeypatch.setattr(worker_pool, "each", lambda work, items, *_: (work(one) for one in items))
    folder = tmp_path / "net"
    folder.mkdir()
    torch.manual_seed(1)
    network = inference.built("cnn-x", 2, 1, SIZE)
    about = run_record.About(
        "cnn-x", ["normal", "covid"], SIZE, 1, mean=[120.0], std=[50.0], seed=5
    )
    run_folder.write(str(folder), about, network.state_dict())
    skipped: Any = Listed()
    return AuditedRun(
        RunWork(str(folder), "", [], "", PredictionSettings(), "cpu", skipped, "never")
    )


def there(run: AuditedRun) -> AuditedRun:
    """Return the run on the workers of a cluster."""
    skipped: Any = Listed()
    work = run.work.there(Crew(1, "tcp://localhost:1"))
    return AuditedRun(replace(work, skipped=skipped))


def skips(run: AuditedRun) -> list[Skip]:
    listed: Any = run.work.skipped
    result: list[Skip] = listed.skips
    return result


def plain(model: Model, changed: Sequence[Changed]) -> list[Any]:
    """Return the images themselves: asked in place of a network."""
    return [one.versions[0] for one in changed]


@pytest.mark.parametrize("remote", [False, True])
def test_a_batch_is_of_images_that_follow_each_other_without_the_unreadable(
    remote: bool, run: AuditedRun, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_this_process(monkeypatch, killing())
    run = there(run) if remote else run
    sample = run.sample(case, IMAGES).tolist()
    assert len(sample) == IMAGES
    # All of the third batch; the last one is of two images.
    bad = [2, 5, 8, 9, 10, 11, 29]
    for number in bad:
        (tmp_path / f"{sample[number]}.png").unlink()
    expected = [
        [sample[k] for k in range(start, min(start + 4, IMAGES)) if k not in bad]
        for start in range(0, IMAGES, 4)
    ]
    found = list(run.asked(case, "plain", IMAGES, plain))
    assert [rows for rows, _ in found] == [rows for rows in expected if rows]
    for rows, values in found:
        for row, value in zip(rows, values, strict=True):
            np.testing.assert_array_equal(value[0], pixels(tmp_path / f"{row}.png"))
    assert [skip.path for skip in skips(run)] == [f"{sample[number]}.png" for number in bad]


def test_no_image_no_answer(run: AuditedRun, case: Case) -> None:
    nothing = run.predicted(case, "ablation", 0)
    assert nothing.logits.shape == (0, len(KINDS["ablation"].names)) and not len(nothing.rows)
    heat = run.heat(case, 0)
    assert len(heat.rows) == len(heat.trained) == len(heat.alike) == 0


@pytest.mark.parametrize("kind", ["markers", "ablation"])
def test_log_odds_are_those_of_each_version(kind: str, run: AuditedRun, case: Case) -> None:
    found = run.predicted(case, kind, 6)
    assert found.rows.tolist() == run.sample(case, 6).tolist()
    changed = [one for _, some in run.asked(case, kind, 6, whole) for one in some]
    for row, one in zip(found.logits, changed, strict=True):
        p = run.model.log_probabilities(torch.from_numpy(one)).exp().double().numpy()
        np.testing.assert_allclose(row, np.log(p[:, 1] / p[:, 0]), atol=1e-4)


def whole(model: Model, changed: Sequence[Changed]) -> list[Any]:
    return [one.versions for one in changed]


def everything(run: AuditedRun, case: Case) -> dict[str, bytes]:
    """Ask all that checks ask."""
    kinds = {kind: run.predicted(case, kind, IMAGES) for kind in ("markers", "ablation")}
    probe, heat = run.features(case, IMAGES, with_untrained=True), run.heat(case, IMAGES)
    arrays: dict[str, Any] = {kind: one.logits for kind, one in kinds.items()}
    arrays |= {f"rows of {kind}": one.rows for kind, one in kinds.items()}
    arrays |= probe.features | {"rows of the probe": probe.rows}
    arrays |= {name: getattr(heat, name) for name in ("rows", "trained", "random", "lungs")}
    assert set(probe.features) == {RUN, RANDOM} and set(probe.absent) == {IMAGENET}
    assert all(len(one) for one in arrays.values()) and heat.lungs.any()
    return {name: one.tobytes() for name, one in arrays.items()} | {
        "alike": heat.alike.tobytes(),
        "absent": repr(probe.absent).encode(),
    }


def test_a_cluster_says_the_same(
    run: AuditedRun, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = in_this_process(monkeypatch, killing())
    sample = run.sample(case, IMAGES).tolist()
    write(tmp_path, {f"{sample[3]}.png": b"", "text.png": b"this is no image\n"})
    masks = [MASK] * IMAGES
    masks[sample[7]], masks[sample[8]] = "text.png", "absent.png"
    case.images.columns["mask"] = coded(masks)
    remote = there(run)
    assert everything(run, case) == everything(remote, case)
    assert sent and skips(run) == skips(remote)
    assert len({(skip.path, skip.reason) for skip in skips(run)}) == 3


def test_an_image_that_crashes_workers_is_one_loss(
    run: AuditedRun, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"{run.sample(case, IMAGES)[6]}.png"
    in_this_process(monkeypatch, killing(path))
    (tmp_path / path).unlink()
    remote = there(run)
    assert everything(run, case) == everything(remote, case)
    assert {(skip.path, skip.reason) for skip in skips(remote)} == {(path, "crashed its worker")}


def test_what_a_network_does_not_allow_is_said_alike(
    run: AuditedRun, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_this_process(monkeypatch, killing())
    lines = []
    for one in (run, there(run)):
        with pytest.raises(CxrtoolError) as caught:
            list(one.asked(case, "plain", IMAGES, refusing))
        lines.append((type(caught.value), str(caught.value)))
    assert lines[0] == lines[1] == (CxrtoolError, "it has no map. Choose another one.")


def refusing(model: Model, changed: Sequence[Changed]) -> None:
    raise CxrtoolError("it has no map", "Choose another one.")
