"""Controls of masks: as many weights as the ticket keeps, in other places, from the ticket's own start.

What each of them still knows of the ticket's mask is what it says: the number of all weights, of each layer's, of each
unit's. Those that look at data are in `train/informed.py`.
"""

from collections.abc import Callable

import numpy as np
import torch

from rmtlottery.prune.cut import without_lowest
from rmtlottery.prune.redraw import made, shuffled, stream
from rmtlottery.refusal import Refusal
from rmtlottery.spectra.nulls import rewired
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.ticket import Ticket, Weights

Redraw = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def random_mask(ticket: Ticket, seed: int) -> Ticket:
    """As many weights in all, drawn at random over the whole net: layer densities are equal but for chance."""
    sizes = {name: mask.numel() for name, mask in ticket.mask.items()}
    kept = torch.cat([mask.reshape(-1) for mask in ticket.mask.values()])
    flat = shuffled(kept, stream(ticket, seed, "random_mask"))
    pieces = flat.split(list(sizes.values()))
    mask = {name: piece.reshape(ticket.mask[name].shape) for name, piece in zip(sizes, pieces, strict=True)}
    return made(ticket, seed, "random_mask", mask=mask)


def shuffle_mask(ticket: Ticket, seed: int) -> Ticket:
    """Each layer's mask with its entries in random order: as many weights in every layer."""
    mask = {name: shuffled(value, stream(ticket, seed, "shuffle_mask", name)) for name, value in ticket.mask.items()}
    return made(ticket, seed, "shuffle_mask", mask=mask)


def init_mask(ticket: Ticket, seed: int) -> Ticket:
    """As many weights in every layer, those that are largest where training starts: theta_0 needs no training."""
    scores = {name: ticket.start[name].abs() for name in ticket.mask}
    return made(ticket, seed, "init_mask", mask=largest(ticket, scores))


def one_cut_mask(ticket: Ticket, seed: int) -> Ticket:
    """As many weights in every layer, those that are largest in the trained dense net: one cut instead of many."""
    if ticket.run is None or ticket.seed is None:
        raise Refusal(f"{ticket} is of no run, so there is no dense net to cut at once")
    dense = Run(ticket.run)[ticket.seed, 0].weights
    return made(ticket, seed, "one_cut_mask", mask=largest(ticket, {name: dense[name].abs() for name in ticket.mask}))


def in_degree_mask(ticket: Ticket, seed: int) -> Ticket:
    """As many weights into every unit, from inputs at random."""
    return made(ticket, seed, "in_degree_mask", mask=rewiring(ticket, seed, "in_degree_mask", by_row))


def out_degree_mask(ticket: Ticket, seed: int) -> Ticket:
    """As many weights out of every input of a layer, into units at random."""
    mask = rewiring(ticket, seed, "out_degree_mask", lambda held, numbers: by_row(held.T, numbers).T)
    return made(ticket, seed, "out_degree_mask", mask=mask)


def degree_mask(ticket: Ticket, seed: int) -> Ticket:
    """As many weights into every unit and out of every input of a layer; a mask at random among all that have these."""
    return made(ticket, seed, "degree_mask", mask=rewiring(ticket, seed, "degree_mask", rewired))


def first_layer_mask(ticket: Ticket, seed: int) -> Ticket:
    """The mask of the first layer as it is, those of the others in random order."""
    first = next(iter(ticket.mask))
    return made(ticket, seed, "first_layer_mask", mask=shuffle_mask(ticket, seed).mask | {first: ticket.mask[first]})


def other_layers_mask(ticket: Ticket, seed: int) -> Ticket:
    """The masks of all layers but the first as they are, and that one in random order."""
    first = next(iter(ticket.mask))
    return made(ticket, seed, "other_layers_mask", mask=ticket.mask | {first: shuffle_mask(ticket, seed).mask[first]})


def scatter(ticket: Ticket, seed: int) -> Ticket:
    """The kept weights of each layer in random places of it: their law, and nothing of the mask but its number."""
    start, mask = dict(ticket.start), {}
    for name, held in ticket.mask.items():
        order = torch.from_numpy(stream(ticket, seed, "scatter", name).permutation(held.numel()))
        mask[name] = held.reshape(-1)[order].reshape(held.shape)
        start[name] = ticket.start[name].reshape(-1)[order].reshape(held.shape)
    return made(ticket, seed, "scatter", start=start, mask=mask)


def largest(ticket: Ticket, scores: Weights) -> Weights:
    """As many weights in every layer as the ticket keeps, those of the largest scores."""
    return {
        name: without_lowest(scores[name], torch.ones_like(mask), mask.numel() - int(mask.sum()))
        for name, mask in ticket.mask.items()
    }


def rewiring(ticket: Ticket, seed: int, name: str, redraw: Redraw) -> Weights:
    """Each layer's mask, as a matrix of units and all that they see, redrawn."""
    found = {}
    for layer, mask in ticket.mask.items():
        drawn = redraw(mask.flatten(1).numpy(), stream(ticket, seed, name, layer))
        found[layer] = torch.from_numpy(np.ascontiguousarray(drawn)).reshape(mask.shape)
    return found


def by_row(mask: np.ndarray, numbers: np.random.Generator) -> np.ndarray:
    return numbers.permuted(mask, axis=1)
