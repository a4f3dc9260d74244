"""Mean-field and random-matrix theory against lottery tickets: train, prune, ask, compare.

import rmtlottery as rl
run = rl.fit(rl.preset("first"))
table = rl.tabulate("qmap", run)
rl.plot("qmap", table).savefig("qmap.png")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rmtlottery import charts as charts
    from rmtlottery import meanfield as meanfield
    from rmtlottery import spectra as spectra
    from rmtlottery import width as width
    from rmtlottery.analyze._ask import plot as plot
    from rmtlottery.analyze._ask import tabulate as tabulate
    from rmtlottery.refusal import Refusal as Refusal
    from rmtlottery.tickets.foreign import load as load
    from rmtlottery.tickets.presets import preset as preset
    from rmtlottery.tickets.presets import presets as presets
    from rmtlottery.tickets.run import Run as Run
    from rmtlottery.tickets.spec import Spec as Spec
    from rmtlottery.tickets.ticket import Ticket as Ticket
    from rmtlottery.train import controls as controls
    from rmtlottery.train.dint import dint as dint
    from rmtlottery.train.fit import fit as fit
    from rmtlottery.train.grid import grid as grid

__version__ = "0.1.0"

HOMES = {
    "Spec": "tickets.spec",
    "Ticket": "tickets.ticket",
    "Run": "tickets.run",
    "preset": "tickets.presets",
    "presets": "tickets.presets",
    "load": "tickets.foreign",
    "fit": "train.fit",
    "grid": "train.grid",
    "dint": "train.dint",
    "tabulate": "analyze._ask",
    "plot": "analyze._ask",
    "Refusal": "refusal",
}
ROOMS = {name: name for name in ("charts", "meanfield", "spectra", "width")} | {"controls": "train.controls"}
__all__ = ["__version__", *ROOMS, *HOMES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in ROOMS:
        return import_module(f"rmtlottery.{ROOMS[name]}")
    if name in HOMES:
        return getattr(import_module(f"rmtlottery.{HOMES[name]}"), name)
    raise AttributeError(f"rmtlottery has no {name!r}; it has {', '.join(sorted(__all__))}")


def __dir__() -> list[str]:
    return sorted(__all__)
