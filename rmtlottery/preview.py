"""What a command says before it trains: what is learnt by what, and where theory puts the net."""

import math
from typing import TYPE_CHECKING

from rmtlottery.tickets.presets import label
from rmtlottery.tickets.spec import Spec

if TYPE_CHECKING:
    from rmtlottery.nets import Network

NEAR = 0.2  # chi^depth within about 20 % of 1


def preview(spec: Spec) -> str:
    """Five lines: the net, the data, the training, what the cuts leave, the edge of chaos."""
    from rmtlottery import datasets, nets

    data = datasets.dataset(spec.data)
    network = nets.build(spec.net, data.inputs, data.classes)
    units = [data.inputs, *(network.shapes[name][0] for name in network.prunable)]
    sizes = ", ".join(f"{len(split)} {name}" for name, split in data.splits.items())
    lengths = ", ".join(f"{split.x.square().mean():.3f} {name}" for name, split in data.splits.items())
    return (
        f"{label(spec)}: {' -> '.join(map(str, units))}, {spec.net.phi}, seeds {', '.join(map(str, spec.seeds))}\n"
        f"data: {spec.data.kind}, {sizes}; {data.preprocessing}; mean |x|^2/fan_in {lengths}\n"
        f"training: {spec.optimiser}; {spec.schedule}; {spec.prune}\n"
        f"{left(spec, network)}\n{edge(spec, len(units) - 2)}"
    )


def left(spec: Spec, network: "Network") -> str:
    """What the last level keeps, and the layers from which cuts remove nothing any more before it."""
    from rmtlottery.prune.cut import counts, rates

    rate_of = rates(network.prunable, spec.prune.rate, spec.prune.last_rate)
    sizes = {name: math.prod(network.shapes[name]) for name in network.prunable}
    kept = {name: counts(size, rate_of[name], spec.prune.levels) for name, size in sizes.items()}
    density = sum(course[-1] for course in kept.values()) / sum(sizes.values())
    stuck = [
        f"{name} from level {course.index(course[-1])}" for name, course in kept.items() if course.count(course[-1]) > 1
    ]
    nothing = f"; cuts remove nothing more from {', '.join(stuck)}" if stuck else ""
    return f"kept at level {spec.prune.levels}: {density:.2%} of {sum(sizes.values())} weights{nothing}"


def edge(spec: Spec, depth: int) -> str:
    """chi, q* and xi_c, and whether chi is near enough to 1 to pass for it over this depth."""
    from rmtlottery.meanfield import critical_sigma_w, fixed_point

    init, phi = spec.init, spec.net.phi
    try:
        point, critical = fixed_point(init.sigma_w, init.sigma_b, phi), critical_sigma_w(init.sigma_b, phi)
    except (ValueError, ArithmeticError) as unanswered:
        return f"theory has no answer at sigma_w = {init.sigma_w:g}, sigma_b = {init.sigma_b:g}: {unanswered}"
    found = f"chi = {point.chi:.4f}, q* = {point.q:.4f}, xi_c = {point.xi_c:.4g} layers: "
    if abs(point.chi - 1) * depth < NEAR:
        return found + f"at the edge of chaos, as seen over {depth} layers"
    side = "ordered" if point.chi < 1 else "chaotic"
    return found + f"NOT at the edge of chaos but {side}; sigma_w = {critical:.4f} is critical at sigma_b = {init.sigma_b:g}"
