"""What is said of a worker of a cluster that has no memory, fails, or gives no answer."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import torch

from cxrtool.core import parallel
from cxrtool.core.attempts import attempt, judged
from cxrtool.core.errors import BrokenRun, ExitCode
from cxrtool.core.parallel import Crew, Lost
from cxrtool.learn import remote_batches
from cxrtool.learn.remote_batches import SMALLER, Batch, RemotePlace

FULL = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


@pytest.mark.parametrize("error", [FULL, MemoryError()])
def test_a_worker_without_memory_breaks_the_run_midway(error: Exception) -> None:
    def too_large() -> None:
        raise error

    with pytest.raises(BrokenRun, match=r"out of memory.*smaller --batch") as caught:
        RemotePlace("cpu").run(too_large)
    assert caught.value.code == ExitCode.BROKE_MIDWAY


def test_other_errors_of_a_network_stay_what_they_are() -> None:
    def wrong() -> None:
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes cannot"):
        RemotePlace("cpu").run(wrong)


def test_a_worker_whose_card_fails_is_to_be_started_again() -> None:
    def failing() -> None:
        raise RuntimeError(
            "CUDA error: unspecified launch failure\nCUDA kernel errors might be ..."
        )

    with pytest.raises(BrokenRun, match=r"\): CUDA error: unspecified launch failure\. Restart th"):
        RemotePlace("cpu").run(failing)


class Reader:
    """Reads images; `modules` is what it needs for it."""

    def __init__(self, *modules: str) -> None:
        self.modules = modules


def test_lungs_are_found_on_one_thread_and_networks_have_theirs() -> None:
    """The last digits of both depend on the number of threads."""
    before = torch.get_num_threads()
    try:
        place = RemotePlace("cpu", threads=before + 1)
        assert place.run(torch.get_num_threads) == before + 1
        with remote_batches.reading(Reader()):
            assert torch.get_num_threads() == before + 1
        with remote_batches.reading(Reader("cxrtool.preprocess.segmenters.lungs")):
            assert torch.get_num_threads() == 1
        assert place.run(torch.get_num_threads) == before + 1
    finally:
        torch.set_num_threads(before)


class Work:
    """Work that nothing comes of, whatever the images are."""

    def __call__(self, batch: Batch) -> Any:
        raise KeyError(batch)

    def reader(self, _: Batch) -> Any:
        return str


def each(function: Any, items: Iterable[Any], _: Crew) -> Iterator[Any]:
    return (judged(attempt(function, item)) for item in items)


def killed(function: Any, items: Iterable[Any], _: Crew) -> Iterator[Any]:
    return (Lost("crashed the workers of the cluster") for _ in items)


@pytest.mark.parametrize(
    ("how", "line"),
    [
        (each, "a batch of images caused an error in cxrtool (KeyError): please report it"),
        (killed, f"a batch of images crashed the workers of the cluster. {SMALLER}"),
    ],
)
def test_a_batch_without_an_answer(how: Any, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "each", lambda *given: (one for one in how(*given)))
    with pytest.raises(BrokenRun) as caught:
        list(remote_batches.done(Work(), [Batch(("a.png",))], Crew(1, "tcp://localhost:1")))
    assert str(caught.value) == line
