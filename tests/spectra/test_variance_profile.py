"""The law of a variance profile: Marchenko-Pastur, what symmetry demands, simulated masked layers, bad input."""

from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad

from rmtlottery.spectra.distance import ks_distance
from rmtlottery.spectra.dyson import DysonLaw
from rmtlottery.spectra.marchenko_pastur import MarchenkoPastur
from rmtlottery.spectra.rank_one_profile import RankOneLaw
from rmtlottery.spectra.variance_profile import VarianceProfile


def generic(m=12, n=19, seed=0):
    return np.random.default_rng(seed).gamma(1.0, 1.0, (m, n)) / n


@cache
def law(m=12, n=19):
    return VarianceProfile(generic(m, n))


def inside(edges, number=40):
    return np.linspace(*edges, number + 2)[1:-1]


@pytest.mark.parametrize(("m", "n"), [(30, 50), (50, 30), (40, 40)])
def test_one_variance_is_marchenko_pastur(m, n):
    found, exact = VarianceProfile(np.full((m, n), 1.7 / n)), MarchenkoPastur(m / n, 1.7)
    x = inside(exact.edges)
    assert_allclose(found.edges, exact.edges, rtol=1e-12, atol=1e-13)
    assert found.atom == pytest.approx(exact.atom, abs=1e-15)
    assert found.mean == pytest.approx(1.7)
    assert_allclose(found.pdf(x), exact.pdf(x), rtol=1e-12, atol=1e-12)
    assert_allclose(found.cdf(np.r_[-1.0, 0.0, x, 99.0]), exact.cdf(np.r_[-1.0, 0.0, x, 99.0]), atol=1e-6)
    p = np.array([0.0, 0.3, 0.5, 0.9, 1.0])
    assert_allclose(found.ppf(p), exact.ppf(p), atol=1e-5)


def test_transposing_keeps_all_but_zeros():
    wide, tall = law(), VarianceProfile(generic().T)
    x = np.r_[0.0, inside(wide.edges), 50.0]
    assert_allclose(tall.edges, wide.edges)
    assert tall.atom == pytest.approx(7 / 19)
    assert_allclose(tall.pdf(x), wide.pdf(x) * 12 / 19, rtol=1e-12)
    assert_allclose(tall.cdf(x), 7 / 19 + wide.cdf(x) * 12 / 19, atol=1e-12)
    z = np.array([0.5 + 0.2j, 3 + 1e-3j])
    assert_allclose(tall.resolvent(z), (12 * wide.resolvent(z) - 7 / z) / 19, rtol=1e-12)


def test_scaling_and_order_do_not_matter():
    rng, x = np.random.default_rng(1), inside(law().edges)
    mixed = generic()[rng.permutation(12)][:, rng.permutation(19)]
    assert_allclose(VarianceProfile(mixed).pdf(x), law().pdf(x), rtol=1e-9)
    scaled = VarianceProfile(1e-7 * generic())
    assert_allclose(scaled.edges, 1e-7 * np.array(law().edges), rtol=1e-9)
    assert_allclose(scaled.pdf(1e-7 * x), 1e7 * law().pdf(x), rtol=1e-9)
    assert_allclose(scaled.mean, 1e-7 * generic().sum() / 12)


def test_blocks_are_a_mixture_and_empty_rows_an_atom():
    one, two = generic(5, 9), 40 * generic(8, 6, seed=3)
    held = np.zeros((5 + 8 + 2, 9 + 6 + 4))
    held[:5, :9], held[5:13, 9:15] = one, two
    parts, together = [VarianceProfile(one), VarianceProfile(two)], VarianceProfile(held)
    x = np.r_[inside(parts[0].edges), inside(parts[1].edges), 1e3]
    assert together.atom == pytest.approx(1 - 11 / 15)
    assert_allclose(together.pdf(x), (5 * parts[0].pdf(x) + 8 * parts[1].pdf(x)) / 15, rtol=1e-9, atol=1e-15)
    assert_allclose(together.cdf(x), (5 * parts[0].cdf(x) + 8 * parts[1].cdf(x) + 2) / 15, atol=3e-6)
    assert together.edges == (min(part.edges[0] for part in parts), max(part.edges[1] for part in parts))


def test_factors_need_no_matrix_and_the_matrix_is_seen_to_be_one_of_factors():
    rng = np.random.default_rng(2)
    rows, columns = np.r_[np.exp(rng.normal(0, 0.8, 20)), 0.0], np.r_[0.0, 0.0, rng.uniform(0.2, 3, 13)]
    factors, matrix = VarianceProfile.rank_one(rows, columns), VarianceProfile(np.outer(rows, columns))
    shaken = VarianceProfile(np.outer(rows, columns) * (1 + 1e-11 * rng.standard_normal((21, 15))))
    assert [type(law.laws[0]) for law in (factors, matrix, shaken)] == [RankOneLaw, RankOneLaw, DysonLaw]
    x = inside(factors.edges)
    for other in (matrix, shaken):
        assert other.atom == pytest.approx(8 / 21)
        assert other.mean == pytest.approx(factors.mean)
        assert_allclose(other.edges, factors.edges, rtol=1e-9)
        assert_allclose(other.pdf(x), factors.pdf(x), rtol=1e-9)
        assert_allclose(other.cdf(x), factors.cdf(x), atol=1e-6)
    assert factors.atom == pytest.approx(8 / 21)


