"""theta_0: a function of the Spec's init, the shapes and the seed alone."""

import math
from collections.abc import Callable

import numpy as np
import torch

from rmtlottery.nets.network import Network, Weights
from rmtlottery.tickets.parts import Init
from rmtlottery.tickets.streams import generator


def initial(init: Init, network: Network, seed: int) -> Weights:
    """theta_0 of one seed, every tensor from a stream of its own."""
    draw = KINDS[init.kind]
    return {name: draw(init, shape, generator(seed, "init", name)) for name, shape in network.shapes.items()}


def normal(init: Init, shape: tuple[int, ...], stream: np.random.Generator) -> torch.Tensor:
    """N(0, sigma_w^2 / fan_in) for weights, N(0, sigma_b^2) for biases: the bias is *not* divided by the width."""
    std = init.sigma_w / math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else init.sigma_b
    return torch.from_numpy(stream.standard_normal(shape, dtype=np.float32)) * std


KINDS: dict[str, Callable[..., torch.Tensor]] = {"normal": normal}
