"""torch's activations and theory's are the same functions, slopes included."""

import math
from typing import get_args

import numpy as np
import pytest
import torch

from rmtlottery.meanfield.activations import ACTIVATIONS
from rmtlottery.nets.activation import PHI
from rmtlottery.tickets.parts import Phi

SIZES = [0.0, 1e-300, 1e-16, 1e-8, 1e-3, 0.5, 1.0, 2.7, 6.0, 30.0, 800.0]
POINTS = np.array([sign * size for size in SIZES for sign in (-1, 1)])
SLOPES = {
    "tanh": lambda h: 1 / math.cosh(h) ** 2 if abs(h) < 300 else 0.0,
    "erf": lambda h: 2 / math.sqrt(math.pi) * math.exp(-h * h),
    "relu": lambda h: 1.0 if h > 0 else 0.0,
    "leaky_relu": lambda h: 1.0 if h > 0 else 0.01,
    "hard_tanh": lambda h: 1.0 if abs(h) < 1 else 0.0,
    "linear": lambda h: 1.0,
    "gelu": lambda h: math.erfc(-h / math.sqrt(2)) / 2 + h * math.exp(-h * h / 2) / math.sqrt(2 * math.pi),
    "silu": lambda h: (1 + h / (1 + math.exp(min(h, 700)))) / (1 + math.exp(min(-h, 700))) if h > -700 else 0.0,
}
TAIL = {"gelu": 1e-15}  # torch takes 1 + erf, of which nothing is left where erf is -1


def test_theory_networks_and_specs_know_the_same_names():
    assert set(PHI) == set(ACTIVATIONS) == set(get_args(Phi)) == set(SLOPES)


@pytest.mark.parametrize("name", PHI)
def test_torch_and_numpy_agree(name):
    found = PHI[name](torch.from_numpy(POINTS)).numpy()
    np.testing.assert_allclose(found, ACTIVATIONS[name].phi(POINTS), rtol=1e-12, atol=TAIL.get(name, 1e-300))


@pytest.mark.parametrize("name", PHI)
def test_the_declared_slope_is_what_torch_differentiates_to(name):
    h = torch.from_numpy(POINTS).requires_grad_()
    (slope,) = torch.autograd.grad(PHI[name](h).sum(), h)
    np.testing.assert_allclose(slope.numpy(), ACTIVATIONS[name].slope(POINTS), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", PHI)
def test_the_declared_slope_is_the_derivative_by_hand_even_in_its_tail(name):
    expected = [SLOPES[name](h) for h in POINTS]
    np.testing.assert_allclose(ACTIVATIONS[name].slope(POINTS), expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("name", PHI)
def test_the_declared_slope_is_a_central_difference(name):
    h, step = np.array([-30.0, -6, -2.7, -0.5, -1e-2, 1e-2, 0.5, 1.1, 2.7, 6, 30]), 1e-5
    phi = ACTIVATIONS[name].phi
    np.testing.assert_allclose(ACTIVATIONS[name].slope(h), (phi(h + step) - phi(h - step)) / (2 * step), rtol=0, atol=1e-9)


@pytest.mark.parametrize("name", PHI)
def test_no_value_exceeds_the_declared_bound(name):
    assert np.abs(ACTIVATIONS[name].phi(POINTS)).max() <= ACTIVATIONS[name].bound
