"""From tickets to files: a table and a figure for every analysis, and one report over all."""

import io
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rmtlottery.analyze import _kept
from rmtlottery.analyze._ask import distinct, gather, plot
from rmtlottery.analyze._checkpoint import Checkpoint
from rmtlottery.analyze._kept import Kept
from rmtlottery.analyze._questions import analysis, beside, beyond_weights, charts, nets, of_subnets, questions
from rmtlottery.refusal import Refusal
from rmtlottery.report.page import Answer, render
from rmtlottery.tickets.disk import write
from rmtlottery.tickets.run import Run
from rmtlottery.work.unit import provenance

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

Source = Run | Checkpoint
DOTS = 130  # of a figure's inch
FEW = 8  # runs that a report's first sentence names; all stand at its end


class Question(NamedTuple):
    """An analysis, its options, the sources it is asked of (None: all), and the name of its files (none: its own)."""

    name: str
    given: Mapping[str, Any] = {}
    of: Sequence[Source] | None = None
    file: str = ""


class Form(NamedTuple):
    """How answers are made and written: by how many processes, as csv or json, with which faults met before, and whether
    what was asked, drawn and said before of the same tickets by the same code is taken from disk.
    """

    workers: int = 1
    written: str = "csv"
    faults: Sequence[str] = ()
    kept: bool = False


ALONE = Form()


class Outcome(NamedTuple):
    """What came of asking: the report's path, one sentence an analysis, the faults met, and what was left out."""

    report: Path
    headlines: list[str]
    faults: list[str]
    skipped: list[str]


def answer(
    sources: Sequence[Source], asked: Sequence[Sequence[Any]], report: Path, title: str, command: str, form: Form = ALONE
) -> Outcome:
    """Ask every Question of all finished tickets of its sources; what cannot be asked is a fault.

    The report's folder gets tables/ and figures/ too.
    """
    sources = once(sources)
    faults = [*form.faults, *(fault for source in sources for fault in source.faults())]
    skipped = [line for source in sources if isinstance(source, Checkpoint) for line in source.skipped()]
    answers = []
    for question in (Question(*held) for held in asked):
        of = sources if question.of is None else once(question.of)
        reasons = strange(of, question.name) or [lacks(source, question.name) for source in of]
        able = [source for source, reason in zip(of, reasons, strict=True) if not reason]
        skipped += filter(None, reasons)
        try:
            found, unasked = one(question._replace(of=able), report.parent, form) if able else (None, [])
        except Refusal as fault:
            faults.append(str(fault))
            continue
        answers += [found] if found else []
        faults += unasked
    faults = list(dict.fromkeys(faults))
    if not answers:
        raise Refusal((faults or skipped or ["nothing was asked: name an analysis"])[-1])
    page = render(title, lead(sources), answers, facts(sources, command, skipped), faults, footer())
    write(report, page.encode())
    return Outcome(report, [held.headline for held in answers if held.headline], faults, skipped)


def once(sources: Sequence[Source]) -> list[Source]:
    """Each folder or file a single time."""
    return list({source.path.resolve(): source for source in sources}.values())


def strange(sources: Sequence[Source], name: str) -> list[str]:
    """Why none of the sources can be asked this: for want of the charts, or of the several runs, that it is about."""
    runs, about = [source for source in sources if isinstance(source, Run)], charts(name)
    kinds, reason = {run.spec.chart.kind for run in runs}, ""
    if about and not kinds & {*about}:
        reason = f"is about runs with chart {' or '.join(about)}"
    elif missing := {*beside(name)} - kinds:
        reason = f"is about runs with chart {' and '.join(missing)}, too"
    elif of_subnets(name) and not alike_but_for_draw([run for run in runs if run.spec.chart.kind in about]):
        reason = "is about several runs that differ in --draw"
    return [f"{source.path.name}: {name}: {reason}" for source in sources] if reason else []


def alike_but_for_draw(runs: Sequence[Run]) -> bool:
    """Whether two of them at least go along directions of one kind and number, each of its own."""
    held = [run.spec.chart.to_dict() for run in runs]
    kinds = {(str({key: value for key, value in chart.items() if key != "draw"}), chart["draw"]) for chart in held}
    return len({kind for kind, _ in kinds}) < len(kinds)


