"""Train a spec: every level of every seed, resumable."""

import ast
import os
import shlex
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rmtlottery import console
from rmtlottery.preview import preview
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.fields import Field, at_least, choices, declared, each_at_least, shown
from rmtlottery.tickets.presets import label, preset, presets
from rmtlottery.tickets.run import read_spec
from rmtlottery.tickets.spec import GROUPS, NAME, PASSED, SEEDS, Spec, kinds
from rmtlottery.work.pool import executor
from rmtlottery.work.unit import cores

if TYPE_CHECKING:
    from rmtlottery.tickets.ticket import Ticket
    from rmtlottery.train.material import Material

COMMAND = "python -m rmtlottery.train"
ABOUT = "Train every level of every seed of a spec; the same command goes on where it was stopped."
TOML = 'A TOML file holds fields (lr = 0.01), parts ([net] widths = "8x64") and maybe preset = "digits" to start from.'
SEARCH = "dint looks for the intrinsic dimension of a preset: subspaces of sizes about where accuracy passes a threshold."
RESUME = "A RUN's folder goes on with that run, or with --control trains a control of each of its tickets."
UNIT = [
    Field("root", str, "folder that holds the runs [$RMTL_RUNS, or runs]", (), None),
    Field("device", str, "cpu or cuda [cuda where there is one]", (), None),
    Field("threads", int, "processor threads [$OMP_NUM_THREADS, or all]", (), None),
    Field("precision", str, "fp32, or bf16 with fp32 masters [fp32]", (), None),
    Field("sparse", float, "density at or below which a CPU multiplies kept weights only [0.15; in bf16 0.1]", (), None),
    Field("seed_batch", int, "seeds trained side by side [all, or their share of --workers]", (), None),
]
CONTROL = [
    Field("control", str, "of a RUN: controls to train its tickets under, by name and comma", (), None),
    Field("control_seed", int, "the seed that they draw from", (at_least(0),), 0),
    Field("at", tuple[int, ...], "the levels of the RUN to take [all]", (each_at_least(0),), ()),
    Field("dry_run", bool, "say what it would cost in time, memory and disk, and train nothing", (), False),
]
DINT = [
    Field(
        "threshold",
        float,
        "dint: accuracy whose size is looked for, or with --local the share of the whole net's",
        (),
        0.9,
    ),
    Field(
        "local",
        bool,
        "dint: train the same net whole, too, and take the threshold for a share of what it reaches",
        (),
        False,
    ),
    Field("split", Literal["train", "validation", "test"], "dint: whose accuracy is asked", (), "test"),
    Field("start", int, "dint: the size that is tried first [the root of the number of weights]", (at_least(1),), None),
]
CONTROLS_IN = ("prune/values.py", "prune/masks.py", "train/informed.py")
WORKERS = [
    Field("workers", int, "local processes that share the batches of seeds", (), 1),
    Field("cluster", str, "address of a Dask scheduler that shares them, e.g. tcp://host:8786", (), None),
]


def page() -> console.Page:
    """Every field of every kind, under the part, or the part and kind, that it belongs to."""
    groups: dict[str, list[Field]] = {"run": [SEEDS, NAME, *UNIT, *WORKERS], "control": CONTROL, "dint": DINT}
    for group, base in GROUPS.items():
        here = {kind: part for kind, part in kinds(group).items() if kind not in PASSED}
        choice = Field(group, str, " or ".join(here), (), getattr(Spec(), group).kind)
        groups[group] = [choice] * (len(here) > 1) + [with_defaults(group, field) for field in declared(base).values()]
        for kind, part in here.items():
            groups[f"{group} {kind}"] = [field for name, field in declared(part).items() if name not in declared(base)]
    about = "\n".join(
        [ABOUT, TOML, RESUME, SEARCH, "", "presets:", *listed(presets()), "", "controls:", *listed(controls())]
    )
    usage, example = f"{COMMAND} [dint] PRESET_OR_TOML_OR_RUN [--FIELD VALUE ...]", f"{COMMAND} first --levels 2 --lr 0.003"
    return console.Page(usage, about, example, {title: fields for title, fields in groups.items() if fields})


def listed(words_of: dict[str, str]) -> list[str]:
    return [f"  {name:<19} {words}" for name, words in words_of.items()]


def controls() -> dict[str, str]:
    """control -> what it does, read from the source without importing torch."""
    trees = [ast.parse((Path(__file__).parents[1] / file).read_text()) for file in CONTROLS_IN]
    functions = [node for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)]
    found = {}
    for node in functions:
        match [arg.arg for arg in node.args.args]:
            case ["ticket", "seed"]:
                found[node.name] = first_line(node)
            case ["step" | "share" as number]:
                found[f"{node.name}:{number.upper()}"] = first_line(node)
    return found


def first_line(node: ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]


def with_defaults(group: str, field: Field) -> Field:
    """The field with every kind's choices, its help saying where another kind has another default."""
    offered = [choice for part in kinds(group).values() for choice in choices(declared(part)[field.name])]
    field = field._replace(kind=Literal[tuple(dict.fromkeys(offered))]) if offered else field
    defaults = {kind: declared(part)[field.name].default for kind, part in kinds(group).items()}
    others = [f"{kind} {shown(value)}" for kind, value in defaults.items() if value != field.default]
    return field._replace(help=f"{field.help}; {', '.join(others)}") if others else field


