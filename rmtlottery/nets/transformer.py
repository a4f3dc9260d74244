"""Transformers without a mask: a stream at each place of a sequence, to which attention and two layers add in turn."""

from functools import lru_cache
from math import sqrt

import torch
from torch import nn
from torch.nn.functional import gelu

from rmtlottery.nets.module import Modular, modular, seeded
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Transformer


@lru_cache(maxsize=4)
def transformer(net: Transformer, shape: tuple[int, ...], classes: int) -> Modular:
    """The net of this width for sequences of shape (places, symbols)."""
    if len(shape) != 2:
        raise Refusal(f"a transformer takes sequences (places, symbols), and these inputs have shape {shape}; take fc")
    if net.units % net.heads:
        raise Refusal(f"units = {net.units} cannot be shared out among heads = {net.heads}; take a multiple of it")
    with seeded(0, torch.device("cpu")):
        module = Reader(net, *shape, classes)
    return modular(module, shape, classes)


class Reader(nn.Module):
    """Symbols -> units at each place, where it stands, `blocks`, and classes read off the last place."""

    def __init__(self, net: Transformer, places: int, symbols: int, classes: int) -> None:
        super().__init__()
        self.shape = (places, symbols)
        self.embed = nn.Linear(symbols, net.units)
        self.places = Places(places, net.units)
        self.blocks = nn.Sequential(*(Block(net) for _ in range(net.blocks)))
        self.norm = nn.LayerNorm(net.units)
        self.out = nn.Linear(net.units, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = self.blocks(self.places(self.embed(x.reshape(len(x), *self.shape))))
        return self.out(self.norm(h[:, -1]))


class Places(nn.Module):
    """A vector of its own added at each place: attention by itself sees what is there, not where."""

    def __init__(self, places: int, units: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.empty(places, units))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """As small as in GPT-2 (Radford et al. 2019)."""
        nn.init.normal_(self.shift, std=0.02)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        return h + self.shift


class Block(nn.Module):
    """Adds attention, then two layers, each of the normalised stream."""

    def __init__(self, net: Transformer) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(net.units)
        self.attention = Attention(net.units, net.heads)
        self.norm2 = nn.LayerNorm(net.units)
        self.fc1 = nn.Linear(net.units, 4 * net.units)
        self.fc2 = nn.Linear(4 * net.units, net.units)

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        h = h + self.attention(self.norm1(h))
        return h + self.fc2(gelu(self.fc1(self.norm2(h))))


class Attention(nn.Module):
    """Written out, since vmap takes it for every replicate at once."""

    def __init__(self, units: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.mix = (nn.Linear(units, units) for _ in range(4))

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """In each head every place takes a mean over all places, by how its query meets their keys."""
        query, key, value = (self.by_head(part(h)) for part in (self.query, self.key, self.value))
        shares = (query @ key.transpose(-2, -1) / sqrt(query.shape[-1])).softmax(-1)
        return self.mix((shares @ value).transpose(1, 2).flatten(2))

    def by_head(self, h: torch.Tensor) -> torch.Tensor:
        """(samples, places, units) -> (samples, heads, places, units of a head)."""
        return h.unflatten(-1, (self.heads, -1)).transpose(1, 2)