def lacks(source: Source, name: str) -> str:
    """Why a source cannot be asked this; nothing if it can."""
    if isinstance(source, Checkpoint):
        needed = beyond_weights(name)
        return f"{source.path.name}: {name}: needs {needed}, which a checkpoint alone does not hold" if needed else ""
    kind, about = source.spec.net.kind, nets(name)
    if not about or kind in about:
        return ""
    return f"{source.path.name}: {name}: is about nets of kind {', '.join(about)}, not {kind}"


def one(question: Question, out: Path, form: Form) -> tuple[Answer, list[str]]:
    """One analysis: its table and its figure on disk, its section of the report, and what could not be asked."""
    name, stem = question.name, question.file or question.name
    runs = [source for source in question.of or () if isinstance(source, Run)]
    if form.kept and len(runs) == len(question.of or ()):  # checkpoints have no record that would tell a change
        held, faults = told_before(question, out / "tables" / f"{stem}.npz", runs, form)
    else:
        table, faults = ask(question, form)
        held = told(name, table)
    file = f"tables/{stem}.{form.written}"
    write(out / file, text(held.table, form.written).encode())
    write(out / "figures" / f"{stem}.png", held.picture)
    about = " ".join((analysis(name).__doc__ or "").partition("\n")[2].split())
    return Answer(stem, questions()[name], held.headline, about, held.picture, held.table, file), faults


def ask(question: Question, form: Form) -> "tuple[pd.DataFrame, list[str]]":
    return gather(question.name, chain.from_iterable(question.of or ()), dict(question.given), form.workers)


def told(name: str, table: "pd.DataFrame") -> Kept:
    """The table with its figure and its sentence."""
    module = analysis(name)
    return Kept(table, png(plot(name, table)), module.headline(table) if hasattr(module, "headline") else "")


def told_before(question: Question, path: Path, runs: Sequence[Run], form: Form) -> tuple[Kept, list[str]]:
    """What lies there, if nothing it depends on has changed; else asked and drawn, and kept where nothing went wrong.

    A table is kept before it is drawn.
    """
    mark = _kept.mark(question.name, question.given, runs)
    held, faults = _kept.load(path, mark), list[str]()
    if held is None:
        table, faults = ask(question, form)
        held = Kept(table)
        if not faults:
            _kept.save(path, mark, held)
    if not held.picture:
        held = told(question.name, held.table)
        if not faults:
            _kept.save(path, mark, held)
    return held, faults


def text(table: Any, written: str) -> str:
    return table.to_json(orient="records", indent=1) if written == "json" else table.to_csv(index=False)


def png(figure: "Figure") -> bytes:
    """Drawn once where a layout engine has fitted all in; to find what stands out is to draw it twice.

    The engine is done with before: matplotlib draws twice while it is there.
    """
    import matplotlib.pyplot as plt

    held, engine = io.BytesIO(), figure.get_layout_engine()
    if engine:
        figure.set_dpi(DOTS)
        engine.execute(figure)
        figure.set_layout_engine(None)
    figure.savefig(held, format="png", dpi=DOTS, bbox_inches=None if engine else "tight")
    plt.close(figure)
    return held.getvalue()


def lead(sources: Sequence[Source]) -> str:
    runs = [source for source in sources if not isinstance(source, Checkpoint)]
    words = [source.lead() for source in sources if isinstance(source, Checkpoint)]
    if runs:
        tickets, seeds = sum(len(run) for run in runs), sorted({seed for run in runs for seed in run.seeds})
        names = ", ".join(run.path.name for run in runs) if len(runs) <= FEW else f"{len(runs)} runs"
        words.insert(0, f"{tickets} tickets of {names}; seeds {', '.join(map(str, seeds))}")
    return f"{'; '.join(words)}."


def facts(sources: Sequence[Source], command: str, skipped: Sequence[str]) -> dict[str, str]:
    """How to make it again: the command, each spec part by part and what it was trained on, and what was left out."""
    held, names = {"made by": command}, distinct({str(source.path) for source in sources})
    for source in sources:
        mark = f"{names[str(source.path)]}: " if len(sources) > 1 else ""
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
