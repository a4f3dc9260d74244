"""Masks that are laid over the bits of numbers: exact zeros whatever stands there, in one pass as quick as a copy."""

import torch

INTEGERS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def bits(mask: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """All bits of a number of this type where the mask is true, none elsewhere."""
    return mask.to(INTEGERS[dtype.itemsize]).neg_()


def only_(kept: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """`tensor`, whose numbers are now +0 where `kept` has no bits, be they infinite or none."""
    tensor.view(kept.dtype).bitwise_and_(kept)
    return tensor
