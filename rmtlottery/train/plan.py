"""What a Spec asks for, checked against the data and the net before anything is trained."""

import math

from rmtlottery import datasets, nets
from rmtlottery.prune.cut import check_survivors, rates
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.spec import Spec


def steps_a_level(spec: Spec) -> int:
    """Steps from the first to the last of level 0."""
    return spec.schedule.epochs * math.ceil(len(datasets.dataset(spec.data).train) / spec.schedule.batch)


def check_plan(spec: Spec) -> None:
    """Refuses a layer that would be emptied, and a step beyond the end of a level."""
    data = datasets.dataset(spec.data)
    network = nets.build(spec.net, data.inputs, data.classes)
    sizes = {name: math.prod(network.shapes[name]) for name in network.prunable}
    check_survivors(sizes, rates(network.prunable, spec.prune.rate, spec.prune.last_rate), spec.prune.levels)
    steps = steps_a_level(spec)
    if spec.prune.rewind >= steps:
        raise Refusal(f"rewind = {spec.prune.rewind} is not below the {steps} steps of a level; lower it or add epochs")
    if max(spec.record.snapshots, default=0) > steps:
        last = max(spec.record.snapshots)
        raise Refusal(f"snapshots = {last} lies beyond the {steps} steps of a level; lower it or add epochs")
