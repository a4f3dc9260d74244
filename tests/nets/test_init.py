"""theta_0: variances on unequal shapes, and a stream of its own for every tensor."""

import numpy as np
import pytest
import torch

from rmtlottery.nets import build
from rmtlottery.nets.init import KINDS, initial
from rmtlottery.tickets.parts import FC, Normal
from rmtlottery.tickets.spec import kinds
from tests.conftest import assert_mean

FANS = {"fc1.weight": (60, 90), "fc2.weight": (90, 150), "fc3.weight": (150, 110)}
NETWORK = build(FC(widths=(90, 150)), 60, 110)
SIGMA_W, SIGMA_B = 1.7, 0.6


def theta(seed=0, network=NETWORK, **sigmas):
    return initial(Normal(**({"sigma_w": SIGMA_W, "sigma_b": SIGMA_B} | sigmas)), network, seed)


def numbers(name, seeds=1, **options):
    """All entries of a tensor over some seeds, as float64."""
    return np.concatenate([theta(seed, **options)[name].double().flatten().numpy() for seed in range(seeds)])


@pytest.mark.parametrize("name", FANS)
def test_the_variance_of_a_weight_is_that_over_its_fan_in(name):
    fan_in, fan_out = FANS[name]
    assert_mean(numbers(name) ** 2, SIGMA_W**2 / fan_in, rejects=SIGMA_W**2 / fan_out)


@pytest.mark.parametrize("name", FANS)
def test_the_variance_of_a_weight_is_not_over_the_mean_of_both_fans(name):
    fan_in, fan_out = FANS[name]
    assert_mean(numbers(name, seeds=8) ** 2, SIGMA_W**2 / fan_in, rejects=SIGMA_W**2 / ((fan_in + fan_out) / 2))


@pytest.mark.parametrize("wrong", [SIGMA_B**2 / 90, SIGMA_B, 2 * SIGMA_B**2], ids=["divided", "unsquared", "doubled"])
@pytest.mark.parametrize("name", ["fc1.bias", "fc2.bias", "fc3.bias"])
def test_the_variance_of_a_bias_is_undivided(name, wrong):
    assert_mean(numbers(name, seeds=5) ** 2, SIGMA_B**2, rejects=wrong)


def test_weights_are_gaussian():
    scaled = numbers("fc3.weight") / SIGMA_W * 150**0.5
    assert_mean(scaled**4, 3.0, rejects=1.8)
    assert_mean(scaled, 0.0, rejects=0.05)


@pytest.mark.parametrize(("sigma", "ending"), [("sigma_w", "weight"), ("sigma_b", "bias")])
def test_each_sigma_scales_its_own_tensors_and_no_other(sigma, ending):
    for name, value in theta(**{sigma: 0.0}).items():
        assert (value == 0).all() if name.endswith(ending) else torch.equal(value, theta()[name])


def test_names_shapes_and_precision_are_the_networks():
    found = theta()
    assert {name: tuple(value.shape) for name, value in found.items()} == NETWORK.shapes
    assert {value.dtype for value in found.values()} == {torch.float32}


def test_a_seed_is_the_same_whoever_its_neighbours_are():
    alone = theta(3)
    for seed in (0, 7, 3):
        beside = theta(seed)
    assert all(torch.equal(beside[name], alone[name]) for name in alone)


def test_neighbouring_seeds_are_uncorrelated():
    a, b = np.split(numbers("fc2.weight", seeds=2), 2)
    assert_mean(a * b * 90 / SIGMA_W**2, 0.0, rejects=0.1)


def test_each_tensor_has_a_stream_of_its_own():
    other = theta(network=build(FC(widths=(40, 90, 150, 150)), 60, 110))
    assert not torch.equal(other["fc1.weight"], theta()["fc1.weight"])
    wider = theta(network=build(FC(widths=(90, 151)), 60, 110))
    assert [n for n in NETWORK.shapes if torch.equal(wider[n], theta()[n])] == ["fc1.weight", "fc1.bias", "fc3.bias"]


def test_tensors_of_one_shape_differ():
    square = build(FC(widths=(60, 60)), 60, 60)
    a, b = numbers("fc1.weight", network=square), numbers("fc2.weight", network=square)
    assert_mean(a * b * 60 / SIGMA_W**2, 0.0, rejects=0.1)


def test_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    theta()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_every_kind_of_init_is_implemented():
    assert set(KINDS) == set(kinds("init"))
