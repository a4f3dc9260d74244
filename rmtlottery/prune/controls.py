"""Controls: what else could have been trained or measured in a ticket's place.

A control is a function (ticket, seed) -> Ticket that changes the ticket's `start`, its mask or both, and records its
parent, its own name and the seed. The ticket it returns is untrained: its `weights` are its start under its mask.
Controls compose: `shuffle_entries(trained(ticket, 0), 1)` shuffles the trained weights.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from rmtlottery.nets.init import initial, sigmas
from rmtlottery.prune.cut import without_lowest
from rmtlottery.prune.redraw import fresh, from_law, made, narrower, other_seed, redrawn, shuffled, spec_of, stream
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.ticket import Ticket

Control = Callable[[Ticket, int], Ticket]


def rewound(ticket: Ticket, seed: int) -> Ticket:
    """As it is: what the level began from, under the mask."""
    return made(ticket, seed, "rewound")


def trained(ticket: Ticket, seed: int) -> Ticket:
    """The trained weights instead of theta_k: what training on, or fine-tuning, starts from."""
    return made(ticket, seed, "trained", start=ticket.weights)


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
    """As many weights in every layer, those that are largest in theta_k: what needs no training to find."""
    mask = {}
    for name, value in ticket.mask.items():
        whole, gone = torch.ones_like(value), value.numel() - int(value.sum())
        mask[name] = without_lowest(ticket.start[name].abs(), whole, gone)
    return made(ticket, seed, "init_mask", mask=mask)


def fresh_init(ticket: Ticket, seed: int) -> Ticket:
    """Another theta_0 from the same law under the same mask."""
    return made(ticket, seed, "fresh_init", start=fresh(ticket, seed))


def keep_signs(ticket: Ticket, seed: int) -> Ticket:
    """Another theta_0 whose kept weights have the ticket's signs: magnitudes are redrawn."""
    drawn = fresh(ticket, seed)
    signed = {name: drawn[name].abs() * ticket.start[name].sign() for name in ticket.mask}
    return made(ticket, seed, "keep_signs", start=ticket.start | signed)


def redraw_gaussian(ticket: Ticket, seed: int) -> Ticket:
    """Kept weights drawn from a Gaussian of mean 0 and each layer's root mean square."""

    def draw(kept: torch.Tensor, numbers: np.random.Generator) -> torch.Tensor:
        rms = kept.double().square().mean().sqrt()
        return rms * torch.from_numpy(numbers.standard_normal(len(kept)))

    return made(ticket, seed, "redraw_gaussian", start=redrawn(ticket, seed, "redraw_gaussian", draw))


def redraw_law(ticket: Ticket, seed: int) -> Ticket:
    """Kept weights drawn from each layer's own, bimodal law: the inverse of its empirical distribution function."""
    return made(ticket, seed, "redraw_law", start=redrawn(ticket, seed, "redraw_law", from_law))


def shuffle_entries(ticket: Ticket, seed: int) -> Ticket:
    """The kept weights of each layer in random order: the same law, the same mask."""
    return made(ticket, seed, "shuffle_entries", start=redrawn(ticket, seed, "shuffle_entries", shuffled))


def flip_signs(ticket: Ticket, seed: int) -> Ticket:
    """Each kept weight with a sign of its own: the same magnitudes in the same places."""

    def flip(kept: torch.Tensor, numbers: np.random.Generator) -> torch.Tensor:
        return kept * torch.from_numpy(numbers.choice([-1.0, 1.0], len(kept)))

    return made(ticket, seed, "flip_signs", start=redrawn(ticket, seed, "flip_signs", flip))


def rescale(ticket: Ticket, seed: int) -> Ticket:
    """Each layer's kept weights times one factor, which gives rows their nominal mean square sigma_w^2 back.

    From a critical init the net is critical again (Hayou et al. 2021 rescale by the same idea).
    """
    init = spec_of(ticket).init
    scaled = {}
    for name, mask in ticket.mask.items():
        kept = torch.where(mask, ticket.start[name], 0.0).double()
        wanted = sigmas(init, tuple(mask.shape))[0] ** 2 * len(mask)
        power = kept.square().sum()
        if power == 0:
            raise Refusal(f"{ticket} keeps nothing but zeros in {name}, and no factor brings them back to sigma_w")
        scaled[name] = (kept * (wanted / power).sqrt()).to(ticket.start[name])
    return made(ticket, seed, "rescale", start=ticket.start | scaled)


def small_dense(ticket: Ticket, seed: int) -> Ticket:
    """A narrower dense net with about as many weights, drawn from the law of the ticket's kept ones, layer by layer."""
    spec, shapes = narrower(ticket)
    start = initial(spec.init, shapes, other_seed(ticket, seed))
    for name, mask in ticket.mask.items():
        law, size = ticket.start[name][mask], start[name].numel()
        start[name] = from_law(law, stream(ticket, seed, "small_dense", name), size).reshape(shapes[name]).to(law)
    whole = {name: torch.ones(shapes[name], dtype=torch.bool) for name in ticket.mask}
    return made(replace(ticket, spec=spec), seed, "small_dense", start=start, mask=whole)


CONTROLS: dict[str, Control] = {
    control.__name__: control
    for control in (
        rewound,
        trained,
        random_mask,
        shuffle_mask,
        init_mask,
        fresh_init,
        keep_signs,
        redraw_gaussian,
        redraw_law,
        shuffle_entries,
        flip_signs,
        rescale,
        small_dense,
    )
}


class Controlled(Run):
    """A run whose tickets are, one by one, what controls make of those on disk."""

    def __init__(self, path: str | Path, names: str, seed: int) -> None:
        super().__init__(path)
        self.names, self.control_seed = names, seed

    def __iter__(self) -> Iterator[Ticket]:
        return (controlled(ticket, self.names, self.control_seed) for ticket in super().__iter__())


def controlled(ticket: Ticket, names: str, seed: int) -> Ticket:
    """Several controls, by name and comma, one after another."""
    for name in names.split(","):
        if name not in CONTROLS:
            raise unknown("control", name, CONTROLS)
        ticket = CONTROLS[name](ticket, seed)
    return ticket
