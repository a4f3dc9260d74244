"""Train a spec: every level of every seed, resumable."""

import os
import shlex
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rmtlottery import console
from rmtlottery.preview import preview
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.fields import Field, declared, shown
from rmtlottery.tickets.presets import preset, presets
from rmtlottery.tickets.spec import GROUPS, NAME, SEEDS, Spec, kinds
from rmtlottery.work.pool import executor
from rmtlottery.work.unit import cores

COMMAND = "python -m rmtlottery.train"
ABOUT = "Train every level of every seed of a spec; the same command goes on where it was stopped."
TOML = 'A TOML file holds fields (lr = 0.01), parts ([net] widths = "8x64") and maybe preset = "digits" to start from.'
UNIT = [
    Field("root", str, "folder that holds the runs [$RMTL_RUNS, or runs]", (), None),
    Field("device", str, "cpu or cuda [cuda where there is one]", (), None),
    Field("threads", int, "processor threads [$OMP_NUM_THREADS, or all]", (), None),
    Field("precision", str, "fp32, or bf16 with fp32 masters [fp32]", (), None),
    Field("seed_batch", int, "seeds trained side by side [all, or their share of --workers]", (), None),
]
WORKERS = [
    Field("workers", int, "local processes that share the batches of seeds", (), 1),
    Field("cluster", str, "address of a Dask scheduler that shares them, e.g. tcp://host:8786", (), None),
]


def page() -> console.Page:
    """Every field of every kind, under the part, or the part and kind, that it belongs to."""
    groups: dict[str, list[Field]] = {"run": [SEEDS, NAME, *UNIT, *WORKERS]}
    for group, base in GROUPS.items():
        choice = Field(group, str, " or ".join(kinds(group)), (), getattr(Spec(), group).kind)
        groups[group] = [choice] * (len(kinds(group)) > 1) + [with_defaults(group, f) for f in declared(base).values()]
        for kind, part in kinds(group).items():
            groups[f"{group} {kind}"] = [field for name, field in declared(part).items() if name not in declared(base)]
    about = "\n".join([ABOUT, TOML, "", "presets:", *(f"  {name:<10} {words}" for name, words in presets().items())])
    usage, example = f"{COMMAND} PRESET_OR_TOML [--FIELD VALUE ...]", f"{COMMAND} first --levels 2 --lr 0.003"
    return console.Page(usage, about, example, {title: fields for title, fields in groups.items() if fields})


def with_defaults(group: str, field: Field) -> Field:
    """The field, its help saying where another kind has another default."""
    defaults = {kind: declared(part)[field.name].default for kind, part in kinds(group).items()}
    others = [f"{kind} {shown(value)}" for kind, value in defaults.items() if value != field.default]
    return field._replace(help=f"{field.help}; {', '.join(others)}") if others else field


def main(words: Sequence[str]) -> int:
    places, flags = console.parse(words, page())
    if len(places) != 1:
        raise Refusal(f"name one preset ({', '.join(presets())}) or one TOML file, not {len(places)}: {COMMAND} first")
    unit = {field.name: flags.pop(field.name) for field in UNIT if field.name in flags}
    workers = {field.name: flags.pop(field.name) for field in WORKERS if field.name in flags}
    spec = read(places[0]).but(**flags)
    from rmtlottery.train.fit import fit

    print(preview(spec))
    with executor(**workers) as hands:
        run = fit(spec, executor=hands, **(share(spec, workers.get("workers", 1)) | unit))
    faults = run.faults()
    for fault in faults:
        print(f"fault: {fault}", file=sys.stderr)
    if not len(run):
        raise Refusal(f"every seed diverged before its first ticket; {run.path} records where: take a lower lr")
    print(f"{len(run)} tickets in {run.path}; next: python -m rmtlottery.analyze {shlex.quote(str(run.path))}")
    return console.PARTIAL if faults else console.DONE


def share(spec: Spec, workers: int) -> dict[str, int]:
    """Each of several workers takes its part of the seeds and processors, unless told or begun otherwise."""
    if workers == 1:
        return {}
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, cores() // workers)))
    return {"seed_batch": -(-len(spec.seeds) // workers)}


def read(name: str) -> Spec:
    """A preset, or a TOML file of fields and parts that may name a preset to start from."""
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
