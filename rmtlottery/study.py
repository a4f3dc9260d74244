"""Run a study: make or finish its runs, ask its questions, write one report."""

import importlib.util
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rmtlottery import console
from rmtlottery.preview import preview
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.fields import Field
from rmtlottery.tickets.parts import (
    FC,
    Conv,
    Data,
    Few,
    LeNet,
    Net,
    Padding,
    Recall,
    Resnet,
    Resnet18,
    Skip,
    Text,
    Transformer,
)
from rmtlottery.tickets.presets import label
from rmtlottery.tickets.spec import Spec

if TYPE_CHECKING:
    from rmtlottery.analyze._answer import Question
    from rmtlottery.tickets.run import Run

COMMAND = "python -m rmtlottery.study"
ABOUT = "Make or finish a study's runs, ask its questions, write one report; what is there is not made again."
OWN = [
    Field("smoke", bool, "all in small: small nets, the digits or few sequences, two seeds, one cut, one epoch", (), False),
    Field("only", str, "make these of its runs, by name and comma, and ask nothing", (), None),
    Field("root", str, "folder that holds the runs [$RMTL_RUNS, or runs]", (), None),
    Field("threads", int, "processor threads [$OMP_NUM_THREADS, or all]", (), None),
    Field("precision", str, "fp32, or bf16 with fp32 masters, of what is not begun yet [fp32]", (), None),
    Field("out", str, "where tables, figures and report.html go [ROOT/study-NAME]", (), None),
]
NARROW, SHORT = 16, 3
FEWEST, MORE = 60, 80  # coordinates of a subspace in small: more than layers, of which some charts have a factor each
SMALL = 100  # coordinates up to which they are the fewest
KEPT, FEW = 4, 2  # snapshots, and subnets of a start
SEQUENCES: dict[type[Data], dict[str, Any]] = {Recall: {"samples": 500}, Text: {"every": 50}}
COARSE = {"samples": 100, "probes": 1, "steps": 8}
NARROWED: dict[type[Net], dict[str, Any]] = {
    Skip: {"units": NARROW, "blocks": 1},
    LeNet: {"sharing": "tied_full"},
    Resnet: {"depth": 8, "stem": 2},
    Resnet18: {"stem": 2},
    Transformer: {"units": 8, "heads": 2, "blocks": 1},
}


