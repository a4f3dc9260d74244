"""Post-activation residual nets: random nets, exact first blocks, the closure refused, bad input."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm

from rmtlottery.meanfield import activation, length_map
from rmtlottery.meanfield.density_evolution import evolve_density, gaussian_closure
from tests.conftest import assert_mean

PHI = {"tanh": (np.tanh, lambda h: 1 - np.tanh(h) ** 2), "relu": (lambda h: np.maximum(h, 0), lambda h: 1.0 * (h > 0))}
Q0, SIGMA_W, SIGMA_B, BLOCKS = 1.5, (1.2, 0.8), (0.3, 0.1), 3
N, INNER, NETS = 300, 420, 140


@cache
def random_nets(phi):
    """Per block <h^2>, <x^2>, <phi'(h)^2>, the block's gain of a fresh direction, that of the chain; (blocks, 5, nets)."""
    act, slope = PHI[phi]
    rng = np.random.default_rng(9)
    normal = lambda *shape: rng.standard_normal(shape, dtype=np.float32)  # noqa: E731
    x, rows = act(np.sqrt(Q0) * normal(NETS, N, 1)), []
    v = normal(NETS, N, 1)
    for _ in range(BLOCKS):
        W1 = normal(NETS, INNER, N) * np.float32(SIGMA_W[0] / np.sqrt(N))
        W2 = normal(NETS, N, INNER) * np.float32(SIGMA_W[1] / np.sqrt(INNER))
        u = W1 @ x + SIGMA_B[0] * normal(NETS, INNER, 1)
        h = x + W2 @ act(u).astype(np.float32) + SIGMA_B[1] * normal(NETS, N, 1)
        before = np.concatenate([normal(NETS, N, 1), v], axis=2)
        after = slope(h) * (before + W2 @ (slope(u) * (W1 @ before)).astype(np.float32))
        gains = np.sum(after**2, axis=1) / np.sum(before**2, axis=1)
        x, v = act(h), after[..., 1:].astype(np.float32)
        rows.append([*(np.mean(f**2, axis=(1, 2)) for f in (h, x, slope(h))), gains[:, 0], gains[:, 1]])
    return np.array(rows, float)


@pytest.mark.parametrize("phi", PHI)
def test_random_nets_follow_density_evolution(phi):
    theory = evolve_density(Q0, BLOCKS, SIGMA_W, SIGMA_B, phi)
    for block, measured in enumerate(random_nets(phi)):
        for samples, expected in zip(measured, np.array(theory)[:, block], strict=True):
            assert_mean(samples, expected, rejects=1.1 * expected)


@pytest.mark.parametrize("phi", PHI)
def test_random_nets_refuse_the_gaussian_closure(phi):
    theory, closure = (f(Q0, BLOCKS, SIGMA_W, SIGMA_B, phi) for f in (evolve_density, gaussian_closure))
    last = random_nets(phi)[-1]
    for which in (1, 2, 3):
        assert_mean(last[which], theory[which][-1], rejects=closure[which][-1])


@pytest.mark.parametrize("phi", PHI)
def test_the_chain_gains_more_than_its_blocks_apart(phi):
    """Where phi' is small x stays, so what was damped is damped again, and what was let through passes again."""
    theory = evolve_density(Q0, BLOCKS, SIGMA_W, SIGMA_B, phi)
    assert_allclose(theory.gain[0], theory.chi[0], rtol=1e-12)
    assert_mean(random_nets(phi)[-1, 4], theory.gain[-1], rejects=theory.chi[-1])


def first_block(phi):
    """The x before it and its weights, and the spread of z: h0 on an even grid, which is exact for what is smooth."""
    h0 = np.linspace(-12, 12, 4801)
    weight = norm.pdf(h0, 0, np.sqrt(Q0)) * (h0[1] - h0[0])
    q1 = SIGMA_W[0] ** 2 * activation(phi).V(Q0) + SIGMA_B[0] ** 2
    spread = np.sqrt(length_map(q1, SIGMA_W[1], SIGMA_B[1], phi))
    return PHI[phi][0](h0), weight, spread, 1 + (SIGMA_W[0] * SIGMA_W[1]) ** 2 * activation(phi).D(q1)


