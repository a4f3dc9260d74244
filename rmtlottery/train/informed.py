"""Controls of masks that look at data, or at where the inputs lie: found before training, from the ticket's own start.

Each keeps as many weights as the ticket; those whose papers rank all layers together do so here.
"""

import numpy as np
import torch

from rmtlottery.nets import Network
from rmtlottery.prune.cut import cut_together, in_rounds
from rmtlottery.prune.masks import init_mask, largest, shuffle_mask
from rmtlottery.prune.redraw import made, spec_of, stream
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket, Weights, under
from rmtlottery.train.evidence import Scene, scores, some
from rmtlottery.train.material import material

SAMPLES, LEAST = 5000, 500
NUMBERS = 2**25  # of a layer that all samples make together, as pictures are large
LENGTH = 0.4
REACH = 5.0  # pixels


def snip_mask(ticket: Ticket, seed: int) -> Ticket:
    """As many weights in all, those that SNIP keeps of the dense net in one cut (Lee et al. 2019)."""
    return made(ticket, seed, "snip_mask", mask=ranked(ticket, seed, "snip", rounds=1))


def grasp_mask(ticket: Ticket, seed: int) -> Ticket:
    """As many weights in all, those that GraSP keeps of the dense net in one cut (Wang et al. 2020)."""
    return made(ticket, seed, "grasp_mask", mask=ranked(ticket, seed, "grasp", rounds=1))


def synflow_mask(ticket: Ticket, seed: int) -> Ticket:
    """As many weights in all, those that SynFlow keeps of the dense net in 100 rounds (Tanaka et al. 2020)."""
    return made(ticket, seed, "synflow_mask", mask=ranked(ticket, seed, "synflow", rounds=100))


def aligned_mask(ticket: Ticket, seed: int) -> Ticket:
    """As many weights in every layer, those that add most to the signal's length, given the layers below as they are cut."""
    mask = {name: torch.ones_like(held) for name, held in ticket.mask.items()}
    for name in mask:
        gone = scores("alignment", scene(ticket, seed, mask))
        mask[name] = largest(ticket, gone)[name]
    return made(ticket, seed, "aligned_mask", mask=mask)


def local_mask(ticket: Ticket, seed: int) -> Ticket:
    """First layer: every unit sees the pixels about a place of its own, all as many; other layers' masks in random order."""
    first, shape = next(iter(ticket.mask)), pictures(ticket, "local_mask")
    nearness = discs(len(ticket.mask[first]), shape, stream(ticket, seed, "local_mask", first))
    mask = shuffle_mask(ticket, seed).mask | {first: row_by_row(nearness, int(ticket.mask[first].sum()))}
    return made(ticket, seed, "local_mask", mask=mask)


def local_init_mask(ticket: Ticket, seed: int) -> Ticket:
    """As many weights in every layer, the largest of theta_k, in the first layer of |w| times a Gaussian about a place."""
    first, shape = next(iter(ticket.mask)), pictures(ticket, "local_init_mask")
    nearness = discs(len(ticket.mask[first]), shape, stream(ticket, seed, "local_init_mask", first))
    near = ticket.start[first].abs().double() * (nearness / (2 * REACH**2)).exp()
    mask = init_mask(ticket, seed).mask | {first: row_by_row(near, int(ticket.mask[first].sum()))}
    return made(ticket, seed, "local_init_mask", mask=mask)


@torch.no_grad()
def equal_lengths(ticket: Ticket, seed: int) -> Ticket:
    """Each hidden layer's kept weights times one factor: what they add to the bias then has a mean square of 0.4 over data.

    Mishkin and Matas (2016) give every layer 1.
    """
    held = scene(ticket, seed, ticket.mask)
    if not isinstance(held.network, Network):
        raise Refusal(
            f"equal_lengths follows a chain of layers, and {ticket} is of a net of kind {spec_of(ticket).net.kind}"
        )
    start, weights, x = dict(ticket.start), {n: value.double() for n, value in held.weights.items()}, held.samples.x.double()
    for layer in held.network.layers[:-1]:
        name, given = f"{layer.name}.weight", layer.prepare(x)
        power = layer.linear(weights[name], given).square().mean()
        factor = (LENGTH / power).sqrt() if power > 0 else torch.ones(())
        start[name] = (start[name] * factor).to(start[name])
        weights[name] = weights[name] * factor
        x = held.network.phi(layer(weights, given))
    return made(ticket, seed, "equal_lengths", start=start)


def pictures(ticket: Ticket, control: str) -> tuple[int, ...]:
    """The shape of the inputs of a fully connected first layer."""
    first, shape = next(iter(ticket.mask)), material(spec_of(ticket)).data.shape
    if len(shape) != 3 or ticket.mask[first].dim() != 2:
        raise Refusal(f"{control} takes pictures and a fully connected first layer, and {first} of inputs {shape} is none")
    return shape


def discs(units: int, shape: tuple[int, ...], numbers: np.random.Generator) -> torch.Tensor:
    """(units, channels x rows x columns): how near each input is to its unit's place, channels alike."""
    channels, *sides = shape
    pixels = np.stack(np.meshgrid(*map(np.arange, sides), indexing="ij"), axis=-1).reshape(-1, 2)
    places = numbers.random((units, 1, 2)) * sides - 0.5
    far = np.square(pixels - places).sum(-1)
    return torch.from_numpy(np.tile(-far, (1, channels)))


def row_by_row(scores: torch.Tensor, kept: int) -> torch.Tensor:
    """So many in all, the largest of every row, the first rows one more than others where it does not come out even."""
    each, over = divmod(kept, len(scores))
    ranks = scores.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return ranks < (each + (torch.arange(len(scores)) < over))[:, None]


def ranked(ticket: Ticket, seed: int, criterion: str, rounds: int) -> Weights:
    """The mask that is left of the dense net when the lowest scores of all layers together go, in some rounds."""
    mask = {name: torch.ones_like(held) for name, held in ticket.mask.items()}
    total, kept = (sum(int(held.sum()) for held in masks.values()) for masks in (mask, ticket.mask))
    for left in in_rounds(total, 1 - kept / total, rounds):
        now = sum(int(held.sum()) for held in mask.values())
        mask = cut_together(scores(criterion, scene(ticket, seed, mask)), mask, list(mask), now - left)
    return mask


def scene(ticket: Ticket, seed: int, mask: Weights) -> Scene:
    """The ticket's start under a mask, before training samples."""
    spec = spec_of(ticket)
    held = material(spec)
    number = max(LEAST, min(SAMPLES, NUMBERS // held.network.widest))
    samples = some(held.data.train, number, stream(ticket, seed, "scored samples"))
    assert ticket.seed is not None
    weights = under(ticket.start, mask), ticket.start, mask
    return Scene(held.network, held.linear, *weights, samples, ticket.seed, ticket.level, spec.optimiser.loss)
