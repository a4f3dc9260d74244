"""How a loss is curved about some weights: products with its Hessian and with its Gauss-Newton part, over all of a split.

Each product runs over the samples a batch at a time, on the weights' device and in their precision. Of a pruned net the
weights that are kept are all that may move.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch.func import grad

from rmtlottery import datasets, nets
from rmtlottery.charts.flat import flatten, total, unflatten
from rmtlottery.datasets.dataset import Split
from rmtlottery.measure.lanczos import Product, Rule, gauss_rule, pushing, tridiagonal
from rmtlottery.nets import AnyNetwork
from rmtlottery.nets.losses import MEANS, Mean
from rmtlottery.nets.network import portion
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket, Weights

KEPT = 2**20  # numbers that a layer makes of all samples, up to which the way to a gradient is kept
Mapped = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Landscape:
    """The mean over `split` of `loss` (logits, y) -> mean, as a function of the kept weights and biases as one vector."""

    network: AnyNetwork
    buffers: Weights
    at: torch.Tensor
    places: torch.Tensor
    split: Split
    loss: Mean
    batch: int

    @classmethod
    def about(
        cls,
        network: AnyNetwork,
        weights: Weights,
        split: Split,
        loss: str = "cross_entropy",
        mask: Weights | None = None,
    ) -> "Landscape":
        """About these weights, whose device and precision are those of all that is found."""
        whole = flatten(weights, network.shapes)
        kept = {name: torch.ones(shape, dtype=torch.bool) for name, shape in network.shapes.items()} | (mask or {})
        places = flatten(kept, network.shapes).nonzero().squeeze(1).to(whole.device)
        held = Split(split.x.to(whole), split.y.to(whole.device))
        buffers = {name: weights[name] for name in network.buffers}
        batch = portion(network.widest, whole.device.type)
        return cls(network, buffers, whole[places], places, held, MEANS[loss], batch)

    def vector(self, weights: Weights) -> torch.Tensor:
        """Other weights of the net, as those that it is about."""
        return flatten(weights, self.network.shapes)[self.places]

    def batches(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, float]]:
        """Inputs and labels, and their share of all."""
        for x, y in zip(self.split.x.split(self.batch), self.split.y.split(self.batch), strict=True):
            yield x, y, len(y) / len(self.split.y)

    def logits(self, flat: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return self.network.logits(unflatten(self.whole(flat), self.network.shapes) | self.buffers, x)

    def whole(self, flat: torch.Tensor) -> torch.Tensor:
        """With the zeros of what is cut."""
        zeros = flat.new_zeros(total(self.network.shapes))
        return zeros.index_copy(0, self.places, flat) if len(flat) < len(zeros) else flat

    def value(self, flat: torch.Tensor) -> float:
        with torch.no_grad():
            return sum(share * float(self.over(flat, x, y)) for x, y, share in self.batches())

    def over(self, flat: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.loss(self.logits(flat, x), y)

    def gradient(self) -> torch.Tensor:
        found = torch.zeros_like(self.at)
        for x, y, share in self.batches():
            found += share * grad(self.over)(self.at, x, y)
        return found

    @property
    def hessian(self) -> Product:
        """v -> H v. Take it once for many v."""
        return self.summed(lambda x, y: bending(partial(self.over, x=x, y=y), self.at))

    @property
    def gauss_newton(self) -> Product:
        """v -> J^T (d^2 loss / d logits^2) J v: what is left of H where the net is linear; never negative for a convex loss.
        Take it once for many v."""
        return self.summed(self.around)

    def summed(self, made: Callable[[torch.Tensor, torch.Tensor], Product]) -> Product:
        """The mean of a batch's product over all samples. What batches are made into is kept from one v to the next where it
        is small."""
        kept = [(made(x, y), share) for x, y, share in self.batches()] if self.small else None

        def product(v: torch.Tensor) -> torch.Tensor:
            v, found = v.to(self.at), torch.zeros_like(self.at)
            for one, share in kept or ((made(x, y), share) for x, y, share in self.batches()):
                found += share * one(v)
            return found

        return product

    @property
    def small(self) -> bool:
        return len(self.split.y) * self.network.widest <= KEPT

    def around(self, x: torch.Tensor, y: torch.Tensor) -> Product:
        at = self.at.detach().requires_grad_()
        made = self.logits(at, x)
        push, bend = pushing(made, at), bending(lambda logits: self.loss(logits, y), made.detach())
        return lambda v: torch.autograd.grad(made, at, bend(push(v)), retain_graph=True)[0]

    def about_to(self, there: torch.Tensor, way: float) -> "Landscape":
        """About the weights so far on the way to others."""
        return replace(self, at=self.at + way * (there - self.at))

    def secant(self, start: torch.Tensor, points: int) -> Product:
        """Gauss-Newton averaged over the way from here to `start`, a step t of it with the weight 2 (1 - t).

        With the Hessian's own, 1/2 u^T H u of u = start - here would be the whole rise of the loss beyond its slope here, by
        Taylor's theorem with its remainder as an integral. By Gauss and Legendre's rule of so many points.
        """
        nodes, shares = np.polynomial.legendre.leggauss(points)
        ways = (nodes + 1) / 2
        products = [self.about_to(start, float(way)).gauss_newton for way in ways]
        weights = shares * (1 - ways)
        return lambda v: torch.stack([w * product(v) for w, product in zip(weights, products, strict=True)]).sum(0)


def bending(function: Mapped, at: torch.Tensor) -> Product:
    """v -> the second derivative of a scalar function times v: the gradient of its gradient's product with v."""
    at = at.detach().requires_grad_()
    (slope,) = torch.autograd.grad(function(at), at, create_graph=True)
    if not slope.requires_grad:  # it is linear
        return torch.zeros_like
    return lambda v: torch.autograd.grad(slope, at, v, retain_graph=True, materialize_grads=True)[0]


