"""What a level trains: what its chart reaches, the same under its masks, or the survivors alone."""

import math

import torch

from rmtlottery.charts.chart import Chart, masked, survivors
from rmtlottery.nets import AnyNetwork, Network
from rmtlottery.nets.products import LARGE
from rmtlottery.work.unit import Unit


def reach(chart: Chart, kept: torch.Tensor, few: bool) -> Chart:
    """The chart under the masks `kept`, flat, a row a replicate; where they leave `few`, it reaches every weight."""
    if kept.all():
        return chart
    return survivors(chart.start, kept) if few else masked(chart, kept)


def few_enough(unit: Unit, network: AnyNetwork, batch: int, kept: torch.Tensor) -> bool:
    """Whether the level multiplies survivors alone: its density is low enough, and every seed keeps equally many."""
    counts = kept.sum(1)
    density = int(counts[0]) / kept.shape[1]
    return density <= densest_sparse(unit, network, batch) and bool((counts == counts[0]).all())


def densest_sparse(unit: Unit, network: AnyNetwork, batch: int) -> float:
    """The density from which on this unit multiplies survivors alone: 0 but for large fully connected chains on a CPU."""
    if unit.device != "cpu" or not isinstance(network, Network):
        return 0.0
    shapes = [network.shapes[name] for name in network.prunable]
    large = all(len(shape) == 2 for shape in shapes) and max(map(math.prod, shapes)) * batch >= LARGE
    return unit.sparse if large else 0.0
