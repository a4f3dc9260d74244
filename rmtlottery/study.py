"""Run a study: make or finish its runs, ask its questions, write one report."""

import importlib.util
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from rmtlottery import console
from rmtlottery.preview import preview
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.fields import Field
from rmtlottery.tickets.presets import label
from rmtlottery.tickets.spec import Spec

COMMAND = "python -m rmtlottery.study"
ABOUT = "Make or finish a study's runs, ask its questions, write one report; what is there is not made again."
OWN = [
    Field("smoke", bool, "every run cut down to two seeds, two cuts and one epoch: seconds", (), False),
    Field("root", str, "folder that holds the runs [$RMTL_RUNS, or runs]", (), None),
    Field("threads", int, "processor threads [$OMP_NUM_THREADS, or all]", (), None),
    Field("out", str, "where tables, figures and report.html go [ROOT/study-NAME]", (), None),
]
SMOKE = {"epochs": 1, "levels": 2, "seeds": (0, 1), "rewind": 0}


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
    from rmtlottery.analyze._answer import answer
    from rmtlottery.prune.controls import Controlled
    from rmtlottery.train.fit import default_root, fit
    from rmtlottery.train.material import material

    root = Path(flags.get("root") or default_root()) / ("smoke" if flags.get("smoke") else "")
    runs = []
    for spec, *control in [entry if isinstance(entry, tuple) else (entry,) for entry in study.RUNS]:
        made = smaller(spec) if flags.get("smoke") else spec
        print(preview(material(made)), flush=True)
        run = fit(made, root, threads=flags.get("threads"))
        if control:
            run = fit(run.spec, root, start=Controlled(run.path, *control), threads=flags.get("threads"))
        runs.append(run)
    out = Path(flags.get("out") or root / f"study-{places[0]}")
    outcome = answer(runs, study.FIGURES, out / "report.html", studies()[places[0]], shlex.join([*COMMAND.split(), *words]))
    console.tell(outcome)
    return console.PARTIAL if outcome.faults else console.DONE


def load(name: str) -> ModuleType:
    """A study's module: RUNS, a list of specs or (spec, control, seed), and FIGURES, a list of (analysis, options)."""
    if name not in studies():
        raise unknown("study", name, studies())
    place = importlib.util.spec_from_file_location(f"analyses.{name}", folder() / f"{name}.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


def smaller(spec: Spec) -> Spec:
    return spec.but(**SMOKE, name=label(spec))


if __name__ == "__main__":
    console.run(main, shlex.join(["python", "-m", "rmtlottery.study", *sys.argv[1:]]))
