"""T0 to T3: a layer is two numbers, sigma_w and sigma_b, and every input follows the length map by itself.

In a convolution the map is averaged over the window that each pixel sees, weighed by how much of the weights' second moment
lies where in the kernel, the padding counting as 0.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch

from rmtlottery.analyze.rungs.names import T0, T1, T2, T3, T3H
from rmtlottery.meanfield import Activation, activation
from rmtlottery.meanfield.quenched import Step
from rmtlottery.meanfield.weight_law import standardised
from rmtlottery.measure.signal import Probe, nominal, nominal_shares, window_mean
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket, Weights

GRID = 1025
BINS = 256
Average = Callable[[np.ndarray], np.ndarray]


class Pooled(NamedTuple):
    """What is left of a layer: sigma_w^2, sigma_b^2, where in the kernel the former lies, and means of phi^2 and phi'^2."""

    weight: float
    bias: float
    shares: torch.Tensor
    V: Average
    D: Average


def pooled_courses(ticket: Ticket, weights: Weights, seen: Probe) -> Iterator[tuple[str, Iterator[Step]]]:
    """source -> its steps through the layers that it reaches."""
    for source, layers in pools(ticket, weights).items():
        yield source, course(layers, seen)


def pools(ticket: Ticket, weights: Weights) -> dict[str, list[Pooled]]:
    """Every hidden layer as each source has it. T1 and T2 take one sigma_w and one sigma_b for all."""
    act, held = activation(ticket.spec.net.phi), variances(ticket, weights)  # type: ignore[union-attr]
    own = [shares(weights[name]) for name in hidden(ticket)]
    kernels = {} if no_nominal(ticket) else {T0: nominal_shares(ticket)}
    found = {
        source: [Pooled(w, b, kernel, act.V, act.D) for (w, b), kernel in zip(pairs, kernels.get(source, own), strict=True)]
        for source, pairs in held.items()
    }
    laws = [over_histogram(act, weights[name][ticket.mask[name]]) for name in hidden(ticket)]
    return found | {T3H: [layer._replace(V=V, D=D) for layer, (V, D) in zip(found[T3], laws, strict=True)]}


def no_nominal(ticket: Ticket) -> str:
    """Why the Spec's init has no sigmas, if it has none."""
    try:
        nominal(ticket)
    except Refusal as fault:
        return f"no T0: {fault}"
    return ""


def hidden(ticket: Ticket) -> list[str]:
    return list(ticket.mask)[:-1]


def variances(ticket: Ticket, weights: Weights) -> dict[str, list[tuple[float, float]]]:
    """(sigma_w^2, sigma_b^2) of every hidden layer by each theory."""
    masks = {name: ticket.mask[name] for name in hidden(ticket)}
    biases = [square(weights.get(name.replace("weight", "bias"))) for name in masks]
    kept = [weights[name][mask].double() for name, mask in masks.items()]
    survivors = [
        w.var(correction=0).item() * mask[0].numel() if len(w) else 0.0 for w, mask in zip(kept, masks.values(), strict=True)
    ]
    moments = [w.square().sum().item() / len(mask) for w, mask in zip(kept, masks.values(), strict=True)]
    named = {} if no_nominal(ticket) else {T0: [(w**2, b**2) for w, b in nominal(ticket)]}
    return named | {
        T1: [(mean(survivors), mean(biases))] * len(masks),
        T2: [(mean(moments), mean(biases))] * len(masks),
        T3: list(zip(moments, biases, strict=True)),
    }


def square(bias: torch.Tensor | None) -> float:
    return 0.0 if bias is None else bias.double().square().mean().item()


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def shares(weight: torch.Tensor) -> torch.Tensor:
    """How much of a layer's second moment lies where in the kernel; evenly where there is none."""
    power = weight.double().square().sum((0, 1))
    return power / power.sum() if power.sum() else torch.full_like(power, 1 / max(power.numel(), 1))


def over_histogram(act: Activation, kept: torch.Tensor) -> tuple[Average, Average]:
    """The source study's proposal: averages over the layer's own histogram of weights in place of the Gaussian."""
    if len(kept) == 0 or not kept.isfinite().all() or kept.min() == kept.max():
        return act.V, act.D
    counts, edges = np.histogram(kept.double().numpy(), BINS)
    w, chances = standardised(edges, counts)
    return tuple(lambda q, f=f: np.square(f(np.sqrt(q)[..., None] * w)) @ chances for f in (act.phi, act.slope))  # type: ignore[return-value]


def course(layers: list[Pooled], seen: Probe) -> Iterator[Step]:
    """The length map of every input at every pixel, averaged over both at the end."""
    given = seen.network.layers[0].prepare(seen.x.double()).square()
    power = given.mean(1, keepdim=True) if given.dim() > 2 else given
    for held, layer in zip(layers, seen.network.layers[:-1], strict=True):
        if layer.mixes:
            return
        reach = held.weight * window_mean(layer, held.shares, torch.ones_like(power[:1])).numpy()
        q = held.weight * window_mean(layer, held.shares, power).numpy() + held.bias
        yield Step(float(q.mean()), float(reach.mean()), float((reach * looked_up(held.D, q)).mean()))
        power = torch.from_numpy(looked_up(held.V, q))


def looked_up(function: Callable[[np.ndarray], np.ndarray], q: np.ndarray) -> np.ndarray:
    """`function` of very many q > 0, by a cubic spline on a logarithmic grid."""
    from scipy.interpolate import CubicSpline

    low, high = float(q.min()), float(q.max())
    if q.size <= GRID or not 0 < low < high:
        return np.asarray(function(q))
    grid = np.geomspace(low, high, GRID)
    return np.asarray(CubicSpline(np.log(grid), function(grid))(np.log(q)))
