"""What is minimised: loss and right answers of logits, and the gradient by the logits, written out."""

from collections.abc import Callable

import torch
from torch.nn import functional

Scores = tuple[torch.Tensor, torch.Tensor]


def cross_entropy(logits: torch.Tensor, y: torch.Tensor) -> tuple[Scores, torch.Tensor]:
    """Of logits (seeds, samples, classes): mean loss and right answers of each seed, and the gradient of the sum of losses.

    In fp32, or more if the logits are.
    """
    logits = exact(logits)
    log_p, right = torch.log_softmax(logits.mT, 1).mT, y.unsqueeze(2)  # by rows of ten classes it takes ten times as long
    loss = log_p.gather(2, right).mean((1, 2)).neg()
    hits = (logits.argmax(2) == y).sum(1)
    delta = log_p.exp_()
    delta.scatter_add_(2, right, torch.full_like(right, -1, dtype=delta.dtype))
    return (loss, hits), delta.div_(y.shape[1])


def squared(logits: torch.Tensor, y: torch.Tensor) -> tuple[Scores, torch.Tensor]:
    """The same of 1/2 |logits - e_y|^2, e_y 1 at the right class and 0 elsewhere."""
    right = y.unsqueeze(2)
    delta = exact(logits).scatter_add(2, right, torch.full_like(right, -1, dtype=exact(logits).dtype))
    loss, hits = delta.square().sum(2).mean(1) / 2, (logits.argmax(2) == y).sum(1)
    return (loss, hits), delta / y.shape[1]


def exact(logits: torch.Tensor) -> torch.Tensor:
    return logits if logits.dtype == torch.float64 else logits.float()


def squared_distance(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The mean over samples, for autograd: of the linearised net an exactly quadratic function of the weights."""
    return (logits - one_hot(logits, y)).square().sum(1).mean() / 2


def one_hot(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return functional.one_hot(y, logits.shape[1]).to(logits.dtype)


Loss = Callable[[torch.Tensor, torch.Tensor], tuple[Scores, torch.Tensor]]
Mean = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
LOSSES: dict[str, Loss] = {"cross_entropy": cross_entropy, "squared": squared}
MEANS: dict[str, Mean] = {"cross_entropy": functional.cross_entropy, "squared": squared_distance}
