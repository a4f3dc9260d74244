"""Any torch module as a network: functional, every seed at once where vmap can, else seed by seed."""

import hashlib
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.func import functional_call, vmap

from rmtlottery.nets.network import Shapes
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.disk import fingerprint
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
    def widest(self) -> int:
        """A guess: 32 channels of the inputs' size."""
        return 32 * math.prod(self.shape)

    @property
    def prunable(self) -> list[str]:
        """Weights by name and shape: position embeddings and class tokens are none."""
        return [name for name, shape in self.shapes.items() if len(shape) > 1 and "weight" in name.rpartition(".")[2]]

    def preactivations(self, weights: Weights, x: torch.Tensor) -> list[torch.Tensor]:
        raise Refusal(f"{name_of(self.module)} is a module, whose pre-activations are not known; take fc or conv")

    def logits(self, weights: Weights, x: torch.Tensor) -> torch.Tensor:
        """In eval mode; `weights` hold the buffers too, and a module that writes into them writes into copies."""
        self.module.eval()
        weights = weights | {name: weights[name].clone() for name in self.buffers}
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

    def passed(self) -> Weights:
        """As the module was passed."""
        return {name: value.detach().clone() for name, value in self.module.named_parameters() if name in self.shapes}


def modular(module: nn.Module, shape: tuple[int, ...], classes: int) -> Modular:
    """The network that a module is, once it has been seen to take such inputs and to tell so many classes apart."""
    check(module)
    module = deepcopy(module).float().cpu()
    frozen = {name: value.detach().clone() for name, value in module.named_parameters() if not value.requires_grad}
    if frozen:
        tell(f"{len(frozen)} frozen parameters ({', '.join(list(frozen)[:3])}...) are neither trained nor pruned")
    buffers = frozen | {name: value.clone() for name, value in module.named_buffers()}
    shapes = {name: tuple(value.shape) for name, value in module.named_parameters() if name not in frozen}
    network = Modular(module, shape, shapes, buffers)
    if not network.prunable:
        why = "none of its trained parameters has two axes and a name with 'weight' in it"
        raise Refusal(f"{name_of(module)} has no weight to train and prune: {why}")
    order = try_out(network, classes)
    network = replace(network, shapes=dict(sorted(shapes.items(), key=lambda item: order.get(item[0], -1))))
    return network if at_once(network) else replace(network, batched=False)


def described(network: Modular, passed: bool) -> Module:
    """The part of a Spec that stands for a module: what it is, what is trained of it, and the values that no seed draws."""
    held = network.module.state_dict()
    own = {} if passed else network.own(0)
    kept = {name: value for name, value in held.items() if name not in own or torch.equal(own[name], value)}
    tensors = [f"{name} {tuple(value.shape)} {name in network.shapes}" for name, value in held.items()]
    words = [repr(network.module), *tensors, fingerprint(kept)]
    return Module(module=name_of(network.module), architecture=hashlib.sha256("\n".join(words).encode()).hexdigest()[:16])


def check(module: Any) -> None:
    """Refuses what cannot be trained and pruned tensor by tensor."""
    if not isinstance(module, nn.Module):
        raise Refusal(f"net = {module!r} is no torch.nn.Module; pass one that is made, not its class or a function")
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


def try_out(network: Modular, classes: int) -> dict[str, int]:
    """One call in eval mode and one in training mode, on inputs of 0; parameters in the order in which they were used."""
    used: dict[str, int] = {}
    hooks = [part.register_forward_pre_hook(marker(name, part, used)) for name, part in network.module.named_modules()]
    x = torch.zeros(4, *network.shape).flatten(1)
    weights, buffers = network.passed(), {name: value.clone() for name, value in network.buffers.items()}
    for mode in (False, True):
        network.module.train(mode)
        try:
            with seeded(0, x.device):
                logits = network.call(weights, buffers, x)[0]
        except (RuntimeError, ValueError, TypeError, IndexError, AttributeError) as error:
            first, inputs = str(error).partition("\n")[0], (4, *network.shape)
            raise Refusal(f"{name_of(network.module)} does not take inputs of shape {inputs}: {first}") from None
        check_logits(network, logits, classes)
    for hook in hooks:
        hook.remove()
    return used


def marker(name: str, part: nn.Module, used: dict[str, int]) -> Callable[..., None]:
    """Writes down, before a part is called, that its own parameters come next."""

    def mark(*what: object) -> None:
        for parameter, _ in part.named_parameters(recurse=False):
            used.setdefault(f"{name}.{parameter}" if name else parameter, len(used))

    return mark


def check_logits(network: Modular, logits: Any, classes: int) -> None:
    if not isinstance(logits, torch.Tensor) or logits.shape != (4, classes):
        found = tuple(logits.shape) if isinstance(logits, torch.Tensor) else type(logits).__name__
        mode = "training" if network.module.training else "eval"
        raise Refusal(
            f"{name_of(network.module)} gives {found} for 4 inputs in {mode} mode, not logits of shape {(4, classes)}"
        )


def at_once(network: Modular) -> bool:
    """Whether vmap takes the module in training mode; a word on stderr if not."""
    weights, held = (twice(tensors) for tensors in (network.passed(), network.buffers))
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


def twice(tensors: Weights) -> Weights:
    return {name: torch.stack([value, value]) for name, value in tensors.items()}


def at(tensors: Weights, place: int) -> Weights:
    return {name: value[place] for name, value in tensors.items()}


@contextmanager
def seeded(key: int, device: torch.device) -> Iterator[None]:
    """torch's own generator set to `key`, and put back afterwards: what a module draws is drawn from nothing else."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(key)
        yield
