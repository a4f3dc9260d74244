"""How alike pairs of inputs are by T0, T2 and T3: the covariance map of every pair, pixel by pixel."""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import torch

from rmtlottery.analyze.rungs.names import T0, T2, T3
from rmtlottery.analyze.rungs.pooled import Pooled, pools
from rmtlottery.meanfield import covariance_map
from rmtlottery.measure.signal import Probe, reached, window_mean
from rmtlottery.tickets.ticket import Ticket, Weights

SOURCES = (T0, T2, T3)
Pairs = tuple[torch.Tensor, torch.Tensor]


def alike(ticket: Ticket, weights: Weights, seen: Probe, pairs: Pairs) -> Iterator[tuple[str, int, np.ndarray]]:
    """source, layer and the correlation of each pair."""
    held, phi = pools(ticket, weights), ticket.spec.net.phi  # type: ignore[union-attr]
    for source in SOURCES:
        if source in held:
            steps = course(held[source], seen, pairs, phi)
            with suppress(ValueError, ArithmeticError):  # a signal beyond all bounds has no theory
                yield from ((source, layer, c) for layer, c in enumerate(steps, start=1))


def course(layers: list[Pooled], seen: Probe, pairs: Pairs, phi: str) -> Iterator[np.ndarray]:
    """A pair's correlation is that of the sums over units and pixels, as it is measured."""
    x = seen.network.layers[0].prepare(seen.x.double())
    powers = [pooled(product) for product in (x[pairs[0]].square(), x[pairs[1]].square(), x[pairs[0]] * x[pairs[1]])]
    for held, layer in zip(layers, seen.network.layers[: reached(seen.network)], strict=False):
        windows = (window_mean(layer, held.shares, power).numpy() for power in powers)
        q1, q2, q12 = (held.weight * window + held.bias for window in windows)
        mean1, mean2, mean12 = (value.reshape(len(value), -1).mean(1) for value in (q1, q2, q12))
        yield mean12 / np.sqrt(np.where(mean1 * mean2 > 0, mean1 * mean2, 1.0))
        passed = held.V(q1), held.V(q2), covariance_map(q1, q2, q12, 1.0, 0.0, phi)
        powers = [torch.from_numpy(power) for power in passed]


def pooled(product: torch.Tensor) -> torch.Tensor:
    """The mean over channels of pictures, over all units of anything else."""
    return product.mean(1, keepdim=True) if product.dim() > 2 else product.flatten(1).mean(1, keepdim=True)
