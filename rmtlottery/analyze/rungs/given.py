"""T4 to T6: the layer's own weights, row by row, on training inputs in groups of like length."""

from collections.abc import Iterator

import torch

from rmtlottery.analyze.rungs.names import T4, T5, T5B, T6
from rmtlottery.meanfield.quenched import (
    Quenched,
    Step,
    Units,
    forget_columns,
    forget_means,
    forget_nothing,
    quenched_course,
)
from rmtlottery.measure.linear import functions
from rmtlottery.measure.signal import Probe, reached
from rmtlottery.tickets.ticket import Weights

GROUPS, LEAST, MOST = 8, 100, 4096  # groups of inputs, inputs of a group, inputs of all
NUMBERS = 2**19  # of the widest layer in all groups: beyond, convolutions take fewer groups
RUNGS = {T4: (forget_columns, False), T5: (forget_means, False), T5B: (forget_means, True), T6: (forget_nothing, False)}


def given_courses(weights: Weights, seen: Probe, phi: str) -> Iterator[tuple[str, Iterator[Step]]]:
    """source -> its steps through the layers before the first that mixes units."""
    held = [Quenched(*given) for given in functions(seen.network, weights, reached(seen.network))]
    units = grouped(seen)
    for source, (forget, finite) in RUNGS.items():
        yield source, quenched_course(held, units, phi, forget, finite)


def grouped(seen: Probe) -> Units:
    """Moments of the units of training inputs, in equal groups of like length, the signal's length being the input's.

    Of few inputs a group's mean would be the inputs themselves, and T6 the measurement.
    """
    given = seen.x if seen.train is None else seen.train.x[:MOST]
    x = seen.network.layers[0].prepare(given.double())
    groups = max(1, min(GROUPS, len(x) // LEAST, NUMBERS // seen.network.widest))
    order = x.square().flatten(1).mean(1).argsort()[: len(x) // groups * groups]
    parts = [x[part] for part in order.chunk(groups)]
    return Units(*(torch.stack([part.pow(power).mean(0) for part in parts]).numpy() for power in (1, 2, 4)))
