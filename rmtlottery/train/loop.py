"""The one training loop: several seeds of one level as one batched program, whatever the chart."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import cross_entropy

from rmtlottery.charts.chart import Chart
from rmtlottery.charts.flat import unflatten
from rmtlottery.datasets.dataset import Dataset, Split
from rmtlottery.nets import AnyNetwork
from rmtlottery.nets.network import portion
from rmtlottery.tickets.spec import Spec
from rmtlottery.tickets.streams import generator
from rmtlottery.train.optimise import UPDATES, memory
from rmtlottery.train.order import epoch_order
from rmtlottery.train.schedule import learning_rate
from rmtlottery.train.state import Rows, State


@dataclass(frozen=True)
class Level:
    """What stays the same while a level trains."""

    spec: Spec
    number: int
    first_step: int
    network: AnyNetwork
    data: Dataset
    chart: Chart
    buffers: dict[str, torch.Tensor]
    compute: torch.dtype

    @property
    def steps_an_epoch(self) -> int:
        return math.ceil(len(self.data.train) / self.spec.schedule.batch)

    @property
    def last_step(self) -> int:
        return self.spec.schedule.epochs * self.steps_an_epoch

    def lr(self, step: int) -> float:
        return learning_rate(self.spec.schedule, self.spec.optimiser.lr, step, self.steps_an_epoch)


def begin(level: Level, seeds: list[int]) -> State:
    """The state before a level's first step: the chart's start, an optimiser without memory."""
    start = level.chart.start.clone()
    slots = {f"slot/{name}": torch.zeros_like(start) for name in memory(level.spec.optimiser)}
    scores = {
        "losses": torch.zeros(len(seeds), level.steps_an_epoch, device=start.device),
        "hits": torch.zeros(len(seeds), device=start.device),
    }
    buffers = {f"buffer/{name}": value.clone() for name, value in level.buffers.items()}
    rows: dict[int, Rows] = {seed: [] for seed in seeds}
    return State(level.number, list(seeds), level.first_step, {"coordinates": start} | scores | slots | buffers, rows)


def train(level: Level, state: State, tick: Callable[[State], None]) -> State:
    """Train from where `state` stands to the end of the level; `tick` is called after every step."""
    orders, orders_of = torch.empty(0), -1
    while state.step < level.last_step and state.training:
        epoch, place = divmod(state.step, level.steps_an_epoch)
        if orders_of != epoch:
            orders, orders_of = orders_for(level, state.seeds, epoch), epoch
        batch = level.spec.schedule.batch
        step(level, state, orders[:, place * batch : (place + 1) * batch], place)
        if place == level.steps_an_epoch - 1:
            end_epoch(level, state, epoch)
        tick(state)
    return state


def orders_for(level: Level, seeds: list[int], epoch: int) -> torch.Tensor:
    size = len(level.data.train)
    orders = torch.stack([epoch_order(seed, level.number, epoch, size) for seed in seeds])
    return orders.to(level.data.train.x.device)


def step(level: Level, state: State, index: torch.Tensor, place: int) -> None:
    """One step of every seed, each on its own samples `index`."""
    coordinates = state.tensors["coordinates"].requires_grad_()
    x, y = level.data.train.x[index], level.data.train.y[index]
    loss, hits, buffers = objective(level, coordinates, x, y, state)
    penalised = loss.sum() + decay(level, coordinates)
    (gradient,) = torch.autograd.grad(penalised, coordinates)
    with torch.no_grad():
        if state.diverged:
            gradient[state.stopped] = 0
        count = state.step - level.first_step + 1
        rule = level.spec.optimiser
        UPDATES[rule.kind](rule, coordinates, gradient, state.group("slot/"), level.lr(state.step), count)
        state.tensors["losses"][:, place] = loss
        state.tensors["hits"] += hits
    state.tensors["coordinates"] = coordinates.detach()
    state.tensors |= {f"buffer/{name}": value.detach() for name, value in buffers.items()}
    state.step += 1
    if state.step in level.spec.record.snapshots or state.step == level.spec.prune.rewind:
        taken = weights_of(level, state).items()
        state.tensors |= {f"snapshot/{state.step}/{name}": value.clone() for name, value in taken}


def objective(
    level: Level, coordinates: torch.Tensor, x: torch.Tensor, y: torch.Tensor, state: State
) -> tuple[torch.Tensor, torch.Tensor, dict[str, torch.Tensor]]:
    """Mean loss and right answers of each seed, and the buffers left. Products run in `level.compute`, the loss in fp32."""
    weights = unflatten(level.chart.weights(coordinates).to(level.compute), level.network.shapes)

    def key(place: int) -> int:
        return int(generator(state.seeds[place], "noise", level.number, state.step).integers(2**32))

    logits, buffers = level.network.learn(weights, state.group("buffer/"), x.to(level.compute), key)
    loss = cross_entropy(logits.float().flatten(0, 1), y.flatten(), reduction="none").view(y.shape).mean(1)
    return loss, (logits.detach().argmax(2) == y).sum(1), buffers


def weights_of(level: Level, state: State) -> dict[str, torch.Tensor]:
    """What each seed's network holds now: weights, biases and buffers by name."""
    weights = unflatten(level.chart.weights(state.tensors["coordinates"]), level.network.shapes)
    return weights | state.group("buffer/")


