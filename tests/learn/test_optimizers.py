"""Schedules follow their formulas, and optimisers remember what they did."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from cxrtool.core import registry
from cxrtool.core.errors import CxrtoolError
from cxrtool.learn import optimizers
from cxrtool.learn.optimizers import Schedule


def schedule(spec: str, lr: float = 0.1, epochs: int = 10) -> Schedule:
    _, make, options = registry.pick("--schedule", spec, optimizers.SCHEDULES)
    found: Schedule = make(lr, epochs, **options)
    return found


def plateau_of_torch(values: Sequence[float], factor: float, patience: int) -> list[float]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 0.1)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=factor, patience=patience)
    rates = []
    for value in values:
        theirs.step(value)
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@given(
    st.lists(st.sampled_from([0.1, 0.5, 0.50001, 0.49999, 0.7, 1.0]), max_size=30),
    st.integers(0, 4),
)
def test_plateau_is_that_of_pytorch(values: list[float], patience: int) -> None:
    ours = schedule(f"plateau:factor=0.5,patience={patience}")
    found = []
    for epoch, value in enumerate(values):
        ours.after(value)
        found.append(ours.at(epoch + 1, 0.5))
    # PyTorch leaves a rate that hardly changes as it is.
    assert found == pytest.approx(plateau_of_torch(values, 0.5, patience), abs=2e-8)


def plateau_of_keras(values: Sequence[float], patience: int, delta: float) -> list[float]:
    """Follow Keras' ReduceLROnPlateau(factor=0.5, patience, min_delta) by its documentation."""
    rate, best, waited, rates = 0.1, math.inf, 0, []
    for value in values:
        if value < best - delta:
            best, waited = value, 0
        else:
            waited += 1
            if waited >= patience:
                rate, waited = rate / 2, 0
        rates.append(rate)
    return rates


@given(
    st.lists(st.sampled_from([0.125, 0.25, 0.5, 0.625, 0.75, 1.0]), max_size=30),
    st.integers(1, 5),
    st.sampled_from([0.0625, 0.125, 0.25]),
)
def test_plateau_with_delta_is_that_of_keras(
    values: list[float], patience: int, delta: float
) -> None:
    ours = schedule(f"plateau:factor=0.5,patience={patience - 1},delta={delta}")
    found = []
    for epoch, value in enumerate(values):
        ours.after(value)
        found.append(ours.at(epoch + 1, 0.5))
    assert found == pytest.approx(plateau_of_keras(values, patience, delta))


def test_plateau_does_not_fall_under_the_least() -> None:
    ours = schedule("plateau:factor=0.1,patience=0,least=0.02")
    for _ in range(5):
        ours.after(1.0)
    assert ours.at(5, 0) == 0.02


def test_a_value_that_is_negated_may_fall_below_zero() -> None:
    ours = schedule("plateau:factor=0.5,patience=0")
    for value in (-0.5, -0.6, -0.7):
        ours.after(value)
    assert ours.at(3, 0) == 0.1
    ours.after(-0.7)
    assert ours.at(4, 0) == 0.05


def test_plateau_goes_on_from_its_state() -> None:
    whole, values = schedule("plateau:factor=0.5,patience=1"), [3.0, 2.0, 2.0, 2.0, 2.0, 2.0]
    rates = []
    for value in values:
        whole.after(value)
        rates.append(whole.at(0, 0))
    for stop in range(len(values)):
        first, second = (schedule("plateau:factor=0.5,patience=1") for _ in range(2))
        for value in values[:stop]:
            first.after(value)
        second.state.update(first.state)
        for value, rate in zip(values[stop:], rates[stop:], strict=True):
            second.after(value)
            assert second.at(0, 0) == rate


@pytest.mark.parametrize("epoch, share", [(0, 0), (2, 0.5), (5, 0), (9, 0.99)])
def test_cosine(epoch: int, share: float) -> None:
    done = (epoch + share) / 10
    expected = 0.1 * (1 + math.cos(math.pi * done)) / 2
    assert schedule("cosine").at(epoch, share) == pytest.approx(expected)


def test_a_warm_up_rises_to_the_rate() -> None:
    ours = schedule("onecycle")
    assert [ours.at(e, 0) for e in range(4)] == pytest.approx([0, 0.1 / 3, 0.2 / 3, 0.1])
    rest = [ours.at(e, 0) for e in range(3, 10)]
    assert rest == sorted(rest, reverse=True) and rest[-1] > 0


