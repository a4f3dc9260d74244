"""How far each theory is off on random nets: the kept weights of every layer in any order, in any places of it.

Entries are then independent, as theories of one or two numbers a layer have them, and biases and the law of the kept
weights are the ticket's own. What a rung is told of the weights it is told of each redraw anew.
"""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import torch

from rmtlottery.analyze._products import NOMINAL, SIZES
from rmtlottery.analyze._verdict_terms import Asked, Cell, terms
from rmtlottery.analyze.rungs.names import T0, T2, T3
from rmtlottery.tickets.ticket import Ticket, Weights

LENT = {T0: T3, T2: T3, NOMINAL: SIZES}  # whose layers are of other sizes than the redraws': chance is that of the latter


def strays(
    ticket: Ticket, weights: Weights, asked: Asked, redraws: int, numbers: np.random.Generator
) -> dict[Cell, list[float]]:
    """cell -> log of measured over predicted in each redraw that has both."""
    found = defaultdict(list)
    for _ in range(redraws):
        for cell, (measured, predicted) in terms(*scattered(ticket, weights, numbers), asked).pairs.items():
            found[cell].append(float(np.log(measured / predicted)))
    return found


def own_chance(cell: Cell) -> Cell:
    """The cell whose redraws are nets that the theory is about, but for their size."""
    return cell._replace(source=LENT.get(cell.source, cell.source))


def scattered(ticket: Ticket, weights: Weights, numbers: np.random.Generator) -> tuple[Ticket, Weights]:
    """The ticket with other masks, and its weights in them."""
    masks, drawn = {}, dict(weights)
    for name, mask in ticket.mask.items():
        order = torch.from_numpy(numbers.permutation(mask.numel()))
        masks[name], drawn[name] = (held.reshape(-1)[order].reshape(mask.shape) for held in (mask, weights[name]))
    return replace(ticket, read={"mask": lambda: masks, "weights": lambda: drawn}), drawn
