"""Moments of kept weights, block by block, against numpy on the whole."""

import numpy as np
import pytest
import torch
from scipy import stats

from rmtlottery.measure import moments
from rmtlottery.measure.moments import kept_moments, square_sums

WEIGHT = torch.from_numpy(np.random.default_rng(0).gamma(2.0, size=(7, 3, 2, 5)))
MASK = torch.from_numpy(np.random.default_rng(1).random((7, 3, 2, 5)) < 0.4)
ONES = torch.ones((), dtype=torch.bool).expand(WEIGHT.shape)


@pytest.fixture(params=[40, 2**22], autouse=True)
def _block(request, monkeypatch):
    monkeypatch.setattr(moments, "BLOCK", request.param)


@pytest.mark.parametrize("mask", [MASK, ONES, ONES.clone()])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_they_are_those_of_the_kept_weights(mask, dtype):
    weight = WEIGHT.to(dtype)
    before, kept = weight.clone(), weight.double()[mask].numpy()
    found = kept_moments(weight, mask)
    assert found.kept == kept.size
    assert found.mean == pytest.approx(kept.mean(), rel=1e-13)
    assert found[2:] == pytest.approx([stats.moment(kept, order) for order in (2, 3, 4)], rel=1e-11)
    assert found.kurtosis == pytest.approx(stats.kurtosis(kept, fisher=False), rel=1e-11)
    assert found.sarle == pytest.approx((stats.skew(kept) ** 2 + 1) / stats.kurtosis(kept, fisher=False), rel=1e-11)
    assert torch.equal(weight, before), "the ticket's own weights are left alone"


@pytest.mark.parametrize("kept", [0, 1])
def test_one_weight_or_none_has_no_shape(kept):
    mask = torch.zeros_like(MASK)
    mask.view(-1)[:kept] = True
    found = kept_moments(WEIGHT, mask)
    assert found.kept == kept
    assert np.isnan([found.kurtosis, found.sarle]).all()


def test_sums_of_squares_are_by_row_and_by_column():
    rows, columns, fourth = square_sums(WEIGHT)
    matrix = WEIGHT.numpy().reshape(7, 30)
    np.testing.assert_allclose(rows, (matrix**2).sum(1), rtol=1e-13)
    np.testing.assert_allclose(columns, (matrix**2).sum(0), rtol=1e-13)
    assert fourth == pytest.approx((matrix**4).sum(), rel=1e-13)
