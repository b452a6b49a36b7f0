"""Tests reject as often as they say where there is nothing to find, measured by simulation."""

from __future__ import annotations

import importlib.util
import pathlib
import sys
import types

import numpy as np
import pytest

SCRIPT = pathlib.Path(__file__).parents[1] / "benchmarks" / "type_one_error.py"


@pytest.fixture(scope="module")
def simulation() -> types.ModuleType:
    """The script that prints the tables of the guide."""
    spec = importlib.util.spec_from_file_location("type_one_error", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its data classes look for their types
    spec.loader.exec_module(module)
    return module


def limit(runs: int) -> float:
    """Return 5 % and three standard errors of so many runs."""
    return 0.05 + 3 * float(np.sqrt(0.05 * 0.95 / runs))


@pytest.mark.slow
@pytest.mark.parametrize("place", range(10))
def test_the_probe_is_exact(simulation: types.ModuleType, place: int) -> None:
    runs = 300 if place < 8 else 150
    assert simulation.error_of_the_probe(simulation.NULLS[place], runs) <= limit(runs)


@pytest.mark.slow
def test_the_probe_detects_what_it_says_it_can(simulation: types.ModuleType) -> None:
    """With 80 % power at the effect that is stated, within the error of 100 runs."""
    kind = simulation.EFFECTS[1]
    power, mean, detectable, covered = simulation.power_of_the_probe(kind, 100)
    assert abs(mean - detectable) < 0.05, "the effect is near what is stated"
    assert power > 0.8 - 3 * 0.04
    assert covered > 0.95 - 3 * 0.022


@pytest.mark.slow
@pytest.mark.parametrize("place", range(10))
def test_tests_between_models_keep_their_level(simulation: types.ModuleType, place: int) -> None:
    runs = 300
    kind = simulation.SAME[place]
    shares = dict(zip(simulation.TESTS, simulation.shares(kind, runs, 19), strict=True))
    for test in ("DeLong by patient", "McNemar by patient", "permutation of AUC"):
        # DeLong's z is for many patients: of three diseased ones it errs a little more often.
        assert shares[test] <= limit(runs) + 0.02 * (test == "DeLong by patient"), test


@pytest.mark.slow
def test_images_are_no_patients(simulation: types.ModuleType) -> None:
    """What the tests by image would give: the simulation sees the fault that it guards against."""
    kind = simulation.SAME[1]
    shares = dict(zip(simulation.TESTS, simulation.shares(kind, 200, 19), strict=True))
    assert shares["DeLong by image"] > 0.15
    assert shares["McNemar by image"] > 0.1
