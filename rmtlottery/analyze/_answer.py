"""From tickets to files: a table and a figure for every analysis, and one report over all."""

import io
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rmtlottery.analyze._ask import gather, plot
from rmtlottery.analyze._checkpoint import Checkpoint
from rmtlottery.analyze._questions import analysis, beyond_weights, nets, questions
from rmtlottery.refusal import Refusal
from rmtlottery.report.page import Answer, render
from rmtlottery.tickets.disk import write
from rmtlottery.tickets.run import Run
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.work.unit import provenance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Asked = Sequence[tuple[str, Mapping[str, Any]]]
Source = Run | Checkpoint


class Form(NamedTuple):
    """How answers are made and written: by how many processes, as csv or json, and with which faults met before."""

    workers: int = 1
    written: str = "csv"
    faults: Sequence[str] = ()


ALONE = Form()


class Outcome(NamedTuple):
    """What came of asking: the report's path, one sentence an analysis, the faults met, and what was left out."""

    report: Path
    headlines: list[str]
    faults: list[str]
    skipped: list[str]


def answer(sources: Sequence[Source], asked: Asked, report: Path, title: str, command: str, form: Form = ALONE) -> Outcome:
    """Ask every analysis (name, options) of all finished tickets of the sources; what cannot be asked is a fault.

    The report's folder gets tables/ and figures/ too.
    """
    sources = list({source.path.resolve(): source for source in sources}.values())
    faults = [*form.faults, *(fault for source in sources for fault in source.faults())]
    skipped = [line for source in sources if isinstance(source, Checkpoint) for line in source.skipped()]
    answers = []
    for name, given in asked:
        reasons = [lacks(source, name) for source in sources]
        able = [source for source, reason in zip(sources, reasons, strict=True) if not reason]
        skipped += filter(None, reasons)
        try:
            found, unasked = one(name, given, chain.from_iterable(able), report.parent, form) if able else (None, [])
        except Refusal as fault:
            faults.append(str(fault))
            continue
        answers += [found] if found else []
        faults += unasked
    faults = list(dict.fromkeys(faults))
    if not answers:
        raise Refusal((faults or skipped)[-1])
    page = render(title, lead(sources), answers, facts(sources, command, skipped), faults, footer())
    write(report, page.encode())
    return Outcome(report, [held.headline for held in answers if held.headline], faults, skipped)


def lacks(source: Source, name: str) -> str:
    """Why a source cannot be asked this; nothing if it can."""
    if isinstance(source, Checkpoint):
        needed = beyond_weights(name)
        return f"{source.path.name}: {name}: needs {needed}, which a checkpoint alone does not hold" if needed else ""
    kind, about = source.spec.net.kind, nets(name)
    if not about or kind in about:
        return ""
    return f"{source.path.name}: {name}: is about nets of kind {', '.join(about)}, not {kind}"


def one(name: str, given: Mapping[str, Any], tickets: Iterable[Ticket], out: Path, form: Form) -> tuple[Answer, list[str]]:
    """One analysis: its table and its figure on disk, its section of the report, and what could not be asked."""
    table, faults = gather(name, tickets, dict(given), form.workers)
    picture, file = png(plot(name, table)), f"tables/{name}.{form.written}"
    write(out / file, text(table, form.written).encode())
    write(out / "figures" / f"{name}.png", picture)
    module = analysis(name)
    about = " ".join((module.__doc__ or "").partition("\n")[2].split())
    headline = module.headline(table) if hasattr(module, "headline") else ""
    return Answer(name, questions()[name], headline, about, picture, table, file), faults


def text(table: Any, written: str) -> str:
    return table.to_json(orient="records", indent=1) if written == "json" else table.to_csv(index=False)


def png(figure: "Figure") -> bytes:
    import matplotlib.pyplot as plt

    held = io.BytesIO()
    figure.savefig(held, format="png", dpi=130, bbox_inches="tight")
    plt.close(figure)
    return held.getvalue()


def lead(sources: Sequence[Source]) -> str:
    runs = [source for source in sources if not isinstance(source, Checkpoint)]
    words = [source.lead() for source in sources if isinstance(source, Checkpoint)]
    if runs:
        tickets, seeds = sum(len(run) for run in runs), sorted({seed for run in runs for seed in run.seeds})
        names = ", ".join(run.path.name for run in runs)
        words.insert(0, f"{tickets} tickets of {names}; seeds {', '.join(map(str, seeds))}")
    return f"{'; '.join(words)}."


def facts(sources: Sequence[Source], command: str, skipped: Sequence[str]) -> dict[str, str]:
    """How to make it again: the command, each spec part by part and what it was trained on, and what was left out."""
    held = {"made by": command}
    for source in sources:
        mark = f"{source.path.name}: " if len(sources) > 1 else ""
        held |= {mark + name: value for name, value in origin(source).items()}
    return held | {f"skipped ({number})": line for number, line in enumerate(skipped, start=1)}


def origin(source: Source) -> dict[str, str]:
    if isinstance(source, Checkpoint):
        return {"read from": str(source.path.resolve())}
    units = "; ".join(
        f"seeds {u['seeds']} on {u['device']}, {u['threads']} threads, {u['precision']}" for u in source.units()
    )
    return {group: str(getattr(source.spec, group)) for group in source.spec.identity()} | {"trained on": units}


def footer() -> str:
    return ", ".join(f"{name} {value}" for name, value in provenance().items())
