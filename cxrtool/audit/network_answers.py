"""What a network says of changed images, a batch at a time: here, or on the workers of a cluster.

Its numbers depend, in their last digits, on the batch around an image. So a batch is of so many
images that follow each other, without those that cannot be read, wherever it is asked.
"""

import itertools
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

from cxrtool.audit.changed_images import Changed, Changer, Place
from cxrtool.core import parallel
from cxrtool.core.errors import Skip
from cxrtool.core.parallel import Crew, Lost
from cxrtool.files.run_folder import Run
from cxrtool.learn import remote_batches
from cxrtool.learn.inference import Model
from cxrtool.learn.remote_batches import Batch, RemotePlace

# What is asked of a network about images in all their versions; it goes to the workers.
Question = Callable[[Model, Sequence[Changed]], Any]


class BatchAnswer(NamedTuple):
    """What comes of a batch of images."""

    numbers: list[int]  # of those that can be read
    values: Any  # what the network says of them; None if there are none
    skips: list[Skip]  # the others


Answers = Generator[tuple[Batch, BatchAnswer], None, None]


def here(
    batches: Sequence[Batch], changer: Changer, ask: Callable[[Sequence[Changed]], Any], crew: Crew
) -> Answers:
    """Yield every batch with its answer; workers of this machine read and change the images."""
    places = [place for batch in batches for place in batch.images]
    with closing(parallel.each(changer, places, crew.of(len(places)))) as results:
        for batch in batches:
            seen = list(itertools.islice(results, len(batch.images)))
            yield batch, _answer(batch.images, seen, ask)


@dataclass(frozen=True)
class RemoteAnswers:
    """The work on a batch of images where the workers of a cluster do all of it."""

    run: Run
    changer: Changer
    question: Question
    place: RemotePlace

    def reader(self, _: Batch) -> Changer:
        """Return what reads an image."""
        return self.changer

    def __call__(self, batch: Batch) -> BatchAnswer:
        """Read and change the images, and ask the network."""
        images, lost = batch.images, batch.lost
        with remote_batches.reading(self.changer):
            seen = [lost.get(n) or self.changer(place) for n, place in enumerate(images)]
        return _answer(images, seen, self._ask)

    def _ask(self, changed: Sequence[Changed]) -> Any:
        place = self.place
        return place.run(lambda: self.question(place.model(self.run), changed))


def _answer(
    places: Sequence[Place],
    seen: Sequence[Changed | Skip | Lost],
    ask: Callable[[Sequence[Changed]], Any],
) -> BatchAnswer:
    """Ask about the images that can be read."""
    readable: dict[int, Changed] = {}
    skips: list[Skip] = []
    for number, (place, one) in enumerate(zip(places, seen, strict=True)):
        if isinstance(one, Lost):
            one = Skip(place.path, one.reason, "Remove it.")
        if isinstance(one, Skip):
            skips.append(one)
        else:
            readable[number] = one
    values = ask(list(readable.values())) if readable else None
    return BatchAnswer(list(readable), values, skips)
