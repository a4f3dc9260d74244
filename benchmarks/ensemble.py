"""Eight seeds of a small net side by side against torch.func: vmap of grad of functional_call, stacked parameters."""

from collections.abc import Iterator

import torch
from torch.func import functional_call, grad, stack_module_state, vmap
from torch.nn.functional import cross_entropy

import rmtlottery as rl
from benchmarks import _ordinary, _ours
from benchmarks._clock import Row, pairs
from benchmarks._machine import products
from rmtlottery import datasets
from rmtlottery.datasets.dataset import Split

DIFFERS = (
    "Ours also writes eight tickets and tables to disk and records each epoch's training loss and accuracy. Both give every "
    "seed its own order of samples, gather batches by index and score two held-out splits after every epoch; no masks."
)
SPEC = rl.preset("first").but(widths="8x64", epochs=8, levels=0, seeds=tuple(range(8)))
DATA = datasets.dataset(SPEC.data)
Stacked = dict[str, torch.Tensor]


def measure() -> Iterator[Row]:
    limit = products([_ordinary.weights(SPEC, DATA)], SPEC, DATA)
    yield pairs("dense", lambda: _ours.train(SPEC), other, limit=limit)


def other() -> list[torch.Tensor]:
    nets = [_ordinary.network(SPEC, DATA, torch.nn.Linear) for _ in SPEC.seeds]
    parameters, _ = stack_module_state(nets)
    optimiser = torch.optim.Adam(parameters.values(), lr=SPEC.optimiser.lr)
    for _ in range(SPEC.schedule.epochs):
        orders = torch.stack([torch.randperm(len(DATA.train)) for _ in nets])
        for rows in orders.split(SPEC.schedule.batch, dim=1):
            step(nets[0], parameters, optimiser, DATA.train.x[rows], DATA.train.y[rows])
        right = [scores(nets[0], parameters, split)[1] for split in (DATA.validation, DATA.test)]
    return right


def step(
    net: torch.nn.Module, parameters: Stacked, optimiser: torch.optim.Optimizer, x: torch.Tensor, y: torch.Tensor
) -> None:
    """Each seed on its own samples."""

    def loss(one: Stacked, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return cross_entropy(functional_call(net, one, (x,)), y)

    for name, gradient in vmap(grad(loss))(parameters, x, y).items():
        parameters[name].grad = gradient
    optimiser.step()


@torch.no_grad()
def scores(net: torch.nn.Module, parameters: Stacked, split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and accuracy of each seed."""
    logits = vmap(lambda one: functional_call(net, one, (split.x,)))(parameters)
    loss = vmap(lambda one: cross_entropy(one, split.y))(logits)
    return loss, (logits.argmax(2) == split.y).float().mean(1)
