"""The singular values of a convolution against the matrix that torch makes of it, pixel by pixel."""

import numpy as np
import pytest
import torch

from rmtlottery.spectra.conv import conv_norm_bounds, conv_singular_values, slices, unfolded

NUMBERS = np.random.default_rng(0)
SHAPES = [  # kernel (out, in, k1, k2) and picture, all unequal; even kernels, one that goes around its picture, one pixel
    ((3, 5, 3, 3), (6, 7)),
    ((5, 3, 2, 4), (7, 6)),
    ((4, 2, 3, 5), (3, 5)),
    ((2, 3, 5, 3), (1, 4)),
    ((1, 1, 3, 3), (1, 1)),
]


def operator(kernel, size, mode):
    """Its columns are what torch makes of one bright pixel; numpy pads, with the odd pixel at the end as in torch."""
    pixels = np.eye(kernel.shape[1] * np.prod(size)).reshape(-1, kernel.shape[1], *size)
    widths = [(0, 0), (0, 0), *(((k - 1) // 2, k // 2) for k in kernel.shape[2:])]
    padded = torch.from_numpy(np.pad(pixels, widths, mode=mode))
    convolve = torch.conv2d if kernel.ndim == 4 else torch.conv1d
    return convolve(padded, torch.from_numpy(kernel)).flatten(1).T.numpy()


@pytest.mark.parametrize(("padding", "mode"), [("circular", "wrap"), ("zero", "constant")])
@pytest.mark.parametrize(("shape", "size"), [*SHAPES, ((3, 2, 4), (5,)), ((2, 3, 3), (6,))])
def test_they_are_those_of_the_matrix(shape, size, padding, mode):
    kernel = NUMBERS.standard_normal(shape)
    expected = np.linalg.svd(operator(kernel, size, mode), compute_uv=False)
    found = conv_singular_values(kernel, size, padding)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-12 * expected[0])


def test_one_number_is_a_square_picture():
    kernel = NUMBERS.standard_normal((2, 3, 3, 3))
    assert np.array_equal(conv_singular_values(kernel, 5), conv_singular_values(kernel, (5, 5)))


def test_the_largest_is_what_power_iteration_on_pictures_finds():
    kernel = torch.from_numpy(NUMBERS.standard_normal((7, 4, 3, 3)))
    x = torch.from_numpy(NUMBERS.standard_normal((1, 4, 9, 12))).requires_grad_()
    for _ in range(300):
        y = torch.conv2d(torch.nn.functional.pad(x, (1, 1, 1, 1), mode="circular"), kernel)
        (back,) = torch.autograd.grad(y, x, y)
        x = (back / back.norm()).detach().requires_grad_()
    assert conv_singular_values(kernel.numpy(), (9, 12))[0] == pytest.approx(y.norm().item(), rel=1e-6)


def test_small_ones_are_right_to_rounding_and_no_worse():
    """A 1x1 kernel is its matrix at every pixel; the root of a Gram eigenvalue would leave 1e-8 here."""
    u, v = (np.linalg.qr(NUMBERS.standard_normal((5, 5)))[0] for _ in range(2))
    graded = np.array([1, 1e-3, 1e-6, 1e-9, 1e-12])
    found = conv_singular_values((u * graded @ v)[..., None, None], (3, 4)).reshape(5, 12)
    np.testing.assert_allclose(found, np.repeat(graded, 12).reshape(5, 12), rtol=1e-3, atol=0)


def test_the_operator_its_slices_and_its_unfolded_kernel_are_three_matrices():
    """By their Gaussian edges, at entry variance 1: sqrt(out) + sqrt(in), sqrt(out) + 3 sqrt(in), and 3 times the first."""
    kernel = NUMBERS.standard_normal((48, 64, 3, 3))
    slice_norm, unfolded_norm = (np.linalg.norm(part, 2, (-2, -1)).max() for part in (slices(kernel), unfolded(kernel)))
    norm = conv_singular_values(kernel, (12, 10))[0]
    edges = np.array([48**0.5 + 64**0.5, 48**0.5 + 3 * 64**0.5, 3 * (48**0.5 + 64**0.5)])
    np.testing.assert_allclose([slice_norm, unfolded_norm, norm], edges, rtol=0.07)
    assert 1.9 * slice_norm < unfolded_norm < norm / 1.3
    assert norm < 3 * unfolded_norm


def test_slices_and_unfolded_hold_the_kernel_as_they_say():
    kernel = NUMBERS.standard_normal((2, 3, 4, 5))
    assert slices(kernel).shape == (20, 2, 3)
    assert np.array_equal(slices(kernel)[7], kernel[:, :, 1, 2])
    assert unfolded(kernel).shape == (2, 60)
    assert np.array_equal(unfolded(kernel)[1, 20:40], kernel[1, 1].ravel())


@pytest.mark.parametrize(("shape", "size"), [*SHAPES, ((3, 2, 4), (5,)), ((2, 6, 3, 2), (9, 4))])
def test_the_bounds_hold_and_the_low_one_is_reached(shape, size):
    kernel = NUMBERS.standard_normal(shape)
    norm = np.linalg.norm(operator(kernel, size, "constant"), 2)
    low, high = conv_norm_bounds(kernel, size)
    assert low <= norm * (1 + 1e-12)
    assert low == pytest.approx(norm, rel=1e-5)
    assert norm <= high


def test_on_large_pictures_the_bounds_close_on_the_symbol():
    """[1 a 1] over n pixels has the values a + 2 cos(pi j / (n + 1)), and a + 2 on an endless line."""
    kernel, n = np.array([[[1.0, 1.5, 1.0]]]), 400
    low, high = conv_norm_bounds(kernel, n)
    assert low == pytest.approx(1.5 + 2 * np.cos(np.pi / (n + 1)), rel=1e-8)
    assert high == pytest.approx(3.5, rel=1e-12)
    exact = 1.5 + 2 * np.cos(np.pi * np.arange(1, n + 1) / (n + 1))
    np.testing.assert_allclose(conv_singular_values(kernel, n, "zero"), np.sort(np.abs(exact))[::-1], atol=1e-12)


def test_bounds_of_nothing_and_of_one_weight():
    assert conv_norm_bounds(np.zeros((2, 3, 3, 3)), 4) == (0, 0)
    assert conv_norm_bounds([[[[-2.0]]]], (3, 4)) == pytest.approx((2, 2), rel=1e-14)


@pytest.mark.parametrize(("shape", "size", "sides"), [((8, 2, 3, 3), 92, "67712 x 16928"), ((1, 1, 3), 4001, "4001 x 4001")])
def test_an_operator_too_large_to_decompose_is_refused_with_what_to_do(shape, size, sides):
    with pytest.raises(ValueError, match=f"{sides} matrix, too large to decompose: for its norm take conv_norm_bounds"):
        conv_singular_values(np.zeros(shape), size, "zero")


def test_an_operator_of_few_rows_and_very_many_columns_is_too_large_too():
    with pytest.raises(ValueError, match="1024 x 1048576 matrix, too large to decompose"):
        conv_singular_values(np.zeros((1, 1024, 1, 1)), 32, "zero")


@pytest.mark.parametrize(
    ("kernel", "size", "padding", "words"),
    [
        (np.ones((2, 3)), 4, "circular", r"a kernel of shape \(2, 3\) is not \(out, in, k\)"),
        (np.ones((2, 0, 3)), 4, "circular", r"\(2, 0, 3\) is not \(out, in, k\) or"),
        (np.full((2, 1, 3), np.nan), 4, "circular", "6 numbers of the kernel are not finite"),
        (np.ones((2, 1, 3)), (4, 4), "circular", r"size = \(4, 4\) has 2 sides, and a kernel of shape \(2, 1, 3\) has 1"),
        (np.ones((2, 1, 3)), 0, "circular", "a side of size = 0 is not at least 1"),
        (np.ones((2, 1, 3)), 4.5, "circular", "a side of size = 4.5 is not a whole number"),
        (np.ones((2, 1, 3)), 4, "reflect", "padding = 'reflect' is not known; take 'circular' or 'zero'"),
    ],
)
def test_what_is_no_convolution_is_refused(kernel, size, padding, words):
    with pytest.raises(ValueError, match=words):
        conv_singular_values(kernel, size, padding)