def test_the_curve_keeps_to_its_least() -> None:
    assert schedule("cosine:least=0.2").at(9, 0.999999) == pytest.approx(0.02)
    assert schedule("onecycle:warmup=1").at(9, 0.999) == pytest.approx(0.1, rel=1e-3)


def test_steps() -> None:
    ours = schedule("step:factor=0.1,every=3")
    found = [ours.at(e, 0.9) for e in (0, 2, 3, 5, 6)]
    assert found == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001])


@pytest.mark.parametrize("spec", ["none", "plateau", "cosine", "step"])
def test_another_rate_to_begin_with(spec: str) -> None:
    ours = schedule(spec)
    ours.begin(0.3)
    assert ours.at(0, 0) == pytest.approx(0.3)


def test_none_keeps_the_rate() -> None:
    assert {schedule("none").at(e, 0.3) for e in range(10)} == {0.1}


# --- optimisers -----------------------------------------------------------------------------------

SPECS = [
    "sgd",
    "sgd:momentum=0.9",
    "sgd:momentum=0.9,nesterov=yes",
    "adam",
    "adam:decay=0.01",
    "adam:amsgrad=yes",
    "adamw",
    "adamax",
]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def steps(net: nn.Module, optimizer: torch.optim.Optimizer, seeds: range) -> list[Tensor]:
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        optimizer.zero_grad()
        net(torch.randn(5, 3, generator=generator)).square().sum().backward()
        optimizer.step()
    return [p.detach().clone() for p in net.parameters()]


@pytest.mark.parametrize("spec", SPECS)
def test_memory_goes_to_and_fro(spec: str) -> None:
    whole = network()
    expected = steps(whole, optimizers.build(spec, whole.parameters(), 0.1), range(6))
    first = network()
    optimizer = optimizers.build(spec, first.parameters(), 0.1)
    steps(first, optimizer, range(3))
    tensors = {k: v.clone() for k, v in optimizers.tensors_of(optimizer).items()}
    second = network()
    second.load_state_dict(first.state_dict())
    other = optimizers.build(spec, second.parameters(), 0.1)
    optimizers.restore(other, tensors)
    found = steps(second, other, range(3, 6))
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))


def test_memory_lies_as_the_weights_do() -> None:
    """What a file holds is contiguous; a fused step reads both in the order of memory."""
    layer = torch.nn.Conv2d(3, 4, 3).to(memory_format=torch.channels_last)
    optimizer = optimizers.build("adam", layer.parameters(), 0.1)
    layer(torch.randn(1, 3, 5, 5)).sum().backward()
    optimizer.step()
    tensors = {k: v.contiguous() for k, v in optimizers.tensors_of(optimizer).items()}
    optimizers.restore(optimizer, tensors)
    assert optimizer.state[layer.weight]["exp_avg"].stride() == layer.weight.stride()


def test_an_optimiser_that_did_nothing_remembers_nothing() -> None:
    optimizer = optimizers.build("adam", network().parameters(), 0.1)
    assert optimizers.tensors_of(optimizer) == {}
    optimizers.restore(optimizer, {})


def test_what_does_not_learn_is_left_out() -> None:
    net = network()
    first = next(net.parameters())
    first.requires_grad_(False)
    optimizer = optimizers.build("sgd", net.parameters(), 0.1)
    assert all(p is not first for g in optimizer.param_groups for p in g["params"])


def test_nothing_that_learns_is_refused() -> None:
    with pytest.raises(CxrtoolError, match="all layers are frozen"):
        optimizers.build("sgd", [nn.Parameter(torch.zeros(1), requires_grad=False)], 0.1)


@pytest.mark.parametrize("spec", ["sgd:nesterov=yes", "adam:beta1=1", "adam:eps=-1"])
def test_what_pytorch_refuses_is_one_line(spec: str) -> None:
    with pytest.raises(CxrtoolError, match=f"optimizer {spec}: "):
        optimizers.build(spec, network().parameters(), 0.1)


def test_options_reach_pytorch() -> None:
    made = optimizers.build("adam:decay=0.5,beta1=0.8,eps=0.001", network().parameters(), 0.25)
    (group,) = made.param_groups
    assert (group["lr"], group["betas"], group["eps"]) == (0.25, (0.8, 0.999), 0.001)
    assert group["weight_decay"] == 0.5
