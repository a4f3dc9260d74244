"""What random subspaces have in common: closed forms, and subspaces drawn at random."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.width import interference, largest_shared, path_cosine, shared_energy
from tests.conftest import assert_mean


def columns(rng, ambient, dim, many):
    """Gaussian columns of unit length, (many, D, d)."""
    drawn = rng.standard_normal((many, ambient, dim))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def cosines(ambient, dim, draws):
    """Squared cosines of the principal angles of two subspaces, (draws, d)."""
    rng, found = np.random.default_rng(dim), []
    for _ in range(draws):
        one, other = (np.linalg.qr(held)[0] for held in columns(rng, ambient, dim, 2))
        found.append(np.linalg.svd(one.T @ other, compute_uv=False) ** 2)
    return np.array(found)


@pytest.mark.parametrize(("ambient", "dim"), [(30, 5), (30, 20), (12, 1)])
def test_the_mean_squared_cosine_of_two_subspaces(ambient, dim):
    found, expected = cosines(ambient, dim, 2000 if dim == 1 else 400).mean(1), shared_energy(dim, ambient)
    assert_mean(found, expected, rejects=expected * 1.2)


@pytest.mark.parametrize(("ambient", "dim"), [(1200, 120), (900, 300)])
def test_the_largest_cosine_of_two_large_subspaces(ambient, dim):
    found, expected = cosines(ambient, dim, 4)[:, 0].mean(), largest_shared(dim, ambient)
    assert abs(found - expected) < 0.03
    assert abs(2 * dim / ambient - expected) > 0.06, "and not twice the mean"


def test_subspaces_of_more_than_half_of_all_dimensions_meet():
    assert cosines(20, 12, 3)[:, 0].min() > 1 - 1e-9
    assert_allclose(largest_shared([9, 10, 12], 20), [4 * 0.45 * 0.55, 1, 1])


def of_law(law, rng, ambient, dim, many):
    """Columns of each law, (many, D, d)."""
    if law == "axes":
        return np.array([np.eye(ambient)[:, rng.permutation(ambient)[:dim]] for _ in range(many)])
    drawn = columns(rng, ambient, dim, many)
    return drawn if law == "gaussian" else np.linalg.qr(drawn)[0]


def missed(readout, subnets, dim, ambient, rng, law="gaussian"):
    """The share that is missed, the mean over subnets of one draw, displacements of unit coordinates."""
    maps = of_law(law, rng, ambient, dim, subnets)
    x = rng.standard_normal((subnets, dim))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    moved = np.einsum("kij,kj->ki", maps, x)
    total = moved.sum(0)
    if readout == "sum":
        read = np.broadcast_to(total, moved.shape)
    elif readout == "projection":
        read = np.array([held @ np.linalg.lstsq(held, total, rcond=None)[0] for held in maps])
    else:
        solved = np.linalg.lstsq(np.concatenate(list(maps), 1), total, rcond=None)[0].reshape(subnets, dim)
        read = np.einsum("kij,kj->ki", maps, solved)
    return (np.square(read - moved).sum(1) / np.square(moved).sum(1)).mean()


@pytest.mark.parametrize(
    ("readout", "subnets", "dim", "ambient"),
    [
        ("sum", 5, 12, 130),
        ("projection", 5, 12, 130),
        ("projection", 12, 30, 130),
        ("unmixed", 8, 30, 130),
        ("unmixed", 3, 110, 130),
        ("unmixed", 2, 120, 130),
    ],
)
def test_what_is_missed_of_subnets_drawn_at_random(readout, subnets, dim, ambient):
    rng = np.random.default_rng(subnets)
    samples = [missed(readout, subnets, dim, ambient, rng) for _ in range(120)]
    expected = interference(readout, subnets, dim, ambient)
    assert_mean(np.array(samples), expected, rejects=1.15 * expected, bias=0.03 * expected)


@pytest.mark.parametrize(("subnets", "dim"), [(2, 120), (4, 65)])
def test_orthonormal_subnets_that_do_not_fit_lose_more(subnets, dim):
    rng = np.random.default_rng(subnets)
    samples = [missed("unmixed", subnets, dim, 130, rng, "orthonormal") for _ in range(120)]
    expected = interference("unmixed", subnets, dim, 130, law="orthonormal")
    assert_mean(np.array(samples), expected, rejects=interference("unmixed", subnets, dim, 130), bias=0.03 * expected)


def test_axes_that_are_shared_are_shared_out():
    rng = np.random.default_rng(0)
    samples = [missed("unmixed", 5, 40, 130, rng, "axes") for _ in range(120)]
    expected = interference("unmixed", 5, 40, 130, touched=40 / 130, law="axes")
    assert_mean(np.array(samples), expected, rejects=1.1 * expected, bias=0.02 * expected)


@pytest.mark.parametrize("law", ["gaussian", "orthonormal", "axes"])
@pytest.mark.parametrize("signs", [False, True])
def test_one_gradient_down_two_sets_of_coordinates(law, signs):
    rng, ambient, dim, found = np.random.default_rng(1), 300, 100, []
    for _ in range(60):
        gradient, ways = rng.standard_normal(ambient), []
        for held in of_law(law, rng, ambient, dim, 2):
            down = gradient @ held
            ways.append(held @ (np.sign(down) if signs else down))
        found.append(ways[0] @ ways[1] / np.prod(np.linalg.norm(ways, axis=1)))
    expected = path_cosine(dim, ambient, law=law, signs=signs)
    assert_mean(np.array(found), expected, rejects=1.25 * expected, bias=0.02 * expected)


def test_subnets_that_fit_are_unmixed_exactly():
    assert missed("unmixed", 4, 30, 130, np.random.default_rng(0)) < 1e-20
    assert interference("unmixed", 4, 30, 130) == 0
    assert interference("unmixed", 5, 30, 130) > 0


@pytest.mark.parametrize("touched", [0.1, 0.4])
def test_masks_share_a_weight_among_those_that_touch_it(touched):
    """Where n others touch a weight of mine, 1/(n + 1) of the sum is read: of equal variances n/(n + 1) is missed."""
    rng, subnets = np.random.default_rng(3), 6
    others = rng.binomial(subnets - 1, touched, 20000)
    expected = interference("mask", subnets, 10, 100, touched=touched)
    assert_mean(others / (others + 1), expected, rejects=1.05 * expected)


def test_masks_of_a_weight_in_numbers():
    assert interference("mask", 2, 10, 100, touched=0.5) == pytest.approx(0.25)
    assert interference("mask", [1, 4], 10, 100) == pytest.approx([0, 0.75])


@pytest.mark.parametrize("readout", ["sum", "projection"])
def test_displacements_that_are_alike_add_up(readout):
    """Each is led by a direction of its own and by one that all have in common, of share c of the square."""
    rng, subnets, dim, ambient, alike = np.random.default_rng(5), 9, 14, 160, 0.3
    samples = []
    for _ in range(400):
        common, *own = rng.standard_normal((subnets + 1, ambient)) / ambient**0.5
        moved = alike**0.5 * common + (1 - alike) ** 0.5 * np.array(own)
        rest = moved[1:].sum(0)
        if readout == "projection":
            columns_ = np.linalg.qr(rng.standard_normal((ambient, dim)))[0]
            rest = columns_.T @ rest
        samples.append(np.square(rest).sum() / np.square(moved[0]).sum())
    expected = interference(readout, subnets, dim, ambient, cosine=alike)
    assert_mean(np.array(samples), expected, rejects=1.15 * expected, bias=0.03 * expected)


def test_one_subnet_alone_is_read_exactly_and_all_broadcast():
    for readout in ("sum", "projection", "unmixed", "mask"):
        assert_allclose(interference(readout, 1, 10, 100, touched=0.3), 0, atol=1e-15)
        assert interference(readout, [[2], [50]], [10, 20, 90], 100).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: interference("guess", 2, 10, 100), "'guess' is no read-out: take one of sum, projection, mask, unmixed"),
        (lambda: interference("sum", 0, 10, 100), "subnets = 0 is not 1 or more"),
        (lambda: interference("sum", 1.5, 10, 100), "subnets = 1.5 is no whole number"),
        (lambda: interference("sum", 2, 10, 100, law="dense"), "'dense' is no law of columns: take one of gaussian, orth"),
        (lambda: path_cosine(2, 10, law="dense"), "'dense' is no law of columns"),
        (lambda: interference("mask", 2, 10, 100, touched=1.5), "touched = 1.5 is no probability"),
        (lambda: interference("sum", 2, 10, 100, cosine=1.5), "cosine = 1.5 is more than 1"),
        (lambda: interference("sum", 2, 10, 100, cosine=-2), "cosine = -2 is not -1 or more"),
        (lambda: shared_energy(11, 10), "dim = 11 is more than ambient = 10"),
        (lambda: largest_shared(-1, 10), "dim = -1 is not 0 or more"),
    ],
)
def test_what_is_no_subnet_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
