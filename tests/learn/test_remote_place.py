"""What a worker of a cluster says of a network that does not fit."""

import pytest
import torch

from cxrtool.core.errors import BrokenRun, ExitCode
from cxrtool.learn.remote_batches import RemotePlace


def test_a_worker_without_memory_breaks_the_run_midway() -> None:
    def too_large() -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    with pytest.raises(BrokenRun, match=r"out of memory.*smaller --batch") as caught:
        RemotePlace("cpu").run(too_large)
    assert caught.value.code == ExitCode.BROKE_MIDWAY


def test_other_errors_of_a_network_stay_what_they_are() -> None:
    def wrong() -> None:
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes cannot"):
        RemotePlace("cpu").run(wrong)
