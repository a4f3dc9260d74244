"""What a Spec asks for, checked against the data and the net before anything is trained."""

import math
from collections.abc import Sequence

from rmtlottery.datasets.dataset import Dataset
from rmtlottery.nets import Modular
from rmtlottery.prune.rates import check_survivors
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Principal, Taken
from rmtlottery.tickets.spec import Spec
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.train.directions import UNGUIDED, check_along
from rmtlottery.train.directions import check as check_chart
from rmtlottery.train.material import Material


def steps_a_level(spec: Spec, data: Dataset) -> int:
    """Steps from the first to the last of level 0."""
    return spec.schedule.epochs * math.ceil(len(data.train) / spec.schedule.batch)


def check_plan(material: Material, tickets: Sequence[Ticket] = ()) -> None:
    """Refuses a layer that would be emptied, a step beyond the end of a level, and tickets of another net."""
    spec, network = material.spec, material.network
    for ticket in tickets:
        check_fit(ticket, material)
    if not tickets:
        check_survivors(spec.prune, {name: math.prod(network.shapes[name]) for name in network.prunable})
    check_last_batch(material)
    check_chart(spec.chart, network)
    if isinstance(spec.chart, Principal) and not (tickets or isinstance(spec.origin, Taken)):
        raise Refusal(UNGUIDED)
    for ticket in tickets:
        check_along(spec.chart, ticket, network.shapes)
    if spec.chart.kind == "said" and spec.optimiser.decay and spec.optimiser.decay_target == "coordinates":
        raise Refusal("decay_target = coordinates would pull the factors of a said chart to 0: take decay_target weights")
    steps = steps_a_level(spec, material.data)
    if spec.prune.rewind >= steps:
        raise Refusal(f"rewind = {spec.prune.rewind} is not below the {steps} steps of a level; lower it or add epochs")
    if max(spec.record.snapshots, default=0) > steps:
        last = max(spec.record.snapshots)
        raise Refusal(f"snapshots = {last} lies beyond the {steps} steps of a level; lower it or add epochs")


def check_last_batch(material: Material) -> None:
    """Refuses a last batch of one sample for a module that cannot learn from one, as a normalisation cannot."""
    network, size, batch = material.network, len(material.data.train), material.spec.schedule.batch
    if not isinstance(network, Modular) or size % batch != 1 % batch:
        return
    theta = {name: value.unsqueeze(0) for name, value in material.theta(0).items()}
    weights = {name: theta[name] for name in network.shapes}
    try:
        network.learn(
            weights, {name: theta[name] for name in network.buffers}, material.data.train.x[:1, None], lambda place: 0
        )
    except ValueError as error:
        raise Refusal(
            f"{size} samples in batches of {batch} leave a last one of 1, and {error}: take another batch"
        ) from None


def check_fit(ticket: Ticket, material: Material) -> None:
    """Refuses a ticket whose weights are not those of the Spec's net."""
    wanted = material.network.shapes
    found = {name: tuple(value.shape) for name, value in ticket.start.items() if name in wanted}
    for name, shape in wanted.items():
        if found.get(name) != shape:
            there = found.get(name, "absent")
            raise Refusal(f"{ticket} does not fit the net of the Spec: {name} is {there} there and {shape} here")
