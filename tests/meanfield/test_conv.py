"""Lengths in convolutions: random convolutions (torch's unfold as the judge), the linearised covariance map, bad input."""

from functools import cache

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from rmtlottery.meanfield import Activation, activation, fixed_point, length_map, trajectory
from rmtlottery.meanfield.conv import (
    conv_chi,
    conv_length_map,
    conv_trajectory,
    delta_kernel,
    fourier_modes,
    kernel_shares,
    mode_depth_scale,
    reach,
    window_mean,
)
from tests.conftest import assert_mean

COS = Activation("cos", np.cos, lambda h: -np.sin(h), bound=1.0, limit=20)  # phi(0) = 1: what lies outside is 0, not V(0)
PHI = {"tanh": "tanh", "cos": COS}
IN, MIDDLE, OUT, SIZE, NETS = 5, 24, 16, (5, 6), 1500
SIGMA_W, SIGMA_B = 1.5, 0.4
PLACES = {"corner": (0, 0), "far corner": (4, 5), "edge": (0, 2), "side": (2, 5), "centre": (2, 3)}
LOPSIDED = np.array([[0.3, 0.1, 0], [0.05, 0.2, 0.05], [0.2, 0.1, 0]])


def convolve(x, channels, shares, rng, stride=1):
    """A random zero-padded convolution for each net, of x (nets or 1, C, H, W); and its weights."""
    k, C = len(shares), x.shape[1]
    unfolded = torch.nn.functional.unfold(torch.as_tensor(x), k, padding=k // 2, stride=stride).numpy()
    spread = np.tile(np.sqrt(shares.ravel() / C), C).astype(np.float32)
    W = SIGMA_W * spread * rng.standard_normal((NETS, channels, C * k * k), dtype=np.float32)
    side = [(size - 1) // stride + 1 for size in SIZE]
    return (W @ unfolded).reshape(NETS, channels, *side), W


@cache
def picture():
    rng = np.random.default_rng(2)
    return (rng.standard_normal((1, IN, *SIZE)) * np.linspace(0.3, 2, 30).reshape(SIZE)).astype(np.float32)


@cache
def second_layer(phi, lopsided):
    """Per net the mean over channels of h^2 at layer 2: given the input its mean is exact at any number of channels."""
    rng, shares = np.random.default_rng(4), LOPSIDED if lopsided else kernel_shares(3)
    bias = lambda channels: SIGMA_B * rng.standard_normal((NETS, channels, 1, 1), dtype=np.float32)  # noqa: E731
    h = convolve(picture(), MIDDLE, shares, rng)[0] + bias(MIDDLE)
    x = activation(PHI[phi]).phi(h)
    return np.mean((convolve(x, OUT, shares, rng)[0] + bias(OUT)) ** 2, axis=1)


def first_lengths(shares):
    return SIGMA_B**2 + SIGMA_W**2 * window_mean(np.mean(picture()[0].astype(float) ** 2, axis=0), shares)


@pytest.mark.parametrize("lopsided", [False, True])
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("phi", PHI)
def test_random_convolutions_follow_the_map_pixel_by_pixel(phi, place, lopsided):
    q1, at = first_lengths(LOPSIDED if lopsided else 3), PLACES[place]
    q2 = conv_length_map(q1, SIGMA_W, SIGMA_B, PHI[phi], kernel=LOPSIDED if lopsided else 3)[at]
    samples = second_layer(phi, lopsided)[:, *at].astype(float)
    assert_mean(samples, q2, rejects=1.1 * q2)
    if place == "corner" and not lopsided:
        act, seen = activation(PHI[phi]), (SIGMA_W**2 * 4 / 9)
        assert_mean(samples, q2, rejects=SIGMA_B**2 + (q2 - SIGMA_B**2) * 9 / 4)  # divided by the pixels inside
        if phi == "cos":
            assert_mean(samples, q2, rejects=q2 + seen * 5 / 4 * act.V(0.0))  # V(0) outside


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("place", PLACES)
def test_a_perturbed_pixel_gains_what_chi_says(place, stride):
    """The same weights, linearised: W (phi'(h) v), v at one pixel, its square summed over the next picture."""
    rng, at = np.random.default_rng(6), PLACES[place]
    q = np.linspace(0.2, 3, 30).reshape(SIZE)
    h = np.sqrt(q) * rng.standard_normal((NETS, MIDDLE, *SIZE))
    v = np.zeros_like(h)
    v[:, :, *at] = rng.standard_normal((NETS, MIDDLE))
    out, _ = convolve(((1 - np.tanh(h) ** 2) * v).astype(np.float32), OUT, LOPSIDED, rng, stride)
    samples = np.sum(np.mean(out.astype(float) ** 2, axis=1), axis=(1, 2))
    expected = conv_chi(q, SIGMA_W, kernel=LOPSIDED, stride=stride)[at]
    assert_mean(samples, expected, rejects=1.1 * expected)


def test_a_corner_sees_four_ninths():
    assert_allclose(9 * reach((4, 5)), 9 * window_mean(np.ones((4, 5))), rtol=1e-14)
    assert_allclose(9 * reach((3, 4)), [[4, 6, 6, 4], [6, 9, 9, 6], [4, 6, 6, 4]], rtol=1e-14)
    assert_allclose(reach((3, 4), padding="circular"), 1, rtol=1e-14)
    assert_allclose(9 * reach((3, 4), padding="none"), [[1, 2, 2, 1]] * 3, rtol=1e-14)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", ["zero", "circular", "none"])
def test_window_mean_is_torchs_convolution(padding, stride):
    rng = np.random.default_rng(0)
    field, shares = rng.random((2, 7, 6)), rng.dirichlet(np.ones(25)).reshape(5, 5)
    mode = {"zero": "constant", "circular": "circular", "none": None}[padding]
    x = torch.as_tensor(field)[:, None]
    x = torch.nn.functional.pad(x, (2, 2, 2, 2), mode=mode) if mode else x
    expected = torch.nn.functional.conv2d(x, torch.as_tensor(shares)[None, None], stride=stride)[:, 0].numpy()
    assert_allclose(window_mean(field, shares, padding=padding, stride=stride), expected, rtol=1e-12)
    total = window_mean(field, shares, padding=padding, stride=stride).sum(axis=(1, 2))
    assert_allclose(np.sum(field * reach((7, 6), shares, padding=padding, stride=stride), axis=(1, 2)), total, rtol=1e-12)


def test_circular_padding_is_the_dense_map_and_zero_padding_is_not():
    dense = trajectory(0.8, 6, 1.4, 0.3)
    found = conv_trajectory(np.full((4, 6), 0.8), 6, 1.4, 0.3, padding="circular")
    assert_allclose(found, np.broadcast_to(dense[:, None, None], (6, 4, 6)), rtol=1e-13)
    padded = conv_trajectory(np.full((9, 9), 0.8), 4, 1.4, 0.3)
    assert_allclose(padded[:, 4, 4], dense[:4], rtol=1e-13)  # the shadow has come 3 pixels far
    assert np.all(padded[3, 0, 0] < padded[3, 0, 4] < dense[3])
    assert padded[3, 4, 2] < dense[3] * (1 - 1e-6)


def test_delta_kernels_keep_every_pixel_apart():
    q = np.array([[0.1, 2.0, 0.7], [1.0, 0.0, 3.0]])
    found = conv_length_map(q, 1.4, 0.3, kernel=delta_kernel(3))
    assert_allclose(found, length_map(q, 1.4, 0.3), rtol=1e-13)
    assert_allclose(conv_chi(q, 1.4, kernel=delta_kernel(5)), 1.96 * activation("tanh").D(q), rtol=1e-13)
    assert_allclose(conv_length_map(q, 1.4, 0.3, kernel=1), found, rtol=1e-13)


def erf_covariance_map(covariance, shares, sigma_w, sigma_b):
    """One circular layer of the whole pixel-by-pixel covariance (H, W, H, W), by Williams's formula and np.roll."""
    H, W = covariance.shape[:2]
    q = np.einsum("abab->ab", covariance)
    scale = np.sqrt((1 + 2 * q)[:, :, None, None] * (1 + 2 * q))
    K, out = 2 / np.pi * np.arcsin(2 * covariance / scale), np.zeros_like(covariance)
    for i, j in np.ndindex(shares.shape):
        shift = (1 - i, 1 - j, 1 - i, 1 - j)
        out += shares[i, j] * np.roll(K, shift, axis=(0, 1, 2, 3))
    assert out.shape == (H, W, H, W)
    return sigma_w**2 * out + sigma_b**2


@pytest.mark.parametrize("shares", [kernel_shares(3), delta_kernel(3), np.array([[0, 1, 2], [3, 6, 3], [2, 1, 0]]) / 18])
@pytest.mark.parametrize("mode", [(0, 0), (1, 0), (0, 2), (2, 1), (3, 5)])
def test_patterns_fade_as_their_modes_say(mode, shares):
    """Perturb the circular fixed point by cos(omega . a), in the lengths and in pairs one pixel down, two right."""
    H, W, tiny = 5, 6, 1e-6
    at = fixed_point(1.8, 0.3, "erf")
    factor = fourier_modes((H, W), shares)[mode]
    a = np.stack(np.meshgrid(np.arange(H), np.arange(W), indexing="ij"))
    wave = np.cos(2 * np.pi * (mode[0] * a[0] / H + mode[1] * a[1] / W))
    settled = np.full((H, W, H, W), at.q * at.c)
    settled[a[0], a[1], a[0], a[1]] = at.q
    down, right = (a[0] + 1) % H, (a[1] + 2) % W
    for other, chi in ((a, at.chi_q), (np.stack([down, right]), at.chi_c)):
        moved = []
        for sign in (1, -1):
            covariance = settled.copy()
            pair = (a[0], a[1], other[0], other[1])
            covariance[pair] = settled[pair] + sign * tiny * wave
            covariance[pair[2:] + pair[:2]] = covariance[pair]
            moved.append(erf_covariance_map(covariance, shares, 1.8, 0.3)[pair])
        assert_allclose((moved[0] - moved[1]) / (2 * tiny), factor * chi * wave, atol=1e-8)


def test_modes_are_the_transform_of_the_shares():
    field = np.zeros((7, 9))
    field[0, 0] = 1
    seen = window_mean(field, LOPSIDED, padding="circular")
    assert_allclose(fourier_modes((7, 9), LOPSIDED), np.fft.fft2(seen), atol=1e-14)
    modes = fourier_modes((7, 9))
    assert modes.dtype == float
    assert_allclose(modes[1, 2], (1 + 2 * np.cos(2 * np.pi / 7)) * (1 + 2 * np.cos(4 * np.pi / 9)) / 9, rtol=1e-12)
    assert_allclose(fourier_modes((4, 6), delta_kernel(5)), 1, rtol=1e-14)
    assert_allclose(fourier_modes((1, 1), 5), 1, rtol=1e-14)


def test_depth_scale_of_a_mode():
    assert_allclose(mode_depth_scale([1.0, np.exp(-0.5), -np.exp(-0.5), 0.0], 1.0), [np.inf, 2, 2, 0], rtol=1e-12)
    assert_allclose(mode_depth_scale(1.0, np.exp(0.25)), -4, rtol=1e-12)
    assert_allclose(mode_depth_scale(fourier_modes((6, 6))[2, 0], 1.0), 0, atol=0)  # a wave of 3 pixels is averaged away
    assert_allclose(mode_depth_scale(0.3 + 0.4j, 1.0), 1 / np.log(2), rtol=1e-12)


def test_everything_broadcasts_and_sizes_follow():
    q = np.ones((2, 7, 6))
    assert conv_length_map(q, np.ones((3, 1, 1, 1)), 0.1).shape == (3, 2, 7, 6)
    assert conv_trajectory(q, 4, np.ones((3, 1, 1, 1)), 0.1).shape == (4, 3, 2, 7, 6)
    assert conv_length_map(q, 1.0, 0.1, stride=2).shape == (2, 4, 3)
    assert conv_length_map(q, 1.0, 0.1, kernel=5, padding="none", stride=2).shape == (2, 2, 1)


EVEN = np.ones((4, 4))
CALLS = {
    "map": lambda q=EVEN, w=1.4, b=0.3, **more: conv_length_map(q, w, b, **more),
    "trajectory": lambda q=EVEN, w=1.4, b=0.3, **more: conv_trajectory(q, 3, w, b, **more),
    "chi": lambda q=EVEN, w=1.4, b=0.3, **more: conv_chi(q, w + 0 * b, **more),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_bad_input_is_refused(call):
    for bad in (np.nan, -1.0, np.inf):
        with pytest.raises(ValueError, match=r"q = [\s\S]* is not finite and at least 0"):
            call(np.array([[1.0, bad]]))
        with pytest.raises(ValueError, match=r"sigma_w = .* is not finite and at least 0"):
            call(w=bad)
    with pytest.raises(ValueError, match=r"q of shape \(4,\) is no picture"):
        call(np.ones(4))
    for even in (2, 0, -3, 2.5, np.nan):
        with pytest.raises(ValueError, match=r"kernel = .* is not an odd whole number"):
            call(kernel=even)
    with pytest.raises(ValueError, match=r"a kernel of shape \(2, 2\) is not \(k, k\) with k odd"):
        call(kernel=np.full((2, 2), 0.25))
    with pytest.raises(ValueError, match=r"a kernel of shape \(3,\) is not"):
        call(kernel=np.ones(3) / 3)
    with pytest.raises(ValueError, match=r"shares sum to 9"):
        call(kernel=np.ones((3, 3)))
    with pytest.raises(ValueError, match=r"shares sum to nan"):
        call(kernel=np.full((3, 3), np.nan))
    with pytest.raises(ValueError, match=r"unknown padding 'zeros': did you mean 'zero'\?"):
        call(padding="zeros")
    with pytest.raises(ValueError, match=r"unknown padding 'same': choose from zero, circular, none"):
        call(padding="same")


def test_bad_sizes_are_refused():
    with pytest.raises(ValueError, match="a kernel of 5 does not fit into a picture of 4 without padding"):
        conv_length_map(np.ones((6, 4)), 1.4, 0.3, kernel=5, padding="none")
    with pytest.raises(ValueError, match="stride = 0 is not at least 1"):
        conv_length_map(np.ones((6, 4)), 1.4, 0.3, stride=0)
    with pytest.raises(ValueError, match="padding = 'none' shrinks the picture"):
        conv_trajectory(np.ones((6, 6)), 3, 1.4, 0.3, padding="none")
    with pytest.raises(ValueError, match="depth = 0 is not at least 1"):
        conv_trajectory(np.ones((6, 6)), 0, 1.4, 0.3)
    with pytest.raises(ValueError, match="sigma_b = nan is not finite"):
        conv_length_map(np.ones((6, 6)), 1.4, np.nan)
    with pytest.raises(ValueError, match=r"chi = -1.0 is not finite and at least 0"):
        mode_depth_scale(1.0, -1.0)


@pytest.mark.parametrize("stride", [1.5, 2.0, "2"])
def test_a_stride_is_a_whole_number(stride):
    with pytest.raises(ValueError, match=r"stride = .* is not a whole number"):
        window_mean(np.ones((5, 5)), 3, stride=stride)


@pytest.mark.parametrize("size", [8, (0, 3), (3, 3, 3)])
def test_modes_are_of_a_picture(size):
    with pytest.raises(ValueError, match=r"is not \(height, width\) of a picture"):
        fourier_modes(size)
