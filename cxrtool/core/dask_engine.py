"""The same work on a Dask cluster: its workers need the same files and the same cxrtool.

The limits of time and memory that guard the work on this machine are the cluster's own there.
"""

import contextlib
import importlib
import logging
import re
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable
from typing import Any

from cxrtool import __version__
from cxrtool.core.attempts import AHEAD, Lost, attempt, judged
from cxrtool.core.errors import BrokenRun, CxrtoolError
from cxrtool.core.progress import note

# Seconds to wait for a scheduler, and for its first worker; and for this to import what the work
# needs, as PyTorch from a slow disk of a cluster takes a minute.
PATIENCE, IMPORT = 15, 300
# Seconds between two looks at workers while they work; and how long there may be none, before the
# command says that it waits, and before it ends. Where workers come and go they take minutes.
LOOK, SILENT, GONE = 5.0, 15.0, 600.0
# Clusters that have worked for this command: their workers, if lost, are about to be started again.
_known: set[str] = set()
ADDRESS = re.compile(r"(tcp|tls|ws|wss|ucx)://([^\s/:]+|\[[^\s/]+\]):\d{1,5}")


def each(
    function: Callable[[Any], Any], items: Iterable[Any], address: str
) -> Generator[Any, None, None]:
    """Yield `function(item)` for every item in order; a bounded number is under way."""
    client, slots = _connect(address, function.__module__)
    waiting: deque[tuple[Any, Any]] = deque()  # inputs, and what will come of them
    tasks = iter(items)

    def given(item: Any) -> Any:
        return client.submit(attempt, function, item, pure=False)

    try:
        more = True
        while more or waiting:
            while more and len(waiting) < AHEAD * slots:
                item = next(tasks, tasks)
                if item is tasks:
                    more = False
                else:
                    waiting.append((item, given(item)))
            if waiting:
                item, future = waiting.popleft()
                result = _result(client, future, address)
                # Dask also gives up on what waited beside an input that kills workers.
                again = isinstance(result, Lost)
                yield judged(_result(client, given(item), address) if again else result)
    finally:
        client.cancel([future for _, future in waiting])
        client.close()


def _connect(address: str, module: str) -> tuple[Any, int]:
    """Find the cluster, and count the tasks that it works on at a time."""
    try:
        from distributed import Client
    except ImportError:
        what = "work on a Dask cluster needs the package distributed"
        raise CxrtoolError(what, "Install it: pip install 'cxrtool[dask]'.") from None
    if not ADDRESS.fullmatch(address):
        what = f"'{address}' is not the address of a Dask scheduler"
        raise CxrtoolError(what, "Write it as dask=tcp://HOST:8786.", settings=["engine"])
    # Its own log lines and warnings come without the name of this command.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as e:
        what = f"{address}: no Dask scheduler answers there"
        remedy = "Start one (dask scheduler), or check the address."
        raise CxrtoolError(what, remedy, settings=["engine"]) from e
    try:
        return client, _slots(client, address, module)
    except BaseException:
        client.close()
        raise


def _slots(client: Any, address: str, module: str) -> int:
    remedy = f"Install cxrtool {__version__} where the workers run, and start some (dask worker)."
    is_known = address in _known
    failure = BrokenRun if is_known else CxrtoolError
    try:
        if is_known and not client.nthreads():
            note(f"waits for workers: {address} has none left")
        client.wait_for_workers(1, timeout=GONE if is_known else PATIENCE)
        there = client.submit(version, module, pure=False).result(timeout=IMPORT)
    except Exception as e:
        what = f"{address}: the workers of this Dask scheduler cannot be used ({_why(e)})"
        raise failure(what, remedy) from e
    _known.add(address)
    if there != __version__:
        raise CxrtoolError(f"{address}: its workers have cxrtool {there}", remedy)
    return sum(client.nthreads().values())


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, ImportError) else type(error).__name__


def version(module: str) -> str:
    """Return the version of cxrtool that a worker has, if it can import what the work needs.

    A worker that cannot would end, and the work wait for it without a word.
    """
    importlib.import_module(module)
    return __version__


def _result(client: Any, future: Any, address: str) -> Any:
    from distributed import CancelledError, KilledWorker

    try:
        _wait(client, future, address)
        return future.result()
    except KilledWorker:
        return Lost("crashed the workers of the cluster")
    except (CancelledError, OSError, TimeoutError) as e:
        what = f"{address}: the connection to the Dask cluster was lost"
        raise BrokenRun(what, "Run the same command again when it is back.") from e


def _wait(client: Any, future: Any, address: str) -> None:
    """Wait for a result; where no worker is left, which could go on for ever, say so, and end."""
    from distributed import wait

    seen, said = time.monotonic(), False
    while not future.done():
        with client.as_current(), contextlib.suppress(TimeoutError):
            wait([future], timeout=LOOK)
            return
        if client.nthreads():
            seen, said = time.monotonic(), False
        elif time.monotonic() - seen > GONE:
            what = f"{address}: this Dask cluster has had no workers for {GONE / 60:g} minutes"
            raise BrokenRun(what, "Start some (dask worker), then run the same command again.")
        elif time.monotonic() - seen > SILENT and not said:
            said = True
            note(f"waits for workers: {address} has none left. Start some (dask worker)")
