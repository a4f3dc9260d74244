"""What criteria ask for besides a weight and its mask: gradients of the loss and of SynFlow's objective, and chance."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from rmtlottery.charts.flat import flatten, unflatten
from rmtlottery.datasets.dataset import Split
from rmtlottery.nets import AnyNetwork, Network
from rmtlottery.nets.losses import MEANS
from rmtlottery.prune.criteria import CRITERIA, evidence_for
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Weights

TEMPERATURE = 200.0  # what Wang et al. (2020) divide the logits by in all their experiments


@dataclass(frozen=True)
class Scene:
    """Weights under their mask, where they began, the mask, and the samples that they are scored on."""

    network: AnyNetwork
    linear: AnyNetwork
    weights: Weights
    start: Weights
    mask: Weights
    samples: Split
    seed: int
    level: int
    minimised: str = "cross_entropy"

    @property
    def flat(self) -> torch.Tensor:
        return flatten(self.weights, self.network.shapes).unsqueeze(0).to(self.samples.x.device)

    def loss(self, flat: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
        """The mean loss of the net in training mode."""
        buffers = {name: self.weights[name].unsqueeze(0).to(flat.device) for name in self.network.buffers}
        weights = unflatten(flat, self.network.shapes)
        logits = self.network.learn(weights, buffers, self.samples.x.unsqueeze(0), lambda place: self.seed)[0][0]
        softened = logits / temperature if self.minimised == "cross_entropy" else logits
        return MEANS[self.minimised](softened, self.samples.y)

    def named(self, flat: torch.Tensor) -> Weights:
        return {name: value[0].cpu() for name, value in unflatten(flat.detach(), self.network.shapes).items()}


def start(scene: Scene) -> Weights:
    return scene.start


def noise(scene: Scene) -> Weights:
    """Uniform numbers, other ones for every seed, level and layer."""
    drawn = {}
    for name in scene.network.prunable:
        stream = generator(scene.seed, "random criterion", scene.level, name)
        drawn[name] = torch.from_numpy(stream.random(scene.network.shapes[name]))
    return drawn


def gradient(scene: Scene) -> Weights:
    flat = scene.flat.requires_grad_()
    return scene.named(torch.autograd.grad(scene.loss(flat), flat)[0])


def curvature(scene: Scene) -> Weights:
    """The Hessian of kept weights times their gradient, of the loss of logits over `TEMPERATURE`; biases stand still."""
    flat, shapes = scene.flat.requires_grad_(), scene.network.shapes
    kept = {name: scene.mask.get(name, torch.zeros(shape, dtype=torch.bool)) for name, shape in shapes.items()}
    (slope,) = torch.autograd.grad(scene.loss(flat, TEMPERATURE), flat, create_graph=True)
    moved = slope * flatten(kept, shapes).to(slope)
    return scene.named(torch.autograd.grad(moved.square().sum() / 2, flat)[0])


def flow(scene: Scene) -> Weights:
    """dR/d|w| in float64: biases are 0, `phi` of a chain is left out, and one input of 1 tells all."""
    weights = {name: value.to(scene.samples.x.device) for name, value in scene.weights.items()}
    exact = {name: value.double() if value.is_floating_point() else value for name, value in weights.items()}
    biases = {name: torch.zeros_like(exact[name]) for name in scene.linear.shapes if name.endswith("bias")}
    strength = {name: exact[name].abs().requires_grad_() for name in scene.linear.prunable}
    ones = torch.ones(1, scene.samples.x.shape[1], dtype=torch.float64, device=scene.samples.x.device)
    objective = scene.linear.logits(exact | biases | strength, ones).sum()
    slopes = torch.autograd.grad(objective, list(strength.values()))
    return {name: slope.cpu() for name, slope in zip(strength, slopes, strict=True)}


@torch.no_grad()
def moments(scene: Scene) -> Weights:
    """<x x^T> of all that each fully connected layer is given, x not centred, of the net under its mask."""
    if not isinstance(scene.network, Network) or any(len(layer.shape) > 2 for layer in scene.network.layers):
        raise Refusal("alignment is of fully connected layers, and this net has others: take another criterion")
    weights = {name: value.to(scene.flat) for name, value in scene.weights.items()}
    signals = scene.network.signals(weights, scene.samples.x.to(scene.flat))
    return {
        f"{layer.name}.weight": (given.T @ given / len(given)).cpu()
        for layer, (given, _) in zip(scene.network.layers, signals, strict=True)
    }


EVIDENCE: dict[str, Callable[[Scene], Weights]] = {
    "start": start,
    "noise": noise,
    "gradient": gradient,
    "curvature": curvature,
    "flow": flow,
    "moments": moments,
}


def scores(criterion: str, scene: Scene) -> Weights:
    """Of every prunable weight, by all the evidence that the criterion asks for."""
    evidence = {name: EVIDENCE[name](scene) for name in evidence_for(criterion)}
    score = CRITERIA[criterion]
    return {
        name: score(scene.weights[name], mask, **{kind: held[name] for kind, held in evidence.items()})
        for name, mask in scene.mask.items()
    }


def some(train: Split, number: int, numbers: np.random.Generator) -> Split:
    """So many samples at random, or all."""
    chosen = torch.from_numpy(numbers.permutation(len(train))[:number]).to(train.x.device)
    return Split(train.x[chosen], train.y[chosen])