def test_the_first_block_of_tanh_is_a_double_integral():
    x, weight, spread, inner = first_block("tanh")
    z = np.linspace(-9, 9, 361)[:, None]
    h, weight = x + spread * z, weight * norm.pdf(z) * 0.05
    squares = [np.sum(weight * f**2) for f in (h, np.tanh(h), 1 - np.tanh(h) ** 2)]
    found = evolve_density(Q0, 1, SIGMA_W, SIGMA_B)
    assert_allclose(np.ravel(found), [*squares, squares[2] * inner, squares[2] * inner], rtol=1e-10)


def test_the_first_block_of_relu_is_rectified_normals():
    """E relu(x + s z)^2 = (x^2 + s^2) Phi(x/s) + x s phi_N(x/s)."""
    x, weight, spread, inner = first_block("relu")
    h_square, slope_square = weight @ (x**2 + spread**2), weight @ norm.cdf(x / spread)
    x_square = weight @ ((x**2 + spread**2) * norm.cdf(x / spread) + x * spread * norm.pdf(x / spread))
    found = evolve_density(Q0, 1, SIGMA_W, SIGMA_B, "relu")
    expected = [h_square, x_square, slope_square, slope_square * inner, slope_square * inner]
    assert_allclose(np.ravel(found), expected, rtol=1e-5)  # the grid's kink at h0 = 0


def test_a_linear_net_stays_gaussian():
    line = type(activation("tanh"))("line", lambda h: h, np.ones_like)
    found, closure = evolve_density(0.7, 5, 0.5, 0.3, line), gaussian_closure(0.7, 5, 0.5, 0.3, line)
    for mine, other in zip(found, closure, strict=True):
        assert_allclose(mine, other, rtol=1e-11)
    assert_allclose(found.gain, 1 + 0.5**4, rtol=1e-11)


def test_samples_may_start_it():
    units = norm.ppf((np.arange(2000) + 0.5) / 2000) * np.sqrt(Q0)
    by_units = evolve_density(np.tanh(units), 4, 1.3, 0.3)
    assert_allclose(by_units, evolve_density(Q0, 4, 1.3, 0.3), rtol=1e-4)
    lone = evolve_density([0.4, -0.4], 1, 1.3, 0.3)
    q1 = 1.69 * 0.16 + 0.09
    assert_allclose(lone.h_square, 0.16 + length_map(q1, 1.3, 0.3), rtol=1e-12)


def test_odd_phi_or_not_and_large_or_small_it_keeps_its_mass():
    """<h^2> = <x^2> + spread^2 for any law, which a grid that loses mass or reach would break."""
    for sigma_w, sigma_b, phi, start in [
        (6.0, 0.1, "tanh", 50.0),
        (0.1, 0.05, "tanh", 1e-3),
        (3.0, 0.3, "relu", 1e4),
        (0.5, 0, "relu", 1e-6),
    ]:
        found = evolve_density(start, 6, sigma_w, sigma_b, phi)
        x_square = np.array([activation(phi).V(start), *found.x_square[:-1]])
        added = length_map(sigma_w**2 * x_square + sigma_b**2, sigma_w, sigma_b, phi)
        assert_allclose(found.h_square, x_square + added, rtol=1e-10)


def test_bad_input_is_refused():
    for call in (evolve_density, gaussian_closure):
        with pytest.raises(ValueError, match=r"blocks = 0 is not at least 1"):
            call(1.0, 0, 1.0, 0.3)
        for bad in (np.nan, -1.0, np.inf):
            with pytest.raises(ValueError, match=r"start = .* is not finite and at least 0"):
                call(bad, 2, 1.0, 0.3)
        with pytest.raises(ValueError, match=r"sigma_w = -1.0 is not finite and at least 0"):
            call(1.0, 2, -1.0, 0.3)
        with pytest.raises(ValueError, match=r"sigma_b = .* has 3 values, but a block has 2 layers"):
            call(1.0, 2, 1.0, (0.1, 0.2, 0.3))
    with pytest.raises(ValueError, match=r"start of shape \(2,\) is neither a length nor a list of finite x"):
        evolve_density([0.1, np.nan], 2, 1.0, 0.3)
    with pytest.raises(ValueError, match=r"start of shape \(2, 1\) is neither"):
        evolve_density([[0.1], [0.2]], 2, 1.0, 0.3)
    with pytest.raises(ValueError, match="a law is carried for one net at a time"):
        evolve_density(1.0, 2, np.ones(3), 0.3)
    with pytest.raises(ValueError, match=r"adds a spread of 0 to a law that reaches to .*: too little to resolve"):
        evolve_density(1.0, 2, 0.0, 0.0)
