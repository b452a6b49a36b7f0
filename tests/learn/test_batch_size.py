"""How many images fit in memory is found out without leaving a trace."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from test_training_loop import learner, part, same, weights

from cxrtool.core.errors import BrokenRun, is_memory
from cxrtool.learn import batch_size
from cxrtool.learn.training_loop import Learner


class Small(Learner):
    """It has memory for so many images."""

    room = 0

    def lost(self, train: Any, places: Any, drawn: Any) -> torch.Tensor:
        if len(places) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")
        return super().lost(train, places, drawn)


def small(room: int) -> Small:
    made = learner("adam")
    made.__class__ = Small
    found: Any = made
    found.room = room
    return found


@pytest.mark.parametrize("room", [1, 2, 3, 7, 8, 31, 47, 50, 63])
def test_the_largest_that_fits_is_near_and_fits(room: int) -> None:
    found = batch_size.largest(lambda size: size <= room, 64)
    assert found <= room and (room < 2 or found >= room - max(1, room // 7))


def test_a_try_leaves_the_network_and_the_optimiser_as_they_were() -> None:
    made, data = small(10), part()
    made.step(data, np.arange(4), made.drawn(0, 4))
    before, memory = weights(made), made.optimizer.state_dict()["state"][0]["exp_avg"].clone()
    assert batch_size.fits(made, data, 10) and not batch_size.fits(made, data, 11)
    assert same(before, weights(made))
    assert torch.equal(made.optimizer.state_dict()["state"][0]["exp_avg"], memory)


def test_what_does_not_fit_is_told_with_what_does() -> None:
    found = batch_size.too_large(small(24), part(), 64)
    assert isinstance(found, BrokenRun)
    told = "out of memory: a batch of 64 does not fit. "
    assert str(found) == told + "The largest that fits is 24; auto finds one."
    assert "nor do two images" in str(batch_size.too_large(small(0), part(), 64))


def test_auto_takes_the_largest_power_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    made = small(100)
    assert batch_size.chosen(made, part()) == batch_size.ON_CPU
    monkeypatch.setattr(batch_size, "fits", lambda _, __, size: size <= made.room)
    made.where = torch.device("meta")
    assert batch_size.chosen(made, part()) == 64
    made.room = 1000
    assert batch_size.chosen(made, part()) == 256
    made.room = 0
    assert batch_size.chosen(made, part()) == 8


def test_other_faults_are_not_taken_for_full_memory() -> None:
    made = small(10)
    with pytest.raises(ZeroDivisionError):
        batch_size.fits(_failing(made), part(), 4)


def _failing(made: Small) -> Small:
    def lost(*_: Any) -> torch.Tensor:
        raise ZeroDivisionError

    made.lost = lost  # type: ignore[method-assign]
    return made


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ..."), True),
        (cv2.error("error: (-4:Insufficient memory) Failed to allocate 784080000 bytes"), True),
        (cv2.error("error: (-215:Assertion failed) !buf.empty()"), False),
        (RuntimeError("shapes cannot be multiplied"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_full_memory_is_known_by_its_words(error: Exception, expected: bool) -> None:
    assert is_memory(error) == expected
