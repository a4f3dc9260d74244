"""Ask runs questions: a table and a figure each, and one report."""

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from rmtlottery import console
from rmtlottery.analyze._questions import options, questions
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.fields import Field, at_least

COMMAND = "python -m rmtlottery.analyze"
ANY = ("model", "pytorch_model", "weights", "checkpoint")  # names that tell nothing: their folder's is taken
ABOUT = """Ask the tickets of runs, or the layers of any checkpoint; writes tables, figures and one report.html.
A checkpoint is a .safetensors, a .pt or .pth with a state_dict (no pickle is executed), or a sharded one's index.json
or folder; a .csv or .json table of each analysis that weights alone can answer comes of it, and why of the others not."""
OWN = [
    Field("only", str, "the analyses to ask, by name and comma [all]", (), None),
    Field("out", str, "where tables, figures and the report go [RUN/analysis, analysis-NAME]; needed for several", (), None),
    Field("written", Literal["csv", "json"], "form of the tables", (), "csv"),
    Field("threads", int, "processor threads [$OMP_NUM_THREADS, or all]", (at_least(1),), None),
    Field("control", str, "ask what controls make of each ticket, untrained, by name and comma; with --only", (), None),
    Field("control_seed", int, "the seed that they draw from [0]", (at_least(0),), None),
]
FOREIGN = [
    Field("layers", str, "only layers whose names fit this pattern, e.g. 'encoder.*' [*]", (), None),
    Field("mask", str, "another checkpoint that holds the masks, by the names of the weights", (), None),
    Field("workers", int, "processes that share the layers", (at_least(1),), 1),
]


def page() -> console.Page:
    """Every analysis of the folder with its question, and its options as flags."""
    asked = "\n".join(f"  {name:<12} {question}" for name, question in questions().items())
    flags = [field._replace(name=f"{name}.{field.name}") for name in questions() for field in options(name).values()]
    about = f"{ABOUT}\n\nanalyses:\n{asked}"
    example = f"{COMMAND} runs/first --only qmap --qmap.samples 64"
    return console.Page(
        f"{COMMAND} PATH... [--only NAME,...] [--out DIR] [--NAME.OPTION VALUE]",
        about,
        example,
        {"answers": OWN, "checkpoints": FOREIGN, "options of analyses": flags},
    )


def main(words: Sequence[str]) -> int:
    places, flags = console.parse(words, page())
    if not places:
        raise Refusal(f"name at least one run's folder or a checkpoint: {COMMAND} runs/first")
    only, out = flags.pop("only", None), flags.pop("out", None)
    given = {field.name: flags.pop(field.name, field.default) for field in (*OWN[2:], *FOREIGN)}
    chosen = names(only)
    check(flags, chosen, bool(only), given)
    limit(given["threads"], given["workers"])
    from rmtlottery.analyze._answer import Form, answer

    sources, faults = opened(places, given)
    asked = [(name, belonging(name, flags)) for name in chosen]
    folder = Path(out) if out else beside(sources, given["control"], given["control_seed"])
    file = folder / ("report.html" if chosen == list(questions()) else f"report-{'-'.join(chosen)}.html")
    title, command = ", ".join(source.path.name for source in sources), shlex.join([*COMMAND.split(), *words])
    outcome = answer(sources, asked, file, title, command, Form(given["workers"], given["written"], faults))
    console.tell(outcome)
    return console.PARTIAL if outcome.faults else console.DONE


def check(flags: Mapping[str, Any], chosen: Sequence[str], only: bool, given: Mapping[str, Any]) -> None:
    """Refuses flags without the flag that they belong to."""
    control, seed = given["control"], given["control_seed"]
    if (control and not only) or (seed is not None and not control):
        raise Refusal("--control goes with --only, and --control-seed with both: --only qmap --control shuffle_entries")
    for flag in flags:
        if flag.partition(".")[0] not in chosen:
            raise Refusal(f"--{flag} is an option of an analysis that --only leaves out")


def limit(threads: int | None, workers: int) -> None:
    """Before numpy is loaded, as its BLAS reads these once: crews of several processes would wait for each other."""
    shared = max((os.cpu_count() or 1) // workers, 1) if workers > 1 else None
    if threads or shared:
        crews = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        os.environ |= dict.fromkeys(crews, str(threads or shared))


def opened(places: Sequence[str], given: Mapping[str, Any]) -> tuple[list[Any], list[str]]:
    """What the places hold: runs, what controls make of them, or checkpoints; and why others of several cannot be opened."""
    from rmtlottery.analyze._checkpoint import either
    from rmtlottery.tickets.run import Run
    from rmtlottery.train.controls import Controlled

    control, seed = given["control"], given["control_seed"] or 0
    if control and (given["mask"] or given["layers"]):
        raise Refusal("--mask and --layers are for checkpoints, and controls are made of the tickets of runs")
    sources, faults = [], []
    for place in places:
        try:
            sources.append(Controlled(place, control, seed) if control else either(place, given["mask"], given["layers"]))
        except Refusal as fault:
            faults.append(str(fault))
    if not sources:
        raise Refusal("; ".join(faults))
    if given["workers"] > 1 and all(isinstance(source, Run) for source in sources):
        raise Refusal("--workers shares the layers of a checkpoint, and a run is asked in one process")
    return sources, faults


def beside(sources: Sequence[Any], control: str | None, seed: int | None) -> Path:
    """Where answers go unless told: into the run, or for a checkpoint, whose folder may be anybody's, into this one."""
    if len(sources) > 1:
        raise Refusal(f"{len(sources)} runs share one report: say with --out where it goes")
    path, word = sources[0].path, "-".join(["analysis", *([control, str(seed or 0)] if control else [])])
    if (path / "spec.json").is_file():
        return path / word
    name = path.name.partition(".")[0]
    return Path(f"{word}-{path.resolve().parent.name if name in ANY else name}")


def names(only: str | None) -> list[str]:
    known = questions()
    chosen = only.split(",") if only else list(known)
    for name in chosen:
        if name not in known:
            raise unknown("analysis", name, known)
    return chosen


def belonging(name: str, flags: dict[str, Any]) -> dict[str, Any]:
    """The options that were given to one analysis."""
    return {key.partition(".")[2]: value for key, value in flags.items() if key.partition(".")[0] == name}


if __name__ == "__main__":
    console.run(main)
