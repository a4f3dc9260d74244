"""Masks over bits: what is kept stays to the bit, the rest is +0."""

import pytest
import torch

from rmtlottery.charts.bits import bits, only_

MASK = torch.tensor([1, 0, 1, 0, 1, 0, 0, 1], dtype=torch.bool)
VALUES = [float("nan"), float("nan"), -0.0, -0.0, 1e-30, float("inf"), -1.5, 3.25]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_zero_is_plus_zero_and_kept_bits_are_kept(dtype):
    tensor = torch.tensor(VALUES, dtype=dtype)
    kept = bits(MASK, dtype)
    expected = torch.where(MASK, tensor, torch.zeros((), dtype=dtype)).view(kept.dtype)
    assert only_(kept, tensor) is tensor
    assert torch.equal(tensor.view(kept.dtype), expected)


def test_one_mask_serves_all_replicates():
    tensor = torch.ones(3, 8)
    assert torch.equal(only_(bits(MASK, torch.float32), tensor), MASK.float().expand(3, 8))
