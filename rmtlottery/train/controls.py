"""All controls by name: what else could have been trained or measured in a ticket's place."""

from collections.abc import Callable, Iterator
from math import isfinite
from pathlib import Path

from rmtlottery.prune.masks import (
    degree_mask,
    first_layer_mask,
    in_degree_mask,
    init_mask,
    one_cut_mask,
    other_layers_mask,
    out_degree_mask,
    random_mask,
    scatter,
    shuffle_mask,
)
from rmtlottery.prune.values import (
    after,
    around,
    flip_signs,
    fresh_init,
    keep_signs,
    redraw_gaussian,
    redraw_law,
    rescale,
    rescale_units,
    rewound,
    shuffle_entries,
    small_dense,
    toward,
    trained,
)
from rmtlottery.refusal import unknown
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.train.informed import (
    aligned_mask,
    equal_lengths,
    grasp_mask,
    local_init_mask,
    local_mask,
    snip_mask,
    synflow_mask,
)

Control = Callable[[Ticket, int], Ticket]

CONTROLS: dict[str, Control] = {
    control.__name__: control
    for control in (
        rewound,
        trained,
        random_mask,
        shuffle_mask,
        in_degree_mask,
        out_degree_mask,
        degree_mask,
        first_layer_mask,
        other_layers_mask,
        scatter,
        init_mask,
        one_cut_mask,
        snip_mask,
        grasp_mask,
        synflow_mask,
        aligned_mask,
        local_mask,
        local_init_mask,
        fresh_init,
        keep_signs,
        redraw_gaussian,
        redraw_law,
        shuffle_entries,
        flip_signs,
        rescale,
        rescale_units,
        equal_lengths,
        small_dense,
    )
}

NUMBERED: dict[str, Callable[[str], Control]] = {
    "after": lambda step: after(int(step)),
    "toward": lambda share: toward(float(share)),
    "around": lambda share: around(float(share)),
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
        ticket = named(name)(ticket, seed)
    return ticket


def named(name: str) -> Control:
    """A control by its name, with its number where it takes one: `after:100`."""
    word, _, number = name.partition(":")
    if word in NUMBERED and is_number(word, number):
        return NUMBERED[word](number)
    if name not in CONTROLS:
        raise unknown("control", name, [*CONTROLS, "after:STEP", "toward:SHARE", "around:SHARE"])
    return CONTROLS[name]


def is_number(word: str, number: str) -> bool:
    """Whole for steps, any for shares of a way, none below 0 for lengths."""
    try:
        value = float(number)
    except ValueError:
        return False
    return isfinite(value) and {"after": number.isdecimal(), "around": value >= 0}.get(word, True)
