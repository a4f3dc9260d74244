"""`Directions`: what a Spec's chart draws for each seed, and the chart that it makes of theta_0."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from rmtlottery.charts.affine import affine, leading, said
from rmtlottery.charts.chart import Chart, full
from rmtlottery.charts.drawn import factors, projection_of
from rmtlottery.charts.flat import Shapes, flatten, layers, total
from rmtlottery.charts.principal import dimensions, principal_directions
from rmtlottery.charts.projections import KINDS, Projection
from rmtlottery.charts.projections.given import Given
from rmtlottery.nets import AnyNetwork
from rmtlottery.refusal import Refusal
from rmtlottery.tickets import parts
from rmtlottery.tickets.starts import directions
from rmtlottery.tickets.ticket import Ticket

UNGUIDED = "a principal chart takes its directions from tickets: start from those of a run that has --snapshots"
ONE_SIZE = (
    "a principal chart takes its directions from tickets, of which no grid and no search has any: train a child of a run "
    "that has --snapshots (--control rewound, or start=), one dim at a time"
)


@dataclass(frozen=True)
class Directions:
    """A P for each seed, drawn once. Its stream is its own: init and data order of the seed do not share in it."""

    part: parts.Chart
    network: AnyNetwork
    device: str = "cpu"
    drawn: dict[int, Projection] = field(default_factory=dict)

    @property
    def few(self) -> bool:
        """Whether there are fewer coordinates than weights."""
        return isinstance(self.part, parts.Few)

    @property
    def size(self) -> int:
        assert isinstance(self.part, parts.Few)
        return self.part.dim

    @property
    def nested(self) -> bool:
        """Whether a smaller size has the first columns of a larger one."""
        return isinstance(self.part, parts.Affine) and self.part.kind != "sum" and KINDS[self.part.projection].nested

    def of(self, seed: int) -> Projection:
        if seed not in self.drawn:
            if not isinstance(self.part, parts.Affine):
                raise Refusal(UNGUIDED)
            check(self.part, self.network)
            self.drawn[seed] = projection_of(self.part, self.network.shapes, seed).to(self.device)
        return self.drawn[seed]

    def take(self, run: Path, seeds: Sequence[int], level: int) -> None:
        """Directions that were kept beside starts, where they are not drawn."""
        if isinstance(self.part, parts.Principal):
            for seed in seeds:
                self.drawn[seed] = Given(directions(run, seed, level)).first(self.part.dim).to(self.device)

    def chart(self, theta: torch.Tensor, seeds: Sequence[int]) -> Chart:
        """Of a replicate for each of these seeds, whose weights start at `theta`."""
        if not self.few:
            return full(theta)
        return self.over(theta, [self.of(seed) for seed in seeds])

    def over(self, theta: torch.Tensor, maps: Sequence[Projection]) -> Chart:
        return said(theta, maps, layers(self.network.shapes)) if self.part.kind == "said" else affine(theta, maps)

    def facts(self, seed: int) -> dict[str, Any]:
        """What a ticket says of it: another P has another fingerprint."""
        known = {"seed": seed, "fingerprint": self.of(seed).fingerprint} if self.few else {"seed": None, "fingerprint": None}
        return {"kind": self.part.kind} | known

    def check(self, seed: int, facts: dict[str, Any], where: object) -> None:
        """Refuses to go on from what was trained with another P."""
        if facts["fingerprint"] != (here := self.facts(seed)["fingerprint"]):
            there = f"{where} was trained along directions {facts['fingerprint']}"
            raise Refusal(f"{there}, and with these libraries its seed gives {here}; take the old ones, or another --name")


def along(part: parts.Chart, ticket: Ticket, shapes: Shapes) -> torch.Tensor | None:
    """The principal directions of the training that a ticket comes from, if they are what is trained along."""
    return principal_directions(points(ticket, shapes))[: part.dim] if isinstance(part, parts.Principal) else None


def points(ticket: Ticket, shapes: Shapes) -> torch.Tensor:
    """Its trajectory, a point a row."""
    return torch.stack([flatten(weights, shapes) for weights in ticket.trajectory])


def check_along(part: parts.Chart, ticket: Ticket, shapes: Shapes) -> None:
    """Refuses more principal directions than the training that a ticket comes from has, and those of another net."""
    if not isinstance(part, parts.Principal):
        return
    way = points(ticket, shapes)
    if way.shape[1] != total(shapes):
        raise Refusal(f"the training that {ticket} comes from was of another net, and has no directions of this one")
    if part.dim <= (many := dimensions(way)):
        return
    most = f"between 1 and the {many} directions" if many > 1 else "1, the number of directions"
    words = f"dim = {part.dim} is not {most} that the trajectory has of {ticket}"
    raise Refusal(f"{words}: take no more, or a ticket of a run that has more --snapshots")


def likeness(part: parts.Chart, network: AnyNetwork, seeds: Sequence[int], device: str) -> dict[int, Projection]:
    """Of directions that are found and not drawn, others that cost as much, to try steps with before any is found."""
    if not isinstance(part, parts.Principal):
        return {}
    size = total(network.shapes)
    drawn = {seed: torch.randn(part.dim, size, generator=torch.Generator().manual_seed(seed)) for seed in seeds}
    return {seed: Given(columns / size**0.5).to(device) for seed, columns in drawn.items()}


def several(theta: torch.Tensor, wanted: Sequence[tuple[Directions, int]]) -> Chart:
    """A replicate for each of these seeds, in subspaces of several sizes.

    Columns that are nested are drawn for the largest size alone; a replicate then has the first of them.
    """
    widest = max((each for each, _ in wanted), key=lambda each: each.size)
    if widest.nested:
        return leading(widest.chart(theta, [seed for _, seed in wanted]), [each.size for each, _ in wanted])
    return widest.over(theta, [each.of(seed) for each, seed in wanted])


def check(part: parts.Chart, network: AnyNetwork) -> None:
    """Refuses more coordinates than there are weights, and fewer than they are to be shared among."""
    if not isinstance(part, parts.Few):
        return
    most, lambdas = total(network.shapes), factors(part, network.shapes)
    if part.dim - lambdas > most:
        raise Refusal(f"dim = {part.dim} is more than the net's {most} weights and biases")
    if part.dim <= lambdas:
        raise Refusal(f"dim = {part.dim} leaves nothing beside the {lambdas} factors of the net's layers; take more")
    if isinstance(part, parts.Sum) and part.subnets > part.dim:
        raise Refusal(f"dim = {part.dim} coordinates are too few for {part.subnets} subnets")
