"""The learning rate range test."""

import math

import pytest
from scipy.special import expit
from test_training_loop import learner, part, quiet, same
from torch import nn

from cxrtool.core.errors import BrokenRun
from cxrtool.learn import learner_state, optimizers, rate_finder


@pytest.mark.parametrize("optimizer", ["sgd:momentum=0.9", "adam"])
def test_a_range_test_leaves_everything_as_it_was(optimizer: str) -> None:
    ours = learner(optimizer, 0.01)
    ours.epoch(1, part(), None, quiet)
    before = {k: v.clone() for k, v in learner_state.tensors(ours).items()}
    rates = [group["lr"] for group in ours.optimizer.param_groups]
    found = rate_finder.range_test(ours, part(), 1e-6, 10, 30).steepest
    assert 1e-6 <= found <= 10
    assert same(before, learner_state.tensors(ours))
    assert [group["lr"] for group in ours.optimizer.param_groups] == rates


def test_a_fresh_optimiser_is_fresh_after_a_range_test() -> None:
    ours = learner("adam")
    rate_finder.range_test(ours, part(), 1e-6, 1, 20)
    assert optimizers.tensors_of(ours.optimizer) == {}


def test_a_range_test_without_any_finite_loss() -> None:
    ours = learner()
    nn.init.constant_(ours.network.get_parameter("last.weight"), math.inf)
    with pytest.raises(BrokenRun, match="no learning rate can be found: the loss is not finite"):
        rate_finder.range_test(ours, part(), 1e-6, 1, 20)


def test_the_rates_rise_by_equal_factors() -> None:
    found = list(rate_finder.rates(1e-7, 1e-1, 7))
    assert found == pytest.approx([10.0**k for k in range(-7, 0)])


def test_the_found_rate_is_where_the_loss_falls_fastest() -> None:
    tried = list(rate_finder.rates(1e-6, 1, 61))
    lost = [2 - expit((k - 30) / 2) for k in range(61)]
    at = tried.index(rate_finder.steepest_rate(tried, lost))
    assert at in (29, 30)


def test_noise_at_the_beginning_and_the_end_is_passed_over() -> None:
    tried = list(rate_finder.rates(1e-6, 1, 61))
    lost = [2 - expit((k - 30) / 2) for k in range(61)]
    lost[2], lost[60] = 9.0, -9.0
    assert tried.index(rate_finder.steepest_rate(tried, lost)) in (29, 30)


@pytest.mark.parametrize("number", [2, 5, 16, 17, 20])
def test_a_short_curve_gives_a_rate_all_the_same(number: int) -> None:
    tried = list(rate_finder.rates(1e-6, 1, number))
    assert rate_finder.steepest_rate(tried, [1 - k / 100 for k in range(number)]) in tried