@pytest.mark.parametrize("shape", [(12, 19), (19, 12), (9, 9)])
def test_pdf_and_atom_make_one_and_the_mean(shape):
    found = VarianceProfile(generic(*shape))
    low, high = found.edges

    def moment(k):
        def part(t):
            x = low + (high - low) * np.sin(t / 2) ** 2
            return x**k * float(found.pdf(x)) * (high - low) * np.sin(t) / 2

        return quad(part, 0, np.pi, epsabs=1e-9)[0]

    assert_allclose([moment(0), moment(1)], [1 - found.atom, found.mean], atol=1e-7)


def test_square_density_has_no_bound_at_zero():
    square = law(9, 9)
    assert square.edges[0] == 0
    assert square.pdf(0.0) == np.inf
    assert_allclose(square.pdf(1e-8) / square.pdf(1e-6), 10, rtol=1e-2)
    assert law().pdf(0.0) == 0


def test_ppf_inverts_the_cdf_over_a_gap_and_an_atom():
    found = VarianceProfile.rank_one(np.repeat([1.0, 100.0, 0.0], [10, 30, 10]), np.full(70, 1 / 70))
    p = np.array([0.0, 0.1, 0.2, 0.25, 0.5, 0.99])
    x = found.ppf(p)
    assert np.all(x[:3] == 0)
    assert_allclose(found.cdf(x[3:]), p[3:], atol=1e-9)
    assert found.pdf(8.0) == 0
    assert found.cdf(8.0) == pytest.approx(0.4, abs=1e-6)


@pytest.mark.parametrize(("density", "shape"), [(0.01, (60, 60)), (0.02, (60, 100))])
def test_a_sparse_mask_has_the_atom_of_its_rank(density, shape):
    rng = np.random.default_rng(8)
    mask = rng.random(shape) < density * 256 / shape[1]
    found = VarianceProfile(mask)
    assert found.atom == pytest.approx(1 - np.linalg.matrix_rank(rng.standard_normal(shape) * mask) / shape[0])
    assert found.cdf(0.0) == pytest.approx(found.atom)
    x = found.edges[1] * np.array([0.003, 0.1, 0.4, 0.8])
    assert_allclose(found.cdf(x), found.exact(x)[0], atol=1e-5)


ROWS = {
    "equal": lambda rng, m: np.ones(m),
    "lognormal": lambda rng, m: np.exp(rng.normal(0, 1, m)),
    "classes": lambda rng, m: np.where(np.arange(m) % 2 == 0, 1.0, 4.0) ** 2,
}


def masked_layer(density, rows, m, n, nets):
    """KS distances of simulated eigenvalues: to the profile of each mask's rows and columns, to that of all masks, and to
    Marchenko-Pastur of the same mean.
    """
    rng = np.random.default_rng(12)
    scale = ROWS[rows](rng, m)
    every = VarianceProfile.rank_one(scale, np.full(n, density / n))
    simulated, laws = [], []
    for _ in range(nets):
        variances = (rng.random((m, n)) < density) * scale[:, None] / n
        W = rng.standard_normal((m, n)) * np.sqrt(variances)
        simulated.append(np.linalg.eigvalsh(W @ W.T))
        laws.append(VarianceProfile.rank_one(variances.sum(1), variances.sum(0) / variances.sum()))
    values, plain = np.concatenate(simulated), MarchenkoPastur(m / n, every.mean)
    own = ks_distance(values, lambda x: np.mean([law.cdf(x) for law in laws], axis=0))
    return own, ks_distance(values, every.cdf), ks_distance(values, plain.cdf)


@pytest.mark.parametrize("rows", ["lognormal", "classes"])
def test_masked_rows_of_unequal_scale_follow_the_profile(rows):
    """One net of 200 rows: eigenvalues are rigid, so that its KS distance is of the order of 1/200, not of 1/sqrt(200)."""
    own, every, plain = masked_layer(0.3, rows, 200, 300, 2)
    assert max(own, every) < 0.015
    assert plain > 0.05


@pytest.mark.slow
@pytest.mark.parametrize("density", [1.0, 0.2, 0.05, 0.02])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("n", [1000, 1500])
def test_masked_layers_at_every_density(density, rows, n):
    """At 20 nonzeros a row what no mask in particular tells is .022 to .026 off; the degrees of the mask mend that."""
    own, every, plain = masked_layer(density, rows, 1000, n, 4)
    assert own < 0.02
    assert every < (0.015 if density > 0.02 else 0.03)
    assert (plain > 0.05) == (rows != "equal")


def test_what_is_no_variance_is_refused():
    for wrong in (np.nan, np.inf, -1.0):
        with pytest.raises(ValueError, match=r"variances hold .* \(1 such of 4\): a variance is finite and not negative"):
            VarianceProfile([[1.0, wrong], [1.0, 1.0]])
    for empty in (np.zeros((0, 3)), np.ones(3)):
        with pytest.raises(ValueError, match="2 dimensions are needed, none of them empty"):
            VarianceProfile(empty)
    with pytest.raises(ValueError, match="all 6 variances are 0: every eigenvalue is 0"):
        VarianceProfile(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="all 2 rows are 0"):
        VarianceProfile.rank_one([0.0, 0.0], [1.0])
    with pytest.raises(ValueError, match=r"columns hold -1\.0"):
        VarianceProfile.rank_one([1.0], [-1.0])


def test_what_is_no_point_is_refused():
    with pytest.raises(ValueError, match=r"z = .* is not a finite point above the real line"):
        law().resolvent([1 + 1j, 0.5])
    with pytest.raises(ValueError, match="points x are NaN"):
        law().pdf(np.nan)
    with pytest.raises(ValueError, match=r"p = 1\.5 is no probability"):
        law().ppf(1.5)
