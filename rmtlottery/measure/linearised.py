"""The linearised net f(w_0) + J (w - w_0): along given directions, as what a least-squares problem is made of."""

from collections.abc import Iterator

import numpy as np
import torch

from rmtlottery.charts.flat import total
from rmtlottery.charts.projections import KINDS, projection
from rmtlottery.measure.hessian import Landscape
from rmtlottery.measure.lanczos import pushing
from rmtlottery.nets.losses import one_hot
from rmtlottery.refusal import Refusal, unknown

AT_ONCE = 64  # directions that are pushed through the net together


def check(kind: str) -> None:
    """Refuses kinds of P of which one least-squares problem does not tell every size."""
    if kind not in KINDS:
        raise unknown("projection", kind, KINDS)
    if not KINDS[kind].nested:
        raise Refusal(f"{kind} of fewer columns is another matrix, so that one QR tells of one size alone; leave it out")


def least_squares(landscape: Landscape, kind: str, dim: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(J P, f - e_y) of a batch of samples, a row a sample and class, each over the root of the number of samples.

    1/2 |J P x + f - e_y|^2 over all batches is the squared distance of the linearised net at w_0 + P x. Of a pruned net P
    has the rows of what is kept.
    """
    drawn = projection(kind, total(landscape.network.shapes), dim, seed)
    columns = drawn.apply(torch.eye(dim)).to(landscape.at)[:, landscape.places]
    for x, y, _ in landscape.batches():
        at = landscape.at.detach().requires_grad_()
        made = landscape.logits(at, x)
        push = pushing(made, at)
        moved = torch.cat([push(some) for some in columns.split(AT_ONCE)])
        root = len(landscape.split.y) ** 0.5
        rest = (made.detach() - one_hot(made, y)) / root
        yield (moved.flatten(1).T / root).double().cpu().numpy(), rest.flatten().double().cpu().numpy()
