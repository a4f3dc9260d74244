"""How far a net of finite width strays from its theory: the bar without which no deviation is one (derived here).

K^l is the variance of h^l given the layers below; given it the units of layer l are independent N(0, K^l), and
K^{l+1} = sigma_w^2 mean_i phi(h_i^l)^2 + sigma_b^2, a mean over the N_l units of layer l (not of layer l + 1).
All of it is the leading order in 1/width. What it leaves out is a fraction of about S_l / q_l^2 of the variance, more for a
weak correlation: at widths of 50 to 90, in layer 4, the simulated variance is 1 % (tanh) and 12 % (relu) above it.
"""

import numpy as np
from numpy.typing import ArrayLike

from rmtlottery.meanfield.activations import Activation, activation
from rmtlottery.meanfield.gaussian import Array, lengths
from rmtlottery.meanfield.maps import Phi, sigmas
from rmtlottery.meanfield.pairs import correlations, gaussian_pair_mean


def length_variance(q: ArrayLike, widths: ArrayLike, sigma_w: ArrayLike, phi: Phi = "tanh", *, c: ArrayLike = 1.0) -> Array:
    """Over random nets, the variance of mean_i h_i^2 in layers 1..L: S_l + 2 q_l^2 / N_l, like q of shape (L, ...).

    S_1 = 0 (the input is given), S_{l+1} = chi_q(q_l)^2 S_l + sigma_w^4 (E phi^4 - V^2) / N_l at q_l. `widths` are N_1..N_L;
    sigma_w is a number or (L, ...), sigma_w[l] of the weights *into* layer l (the first is not used). With c, a number or
    (L, ...), it is the covariance between two inputs of that length whose h^l have correlation c_l; the variance of a mean
    over inputs is its mean over all pairs, those with themselves (c = 1) included: many inputs do not average it away.
    """
    act = activation(phi)
    q, n, weight = chain(q, widths, sigma_w)
    q, c = np.broadcast_arrays(q, per_layer(correlations(c), "c", len(q), q.ndim))
    return kernel_variance(q, n, weight, act, c) + 2 * (q * c) ** 2 / n


def length_shift(q: ArrayLike, widths: ArrayLike, sigma_w: ArrayLike, phi: Phi = "tanh") -> Array:
    """How far the mean of mean_i h_i^2 lies from q_l, to order 1/width: M_{l+1} = chi_q M_l + Q''(q_l) S_l / 2, M_1 = 0.

    Negative where Q is concave (saturating phi); zero for relu, whose Q is straight. Arguments as in `length_variance`.
    """
    act = activation(phi)
    q, n, weight = chain(q, widths, sigma_w)
    variance, bend = kernel_variance(q, n, weight, act, np.ones_like(q)), act_bend(q, act)
    slope, shift = act.V_slope(q), [np.zeros_like(q[0])]
    for layer in range(len(q) - 1):
        gain = weight[layer + 1] ** 2
        shift.append(gain * (slope[layer] * shift[-1] + bend[layer] * variance[layer] / 2))
    return np.stack(shift)


def kernel_variance(q: Array, n: Array, weight: Array, act: Activation, c: Array) -> Array:
    """S_l, or its like for two inputs: Cov(K_a^l, K_b^l)."""
    slope, spread = act.V_slope(q), square_covariance(q, c, act)
    found = [np.zeros_like(q[0])]
    for layer in range(len(q) - 1):
        gain = weight[layer + 1] ** 4
        found.append(gain * (slope[layer] ** 2 * found[-1] + spread[layer] / n[layer]))
    return np.stack(found)


def square_covariance(q: Array, c: Array, act: Activation) -> Array:
    """E phi(u_a)^2 phi(u_b)^2 - V^2: what one unit adds, u_a and u_b of variance q and correlation c.

    Right to 1e-10 but for a pair under hard_tanh, whose kinks at +-1 cost 0.4 % at q = 1 and 1.6 % at q = 10.
    """
    both, same = np.empty_like(q), c == 1
    both[same] = act.V4(q[same])
    both[~same] = gaussian_pair_mean(lambda h: act.phi(h) ** 2, q[~same], q[~same], c[~same], act.largest)
    return both - act.V(q) ** 2


def act_bend(q: Array, act: Activation) -> Array:
    """V''(q), by a five-point difference of V' (its closed form, where phi is kinked); 0 at q = 0, where nothing varies."""
    held = np.where(q > 0, q, 1.0)
    near, far = (act.V_slope(held * (1 + k)) - act.V_slope(held * (1 - k)) for k in (1e-3, 2e-3))
    return np.where(q > 0, (8 * near - far) / (12e-3 * held), 0.0)


def chain(q: ArrayLike, widths: ArrayLike, sigma_w: ArrayLike) -> tuple[Array, Array, Array]:
    """Lengths, widths and sigma_w layer by layer, refused where they do not chain."""
    q = np.atleast_1d(lengths(q))
    n = np.asarray(widths, float)
    if n.shape != q.shape[:1]:
        raise ValueError(f"widths of shape {n.shape} do not chain with the {len(q)} layers of q: one width each")
    if not np.all(np.isfinite(n) & (n >= 1)):
        raise ValueError(f"widths = {n}: every width is finite and at least 1")
    weight, _ = sigmas(sigma_w, 0.0)
    return q, per_layer(n, "widths", len(q), q.ndim), per_layer(weight, "sigma_w", len(q), q.ndim)


def per_layer(value: ArrayLike, name: str, layers: int, dimensions: int) -> Array:
    """A number or (L, ...) as (L, 1.., 1), its further axes aligned with q's first."""
    held = np.asarray(value, float)
    held = np.broadcast_to(held, (layers,)) if held.ndim == 0 else held
    if len(held) != layers:
        raise ValueError(f"{name} of shape {held.shape} does not go with {layers} layers: a number, or one for each")
    return held.reshape(held.shape + (1,) * (dimensions - held.ndim))
