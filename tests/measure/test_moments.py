"""Moments of kept weights, block by block, against numpy on the whole."""

import numpy as np
import pytest
import torch
from scipy import stats

from rmtlottery.measure import moments as module
from rmtlottery.measure.moments import moments

WEIGHT = torch.from_numpy(np.random.default_rng(0).gamma(2.0, size=(7, 3, 2, 5)))
MASK = torch.from_numpy(np.random.default_rng(1).random((7, 3, 2, 5)) < 0.4)


@pytest.fixture(params=[40, 2**22], autouse=True)
def _block(request, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", request.param)


@pytest.mark.parametrize("mask", [MASK, torch.ones_like(MASK)])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_they_are_those_of_the_kept_weights(mask, dtype):
    weight = WEIGHT.to(dtype) * mask
    before, kept = weight.clone(), weight.double()[mask].numpy()
    found = moments(weight, mask)
    assert found.kept == kept.size
    assert found.mean == pytest.approx(kept.mean(), rel=1e-13)
    assert found[2:5] == pytest.approx([stats.moment(kept, order) for order in (2, 3, 4)], rel=1e-11)
    assert found.kurtosis == pytest.approx(stats.kurtosis(kept, fisher=False), rel=1e-11)
    assert found.sarle == pytest.approx((stats.skew(kept) ** 2 + 1) / stats.kurtosis(kept, fisher=False), rel=1e-11)
    assert torch.equal(weight, before), "the ticket's own weights are left alone"


@pytest.mark.parametrize("value", [0.0, 0.1, -3.0])
def test_equal_weights_or_none_have_no_shape(value):
    weight = torch.full((4, 9), value)
    found = moments(weight, weight != 0)
    assert found.mean == pytest.approx(value)
    assert found.second == 0
    assert np.isnan([found.kurtosis, found.sarle]).all()


def test_sums_of_squares_are_by_row_and_by_column():
    found, matrix = moments(WEIGHT, torch.ones_like(MASK)), WEIGHT.numpy().reshape(7, 30)
    np.testing.assert_allclose(found.rows, (matrix**2).sum(1), rtol=1e-13)
    np.testing.assert_allclose(found.columns, (matrix**2).sum(0), rtol=1e-13)
    assert found.fourth_powers == pytest.approx((matrix**4).sum(), rel=1e-13)


@pytest.mark.parametrize("mask", [MASK, torch.ones_like(MASK)])
def test_a_mean_that_is_large_hides_nothing(mask):
    weight = (1 + 1e-4 * WEIGHT) * mask
    kept = weight[mask].numpy()
    found = moments(weight, mask)
    assert found.kurtosis == pytest.approx(stats.kurtosis(kept, fisher=False), rel=1e-8)
    assert found.sarle == pytest.approx((stats.skew(kept) ** 2 + 1) / stats.kurtosis(kept, fisher=False), rel=1e-8)
