"""Mean-field predictions of a pruned net, whatever its shape: which variances each theory takes, and what follows.

T0 takes the nominal sigmas, layer by layer; T1 the survivors' std times sqrt(dense fan-in), which is the wrong
normalisation and the one that density plots without a correction use; T2 density times the survivors' second moment.
T1 and T2 take one sigma_w and one sigma_b for all hidden layers. In a convolution the length map is averaged over the
window that each pixel sees, weighed by how much of the weights' second moment lies where in the kernel, the padding counting
as 0. Theory ends where layers are pooled.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from rmtlottery.meanfield import activation
from rmtlottery.measure.signal import Probe, nominal, nominal_shares, window_mean
from rmtlottery.tickets.ticket import Ticket

T0, T1, T2 = "T0 nominal", "T1 survivors' std, dense fan-in", "T2 density x second moment"
SOURCES = ("measured", T0, T1, T2)
GRID = 1025
Variances = list[tuple[float, float]]


def predictions(ticket: Ticket, weights: dict[str, Any], seen: Probe) -> Iterator[dict[str, Any]]:
    """source, layer, q and chi of every hidden layer that each theory reaches."""
    measured = [shares(weights[name]) for name in list(ticket.mask)[:-1]]
    for source, held in variances(ticket, weights).items():
        kernels = nominal_shares(ticket) if source == T0 else measured
        steps = course(held, kernels, seen, ticket.spec.net.phi)  # type: ignore[union-attr]
        for layer, (q, chi) in enumerate(steps, start=1):
            yield {"source": source, "layer": layer, "q": q, "chi": chi}


def shares(weight: torch.Tensor) -> torch.Tensor:
    """How much of a layer's second moment lies where in the kernel; evenly where there is none."""
    power = weight.double().square().sum((0, 1))
    return power / power.sum() if power.sum() else torch.full_like(power, 1 / max(power.numel(), 1))


def variances(ticket: Ticket, weights: dict[str, Any]) -> dict[str, Variances]:
    """(sigma_w^2, sigma_b^2) of every hidden layer by each theory."""
    masks = dict(list(ticket.mask.items())[:-1])
    biases = [weights[name] for name in (name.replace("weight", "bias") for name in masks) if name in weights]
    bias = mean([value.double().square().mean().item() for value in biases] or [0.0])
    kept = [(weights[name][mask].double(), mask) for name, mask in masks.items()]
    survivors = mean([w.var(correction=0).item() * mask[0].numel() for w, mask in kept])
    density_corrected = mean([w.square().sum().item() / len(mask) for w, mask in kept])
    return {
        T0: [(w**2, b**2) for w, b in nominal(ticket)],
        T1: [(survivors, bias)] * len(masks),
        T2: [(density_corrected, bias)] * len(masks),
    }


def course(held: Variances, kernels: list[torch.Tensor], seen: Probe, phi: str) -> Iterator[tuple[float, float]]:
    """q and chi layer after layer: the length map of every input at every pixel, averaged over both at the end."""
    act, layers = activation(phi), seen.network.layers[:-1]
    given = layers[0].prepare(seen.x.double()).square()
    square = given.mean(1, keepdim=True) if given.dim() > 2 else given
    for (variance_w, variance_b), kernel, layer in zip(held, kernels, layers, strict=True):
        if layer.mixes:
            return
        reach = window_mean(layer, kernel, torch.ones_like(square[:1])).numpy()
        q = variance_w * window_mean(layer, kernel, square).numpy() + variance_b
        yield float(q.mean()), float(variance_w * (reach * looked_up(act.D, q)).mean())
        square = torch.from_numpy(looked_up(act.V, q))


def looked_up(function: Callable[[np.ndarray], np.ndarray], q: np.ndarray) -> np.ndarray:
    """`function` of very many q > 0, by a cubic spline on a logarithmic grid."""
    from scipy.interpolate import CubicSpline

    low, high = float(q.min()), float(q.max())
    if q.size <= GRID or not 0 < low < high:
        return np.asarray(function(q))
    grid = np.geomspace(low, high, GRID)
    return np.asarray(CubicSpline(np.log(grid), function(grid))(np.log(q)))


def mean(values: list[float]) -> float:
    return sum(values) / len(values)
