"""What is cut: a criterion scores every weight, and the lowest scores of a layer go first."""

from typing import Any

import torch


def magnitude(weight: torch.Tensor, mask: torch.Tensor, *, gradient: Any = None, moments: Any = None) -> torch.Tensor:
    """|w| (Han et al. 2015; Frankle and Carbin 2019)."""
    return weight.abs()


CRITERIA = {"magnitude": magnitude}
