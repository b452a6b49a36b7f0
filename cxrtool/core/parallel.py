"""Map a function over many inputs: on worker processes here, or on a Dask cluster.

Results come back in the order of the inputs, with a bounded number of them under way. What happens
to an input that hangs or crashes its worker: see `worker_pool`; on a cluster that is the cluster's
own matter.
"""

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, replace
from typing import Any

from cxrtool.core import dask_engine, worker_pool, worker_server
from cxrtool.core.attempts import Lost
from cxrtool.core.worker_pool import SECONDS

__all__ = ["Crew", "Lost", "each", "prepare"]


@dataclass(frozen=True)
class Crew:
    """Who does the work: so many workers here, or those of the Dask scheduler at an address."""

    jobs: int = 1
    dask: str = ""

    def of(self, most: int) -> "Crew":
        """Take no more workers than there is work."""
        return replace(self, jobs=max(1, min(self.jobs, most)))


def each(
    function: Callable[[Any], Any], items: Iterable[Any], crew: Crew, seconds: float = SECONDS
) -> Generator[Any, None, None]:
    """Yield `function(item)` for every item in order, or `Lost` for one that its worker lost.

    The function is a plain one of its item, importable as it is or as the class of a callable
    object, and catches what it expects to go wrong.
    """
    if crew.dask:
        return dask_engine.each(function, items, crew.dask)
    return worker_pool.each(function, items, crew.jobs, seconds)


def prepare(module: str) -> None:
    """Let the server of the workers import a module while this process imports its own.

    Both take a quarter of a second, which is much beside the work on two hundred images.
    """
    worker_server.prepare([module])
