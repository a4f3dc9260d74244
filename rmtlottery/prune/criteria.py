"""What is cut: a criterion scores every weight, and the lowest scores go first.

A criterion is a pure function of a layer's weight and mask, and of the evidence that its keywords name: `start`, the
weight that training began from; `gradient` of the mean loss; `flow`, the gradient of SynFlow's objective at |w|;
`curvature`, the Hessian of the loss times its gradient; `noise`, uniform random numbers; `moments`, <x x^T> of what the
layer is given.
"""

import inspect
from collections.abc import Callable

import torch

Tensor = torch.Tensor


def magnitude(weight: Tensor, mask: Tensor) -> Tensor:
    """|w| (Han et al. 2015; Frankle and Carbin 2019)."""
    return weight.abs()


def large_final_same_sign(weight: Tensor, mask: Tensor, *, start: Tensor) -> Tensor:
    """|w| where training kept the sign, and less the more it went to the other side (Zhou et al. 2019)."""
    return weight * start.sign()


def magnitude_increase(weight: Tensor, mask: Tensor, *, start: Tensor) -> Tensor:
    """|w| - |w at the start| (Zhou et al. 2019)."""
    return weight.abs() - start.abs()


def movement(weight: Tensor, mask: Tensor, *, start: Tensor) -> Tensor:
    """|w - w at the start| (Zhou et al. 2019)."""
    return (weight - start).abs()


def large_init(weight: Tensor, mask: Tensor, *, start: Tensor) -> Tensor:
    """|w at the start| (Zhou et al. 2019)."""
    return start.abs()


def random(weight: Tensor, mask: Tensor, *, noise: Tensor) -> Tensor:
    """Any number: the control of them all."""
    return noise


def snip(weight: Tensor, mask: Tensor, *, gradient: Tensor) -> Tensor:
    """|w g|, how much the loss feels of the connection (Lee et al. 2019)."""
    return (weight * gradient).abs()


def grasp(weight: Tensor, mask: Tensor, *, curvature: Tensor) -> Tensor:
    """w (H g): what goes first is what leaves most gradient flow behind (Wang et al. 2020, equation 8, sign turned)."""
    return weight * curvature


def synflow(weight: Tensor, mask: Tensor, *, flow: Tensor) -> Tensor:
    """|w| dR/d|w|, R the sum of the outputs of the linear net of weights |w| for inputs of 1 (Tanaka et al. 2020)."""
    return weight.abs() * flow


def alignment(weight: Tensor, mask: Tensor, *, moments: Tensor) -> Tensor:
    """w_ij (W C)_ij, what the weight adds to the length of its unit's signal: they sum to q less the biases' part."""
    return weight * (weight @ moments.to(weight))


CRITERIA: dict[str, Callable[..., Tensor]] = {
    "magnitude": magnitude,
    "large_final": magnitude,  # Zhou et al.'s name for it
    "large_final_same_sign": large_final_same_sign,
    "magnitude_increase": magnitude_increase,
    "movement": movement,
    "large_init": large_init,
    "random": random,
    "snip": snip,
    "grasp": grasp,
    "synflow": synflow,
    "alignment": alignment,
}


def evidence_for(criterion: str) -> list[str]:
    """The keywords of a criterion."""
    parameters = inspect.signature(CRITERIA[criterion]).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
