"""What every test may ask for: the command line, run as users run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import in_shell
import pytest
from hypothesis import HealthCheck, settings
from prepared import Prepared

# One profile for all tests. A slow machine fails no test, so there is no deadline. In CI the
# examples are the same every time; elsewhere they are new.
settings.register_profile(
    "cxrtool",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("cxrtool")

# A shell starts background jobs deaf to Ctrl-C, and they pass it on to what they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Several tests run at a time: with a thread a core each, they would wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# It only ends what hangs: on a busy machine a command of a second takes a minute.
TIMEOUT = 900.0


# It runs every command of the README and the guides.
LONGEST = "test_the_commands_run_in_the_order_of_the_pages"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest test: in random order a worker would be left alone with it."""
    items.sort(key=lambda item: item.name != LONGEST)


class Command(Protocol):
    """Run `cxrtool ARGS` in a process of its own and wait for it."""

    def __call__(
        self,
        *args: object,
        stdin: str | bytes | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]: ...


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a user whose home is this test's folder: the key of
    the pseudonyms goes there, and no setting of the real user leaks in."""
    return {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / ".cache")}


@pytest.fixture(scope="session")
def prepared() -> Iterator[Prepared]:
    process = Prepared()
    yield process
    process.close()


@pytest.fixture(scope="session", autouse=True)
def _program_ends() -> Iterator[None]:
    yield
    in_shell.close()


@pytest.fixture
def cxrtool(tmp_path: Path, environment: dict[str, str], prepared: Prepared) -> Command:
    def run(
        *args: object,
        stdin: str | bytes | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        folder = tmp_path if cwd is None else cwd
        if not env:
            words = [*map(str, args)]
            return decoded(prepared.run(words, given, str(folder), environment, TIMEOUT))
        done = subprocess.run(
            [sys.executable, "-m", "cxrtool", *map(str, args)],
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            cwd=folder,
            env={**environment, **env},
            timeout=TIMEOUT,
            check=False,
        )
        return decoded(done)

    return run


def decoded(done: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[str]:
    out, err = (text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)
