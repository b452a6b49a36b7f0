"""Networks on the workers of a Dask cluster: batches of rows go there, and numbers come back.

What a network makes of an image depends, in its last digits, on the batch around it and on the
number of threads that add up. So the batches are those of the work on this machine, and each worker
takes as many threads as this process would.
"""

import itertools
import os
import platform
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from cxrtool.core import parallel
from cxrtool.core.errors import BrokenRun, Skip, is_lost_device, is_memory
from cxrtool.core.parallel import Crew, Lost
from cxrtool.files import pixel_cache
from cxrtool.files.run_folder import LAST, Run
from cxrtool.learn import inference
from cxrtool.learn.inference import Model, batches, bounded

T = TypeVar("T")
Row = dict[str, str]
Bytes = NDArray[np.uint8]
# The numbers of the images of a batch, and which of these cannot be read and why.
Answer = tuple[Any, dict[int, Skip]]
# What is asked of a network about a batch of images; it goes to the workers.
Ask = Callable[[Model, Bytes], Any]

SMALLER = "Use workers with more memory, or a smaller --batch where there is one."
RESTART = "Restart this worker, then run the same command again."
# Networks that a worker keeps: those of an ensemble come in turn.
MOST_KEPT = 4
_kept: OrderedDict[object, Any] = OrderedDict()
# One network at a time works in a process: its threads are all that there are, and the hooks on its
# modules are for one batch.
_alone = threading.Lock()


@dataclass(frozen=True)
class RemotePlace:
    """How networks run on the workers, whose working folder is another."""

    device: str
    here: str = field(default_factory=os.getcwd)
    threads: int = field(default_factory=torch.get_num_threads)

    def run(self, work: Callable[[], T]) -> T:
        """Do the work of a network."""
        try:
            with _alone:
                torch.set_num_threads(self.threads)
                return work()
        except (RuntimeError, MemoryError) as e:
            where = f"a worker of the cluster ({platform.node()})"
            if is_memory(e):
                raise BrokenRun(f"{where} is out of memory", SMALLER) from None
            if is_lost_device(e):
                # A process whose accelerator has failed cannot use it again.
                raise BrokenRun(f"{where}: {str(e).splitlines()[0]}", RESTART) from None
            raise

    def model(self, run: Run) -> Model:
        """Load the network of a run, or take it as it was loaded before."""
        there = replace(run, folder=os.path.join(self.here, run.folder))

        def load() -> Model:
            model = Model(there, inference.device(self.device))
            model.folder = run.folder  # as messages name it
            return model

        return kept((repr(there), self.device, _state(there)), load)


@contextmanager
def reading(reader: object) -> Iterator[None]:
    """Read images as workers of one machine do: there, a network that finds lungs has one thread.

    A reader names what else it imports; most readers need no network.
    """
    if not getattr(reader, "modules", ()):
        yield
        return
    with _alone:
        torch.set_num_threads(1)
        yield


def kept(key: object, make: Callable[[], T]) -> T:
    """Make what the next batches need, too, or take what was made for an earlier one."""
    if key not in _kept:
        _kept[key] = make()
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    _kept.move_to_end(key)
    result: T = _kept[key]
    return result


def _state(run: Run) -> object:
    """Say which weights of the last epoch are there; run.json has the digest of the best ones."""
    if run.epoch != "last":
        return None
    try:
        about = os.stat(os.path.join(run.folder, LAST))
    except OSError:
        return None
    return about.st_size, about.st_mtime_ns, about.st_ino


@dataclass(frozen=True)
class Batch:
    """Images for one of the networks, or for all that look together."""

    images: tuple[Any, ...]  # as the work reads them: paths, or rows
    network: int = 0
    lost: Mapping[int, Lost] = field(default_factory=dict)  # known to crash what reads them


class BatchWork(Protocol):
    """What a worker does to a batch: it reads the images, and asks networks."""

    def __call__(self, batch: Batch, /) -> Any:
        """Answer, without the images that are lost."""

    def reader(self, batch: Batch, /) -> Callable[[Any], Any]:
        """Return what reads an image of the batch."""


