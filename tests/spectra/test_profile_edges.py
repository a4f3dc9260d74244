"""Where the real solution folds back, against closed edges, the norm of the feedback, and largest eigenvalues."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.spectra.marchenko_pastur import MarchenkoPastur
from rmtlottery.spectra.profile_edges import Path, fold


@pytest.mark.parametrize(("m", "n"), [(30, 50), (3, 400)])
def test_equal_variances_have_the_edges_of_marchenko_pastur(m, n):
    S, scale = np.full((m, n), 1 / n), (1 + np.sqrt(m / n)) ** 2
    low, high = MarchenkoPastur(m / n).edges
    assert_allclose([fold(S / scale, 1), fold(S / scale, -1)], [low / scale, high / scale], rtol=1e-11)


def test_the_lower_edge_shrinks_as_the_sides_meet():
    edges = [fold(np.random.default_rng(0).uniform(0.5, 1.5, (m, 40)) / 160, 1) for m in (20, 30, 38)]
    assert edges == sorted(edges, reverse=True)
    assert edges[-1] > 0


def test_the_upper_edge_is_where_large_matrices_end():
    rng = np.random.default_rng(1)
    S = rng.gamma(0.5, 1.0, (200, 320))
    S /= (np.sqrt(S.sum(axis=1).max()) + np.sqrt(S.sum(axis=0).max())) ** 2
    largest = [np.linalg.norm(rng.standard_normal(S.shape) * np.sqrt(S), 2) ** 2 for _ in range(12)]
    edge = fold(S, -1)
    assert edge < 1
    assert_allclose(np.mean(largest), edge, rtol=0.03)  # below it by about 1.2 / 200^(2/3) of it


def test_the_slope_is_that_of_the_path():
    path = Path(np.random.default_rng(2).gamma(1, 1, (7, 11)) / 40, -1)
    t = 1.4 * path.known[-1].t
    ends = [(path.slope(t * part), path.z) for part in (1 - 1e-5, 1, 1 + 1e-5)]
    assert_allclose((ends[2][1] - ends[0][1]) / (2e-5 * t), ends[1][0], rtol=1e-7)
