"""Questions to tickets, one module each, with `table(ticket, *, ...)` and `plot(table)`; the folder is the registry."""
