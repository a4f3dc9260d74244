"""What a verdict is about: of one net, each measured number beside what each theory makes of it."""

from collections.abc import Iterator
from functools import cache
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch

from rmtlottery.analyze._products import Span, theories
from rmtlottery.analyze._singular import moments, over_inputs
from rmtlottery.analyze.cmap import chosen
from rmtlottery.analyze.jacobian import sizes, whole
from rmtlottery.analyze.rungs.alike import alike
from rmtlottery.analyze.rungs.climb import Climb, climbed
from rmtlottery.analyze.rungs.names import LADDER, NOTHING
from rmtlottery.analyze.spectrum import Null, laws
from rmtlottery.measure.pairs import correlations
from rmtlottery.measure.signal import Probe, gains, hidden_lengths
from rmtlottery.tickets.parts import FC
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket, Weights

Q, CHI, APART, VARIANCE, EDGE, SPECTRUM = "q", "chi", "1 - c", "jacobian variance", "jacobian edge", "layer spectrum"
LARGEST = 1024  # of the shorter side of a matrix whose spectrum is taken again and again
GAUSSIANS = 8


class Asked(NamedTuple):
    """The inputs of q and chi, of c, and of Jacobians; and in how many parts T9b takes a class."""

    signals: Probe
    pairs: Probe
    few: Probe
    parts: int


class Cell(NamedTuple):
    """One prediction: of what, by which theory, for which layer; for a Jacobian's, the layer that it leads to."""

    quantity: str
    source: str
    layer: int


Pair = tuple[float, float]
Found = Iterator[tuple[Cell, Pair]]


class Terms(NamedTuple):
    """cell -> measured, predicted, where both are positive and have a logarithm; which theories have none, and why."""

    pairs: dict[Cell, Pair]
    skipped: str


def terms(ticket: Ticket, weights: Weights, asked: Asked) -> Terms:
    climb, untold = climbed(ticket, weights, asked.signals, asked.parts), no_products(ticket, weights, asked.few)
    found = chain(
        of_signals(climb, weights, asked.signals),
        of_pairs(ticket, weights, asked.pairs),
        () if untold else of_products(ticket, weights, asked.few),
        of_layers(ticket, weights),
    )
    kept = {cell: pair for cell, pair in found if all(np.isfinite(pair)) and min(pair) > 0}
    return Terms(kept, "; ".join(words for words in (climb.skipped, untold) if words not in ("", NOTHING)) or NOTHING)


def of_signals(climb: Climb, weights: Weights, seen: Probe) -> Found:
    lengths, stretches = hidden_lengths(seen.network, weights, seen.x), gains(seen.network, weights, seen.x)
    for row in climb.rows:
        source, layer = row["source"], row["layer"]
        if source in LADDER:
            yield Cell(Q, source, layer), (lengths[layer - 1], row["q"])
            yield Cell(CHI, source, layer), (stretches[layer - 1][0], row["chi"])


def of_pairs(ticket: Ticket, weights: Weights, seen: Probe) -> Found:
    """Of 1 - c, which is positive whatever the pairs; c, near 0 of unlike inputs, has no ratio to speak of."""
    pairs = chosen(len(seen.x), len(seen.network.layers[0].shape) > 2)
    found = [1 - c[pairs].mean().item() for c in correlations(seen.network, weights, seen.x)]
    for source, layer, c in alike(ticket, weights, seen, pairs):
        yield Cell(APART, source, layer), (found[layer - 1], 1 - float(c.mean()))


def of_products(ticket: Ticket, weights: Weights, seen: Probe) -> Found:
    """Of the Jacobian between hidden layers where there are two, else of the whole."""
    span = span_of(seen)
    told = over_inputs([moments(*one) for one in whole(weights, seen, span)])
    for source, law in theories(ticket, weights, seen, span):
        if isinstance(law, tuple):
            yield Cell(VARIANCE, source, span.last), (told["variance"], law[1])
        else:
            yield Cell(VARIANCE, source, span.last), (told["variance"], law.variance)
            yield Cell(EDGE, source, span.last), (told["edge"], law.edge)


def span_of(seen: Probe) -> Span:
    layers = len(seen.network.layers)
    return Span("hidden", 1, layers - 1) if layers > 2 else Span("whole", 0, layers)


def no_products(ticket: Ticket, weights: Weights, seen: Probe) -> str:
    """Why there is no theory of the Jacobian; nothing where there is."""
    if ticket.spec is None or not isinstance(ticket.spec.net, FC):
        return "the Jacobian has a theory in fully connected chains alone"
    side = min(sizes(weights, seen, span_of(seen)))
    return f"a Jacobian of {side} on its shorter side is beyond {LARGEST}" if side > LARGEST else ""


def of_layers(ticket: Ticket, weights: Weights) -> Found:
    """Distances of layers from the laws of their spectra, beside those of dense Gaussian matrices of the same shape."""
    for layer, (name, mask) in enumerate(ticket.mask.items(), start=1):
        shape = len(mask), mask[0].numel()
        if min(shape) <= LARGEST:
            for source, distance in distances(weights[name], mask).items():
                yield Cell(SPECTRUM, source, layer), (distance, by_chance(*shape)[source])


def distances(weight: torch.Tensor, mask: torch.Tensor) -> dict[str, float]:
    """From each law, by Kolmogorov and Smirnov; of a layer that is 0, none."""
    found = [*laws(weight, mask, 2, Null(0, 0), np.random.default_rng(0))]
    return {law["source"]: law["ks"] for law in found[1:]}


@cache
def by_chance(rows: int, columns: int) -> dict[str, float]:
    """The distances, on geometric average, of dense Gaussian matrices: what a finite size makes of a law that is right."""
    numbers, whole = generator(0, "gaussian layer", rows, columns), torch.ones(rows, columns, dtype=torch.bool)
    drawn = [distances(torch.from_numpy(numbers.standard_normal((rows, columns))), whole) for _ in range(GAUSSIANS)]
    return {source: float(np.exp(np.mean([np.log(one[source]) for one in drawn]))) for source in drawn[0]}
