"""theta_0: a function of the Spec's init, the shapes and the seed alone."""

import math
from collections.abc import Callable, Collection

import numpy as np
import torch

from rmtlottery.nets.network import Shapes
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Glorot, Init, Normal
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Weights

Draw = Callable[..., np.ndarray]


def initial(init: Init, shapes: Shapes, seed: int) -> Weights:
    """theta_0 of one seed, every tensor from a stream of its own. What has two or more axes is a weight, else a bias."""
    check_law(init)
    theta = {}
    for name, shape in shapes.items():
        stream = generator(seed, "init", name)
        if len(shape) > 1:
            theta[name] = torch.from_numpy(KINDS[init.kind](init, shape, stream).astype(np.float32, copy=False))
        else:
            theta[name] = torch.from_numpy(gauss(shape, stream)) * sigmas(init, shape)[1]
    return theta


def drawn(shapes: Shapes, prunable: Collection[str]) -> Shapes:
    """What an init draws of a module: weights that can be cut and the biases beside them, no scale and no shift."""
    return {name: shape for name, shape in shapes.items() if name in prunable or beside(name) in prunable}


def beside(name: str) -> str:
    """The weight that a bias of this name would stand beside."""
    return name.removesuffix("bias") + "weight" if name.endswith("bias") else ""


def sigmas(init: Init, shape: tuple[int, ...]) -> tuple[float, float]:
    """(sigma_w, sigma_b) of a layer whose weight has this shape: weights of variance sigma_w^2 / fan_in."""
    check_law(init)
    if isinstance(init, Normal):
        return init.sigma_w, init.sigma_b / (math.sqrt(shape[0]) if init.kind == "divided_bias" else 1)
    fan_in, fan_out = fans(shape)
    return math.sqrt(2 if init.kind == "he" else 2 * fan_in / (fan_in + fan_out)), 0.0


def check_law(init: Init) -> None:
    if init.kind not in KINDS:
        raise Refusal(f"init = {init.kind!r} is a module's own, which has no law known here; take one of {', '.join(KINDS)}")


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight (out, in, ...): the axes after the second are a receptive field."""
    field = math.prod(shape[2:])
    return (shape[1] if len(shape) > 1 else 1) * field, shape[0] * field


def gauss(shape: tuple[int, ...], stream: np.random.Generator) -> np.ndarray:
    return stream.standard_normal(shape, dtype=np.float32)


def normal(init: Normal, shape: tuple[int, ...], stream: np.random.Generator) -> np.ndarray:
    return gauss(shape, stream) * np.float32(init.sigma_w / math.sqrt(math.prod(shape[1:])))


def orthogonal(init: Normal, shape: tuple[int, ...], stream: np.random.Generator) -> np.ndarray:
    """A matrix (out, all else), reshaped."""
    return init.sigma_w * isometry(shape[0], math.prod(shape[1:]), stream).reshape(shape)


def isometry(rows: int, columns: int, stream: np.random.Generator) -> np.ndarray:
    """Uniform with orthonormal rows, or orthonormal columns times sqrt(rows / columns): entries of variance 1/columns.

    QR alone is not uniform: the signs of R's diagonal must be moved into Q (Mezzadri 2007).
    """
    tall, narrow = max(rows, columns), min(rows, columns)
    q, r = np.linalg.qr(stream.standard_normal((tall, narrow)))
    q *= np.sign(np.diag(r))
    return (q if rows >= columns else q.T) * math.sqrt(max(1, rows / columns))


def delta_orthogonal(init: Normal, shape: tuple[int, ...], stream: np.random.Generator) -> np.ndarray:
    """0 but in the middle of the receptive field."""
    if any(side % 2 == 0 for side in shape[2:]):
        raise Refusal(f"init = delta_orthogonal needs a middle, and a kernel of {shape[2:]} has none; take an odd one")
    weight = np.zeros((*shape[:2], math.prod(shape[2:])))
    weight[..., weight.shape[2] // 2] = init.sigma_w * isometry(shape[0], shape[1], stream)
    return weight.reshape(shape)


def scaled(init: Glorot, shape: tuple[int, ...], stream: np.random.Generator) -> np.ndarray:
    """Glorot's or He's variance, normal or uniform."""
    std = sigmas(init, shape)[0] / math.sqrt(math.prod(shape[1:]))
    if init.law == "normal":
        return gauss(shape, stream) * np.float32(std)
    return stream.uniform(-math.sqrt(3) * std, math.sqrt(3) * std, shape)


KINDS: dict[str, Draw] = {
    "normal": normal,
    "divided_bias": normal,
    "orthogonal": orthogonal,
    "delta_orthogonal": delta_orthogonal,
    "glorot": scaled,
    "he": scaled,
}