class Spectra(NamedTuple):
    """The spectral measure of a symmetric matrix of side `ambient`, a Gauss rule a probe, and that of one vector in it."""

    ambient: int
    probes: list[Rule]
    along: Rule
    squared: float

    @property
    def lowest(self) -> float:
        """The least node of all: about the least eigenvalue, where that is away from the others."""
        return float(min(nodes.min() for nodes, _ in [*self.probes, self.along]))

    def negative(self, tolerance: float) -> float:
        """The share of eigenvalues below -tolerance of the largest."""
        least = -tolerance * max(nodes.max() for nodes, _ in self.probes)
        return float(np.mean([weights[nodes < least].sum() for nodes, weights in self.probes]))


def spectra(product: Product, vector: torch.Tensor, probes: int, steps: int, generator: np.random.Generator) -> Spectra:
    """By stochastic Lanczos quadrature from Gaussian probes, and by one run that starts at the vector."""
    if not (squared := float(vector.double().square().sum())) > 0:
        raise Refusal("the displacement is 0, and has no spectral measure: the weights are where training began")
    starts = [torch.from_numpy(generator.standard_normal(len(vector))).to(vector.device) for _ in range(probes)]
    rules = [gauss_rule(*tridiagonal(product, start, steps)) for start in [*starts, vector.double()]]
    return Spectra(len(vector), rules[:-1], rules[-1], squared)


def landscape(ticket: Ticket, weights: Weights, samples: int, loss: str = "") -> Landscape:
    """Of a ticket's net under its mask about these weights, on the first `samples` of its training part, 0 for all of them.

    The loss is the one that it was trained for, if no other is named.
    """
    if ticket.spec is None:
        raise Refusal("a ticket without a Spec names no data set to have a loss on")
    if samples < 0:
        raise Refusal(f"samples = {samples} is not at least 1, or 0 for all")
    data = datasets.dataset(ticket.spec.data)
    network = nets.build(ticket.spec.net, data.shape, data.classes)
    split = Split(data.train.x[: samples or None], data.train.y[: samples or None])
    return Landscape.about(network, weights, split, loss or ticket.spec.optimiser.loss, ticket.mask)
