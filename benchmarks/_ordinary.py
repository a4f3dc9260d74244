"""The other side: what one writes without this package, in plain torch."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch.nn.functional import cross_entropy, linear
from torch.utils.data import DataLoader, TensorDataset

from rmtlottery import Spec, Ticket
from rmtlottery.datasets.dataset import Dataset, Split
from rmtlottery.tickets.parts import FC, Normal, Prune

Batches = Iterable[Sequence[torch.Tensor]]
Batcher = Callable[[Split, int], Batches]
Chain = list[Any]  # linear layers, with or without a mask
Scores = dict[str, float]


class Masked(torch.nn.Linear):
    """A linear layer whose weight is multiplied by a mask in each forward pass, once there is one."""

    mask: torch.Tensor | None

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__(fan_in, fan_out)
        self.register_buffer("mask", None)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return linear(x, self.weight if self.mask is None else self.weight * self.mask, self.bias)


def units(spec: Spec, data: Dataset) -> list[int]:
    assert isinstance(spec.net, FC)
    return [data.train.x.shape[1], *spec.net.widths, data.classes]


def weights(spec: Spec, data: Dataset) -> list[int]:
    """How many each layer has."""
    return [a * b for a, b in pairwise(units(spec, data))]


def network(spec: Spec, data: Dataset, layer: type[torch.nn.Linear] = Masked) -> torch.nn.Sequential:
    """A tanh net of these widths, drawn by the law of the Spec."""
    assert isinstance(spec.init, Normal)
    chain = [layer(a, b) for a, b in pairwise(units(spec, data))]
    for part in chain:
        torch.nn.init.normal_(part.weight, std=spec.init.sigma_w / part.in_features**0.5)
        torch.nn.init.normal_(part.bias, std=spec.init.sigma_b)
    return torch.nn.Sequential(*[part for held in chain for part in (held, torch.nn.Tanh())][:-1])


def from_ticket(ticket: Ticket, spec: Spec, data: Dataset) -> torch.nn.Sequential:
    """The net that a ticket starts from, masked."""
    net = network(spec, data)
    for number, layer in enumerate(layers(net), start=1):
        layer.weight.data = ticket.start[f"fc{number}.weight"].clone()
        layer.bias.data = ticket.start[f"fc{number}.bias"].clone()
        layer.mask = ticket.mask[f"fc{number}.weight"].float()
    return net


def layers(net: torch.nn.Sequential) -> Chain:
    return [part for part in net if isinstance(part, torch.nn.Linear)]


def loaded(split: Split, batch: int) -> Batches:
    """Shuffled batches as torch's documents make them, sample by sample."""
    return DataLoader(TensorDataset(split.x, split.y), batch, shuffle=True)


def indexed(split: Split, batch: int) -> Batches:
    """Shuffled batches as one makes them of tensors in memory, each at one stroke."""
    return ((split.x[rows], split.y[rows]) for rows in torch.randperm(len(split)).split(batch))


def train(
    net: torch.nn.Sequential,
    spec: Spec,
    data: Dataset,
    precision: str = "fp32",
    batches: Batcher = loaded,
) -> list[dict[str, Scores]]:
    """Adam, its products in bfloat16 by autocast if asked; each epoch's scores, those held out in float32."""
    optimiser, rows = torch.optim.Adam(net.parameters(), lr=spec.optimiser.lr), []
    for _ in range(spec.schedule.epochs):
        losses = torch.zeros(())
        for x, y in batches(data.train, spec.schedule.batch):
            optimiser.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
                logits = net(x)
            loss = cross_entropy(logits.float(), y)
            loss.backward()
            optimiser.step()
            losses += loss.detach() * len(y)
        learnt = {"loss": losses.item() / len(data.train)}
        rows.append({"train": learnt, "validation": scores(net, data.validation), "test": scores(net, data.test)})
    return rows


@torch.no_grad()
def scores(net: torch.nn.Sequential, split: Split) -> Scores:
    logits = net(split.x)
    right = (logits.argmax(1) == split.y).float().mean()
    return {"loss": cross_entropy(logits, split.y).item(), "accuracy": right.item()}


def cut_by_magnitude(chain: Chain, rule: Prune) -> None:
    """Each layer's mask loses the smallest of the weights that it still has."""
    for layer, rate in zip(chain, rates(chain, rule), strict=True):
        mask = torch.ones_like(layer.weight) if layer.mask is None else layer.mask
        size = layer.weight.detach().abs().where(mask > 0, -1.0)
        gone = int((mask == 0).sum()) + round(rate * int(mask.sum()))
        layer.mask = mask * (size > size.flatten().kthvalue(gone).values) if gone else mask


def rates(chain: Chain, rule: Prune) -> list[float]:
    return [rule.rate] * (len(chain) - 1) + [rule.last_rate]


def train_levels(
    net: torch.nn.Sequential,
    spec: Spec,
    data: Dataset,
    precision: str = "fp32",
    cut: Callable[[Chain, Prune], None] = cut_by_magnitude,
) -> list[dict[str, Scores]]:
    """Every level of a Spec: train, cut, rewind to the start, train again; the scores of the last."""
    start = {name: value.detach().clone() for name, value in net.named_parameters()}
    rows = train(net, spec, data, precision)
    for _ in range(spec.prune.levels):
        cut(layers(net), spec.prune)
        rewind(net, start)
        rows = train(net, spec, data, precision)
    return rows


@torch.no_grad()
def rewind(net: torch.nn.Sequential, start: dict[str, torch.Tensor]) -> None:
    """torch.nn.utils.prune calls a weight that it masks weight_orig."""
    for name, value in net.named_parameters():
        value.copy_(start[name.removesuffix("_orig")])