def decay(level: Level, coordinates: torch.Tensor) -> torch.Tensor | float:
    """decay/2 |.|^2 of the weights or of the coordinates, as the Spec says."""
    rule = level.spec.optimiser
    if not rule.decay:
        return 0.0
    target = level.chart.weights(coordinates) if rule.decay_target == "weights" else coordinates
    return 0.5 * rule.decay * target.square().sum()


def end_epoch(level: Level, state: State, epoch: int) -> None:
    """Write each seed's row; a seed whose loss or weights are no numbers stops here, and the others go on."""
    stop_diverged(level, state, epoch)
    scores = epoch_scores(level, state, epoch)
    for place, seed in enumerate(state.seeds):
        if seed in state.training:
            facts = {"epoch": epoch + 1, "step": state.step, "lr": level.lr(state.step - 1)}
            state.rows[seed].append(facts | {name: values[place].item() for name, values in scores.items()})
    for name in ("losses", "hits"):
        state.tensors[name].zero_()


def stop_diverged(level: Level, state: State, epoch: int) -> None:
    """Record the first step whose loss is no number, or the last if only what it left is none, and clear the seed."""
    broken = ~state.tensors["losses"].isfinite()
    left = ~state.tensors["coordinates"].isfinite().all(1)
    for place in (broken.any(1) | left).nonzero().squeeze(1).tolist():
        within = int(broken[place].int().argmax()) if broken[place].any() else level.steps_an_epoch - 1
        state.diverged.setdefault(state.seeds[place], epoch * level.steps_an_epoch + within)
        for tensor in state.tensors.values():
            tensor[place] = 0


def epoch_scores(level: Level, state: State, epoch: int) -> dict[str, torch.Tensor]:
    """Training scores are running means over the epoch, taken before each step; the others are after its last."""
    sizes = step_sizes(level, epoch).to(state.tensors["losses"])
    losses, hits = state.tensors["losses"] @ sizes, state.tensors["hits"]
    scores = {"train_loss": losses / sizes.sum(), "train_accuracy": hits / sizes.sum()}
    weights = weights_of(level, state)
    for name, split in level.data.splits.items():
        if name != "train":
            scores[f"{name}_loss"], scores[f"{name}_accuracy"] = evaluate(level.network, weights, split)
    return scores


def step_sizes(level: Level, epoch: int) -> torch.Tensor:
    """Samples in each step of an epoch; none before the level's first step."""
    sizes = torch.full((level.steps_an_epoch,), level.spec.schedule.batch)
    sizes[-1] = len(level.data.train) - level.spec.schedule.batch * (level.steps_an_epoch - 1)
    sizes[: max(0, level.first_step - epoch * level.steps_an_epoch)] = 0
    return sizes


@torch.no_grad()
def evaluate(network: AnyNetwork, weights: dict[str, torch.Tensor], split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean loss and accuracy of each seed on a whole split, in fp32."""
    loss, hits = torch.zeros(2, 1, device=split.x.device)
    batch = portion(network.widest * len(next(iter(weights.values()))), split.x.device.type)
    for x, y in zip(split.x.split(batch), split.y.split(batch), strict=True):
        logits = network.logits(weights, x.unsqueeze(0))
        labels = y.expand(len(logits), -1)
        loss = loss + cross_entropy(logits.transpose(1, 2), labels, reduction="none").sum(1)
        hits = hits + (logits.argmax(2) == labels).sum(1)
    return loss / len(split), hits / len(split)
