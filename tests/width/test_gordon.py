"""Mean lengths and Gordon's bound: closed forms, and sets whose hits are known exactly."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import integrate, stats
from scipy.special import comb

from rmtlottery.width import (
    Orthant,
    Section,
    ball_hit_probability,
    gaussian_width,
    gordon_bound,
    gordon_bound_of_1988,
    mean_length,
)
from tests.conftest import assert_mean


def test_mean_lengths_of_few_entries():
    expected = [0, np.sqrt(2 / np.pi), np.sqrt(np.pi / 2), 2 * np.sqrt(2 / np.pi), 1.5 * np.sqrt(np.pi / 2)]
    assert_allclose(mean_length([0, 1, 2, 3, 4]), expected, rtol=1e-12)


def test_neighbouring_mean_lengths_multiply_to_the_lesser_number():
    k = np.array([1, 2, 7, 100, 12_345, 10_000_000])
    assert_allclose(mean_length(k) * mean_length(k + 1), k, rtol=1e-8)


@pytest.mark.parametrize("k", [1e3, 1e6, 1e9])
def test_mean_lengths_of_many_entries(k):
    """sqrt k (1 - 1/(4k) + 1/(32 k^2)): a difference of large logarithms would lose it."""
    assert_allclose(mean_length(k), np.sqrt(k) * (1 - 1 / (4 * k) + 1 / (32 * k**2)), rtol=1e-9)


def test_mean_length_is_that_of_drawn_vectors():
    drawn = np.random.default_rng(0).standard_normal((8000, 5))
    assert_mean(np.linalg.norm(drawn, axis=1), mean_length(5), rejects=mean_length(6))
    assert_mean(np.linalg.norm(drawn, axis=1), mean_length(5), rejects=np.sqrt(5))


def test_the_bounds_by_hand():
    """alpha_3 = 1.5957691216."""
    assert_allclose(gordon_bound(3, 0.5957691216), np.exp(-0.5), rtol=1e-9)
    assert_allclose(gordon_bound_of_1988(400, mean_length(400) - 9.0), 3.5 * np.exp(-4.5), rtol=1e-9)


@pytest.mark.parametrize("bound", [gordon_bound, gordon_bound_of_1988])
def test_a_wide_set_is_bounded_by_one(bound):
    """Also where (alpha_k - w)^2 is large for want of a sign."""
    assert_allclose(bound([0, 3, 3, 100], [0.1, 1.6, 30.0, 200.0]), 1, rtol=0)


def test_the_bound_is_continuous_where_it_begins():
    edge = mean_length(50)
    assert_allclose(gordon_bound(50, edge), 1, rtol=0)
    assert_allclose(gordon_bound(50, edge - [1e-3, 0.1]), np.exp([-5e-7, -5e-3]), rtol=1e-9)


def test_the_older_constants_are_never_better():
    codimensions, widths = np.arange(0, 300, 7)[:, None], np.linspace(0, 15, 40)
    new, old = gordon_bound(codimensions, widths), gordon_bound_of_1988(codimensions, widths)
    assert new.shape == old.shape == (43, 40)
    assert np.all(old >= new)
    assert np.all(old <= 1)
    gap = mean_length(codimensions) - widths
    assert_allclose(old, np.where(gap > 0, np.minimum(1, 3.5 * np.exp(-(gap**2) / 18)), 1), rtol=1e-12)
    assert_allclose(new, np.where(gap > 0, np.exp(-(gap**2) / 2), 1), rtol=1e-12)


def cap_width(ambient, share):
    """E |g| cos(angle to the axis, less the cap's own): the tangent from afar touches the ball at sin = r/R."""
    edge = np.arcsin(share)
    angles = np.linspace(0, np.pi, 20_001)
    density = np.sin(angles) ** (ambient - 2)
    reached = np.cos(np.maximum(angles - edge, 0))
    mean_cos = integrate.trapezoid(density * reached, angles) / integrate.trapezoid(density, angles)
    return mean_cos * stats.chi(ambient).mean()


@pytest.mark.parametrize("ambient", [3, 12, 40])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.95])
def test_no_ball_is_hit_more_often_than_gordon_allows(ambient, share):
    dims = np.arange(ambient + 1)
    hits, width = ball_hit_probability(dims, ambient, share, 1.0), cap_width(ambient, share)
    assert np.all(hits <= gordon_bound(ambient - dims, width) + 1e-12)
    assert np.all(hits <= gordon_bound_of_1988(ambient - dims, width) + 1e-12)


def test_a_dimension_for_a_codimension_would_be_a_false_bound():
    dims = np.arange(41)
    hits = ball_hit_probability(dims, 40, 0.3, 1.0)
    assert np.any(hits > gordon_bound(dims, cap_width(40, 0.3)) + 0.5)


def orthant_hits(dims, ambient):
    """Wendel 1962: D half-spaces in d dimensions have a point in common."""
    return np.array([sum(comb(ambient - 1, j) for j in range(d)) / 2.0 ** (ambient - 1) for d in dims])


@pytest.mark.parametrize("ambient", [5, 31, 120])
def test_no_orthant_is_hit_more_often_than_gordon_allows(ambient):
    """Its section's width is that of its part of the sphere, but for the few draws without a positive entry."""
    width = gaussian_width(Section(Orthant(ambient)), 500, np.random.default_rng(ambient))
    dims = np.arange(ambient + 1)
    bound = gordon_bound(ambient - dims, width.value + 4 * width.error)
    assert np.all(orthant_hits(dims, ambient) <= bound + 1e-12)


def test_gordon_says_where_hits_of_an_orthant_begin():
    """They begin at D/2, and the bound is small by D/2 less some square roots of D."""
    width = gaussian_width(Section(Orthant(400)), 300, np.random.default_rng(1)).value
    assert gordon_bound(400 - np.array([120, 190]), width) == pytest.approx([0, 1], abs=0.1)
    assert np.all(orthant_hits([120, 190, 260], 400) == pytest.approx([0, 0.16, 1], abs=0.02))


def test_drawn_subspaces_hit_a_circular_cone_as_the_ball_within_it():
    """Angles to the axis of random planes in D = 6, against the exact probability and Gordon's bound."""
    planes = np.linalg.qr(np.random.default_rng(2).standard_normal((6000, 6, 2)))[0]
    hits = np.linalg.norm(planes[:, 0], axis=1) >= np.cos(np.arcsin(0.6))
    exact, swapped = ball_hit_probability([2, 4], 6, 0.6, 1.0)
    assert_mean(hits, exact, rejects=swapped)
    assert hits.mean() < gordon_bound(4, cap_width(6, 0.6))
