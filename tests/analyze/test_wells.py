"""Wells of measures that products told, against those of all eigenvalues."""

import numpy as np
import pytest
import torch

from rmtlottery.analyze._wells import bound, by_displacement, by_gradient, error
from rmtlottery.measure.hessian import Spectra, spectra
from rmtlottery.width import Well, larsen_bound

H = np.r_[np.zeros(40), np.geomspace(1e-3, 4, 80)]
U = np.random.default_rng(1).standard_normal(120)
LOSSES = np.array([0.8, 0.3, 0.05]) * (H @ U**2 / 2)


def told(vector, probes=150):
    matrix = torch.diag(torch.from_numpy(H))
    return spectra(lambda v: matrix @ v, torch.from_numpy(vector), probes, 60, np.random.default_rng(0))


@pytest.mark.parametrize(("made", "vector"), [(by_displacement, U), (by_gradient, H * U)])
def test_thresholds_are_those_of_all_eigenvalues_within_the_error_of_the_probes(made, vector):
    found = told(vector)
    well = made(found)
    assert well.start == pytest.approx(H @ U**2 / 2, rel=1e-6)
    exact, apart = Well.of(H, U).threshold(LOSSES), error(found, well, LOSSES)
    assert (np.abs(well.threshold(LOSSES) - exact) < 4 * apart + 1e-9).all()
    assert (apart < 0.03 * exact).all(), "too blunt"


def test_what_curves_downwards_is_flat_and_the_rest_stays():
    rule = np.array([-0.5, 0.0, 2.0]), np.array([0.25, 0.25, 0.5])
    well = by_displacement(Spectra(8, [rule, rule], rule, 3.0))
    assert well.curvatures.min() == 0
    assert well.rank == pytest.approx(4)
    assert well.start == pytest.approx(2.0 * 0.5 * 3.0 / 2)


def test_one_probe_tells_no_error():
    found = told(U, probes=1)
    assert np.isnan(error(found, by_displacement(found), LOSSES)).all()


def test_the_bound_is_larsens():
    found = told(U)
    well = by_displacement(found)
    expected = larsen_bound(H, np.linalg.norm(U), LOSSES)
    np.testing.assert_allclose(bound(well, LOSSES), expected, rtol=0.05)
    assert (bound(well, LOSSES) >= well.threshold(LOSSES)).all()
