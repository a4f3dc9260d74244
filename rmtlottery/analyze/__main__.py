"""Ask runs questions: a table and a figure each, and one report."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rmtlottery import console
from rmtlottery.analyze._ask import options, questions
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.fields import Field, at_least

COMMAND = "python -m rmtlottery.analyze"
OWN = [
    Field("only", str, "the analyses to ask, by name and comma [all]", (), None),
    Field("out", str, "where tables, figures and the report go [RUN/analysis]; needed for several runs", (), None),
    Field("control", str, "ask what controls make of each ticket, untrained, by name and comma; with --only", (), None),
    Field("control_seed", int, "the seed that they draw from", (at_least(0),), 0),
]


def page() -> console.Page:
    """Every analysis of the folder with its question, and its options as flags."""
    asked = "\n".join(f"  {name:<12} {question}" for name, question in questions().items())
    flags = [field._replace(name=f"{name}.{field.name}") for name in questions() for field in options(name).values()]
    about = f"Ask the tickets of one or more runs; writes tables, figures and one report.html.\n\nanalyses:\n{asked}"
    example = f"{COMMAND} runs/first --only qmap --qmap.samples 64"
    return console.Page(
        f"{COMMAND} RUN... [--only NAME,...] [--out DIR] [--NAME.OPTION VALUE]",
        about,
        example,
        {"answers": OWN, "options of analyses": flags},
    )


def main(words: Sequence[str]) -> int:
    places, flags = console.parse(words, page())
    if not places:
        raise Refusal(f"name at least one run's folder: {COMMAND} runs/first")
    only, out = flags.pop("only", None), flags.pop("out", None)
    control, seed = flags.pop("control", None), flags.pop("control_seed", None)
    if (control and not only) or (seed is not None and not control):
        raise Refusal("--control goes with --only, and --control-seed with both: --only qmap --control shuffle_entries")
    chosen = names(only)
    for flag in flags:
        if flag.partition(".")[0] not in chosen:
            raise Refusal(f"--{flag} is an option of an analysis that --only leaves out")
    from rmtlottery.analyze._answer import answer
    from rmtlottery.prune.controls import Controlled
    from rmtlottery.tickets.run import Run

    runs = [Controlled(place, control, seed or 0) if control else Run(place) for place in places]
    asked = [(name, belonging(name, flags)) for name in chosen]
    if not out and len(runs) > 1:
        raise Refusal(f"{len(runs)} runs share one report: say with --out where it goes")
    folder = Path(out) if out else runs[0].path / "-".join(["analysis", *([control, str(seed or 0)] if control else [])])
    file = folder / ("report.html" if chosen == list(questions()) else f"report-{'-'.join(chosen)}.html")
    title, command = ", ".join(run.path.name for run in runs), shlex.join([*COMMAND.split(), *words])
    outcome = answer(runs, asked, file, title, command)
    console.tell(outcome)
    return console.PARTIAL if outcome.faults else console.DONE


def names(only: str | None) -> list[str]:
    chosen = only.split(",") if only else list(questions())
    for name in chosen:
        if name not in questions():
            raise unknown("analysis", name, questions())
    return chosen


def belonging(name: str, flags: dict[str, Any]) -> dict[str, Any]:
    """The options that were given to one analysis."""
    return {key.partition(".")[2]: value for key, value in flags.items() if key.partition(".")[0] == name}


if __name__ == "__main__":
    console.run(main)
