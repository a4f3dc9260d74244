"""What each layer makes of independent Gaussian signals of the measured length, the probes that hide alignment."""

import numpy as np
import torch

from rmtlottery.measure.signal import PORTION
from rmtlottery.nets.network import Network, Weights
from rmtlottery.tickets.streams import generator


@torch.no_grad()
def probed_lengths(
    network: Network, weights: Weights, x: torch.Tensor, lengths: list[float], samples: int = 256, seed: int = 0
) -> list[float]:
    """q of every hidden layer if the one below were iid N(0, its measured q), and the inputs iid of their mean square."""
    numbers, found = generator(seed, "iid probes"), []
    exact = {name: value.double() for name, value in weights.items()}
    below, shape = x.double().square().mean().item(), tuple(x.shape[1:])
    for place, (layer, length) in enumerate(zip(network.layers[:-1], lengths, strict=True)):
        signal = torch.from_numpy(numbers.standard_normal((samples, *shape)) * np.sqrt(below))
        made = [layer(exact, layer.prepare(network.phi(part) if place else part)) for part in signal.split(PORTION)]
        found.append(sum(h.square().mean().item() * len(h) for h in made) / samples)
        below, shape = length, tuple(made[0].shape[1:])
    return found
