"""Controls of values: another start under the ticket's own mask, or the law of its weights in another net.

A control is a function (ticket, seed) -> Ticket that changes the ticket's `start`, its mask or both, and records its
parent, its own name and the seed. The ticket it returns is untrained: its `weights` are its start under its mask.
Controls compose: `shuffle_entries(trained(ticket, 0), 1)` shuffles the trained weights.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from rmtlottery.nets.init import initial, sigmas
from rmtlottery.prune.redraw import fresh, from_law, made, narrower, other_seed, redrawn, shuffled, spec_of, stream
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket, under


def rewound(ticket: Ticket, seed: int) -> Ticket:
    """As it is: what the level began from, under the mask."""
    return made(ticket, seed, "rewound")


def trained(ticket: Ticket, seed: int) -> Ticket:
    """The trained weights instead of theta_k: what training on, or fine-tuning, starts from."""
    return made(ticket, seed, "trained", start=ticket.weights)


def after(step: int) -> Callable[[Ticket, int], Ticket]:
    """The weights after so many steps of the ticket's own training: a burn-in."""

    def burned_in(ticket: Ticket, seed: int) -> Ticket:
        if step not in ticket.course:
            known = ", ".join(map(str, sorted(ticket.course))) or "none"
            raise Refusal(f"{ticket} has no snapshot after {step} steps, but after {known}; record it with --snapshots")
        return made(ticket, seed, f"after:{step}", start=ticket.course[step])

    return burned_in


def toward(share: float) -> Callable[[Ticket, int], Ticket]:
    """So large a share of the way from theta_k to the trained weights; below 0 farther off than theta_k.

    What is no parameter of the net, as running statistics, stays as it was at theta_k.
    """

    def on_the_way(ticket: Ticket, seed: int) -> Ticket:
        moved = {n: torch.lerp(ticket.rewound[n], ticket.weights[n], share) for n in ticket.record["parameters"]}
        return made(ticket, seed, f"toward:{share:g}", start=ticket.start | moved)

    return on_the_way


def around(share: float) -> Callable[[Ticket, int], Ticket]:
    """So many times as far from the trained weights as theta_k is, in a uniformly random direction.

    As far as `toward:1 - share` is, and elsewhere; what is cut stays 0.
    """

    def off(ticket: Ticket, seed: int) -> Ticket:
        there, here = ticket.weights, ticket.rewound
        numbers = stream(ticket, seed, "around")
        drawn = {n: torch.from_numpy(numbers.standard_normal(there[n].shape)) for n in ticket.record["parameters"]}
        drawn = under(drawn, ticket.mask)
        length = sum(float((here[n] - there[n]).double().square().sum()) for n in drawn) ** 0.5
        factor = share * length / sum(float(value.square().sum()) for value in drawn.values()) ** 0.5
        moved = {n: (there[n] + factor * value).to(there[n]) for n, value in drawn.items()}
        return made(ticket, seed, f"around:{share:g}", start=ticket.start | moved)

    return off


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


def rescale_units(ticket: Ticket, seed: int) -> Ticket:
    """Each unit's kept weights times a factor of its own, which gives every row its nominal mean square sigma_w^2 back.

    What a mask of uneven in-degrees does to the lengths of single units is undone; a unit that keeps none stays without.
    """
    init, scaled = spec_of(ticket).init, {}
    for name, mask in ticket.mask.items():
        kept = torch.where(mask, ticket.start[name], 0.0).double().flatten(1)
        power = kept.square().sum(1, keepdim=True)
        factor = torch.where(power > 0, sigmas(init, tuple(mask.shape))[0] / power.sqrt().clamp(min=1e-300), 1.0)
        scaled[name] = (kept * factor).reshape(mask.shape).to(ticket.start[name])
    return made(ticket, seed, "rescale_units", start=ticket.start | scaled)


def small_dense(ticket: Ticket, seed: int) -> Ticket:
    """A narrower dense net with about as many weights, drawn from the law of the ticket's kept ones, layer by layer."""
    spec, shapes = narrower(ticket)
    start = initial(spec.init, shapes, other_seed(ticket, seed))
    for name, mask in ticket.mask.items():
        law, size = ticket.start[name][mask], start[name].numel()
        start[name] = from_law(law, stream(ticket, seed, "small_dense", name), size).reshape(shapes[name]).to(law)
    whole = {name: torch.ones(shapes[name], dtype=torch.bool) for name in ticket.mask}
    return made(replace(ticket, spec=spec), seed, "small_dense", start=start, mask=whole)
