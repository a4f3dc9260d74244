"""From tickets to files: a table and a figure for every analysis, and one report over all."""

import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rmtlottery.analyze._ask import analysis, gather, plot, questions
from rmtlottery.refusal import Refusal
from rmtlottery.report.page import Answer, render
from rmtlottery.tickets.disk import write
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.work.unit import provenance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Asked = Sequence[tuple[str, Mapping[str, Any]]]


class Outcome(NamedTuple):
    """What came of asking: the report's path, one sentence an analysis, and the faults met."""

    report: Path
    headlines: list[str]
    faults: list[str]


def answer(runs: Sequence[Run], asked: Asked, report: Path, title: str, command: str) -> Outcome:
    """Ask every analysis (name, options) of all finished tickets of the runs; what cannot be asked is a fault.

    The report's folder gets tables/ and figures/ too.
    """
    runs = list({run.path.resolve(): run for run in runs}.values())
    faults = [fault for run in runs for fault in run.faults()]
    answers = []
    for name, given in asked:
        try:
            found, unasked = one(name, given, chain.from_iterable(runs), report.parent)
        except Refusal as fault:
            faults.append(str(fault))
            continue
        answers.append(found)
        faults += unasked
    faults = list(dict.fromkeys(faults))
    if not answers:
        raise Refusal(faults[-1])
    page = render(title, lead(runs), answers, facts(runs, command), faults, footer())
    write(report, page.encode())
    return Outcome(report, [held.headline for held in answers if held.headline], faults)


def one(name: str, given: Mapping[str, Any], tickets: Iterable[Ticket], out: Path) -> tuple[Answer, list[str]]:
    """One analysis: its table and its figure on disk, its section of the report, and what could not be asked."""
    table, faults = gather(name, tickets, dict(given))
    picture = png(plot(name, table))
    write(out / "tables" / f"{name}.csv", table.to_csv(index=False).encode())
    write(out / "figures" / f"{name}.png", picture)
    module = analysis(name)
    about = " ".join((module.__doc__ or "").partition("\n")[2].split())
    headline = module.headline(table) if hasattr(module, "headline") else ""
    return Answer(name, questions()[name], headline, about, picture, table, f"tables/{name}.csv"), faults


def png(figure: "Figure") -> bytes:
    import matplotlib.pyplot as plt

    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=130, bbox_inches="tight")
    plt.close(figure)
    return held.getvalue()


def lead(runs: Sequence[Run]) -> str:
    tickets, seeds = sum(len(run) for run in runs), sorted({seed for run in runs for seed in run.seeds})
    return f"{tickets} tickets of {', '.join(run.path.name for run in runs)}; seeds {', '.join(map(str, seeds))}."


def facts(runs: Sequence[Run], command: str) -> dict[str, str]:
    """How to make it again: the command, each spec part by part, and what it was trained on."""
    held = {"made by": command}
    for run in runs:
        mark = f"{run.path.name}: " if len(runs) > 1 else ""
        held |= {mark + group: str(getattr(run.spec, group)) for group in run.spec.identity()}
        held[mark + "trained on"] = "; ".join(
            f"seeds {u['seeds']} on {u['device']}, {u['threads']} threads, {u['precision']}" for u in run.units()
        )
    return held


def footer() -> str:
    return ", ".join(f"{name} {value}" for name, value in provenance().items())