def folder() -> Path:
    """The studies: inside the package once installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    return next(path for path in (package / "analyses", package.parent / "analyses") if path.is_dir())


def studies() -> dict[str, str]:
    """study -> its question, read without running it."""
    from rmtlottery.analyze._questions import first_line

    return {path.stem: first_line(path) for path in sorted(folder().glob("*.py"))}


def page() -> console.Page:
    known = "\n".join(f"  {name:<12} {question}" for name, question in studies().items())
    about = f"{ABOUT}\n\nstudies:\n{known}"
    return console.Page(f"{COMMAND} NAME [--smoke]", about, f"{COMMAND} digits --smoke", {"study": OWN})


def main(words: Sequence[str]) -> int:
    places, flags = console.parse(words, page())
    if len(places) != 1:
        raise Refusal(f"name one study: {', '.join(studies())}")
    study = load(places[0])
    from rmtlottery.analyze._answer import Form, answer
    from rmtlottery.train.fit import default_root

    root = Path(flags.get("root") or default_root()) / ("smoke" if flags.get("smoke") else "")
    unit: dict[str, Any] = {name: flags[name] for name in ("threads", "precision") if name in flags}
    runs = make(wanted(study.RUNS, flags.get("only")), root, bool(flags.get("smoke")), unit)
    if flags.get("only"):
        print("\n".join(str(run.path) for run in runs.values()))
        return console.DONE
    out = Path(flags.get("out") or root / f"study-{places[0]}")
    command = shlex.join([*COMMAND.split(), *words])
    asked = [question(runs, file, *entry) for file, entry in study.FIGURES.items()]
    asked = [coarse(each) for each in asked] if flags.get("smoke") else asked
    outcome = answer(list(runs.values()), asked, out / "report.html", studies()[places[0]], command, Form(kept=True))
    console.tell(outcome)
    return console.PARTIAL if outcome.faults else console.DONE


def load(name: str) -> ModuleType:
    """A study's module.

    RUNS: name -> a Spec, or (the name of a run before it, what is changed: `control`, `control_seed`, the levels `at`,
    and fields of the Spec). FIGURES: file -> (analysis, options, names of runs); without names all are asked.
    """
    if name not in studies():
        raise unknown("study", name, studies())
    place = importlib.util.spec_from_file_location(f"analyses.{name}", folder() / f"{name}.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


def wanted(runs: Mapping[str, Any], only: str | None) -> dict[str, Any]:
    """The runs that are named, each after the one it descends from; or all."""
    for name in only.split(",") if only else ():
        if name not in runs:
            raise unknown("run of this study", name, runs)
    return {name: runs[name] for asked in (only.split(",") if only else runs) for name in lineage(runs, asked)}


def lineage(runs: Mapping[str, Any], name: str) -> list[str]:
    """The runs that one descends from, the eldest first, and itself."""
    entry = runs[name]
    return [name] if isinstance(entry, Spec) else [*lineage(runs, entry[0]), name]


def make(entries: Mapping[str, Any], root: Path, smoke: bool, unit: Mapping[str, Any]) -> "dict[str, Run]":
    """Each run trained, or finished, or as it is."""
    from rmtlottery.train.child import child
    from rmtlottery.train.fit import fit
    from rmtlottery.train.material import material

    made: dict[str, Run] = {}
    children: dict[str, Run] = {}  # in small many are one
    for name, entry in entries.items():
        print(f"{name}:", flush=True)
        if isinstance(entry, Spec):
            spec = smaller(entry) if smoke else entry
            print(preview(material(spec)), flush=True)
            made[name] = fit(spec, root, **unit)
        else:
            parent = made[entry[0]]
            changed = shortened(entry[1], parent) if smoke else entry[1]
            which = repr((parent.path, sorted(changed.items())))
            made[name] = children[which] = children.get(which) or child(parent, root, changed, **unit)
            print(made[name].path, flush=True)
    return made


def shortened(changed: Mapping[str, Any], parent: "Run") -> dict[str, Any]:
    """What a child changes but for its training, at levels that a parent of few levels has."""
    from rmtlottery.train.child import OWN, fields_of

    told = {key: value for key, value in changed.items() if key in {*OWN, *fields_of("data", "chart")}}
    if "dim" in told:
        told["dim"] = 2 if told.get("chart") == "principal" else fewer(told["dim"])
    told |= {name: told[name] % FEW for name in ("draw", "shuffling") if name in told}
    if str(told.get("control")).startswith("after:"):
        told["control"] = "after:1"
    at = told.get("at", ())
    return told | {"at": [level for level in parent.levels if level in at] or parent.levels[-1:] if at else ()}


def question(
    runs: "Mapping[str, Run]", file: str, analysis: str, options: Mapping[str, Any] | None = None, of: Sequence[str] = ()
) -> "Question":
    """What is asked of which runs, and what the files are called."""
    from rmtlottery.analyze._answer import Question

    return Question(analysis, options or {}, [runs[name] for name in of] or None, file)


def coarse(asked: "Question") -> "Question":
    """With few samples and short Lanczos runs, where there are any."""
    from rmtlottery.analyze._questions import options

    known = options(asked.name)
    few = {key: value for key, value in COARSE.items() if "probes" in known and key in known}
    return asked._replace(given={**asked.given, **few})


def smaller(spec: Spec) -> Spec:
    """On the digits, which every net takes but a transformer: sequences stay what they are, fewer of them."""
    kind = type(spec.data)
    data = replace(spec.data, **SEQUENCES[kind]) if kind in SEQUENCES else "digits"
    levels = min(1, spec.prune.levels)
    snapshots = tuple(range(1, 1 + min(KEPT, len(spec.record.snapshots))))
    less = {"epochs": 1, "levels": levels, "rewind": 0, "snapshots": snapshots, "seeds": (0, 1)}
    small = spec.but(data=data, net=narrow(spec.net), **less)
    if isinstance(spec.chart, Few):
        small = small.but(dim=fewer(spec.chart.dim))
    return small.but(name=label(spec))


def fewer(dim: int) -> int:
    return FEWEST if dim <= SMALL else MORE


def narrow(net: Net) -> Net:
    """The same net with few units, and of a chain the first layers alone."""
    if isinstance(net, FC):
        return replace(net, widths=fewest(net.widths, NARROW))
    if isinstance(net, Conv):
        padding: Padding = "zero" if net.padding == "none" else net.padding  # 5x5 windows do not fit into 8x8 pictures twice
        few, widths = fewest(net.channels, NARROW // 4), fewest(net.widths, NARROW)
        return replace(net, channels=few, pools=(), padding=padding, widths=widths)
    return replace(net, **NARROWED.get(type(net), {}))


def fewest(sizes: Sequence[int], most: int) -> tuple[int, ...]:
    return tuple(min(size, most) for size in sizes[:SHORT])


if __name__ == "__main__":
    console.run(main, shlex.join(["python", "-m", "rmtlottery.study", *sys.argv[1:]]))
