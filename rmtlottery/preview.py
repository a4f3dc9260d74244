"""What a command says before it trains: what is learnt by what, and where theory puts the net."""

import math
from typing import TYPE_CHECKING

from rmtlottery.tickets.fields import shown
from rmtlottery.tickets.parts import Taken
from rmtlottery.tickets.presets import label

if TYPE_CHECKING:
    from rmtlottery.train.material import Material

STABLE = 1e-6
NEAR = 0.2  # chi^depth within about 20 % of 1


def preview(material: "Material") -> str:
    """Five lines: the net, the data, the training, what the cuts leave, the edge of chaos."""
    spec, data = material.spec, material.data
    sizes = ", ".join(f"{len(split)} {name}" for name, split in data.splits.items())
    lengths = ", ".join(f"{split.x.square().mean():.3f} {name}" for name, split in data.splits.items())
    return (
        f"{label(spec)}: {' -> '.join(units(material))}, seeds {', '.join(map(str, spec.seeds))}\n"
        f"data: {spec.data.kind}, {sizes}; {data.preprocessing}; mean |x|^2/fan_in {lengths}\n"
        f"training: {spec.init}; {spec.optimiser}; {spec.schedule}; {spec.prune}\n"
        f"{left(material)}\n{edge(material)}"
    )


def units(material: "Material") -> list[str]:
    """The input, then each layer of a chain: its units, and the side of its kernel; of a module, its name."""
    inputs = "x".join(map(str, material.data.shape))
    if not material.chain:
        return [inputs, str(material.spec.net)]
    shapes = [material.network.shapes[name] for name in material.network.prunable]
    layers = [f"{shape[0]}@{shape[2]}x{shape[3]}" if len(shape) == 4 else str(shape[0]) for shape in shapes]
    return [inputs, *layers[:-1], f"{layers[-1]}, {getattr(material.spec.net, 'phi', '')}"]


def left(material: "Material") -> str:
    """What the last level keeps, how layers are ranked, and those from which cuts remove nothing any more before it."""
    from rmtlottery.prune.cut import counts
    from rmtlottery.prune.rates import kept_at, rates

    prune, shapes = material.spec.prune, material.network.shapes
    if isinstance(material.spec.origin, Taken):
        return f"starts from given tickets of levels {shown(material.spec.levels)}: {material.spec.origin}"
    sizes = {name: math.prod(shapes[name]) for name in material.network.prunable}
    rate_of = rates(prune, list(sizes))
    weights = sum(sizes.values())
    found = f"kept at level {prune.levels}: {kept_at(prune, sizes)[-1] / weights:.2%} of {weights} weights"
    if prune.scope == "global":
        out = ", ".join(name for name, rate in rate_of.items() if not rate)
        return f"{found}; one ranking of all layers, {f'without {out}' if out else 'the last one too'}"
    courses = {name: counts(size, rate_of[name], prune.levels) for name, size in sizes.items()}
    ended = {name: course.index(course[-1]) for name, course in courses.items() if course.count(course[-1]) > 1}
    stuck = ", ".join(f"{name} from level {level}" for name, level in ended.items())
    return found + (f"; cuts remove nothing more from {stuck}" if stuck else "")


def edge(material: "Material") -> str:
    """chi, q* and xi_c, and whether chi is near enough to 1 to pass for it over this depth."""
    from rmtlottery.meanfield import critical_sigma_w, fixed_point
    from rmtlottery.nets.init import sigmas

    if not material.chain:
        return "theory of signals is for chains of layers, and this net is none"
    init, phi = material.spec.init, getattr(material.spec.net, "phi", "")
    hidden = [material.network.shapes[name] for name in material.network.prunable][1:-1]
    found = sorted({sigmas(init, shape) for shape in hidden})
    if not found:
        return "no hidden layer follows another: there is no edge of chaos to be at"
    sigma_w, sigma_b = found[len(found) // 2]
    try:
        point, critical = fixed_point(sigma_w, sigma_b, phi), critical_sigma_w(sigma_b, phi)
        there = fixed_point(critical, sigma_b, phi)
    except (ValueError, ArithmeticError) as unanswered:
        return f"theory has no answer at sigma_w = {sigma_w:g}, sigma_b = {sigma_b:g}: {unanswered}"
    median = "" if len(found) == 1 else f"sigma_w = {found[0][0]:.4g} to {found[-1][0]:.4g} by layer, median {sigma_w:.4g}: "
    net = material.spec.net
    padded = getattr(net, "padding", "") == "zero" or getattr(net, "sharing", "") == "tied_full"
    median += "away from the zeros around a picture, " if padded else ""
    words = f"{median}chi = {point.chi:.4f}, q* = {point.q:.4f}, xi_c = {point.xi_c:.4g} layers: "
    depth = len(hidden) + 1
    if abs(point.chi - 1) * depth < NEAR:
        return words + f"at the edge of chaos, as seen over {depth} layers"
    side = {"ordered": "ordered", "chaotic": "chaotic"}.get(str(point.phase), "with lengths that grow without end")
    stable = abs(there.chi - 1) < STABLE  # gelu and silu settle at another length where sigma_b is small
    advice = f"sigma_w = {critical:.4f} is" if stable else "no sigma_w is"
    return words + f"NOT at the edge of chaos but {side}; {advice} critical at sigma_b = {sigma_b:g}"
