"""Any torch module as a network: functional, every seed at once where vmap can, else seed by seed."""

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn
from torch.func import functional_call, vmap

from rmtlottery.nets.network import Shapes
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Module
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Weights

Key = Callable[[int], int]


@dataclass(frozen=True)
class Modular:
    """What `Network` is for a chain of layers. `buffers` are the module's, and its frozen parameters.

    Each seed has its own running statistics and, seed by seed, its own dropout.
    """

    module: nn.Module
    shape: tuple[int, ...]
    shapes: Shapes
    buffers: Weights
    batched: bool = True

    @property
    def prunable(self) -> list[str]:
        return [name for name, shape in self.shapes.items() if len(shape) > 1]

    def preactivations(self, weights: Weights, x: torch.Tensor) -> list[torch.Tensor]:
        raise Refusal(f"{name_of(self.module)} is a module, whose pre-activations are not known; take fc or conv")

    signals = preactivations

    def logits(self, weights: Weights, x: torch.Tensor) -> torch.Tensor:
        """In eval mode; `weights` hold the buffers too."""
        self.module.eval()
        name, shape = next(iter(self.shapes.items()))
        if weights[name].dim() == len(shape):
            return self.call(weights, {}, x)[0]
        return self.every(weights, {}, x, lambda seed: 0)[0]

    def learn(self, weights: Weights, buffers: Weights, x: torch.Tensor, key: Key) -> tuple[torch.Tensor, Weights]:
        """In training mode: the logits, and the buffers that the step leaves."""
        self.module.train()
        copies = {name: value.clone() for name, value in buffers.items()}
        return self.every(weights, copies, x, key)

    def every(self, weights: Weights, buffers: Weights, x: torch.Tensor, key: Key) -> tuple[torch.Tensor, Weights]:
        """Every replicate, all at once or one after another."""
        seeds = len(next(iter(weights.values())))
        x = x.expand(seeds, *x.shape[1:])
        if self.batched:
            return vmap(self.call, randomness="error")(weights, buffers, x)
        found = []
        for seed in range(seeds):
            with seeded(key(seed), x.device):
                found.append(self.call(at(weights, seed), at(buffers, seed), x[seed]))
        left = {name: torch.stack([held[name] for _, held in found]) for name in buffers}
        return torch.stack([logits for logits, _ in found]), left

    def call(self, weights: Weights, buffers: Weights, x: torch.Tensor) -> tuple[torch.Tensor, Weights]:
        """One replicate; a normalisation writes its statistics into `buffers`."""
        return functional_call(self.module, weights | buffers, (x.unflatten(-1, self.shape),)), buffers

    def own(self, seed: int) -> Weights:
        """As the module's parts initialise themselves; a parameter of a part that cannot stays as it was passed."""
        module, key = deepcopy(self.module), int(generator(seed, "init", "module").integers(2**32))
        with seeded(key, torch.device("cpu")):
            for part in module.modules():
                reset = getattr(part, "reset_parameters", None)
                if callable(reset):
                    reset()
        return {name: value.detach().clone() for name, value in module.named_parameters() if name in self.shapes}


def modular(module: nn.Module, shape: tuple[int, ...], classes: int) -> Modular:
    """The network that a module is, once it has been seen to take such inputs and to tell so many classes apart."""
    check(module)
    module = deepcopy(module).float().cpu()
    trained = {name: tuple(value.shape) for name, value in module.named_parameters() if value.requires_grad}
    frozen = [name for name, value in module.named_parameters() if not value.requires_grad]
    if frozen:
        tell(f"{len(frozen)} frozen parameters ({', '.join(frozen[:3])}...) are neither trained nor pruned")
    fixed = {name: value.detach().clone() for name, value in module.named_parameters() if name in frozen}
    buffers = fixed | {name: value.clone() for name, value in module.named_buffers()}
    network = Modular(module, shape, trained, buffers)
    try_out(network, classes)
    return network if at_once(network) else Modular(module, shape, trained, buffers, batched=False)


def described(module: nn.Module) -> Module:
    """The part of a Spec that stands for a module."""
    tensors = [f"{name} {tuple(value.shape)}" for name, value in module.state_dict().items()]
    mark = hashlib.sha256("\n".join([repr(module), *tensors]).encode()).hexdigest()
    return Module(module=name_of(module), architecture=mark)


def check(module: nn.Module) -> None:
    """Refuses what cannot be trained and pruned tensor by tensor."""
    first: dict[int, str] = {}
    for name, value in module.named_parameters(remove_duplicate=False):
        if isinstance(value, nn.parameter.UninitializedParameter):
            raise Refusal(f"{name} of {name_of(module)} has no shape yet; send a batch through the module first")
        if id(value) in first:
            raise Refusal(
                f"{first[id(value)]} and {name} of {name_of(module)} are one tied tensor, which a cut of one would cut in "
                "both; give each its own"
            )
        first[id(value)] = name
    if not any(value.requires_grad and value.dim() > 1 for value in module.parameters()):
        raise Refusal(f"{name_of(module)} has no weight to train and prune: all are frozen, or have fewer than two axes")


def try_out(network: Modular, classes: int) -> None:
    """One call in eval mode on inputs of 0."""
    network.module.eval()
    name, x = name_of(network.module), torch.zeros(2, *network.shape).flatten(1)
    try:
        logits = network.call(dict(network.module.named_parameters()), network.buffers, x)[0]
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        first = str(error).partition("\n")[0]
        raise Refusal(f"{name} does not take inputs of shape {(2, *network.shape)}: {first}") from None
    if not isinstance(logits, torch.Tensor) or logits.shape != (2, classes):
        found = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise Refusal(f"{name} gives {found} for two inputs, not logits of shape {(2, classes)}")


def at_once(network: Modular) -> bool:
    """Whether vmap takes the module in training mode; a word on stderr if not."""
    pair = {name: torch.stack([value.detach()] * 2) for name, value in network.module.named_parameters()}
    held = {name: torch.stack([value] * 2) for name, value in network.buffers.items()}
    weights = {name: value for name, value in pair.items() if name in network.shapes}
    x = torch.zeros(2, 4, *network.shape).flatten(2)
    try:
        network.learn(weights, held, x, lambda seed: 0)
    except (RuntimeError, ValueError) as error:
        first = str(error).partition("\n")[0].partition(".")[0]
        tell(f"{name_of(network.module)} is trained seed by seed, since vmap does not take it: {first}")
        return False
    return True


def name_of(module: nn.Module) -> str:
    return f"{type(module).__module__}.{type(module).__qualname__}"


def tell(words: str) -> None:
    print(f"note: {words}", file=sys.stderr)


def at(tensors: Weights, place: int) -> Weights:
    return {name: value[place] for name, value in tensors.items()}


@contextmanager
def seeded(key: int, device: torch.device) -> Iterator[None]:
    """torch's own generator set to `key`, and put back afterwards: what a module draws is drawn from nothing else."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(key)
        yield