@dataclass(frozen=True)
class Networks:
    """The work on a batch of paths: ask one of several networks."""

    runs: tuple[Run, ...]
    ask: Ask
    place: RemotePlace
    root: str

    def reader(self, batch: Batch) -> pixel_cache.Frame:
        """Say how the images of a batch are read."""
        about, root = self.runs[batch.network].about, os.path.join(self.place.here, self.root)
        return pixel_cache.Frame(about.size, about.image_channels, about.fit, root)

    def __call__(self, batch: Batch) -> Answer:
        """Answer; an image that cannot be read is black."""
        frame, skips = self.reader(batch), dict[int, Skip]()
        array = np.zeros((len(batch.images), frame.channels, frame.size, frame.size), np.uint8)
        for number, path in enumerate(batch.images):
            pixels = batch.lost.get(number) or frame(path)
            if isinstance(pixels, Lost):
                pixels = Skip(path, pixels.reason, "Remove it.")
            if isinstance(pixels, Skip):
                skips[number] = pixels
            else:
                array[number] = pixels
        run, place = self.runs[batch.network], self.place
        return place.run(lambda: self.ask(place.model(run), array)), skips


def answers(
    work: Networks, source: Iterable[Row], part: int, batch: int, crew: Crew
) -> Iterator[tuple[list[Row], list[Answer]]]:
    """Yield the rows in parts, each with the answer of every network to all of its images.

    The batches of a part are those that this machine would make of it. Those of later parts are
    under way meanwhile.
    """
    parts: deque[tuple[list[Row], int]] = deque()

    def given() -> Iterator[Batch]:
        waiting = iter(source)
        while rows := list(itertools.islice(waiting, part)):
            some = list(_divided(work.runs, rows, batch))
            parts.append((rows, len(some)))
            yield from some

    found: list[tuple[Batch, Answer]] = []
    with closing(done(work, given(), crew)) as pairs:
        for pair in pairs:
            found.append(pair)
            if len(found) == parts[0][1]:
                yield parts.popleft()[0], [_joined(found, n) for n in range(len(work.runs))]
                found = []


def _divided(runs: Sequence[Run], rows: Sequence[Row], batch: int) -> Iterator[Batch]:
    paths = tuple(row["path"] for row in rows)
    for network, run in enumerate(runs):
        for step in batches(len(paths), bounded(batch, run.about.size)):
            yield Batch(paths[step], network)


def _joined(found: Sequence[tuple[Batch, Answer]], network: int) -> Answer:
    values, skips, start = [], dict[int, Skip](), 0
    for batch, (some, unread) in found:
        if batch.network == network:
            values.append(some)
            skips |= {start + n: skip for n, skip in unread.items()}
            start += len(batch.images)
    return np.concatenate(values), skips


def done(
    work: BatchWork, source: Iterable[Batch], crew: Crew
) -> Generator[tuple[Batch, Any], None, None]:
    """Yield every batch with what comes of it; an image that crashes the workers costs itself."""
    given, waiting = itertools.tee(source)
    with closing(parallel.each(work, given, crew)) as results:
        for batch, result in zip(waiting, results, strict=True):
            again = isinstance(result, Lost)
            yield batch, _without_the_worst(work, batch, crew) if again else result


def _without_the_worst(work: BatchWork, batch: Batch, crew: Crew) -> Any:
    """Find out which images of a batch crash the workers, and do it again without these."""
    with closing(parallel.each(work.reader(batch), batch.images, crew)) as results:
        worst = {n: one for n, one in enumerate(results) if isinstance(one, Lost)}
    with closing(parallel.each(work, [replace(batch, lost=worst)], crew)) as results:
        result = next(results)
    if isinstance(result, Lost):
        # Whatever its images are.
        remedy = "" if result.fault else SMALLER
        raise BrokenRun(f"a batch of images {result.reason}", remedy)
    return result
