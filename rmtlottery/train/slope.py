"""The slope of the loss along the coordinates: by autograd for any net, by hand for fully connected chains.

A slope is called on (x, y) and gives the scores of each seed, mean loss and right answers, and the gradient. It reads the
coordinates where they stand, and an update in place is all that moves it.
"""

from collections.abc import Iterator
from typing import Protocol

import torch

from rmtlottery.charts.flat import unflatten
from rmtlottery.nets import Network
from rmtlottery.nets.backprop import forward, learn
from rmtlottery.nets.dense import Dense
from rmtlottery.nets.losses import Scores
from rmtlottery.nets.sparse import Pattern, Sparse
from rmtlottery.tickets.parts import FC
from rmtlottery.tickets.streams import generator
from rmtlottery.train.level import Level
from rmtlottery.train.state import State


class Slope(Protocol):
    """What a step and an evaluation ask for. In a step inputs are of the type of its products, `level.compute`."""

    def __call__(self, x: torch.Tensor, y: torch.Tensor) -> tuple[Scores, torch.Tensor]:
        """Scores, and the gradient of the sum of the losses by the coordinates; the next call may write into it."""

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """Of every seed in fp32, in eval mode."""


def slope(level: Level, state: State) -> Slope:
    """By hand where the net is a fully connected chain."""
    if not (isinstance(level.spec.net, FC) and isinstance(level.network, Network)):
        return ByAutograd(level, state)
    return ByHand(level, state) if level.survivors is None else OfSurvivors(level, state, level.survivors)


class ByAutograd:
    """Any net. Products run in `level.compute`, the loss in fp32; a module's buffers are left where they stand."""

    def __init__(self, level: Level, state: State) -> None:
        self.level, self.state = level, state

    def __call__(self, x: torch.Tensor, y: torch.Tensor) -> tuple[Scores, torch.Tensor]:
        whole = self.level.chart.weights(self.state.tensors["coordinates"]).to(self.level.compute)
        weights = {n: w.detach().requires_grad_() for n, w in unflatten(whole, self.level.network.shapes).items()}
        held = self.state.group("buffer/")
        logits, buffers = self.level.network.learn(weights, held, x, self.key)
        scores, delta = self.level.loss(logits.detach(), y)
        pulled = delta.to(logits.dtype)
        slopes = torch.autograd.grad(logits, list(weights.values()), pulled, allow_unused=True, materialize_grads=True)
        for name, value in buffers.items():
            held[name].copy_(value.detach())
        gradient = torch.cat([slope.flatten(1) for slope in slopes], 1).to(delta.dtype)
        if self.level.shrink:
            gradient.add_(whole, alpha=self.level.shrink)
        return scores, self.level.chart.pull(gradient, self.state.tensors["coordinates"])

    def key(self, place: int) -> int:
        """What the noise of a module is drawn from."""
        return int(generator(self.state.seeds[place], "noise", self.level.number, self.state.step).integers(2**32))

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        return self.level.network.logits(self.level.weights(self.state), x)


class ByHand:
    """A fully connected chain, whole."""

    def __init__(self, level: Level, state: State) -> None:
        self.level, self.state, self.coordinates = level, state, state.tensors["coordinates"]
        self.gradient = torch.empty_like(level.chart.weights(self.coordinates))
        same = level.compute == self.gradient.dtype
        self.held = self.coordinates if same and level.chart.plain else self.gradient.to(level.compute, copy=True)
        self.found = self.gradient if same else self.held.clone()
        weights, slopes = (unflatten(flat, level.network.shapes) for flat in (self.held, self.found))
        self.layers = [Dense(weights[name], weights[bias], slopes[name], slopes[bias]) for name, bias in parameters(level)]

    def __call__(self, x: torch.Tensor, y: torch.Tensor) -> tuple[Scores, torch.Tensor]:
        if self.held is not self.coordinates:
            self.held.copy_(self.coordinates if self.level.chart.plain else self.level.chart.weights(self.coordinates))
        scores = learn(self.layers, self.level.phi, self.level.loss, x, y)
        if self.found is self.gradient:
            return scores, self.pulled()
        if self.level.chart.plain:  # half the bytes to mask
            return scores, self.gradient.copy_(self.level.chart.pull(self.found, self.coordinates))
        self.gradient.copy_(self.found)
        return scores, self.pulled()

    def pulled(self) -> torch.Tensor:
        if self.level.shrink:
            self.gradient.add_(self.held, alpha=self.level.shrink)
        return self.level.chart.pull(self.gradient, self.coordinates)

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        return whole_logits(self.level, self.state, x)


class OfSurvivors:
    """A fully connected chain of which few weights are left, in fp32."""

    def __init__(self, level: Level, state: State, mask: torch.Tensor) -> None:
        self.level, self.state, coordinates = level, state, state.tensors["coordinates"]
        self.gradient = torch.empty_like(coordinates)
        masks = [unflatten(kept, level.network.shapes) for kept in mask]
        weights, slopes = (list(pieces(flat, masks)) for flat in (coordinates, self.gradient))
        self.layers = [
            Sparse(
                [Pattern.of(kept[name]) for kept in masks],
                *([found[one] for found in held] for held in (weights, slopes) for one in (name, bias)),
            )
            for name, bias in parameters(level)
        ]

    def __call__(self, x: torch.Tensor, y: torch.Tensor) -> tuple[Scores, torch.Tensor]:
        return learn(self.layers, self.level.phi, self.level.loss, turned(x), y), self.gradient

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        return whole_logits(self.level, self.state, x)


def whole_logits(level: Level, state: State, x: torch.Tensor) -> torch.Tensor:
    """Zeros and all: many samples at once are quicker so, whatever the density."""
    weights = level.weights(state)
    layers = [Dense(weights[name], weights[bias]) for name, bias in parameters(level)]
    return forward(layers, level.phi, x)[-1].x


def turned(x: torch.Tensor) -> torch.Tensor:
    """x unit by unit in memory; torch turns one matrix faster than a row of them."""
    return torch.stack([seen.T.contiguous() for seen in x]).mT if len(x) > 1 else x[0].T.contiguous().T.unsqueeze(0)


def parameters(level: Level) -> list[tuple[str, str]]:
    """Weight and bias of each layer, by name."""
    return [(name, name.removesuffix("weight") + "bias") for name in level.network.prunable]


def pieces(flat: torch.Tensor, masks: list[dict[str, torch.Tensor]]) -> Iterator[dict[str, torch.Tensor]]:
    """Of each seed, views of its coordinates by parameter."""
    for row, kept in zip(flat, masks, strict=True):
        counts = [int(mask.sum()) for mask in kept.values()]
        yield dict(zip(kept, row.split(counts), strict=True))
