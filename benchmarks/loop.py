"""One seed of the demo's dense level against an ordinary DataLoader loop on the same samples, evaluation included."""

import tempfile
from itertools import pairwise

import torch
from torch.utils.data import DataLoader, TensorDataset

import rmtlottery as rl
from benchmarks.clock import pairs
from rmtlottery import datasets

SPEC = rl.preset("digits").but(epochs=5, levels=0, seeds=0)
DATA = datasets.dataset(SPEC.data)


def measure() -> dict[str, float]:
    return pairs(ours, ordinary)


def ours() -> None:
    with tempfile.TemporaryDirectory() as root:
        rl.fit(SPEC, root)


def ordinary() -> None:
    """nn.Sequential, torch.optim.Adam, a shuffling DataLoader; validation and test after every epoch."""
    units = [64, *SPEC.net.widths]
    layers = [layer for a, b in pairwise(units) for layer in (torch.nn.Linear(a, b), torch.nn.Tanh())]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(units[-1], 10))
    optimiser, loss = torch.optim.Adam(net.parameters(), lr=SPEC.optimiser.lr), torch.nn.CrossEntropyLoss()
    loader = DataLoader(TensorDataset(DATA.train.x, DATA.train.y), SPEC.schedule.batch, shuffle=True)
    for _ in range(SPEC.schedule.epochs):
        for x, y in loader:
            optimiser.zero_grad()
            loss(net(x), y).backward()
            optimiser.step()
        with torch.no_grad():
            for split in (DATA.validation, DATA.test):
                (net(split.x).argmax(1) == split.y).float().mean().item()
