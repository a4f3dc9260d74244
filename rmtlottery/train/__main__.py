"""Train a spec: every level of every seed, resumable."""

import shlex
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rmtlottery import console
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.fields import Field
from rmtlottery.tickets.presets import preset, presets
from rmtlottery.tickets.spec import GROUPS, NAME, SEEDS, Spec, every_field, kinds

COMMAND = "python -m rmtlottery.train"
UNIT = [
    Field("root", str, "folder that holds the runs [$RMTL_RUNS, or runs]", (), None),
    Field("device", str, "cpu or cuda [cuda where there is one]", (), None),
    Field("threads", int, "processor threads [all]", (), None),
    Field("precision", str, "fp32, or bf16 with fp32 masters [fp32]", (), None),
    Field("seed_batch", int, "seeds trained side by side [all]", (), None),
]


def page() -> console.Page:
    groups: dict[str, list[Field]] = {"run": [SEEDS, NAME, *UNIT]}
    for group in GROUPS:
        names = tuple(kinds(group))
        if len(names) > 1:
            groups[group] = [Field(group, str, " or ".join(names), (), getattr(Spec(), group).kind)]
    for group, kind, field in every_field():
        title = group if len(kinds(group)) == 1 or field.name in shared(group) else f"{group} {kind}"
        if field.name not in {known.name for known in groups.setdefault(title, [])}:
            groups[title].append(field)
    about = "\n".join([first_line(), "", "presets:", *(f"  {name:<10} {words}" for name, words in presets().items())])
    return console.Page(f"{COMMAND} PRESET_OR_TOML [--FIELD VALUE ...]", about, f"{COMMAND} first --levels 2 --lr 0.003", groups)


def first_line() -> str:
    return "Train every level of every seed of a spec; the same command goes on where it was stopped."


def shared(group: str) -> set[str]:
    """Fields that every kind of a group has."""
    sets = [{field.name for g, k, field in every_field() if (g, k) == (group, kind)} for kind in kinds(group)]
    return set.intersection(*sets)


def main(words: Sequence[str]) -> int:
    places, flags = console.parse(words, page())
    if len(places) != 1:
        raise Refusal(f"name one preset ({', '.join(presets())}) or one TOML file, not {len(places)}: {COMMAND} first")
    unit = {field.name: flags.pop(field.name) for field in UNIT if field.name in flags}
    spec = read(places[0]).but(**flags)
    from rmtlottery.train.fit import fit

    announce(spec)
    run = fit(spec, **unit)
    faults = run.faults()
    for fault in faults:
        print(f"fault: {fault}", file=sys.stderr)
    print(f"{len(run)} tickets in {run.path}; next: python -m rmtlottery.analyze {shlex.quote(str(run.path))}")
    return console.PARTIAL if faults else console.DONE


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


def announce(spec: Spec) -> None:
    """Say, before anything is trained, where theory puts the net."""
    from rmtlottery import datasets
    from rmtlottery.meanfield import critical_sigma_w, fixed_point

    point, init, depth = fixed_point(spec.init.sigma_w, spec.init.sigma_b, spec.net.phi), spec.init, len(spec.net.widths)
    data = datasets.dataset(spec.data)
    print(f"{spec.label}: {data.inputs} -> {' x '.join(map(str, spec.net.widths))} -> {data.classes}, {spec.net.phi}")
    print(f"data: {spec.data.kind}, {len(data.train)} train, {len(data.validation)} validation, {len(data.test)} test; "
          f"{data.preprocessing}; mean |x|^2/fan_in = {data.train.x.square().mean():.3f} (train), {data.test.x.square().mean():.3f} (test)")
    print(f"chi = {point.chi:.4f}, q* = {point.q:.4f}, xi_c = {point.xi_c:.4g} layers at (sigma_w, sigma_b) = ({init.sigma_w:g}, {init.sigma_b:g})")
    if abs(point.chi - 1) * depth > 0.2:
        side = "below it, ordered" if point.chi < 1 else "above it, chaotic"
        critical = critical_sigma_w(init.sigma_b, spec.net.phi)
        print(f"NOT at the edge of chaos but {side}: over {depth} layers chi matters; sigma_w = {critical:.4f} is critical there")
    else:
        print(f"at the edge of chaos, as seen over {depth} layers")


if __name__ == "__main__":
    console.run(main, shlex.join(["python", "-m", "rmtlottery.train", *sys.argv[1:]]))