def main(words: Sequence[str]) -> int:
    places, flags = console.parse(words, page())
    if places[:1] == ["dint"]:
        return search(places[1:], flags, words)
    if odd := {field.name for field in DINT} & set(flags):
        raise Refusal(f"--{min(odd)} goes with dint: {COMMAND} dint PRESET")
    if len(places) != 1:
        raise Refusal(f"name one preset, TOML file or run, not {len(places)}: {COMMAND} first")
    unit, workers, control = (taken_from(flags, fields) for fields in (UNIT, WORKERS, CONTROL))
    if (Path(places[0]) / "spec.json").is_file():
        unit = {"root": str(Path(places[0]).resolve().parent)} | unit
    from rmtlottery.train.fit import fit, planned

    start = tickets(places[0], control, flags)
    plan = planned(read(places[0]).but(**flags), start)
    print(preview(plan))
    if control.get("dry_run"):
        print(cost(plan, unit | workers, start or ()))
        return console.DONE
    unit = share(plan.spec, workers.get("workers", 1)) | unit
    with executor(**workers) as hands:
        run = fit(plan.spec, executor=hands, start=start, **unit)
    faults = run.faults()
    for fault in faults:
        print(f"fault: {fault}", file=sys.stderr)
    if not len(run):
        raise Refusal(f"every seed diverged before its first ticket; {run.path} records where: take a lower lr")
    print(f"{len(run)} tickets in {run.path}; next: python -m rmtlottery.analyze {shlex.quote(str(run.path))}")
    return console.PARTIAL if faults else console.DONE


def search(places: list[str], flags: dict[str, Any], words: Sequence[str]) -> int:
    """Looks for the intrinsic dimension of one preset, and says what it found."""
    if len(places) != 1:
        raise Refusal(f"name one preset or TOML file, not {len(places)}: {COMMAND} dint li_fc_mnist")
    unit, asked, other = (taken_from(flags, fields) for fields in (UNIT, DINT, [*CONTROL, *WORKERS]))
    if odd := sorted({*other, *({"seed_batch", "sparse"} & set(unit))}):
        raise Refusal(f"--{odd[0].replace('_', '-')} does not go with dint")
    if (Path(places[0]) / "spec.json").is_file():
        raise Refusal(f"{places[0]} is a run of one size: dint starts from a preset or a TOML file")
    from rmtlottery.analyze._answer import answer
    from rmtlottery.train.dint import check, dint
    from rmtlottery.train.fit import default_root, planned

    spec, root = read(places[0]).but(**flags), Path(unit.pop("root", None) or default_root())
    check(asked.get("threshold", 0.9), asked.get("split", "test"), spec)
    plan = planned(spec.but(levels=0))
    print(preview(plan))
    runs = dint(spec, root, **asked, **unit)
    told = {name: asked[name] for name in ("threshold", "local", "split") if name in asked}
    report = root / f"dint-{label(plan.spec)}" / "report.html"
    outcome = answer(
        runs, [("dint", told)], report, f"intrinsic dimension of {label(plan.spec)}", shlex.join([*COMMAND.split(), *words])
    )
    console.tell(outcome)
    return console.PARTIAL if outcome.faults else console.DONE


def taken_from(flags: dict[str, Any], fields: list[Field]) -> dict[str, Any]:
    """The flags that are no fields of a Spec."""
    return {field.name: flags.pop(field.name) for field in fields if field.name in flags}


def tickets(place: str, control: dict[str, Any], flags: dict[str, Any]) -> "list[Ticket] | None":
    """What a control makes of the tickets of a run, of all its seeds or of those that --seeds takes."""
    from rmtlottery.tickets.run import Run
    from rmtlottery.train.controls import controlled

    if "control" not in control:
        if {"control_seed", "at"} & set(control):
            raise Refusal("--control-seed and --at go with --control")
        return None
    run = Run(place)
    if odd := set(control.get("at", ())) - set(run.levels):
        raise Refusal(f"{run.path} has no level {min(odd)}; it has {run.levels}")
    if "levels" in flags:
        raise Refusal("--levels is no way to choose levels of a RUN; take --at")
    levels, seeds = control.get("at") or run.levels, flags.pop("seeds", ()) or run.seeds
    chosen = [ticket for ticket in run if ticket.level in levels and ticket.seed in seeds]
    return [controlled(ticket, control["control"], control.get("control_seed", 0)) for ticket in chosen]


def cost(plan: "Material", told: dict[str, Any], start: "Sequence[Ticket]") -> str:
    """Time, memory and disk, by trying some steps."""
    from rmtlottery.train.estimate import estimate
    from rmtlottery.train.fit import default_root, unit_of
    from rmtlottery.train.material import check_precision
    from rmtlottery.work.unit import check_device

    if {"seed_batch", "workers", "cluster"} & set(told):
        raise Refusal("--dry-run tries all seeds side by side here: leave --seed-batch, --workers and --cluster out")
    root = Path(told.pop("root", None) or default_root())
    held = unit_of(plan.spec.seeds, **told)
    check_device(held.device)
    check_precision(plan.network, held.precision)
    return estimate(plan, held, root, start)


def share(spec: Spec, workers: int) -> dict[str, int]:
    """Each of several workers takes its part of the seeds and processors, unless told or begun otherwise."""
    if workers == 1:
        return {}
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // workers)))
    return {"seed_batch": -(-len(spec.seeds) // workers)}


def read(name: str) -> Spec:
    """A preset, a run's folder, or a TOML file of fields and parts that may name a preset to start from."""
    if (Path(name) / "spec.json").is_file():
        return read_spec(Path(name) / "spec.json").but(name=Path(name).resolve().name)
    if not name.endswith(".toml"):
        return preset(name)
    try:
        held: dict[str, Any] = tomllib.loads(Path(name).read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Refusal(f"{name} is no TOML file that can be read: {error}") from None
    base = preset(held.pop("preset")) if "preset" in held else Spec()
    return base.but(**{"name": Path(name).stem} | held)


if __name__ == "__main__":
    console.run(main, shlex.join(["python", "-m", "rmtlottery.train", *sys.argv[1:]]))
