"""`Step`: one step of every seed. All that it reads and writes stays in place, and it takes nothing from the host.

So a device that recorded it once can replay it: what changes from step to step, the place in the epoch and what follows
from it, is counted by the device itself.
"""

import torch

from rmtlottery.train.level import Level
from rmtlottery.train.optimise import UPDATES
from rmtlottery.train.order import epoch_order
from rmtlottery.train.slope import slope
from rmtlottery.train.state import State


class Step:
    """Steps of one level, from where `state` stands."""

    def __init__(self, level: Level, state: State) -> None:
        self.level, self.state, self.slope = level, state, slope(level, state)
        device, size = level.chart.start.device, len(level.data.train)
        self.orders = torch.empty(len(state.seeds), size, dtype=torch.int64, device=device)
        self.rates = torch.empty(level.steps_an_epoch, dtype=torch.float32, device=device)
        self.place = torch.zeros(1, dtype=torch.int64, device=device)
        self.count = torch.zeros((), dtype=torch.float32, device=device)
        self.within = torch.arange(level.spec.schedule.batch, device=device)
        self.slots = state.group("slot/")

    def enter(self, epoch: int, place: int) -> None:
        """Stand before a step of an epoch: its orders, its rates, its count."""
        first = epoch * self.level.steps_an_epoch
        orders = [epoch_order(seed, self.level.number, epoch, self.orders.shape[1]) for seed in self.state.seeds]
        self.orders.copy_(torch.stack(orders))
        self.rates.copy_(torch.tensor([self.level.lr(first + ahead) for ahead in range(self.level.steps_an_epoch)]))
        self.place.fill_(place)
        self.count.fill_(first + place - self.level.first_step)

    def take(self, samples: int) -> None:
        """One step on the next so many samples of each seed's order."""
        tensors, train, rule = self.state.tensors, self.level.data.train, self.level.spec.optimiser
        index = self.orders.index_select(1, self.place * len(self.within) + self.within[:samples])
        x = train.x.index_select(0, index.flatten()).unflatten(0, index.shape)
        (loss, hits), gradient = self.slope(
            x.to(self.level.compute), train.y.index_select(0, index.flatten()).view_as(index)
        )
        with torch.no_grad():
            gradient = self.penalised(gradient)
            self.count.add_(1)
            rate = self.rates.index_select(0, self.place).squeeze(0)
            UPDATES[rule.kind](rule, tensors["coordinates"], gradient, self.slots, rate, self.count)
            tensors["losses"].index_copy_(1, self.place, loss.unsqueeze(1).to(tensors["losses"].dtype))
            tensors["hits"].add_(hits)
            self.place.add_(1)

    def penalised(self, gradient: torch.Tensor) -> torch.Tensor:
        """With that of decay/2 |.|^2 of the weights or of the coordinates, as the Spec says; 0 for seeds that stopped."""
        rule, coordinates, chart = self.level.spec.optimiser, self.state.tensors["coordinates"], self.level.chart
        if rule.decay and rule.decay_target == "coordinates":
            gradient = gradient + rule.decay * coordinates
        elif rule.decay and not self.level.shrink:
            gradient = gradient + rule.decay * chart.pull(chart.weights(coordinates), coordinates)
        for place in self.state.diverged:
            gradient[place].zero_()
        return gradient
