"""The ladder: predictions of a ticket, each of which drops one assumption of the one before."""
