"""Which arm of which comparison a ticket is: the controls that made what it was trained from, or the cuts of its own run."""

from dataclasses import Field, fields
from typing import Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.fields import shown
from rmtlottery.tickets.parts.part import Part
from rmtlottery.tickets.spec import Spec
from rmtlottery.tickets.ticket import Ticket

ITERATED = "imp"
SAID = ("phi", "sigma_w", "sigma_b", "lr", "epochs", "levels", "rewind")
RESIZED = "small_dense"
USUAL, NO_RULE = "as usual", "none"
OTHER_PLACES = ("scatter", RESIZED)


def standing(ticket: Ticket) -> dict[str, Any]:
    """`task`, what was trained on what and for how long; `net`, its sizes; `rule`, how masks were iterated; `arm`;
    `weights`, how many are kept; and the learning rate `lr`."""
    if not ticket.metrics or ticket.spec is None:
        raise Refusal(f"{ticket} is a control that was not trained: train it with rl.fit(spec, start=...), and ask its run")
    kept = sum(int(mask.count_nonzero()) for mask in ticket.mask.values())
    spec, whose = ticket.spec, arm(ticket)
    words = {"task": task(spec, ticket.metrics[-1]["epoch"]), "net": unusual(spec.net) or USUAL, "rule": rule(spec)}
    return words | {"arm": whose, "weights": kept, "lr": spec.optimiser.lr}


def task(spec: Spec, epochs: int) -> str:
    """Kinds of net, init with its sigmas, data and optimiser, epochs, and what else of these is not as it usually is.

    Sizes of nets are told apart by `net`: a smaller dense net is an arm of the task.
    """
    net = " ".join(word for word in (getattr(spec.net, "phi", ""), spec.net.kind) if word)
    sigmas = [f"{getattr(spec.init, name):g}" for name in ("sigma_w", "sigma_b") if hasattr(spec.init, name)]
    init = f"{spec.init.kind} init ({', '.join(sigmas)})" if sigmas else f"{spec.init.kind} init"
    words = f"{net} of {init} on {spec.data.kind}, {epochs} epochs of {spec.optimiser.kind}"
    odd = ["" if spec.schedule.kind == "constant" else f"{spec.schedule.kind} schedule"]
    odd += ["" if spec.chart.kind == "full" else f"chart {spec.chart}"]
    odd += [unusual(part) for part in (spec.data, spec.init, spec.optimiser, spec.schedule)]
    odd += [f"rewind {rewind}" if (rewind := getattr(spec.prune, "rewind", 0)) else ""]
    return ", ".join(filter(None, [words, *odd]))


def unusual(part: Part) -> str:
    """Fields that have another value than the kind's default, less those that are said anyway or do not tell arms apart."""
    odd = {field.name: getattr(part, field.name) for field in fields(part) if changed(part, field)}
    return ", ".join(f"{name} {shown(value)}" for name, value in odd.items())


def changed(part: Part, field: "Field[Any]") -> bool:
    return field.name not in SAID and getattr(part, field.name) != field.default


def arm(ticket: Ticket) -> str:
    """Names of controls by comma, as in "shuffle_mask,rescale"; of a run's own cuts "imp", or the criterion at init.

    Controls of tickets that imp did not find say whose: "shuffle_mask of snip at init". A ticket that is rewound and trained
    again, as at another rate, is of the arm that it was.
    """
    names = [name for name in str(ticket.record.get("control") or "").split(",") if name not in ("", "rewound")]
    control, found = ",".join(names), cuts(ticket.spec)
    return f"{control} of {found}" if control and found != ITERATED else control or found


def mask_of(arm: str) -> str:
    """Which mask an arm trains under: the last control that made one, or those that were found without a control."""
    control, _, whose = arm.partition(" of ")
    masks = [name for name in control.split(",") if name.endswith("_mask") or name in OTHER_PLACES]
    found = whose or (control if " " in control else ITERATED)
    return masks[-1] if masks else found


def rule(spec: Spec) -> str:
    """How masks are iterated."""
    return unusual(spec.prune) or USUAL if cuts(spec) == ITERATED else NO_RULE


def cuts(spec: Spec | None) -> str:
    """How masks are found; cuts by lot iterate too, but are no imp."""
    if spec and spec.prune.kind == "at_init":
        return f"{spec.prune.criterion} at init"
    return "random iterated" if spec and spec.prune.criterion == "random" else ITERATED
