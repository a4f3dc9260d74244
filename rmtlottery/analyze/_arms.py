"""Which arm of a comparison a ticket is: the controls that made what it was trained from, or the cuts of its own run."""

from rmtlottery.tickets.spec import Spec
from rmtlottery.tickets.ticket import Ticket

ITERATED = "imp"


def arm(ticket: Ticket) -> str:
    """Names of controls by comma, as in "shuffle_mask,rescale"; of a run's own cuts "imp", or the criterion at init.

    Controls of tickets that imp did not find say whose: "shuffle_mask of snip at init". A ticket that is rewound and trained
    again, as at another rate, is of the arm that it was.
    """
    names = [name for name in str(ticket.record.get("control") or "").split(",") if name not in ("", "rewound")]
    control, found = ",".join(names), cuts(ticket.spec)
    return f"{control} of {found}" if control and found != ITERATED else control or found


def cuts(spec: Spec | None) -> str:
    """How masks are found; cuts by lot iterate too, but are no imp."""
    if spec and spec.prune.kind == "at_init":
        return f"{spec.prune.criterion} at init"
    return "random iterated" if spec and spec.prune.criterion == "random" else ITERATED
