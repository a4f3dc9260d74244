"""After which epoch a ticket is taken."""

from typing import Any

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.ticket import Ticket

LAST, STOPPED = "after the last epoch", "stopped on validation"


def taken(ticket: Ticket, stopped: bool) -> dict[str, Any]:
    """What training recorded last or, `stopped`, at the first of the epochs that are best on validation: early stopping."""
    if not stopped:
        return ticket.metrics[-1]
    if "validation_accuracy" not in ticket.metrics[0]:
        raise Refusal(f"{ticket} was trained without a validation part to stop on; ask with stopped = False")
    return max(ticket.metrics, key=lambda row: row["validation_accuracy"])
