"""The largest eigenvalue: closed forms, dense grids, and where the least z is at infinite tau."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.meanfield.activations import activation
from rmtlottery.spectra import top_edge
from rmtlottery.spectra.factors import Factor, chain, gaussian, orthogonal, spectral
from rmtlottery.spectra.gain_law import gain_law
from rmtlottery.spectra.top_edge import gap, log_edge


def test_rectangular_layers():
    edge = np.exp(log_edge(chain([gaussian(1.3, 30, 70)])))
    assert_allclose(edge, 1.3**2 * (1 + np.sqrt(3 / 7)) ** 2, rtol=1e-13)
    assert_allclose(np.exp(log_edge(chain([orthogonal(1.3, 70, 30)]))), 1.3**2 * 7 / 3, rtol=1e-13)


def test_a_measured_layer_after_a_gaussian_one():
    """The least of z over y, of which tau and z are explicit."""
    squares = np.array([0.2, 1.0, 1.1, 3.0, 3.5])
    y = 3.5 + np.geomspace(1e-2, 1e2, 200_001)
    trace = np.sum(squares / (y[:, None] - squares), axis=1)
    z = y * 1.2**2 * (8 + trace) * (5 + trace) / (8 * trace) * trace / (5 + trace)
    assert_allclose(np.exp(log_edge(chain([gaussian(1.2, 5, 8), Factor(squares, 6, 5)]))), z.min(), rtol=1e-9)


def test_the_edge_of_shared_values_is_their_product():
    half = [Factor(np.where(np.arange(10) < 6, 2.0, 0.1), 10, 10) for _ in range(2)]
    assert_allclose(np.exp(log_edge(chain(half))), 4.0, rtol=1e-14)


def test_gaps_solve_their_equation():
    law = gain_law(activation("tanh"), 0.6)
    tau = np.geomspace(1e-6, 1e4, 30)
    d = gap(law, tau)
    assert_allclose((1 / (d[:, None] + (law.top - law.x))) @ (law.weights * law.x), tau, rtol=1e-11)
    assert np.all(np.diff(d) < 0)


def test_a_largest_gain_of_next_to_no_weight():
    """gelu at q = .01: E x/(top - x) is finite, y rests on the top and (1 + tau) y is least there."""
    law = gain_law(activation("gelu"), 0.01)
    reached = law.weights @ (law.x / (law.top - law.x))
    edge = np.exp(log_edge(chain([gaussian(1.0, 1, 1), spectral(law, 1, 1)])))
    assert_allclose(edge, (1 + reached) * law.top, rtol=1e-3)


def test_what_is_not_found_is_said(monkeypatch):
    monkeypatch.setattr(top_edge, "STEPS", 1)
    with pytest.raises(ArithmeticError, match=r"y - 1 for tau = 3 is not found in 1 Newton steps"):
        gap(gain_law(activation("tanh"), 0.6), np.array([3.0]))
