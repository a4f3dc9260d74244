"""`Subspace`: any torch module, trained along few directions around the weights that it has."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, Self

import torch
from torch import nn
from torch.func import functional_call

from rmtlottery.charts.flat import flatten, layers, unflatten
from rmtlottery.charts.projections import Projection, projection
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.disk import fingerprint

MARKS = {
    "kind": "projection",
    "dim": "number of coordinates",
    "seed": "seed",
    "projection": "P",
    "start": "w_0",
    "frozen": "set of frozen weights",
}


class Subspace(nn.Module):
    """`module` with weights w_0 + P theta, or with `factors` w_0 + lambda_l (P theta)_l (SAID, Aghajanyan et al. 2020).

    w_0 is what the module's trainable parameters are when it is passed; frozen ones stay as they are, tied ones move as one.
    It is called as the module is, and trained as any module is: its parameters are theta, of float32 whatever the module's
    type is, and the factors, which count among the `dim` coordinates. The state_dict holds these, the module's buffers, and
    marks of P and w_0, but neither of the two themselves: P is drawn anew from the seed.
    """

    def __init__(self, module: nn.Module, dim: int, kind: str = "fastfood", seed: int = 0, *, factors: bool = False) -> None:
        super().__init__()
        check(module)
        named = {name: value.detach() for name, value in module.named_parameters() if value.requires_grad}
        self.shapes = {name: tuple(value.shape) for name, value in named.items()}
        self.types = {name: value.dtype for name, value in named.items()}
        self.around = [deepcopy(module)]  # in a list, so that its weights are none of ours
        self.start = flatten({name: value.float() for name, value in named.items()}, self.shapes).clone()
        self.sizes = layers(self.shapes) if factors else []
        if len(self.sizes) >= dim and factors:
            raise Refusal(f"dim = {dim} leaves nothing beside the {len(self.sizes)} factors of the layers; take more")
        self.projection = projection(kind, len(self.start), dim - len(self.sizes), seed).to(self.start.device)
        self.theta = nn.Parameter(self.start.new_zeros(self.projection.dim))
        self.factors = nn.Parameter(self.start.new_ones(len(self.sizes))) if factors else None
        self.train(module.training)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return functional_call(self.around[0], self.weights(), args, kwargs)

    def weights(self) -> dict[str, torch.Tensor]:
        """The module's trainable parameters as they now are, of its own types."""
        moved = Along.apply(self.theta, self.projection)
        if self.factors is not None:
            moved = torch.cat([part * factor for part, factor in zip(moved.split(self.sizes), self.factors, strict=True)])
        found = unflatten(self.start + moved, self.shapes)
        return {name: value.to(self.types[name]) for name, value in found.items()}

    def merged(self) -> nn.Module:
        """A module of the same class with these weights and no subspace."""
        module = deepcopy(self.around[0])
        module.load_state_dict({name: value.detach() for name, value in self.weights().items()}, strict=False)
        return module

    def train(self, mode: bool = True) -> Self:
        self.around[0].train(mode)
        return super().train(mode)

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Self:
        """Moves to another device, or rounds the module's weights; theta and w_0 keep their numbers."""
        self.around[0]._apply(fn)
        held = dict(self.around[0].named_parameters())
        self.types = {name: held[name].dtype for name in self.types}
        device = next(iter(held.values())).device
        for parameter in self.parameters():
            gradient, parameter.grad = parameter.grad, None
            parameter.data = parameter.data.to(device)
            parameter.grad = None if gradient is None else gradient.to(device)
        self.start, self.projection = self.start.to(device), self.projection.to(device)
        return self

    def get_extra_state(self) -> dict[str, Any]:
        made, module = self.projection, self.around[0]
        known = {"kind": made.kind, "dim": made.dim, "seed": made.seed, "projection": made.fingerprint}
        frozen = {name: value for name, value in module.named_parameters() if name not in self.shapes}
        marks = {"start": fingerprint({"start": self.start})[:16], "frozen": fingerprint(frozen)[:16]}
        return known | marks | {"buffers": {name: value.clone() for name, value in module.named_buffers()}}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Takes the buffers of a checkpoint; `_load_from_state_dict` has looked at its marks."""
        for name, value in self.around[0].named_buffers():
            value.copy_(state["buffers"][name])

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Refuses a checkpoint of other directions, or of other weights to start from, before anything of it is taken."""
        told, here = state_dict.get(f"{prefix}_extra_state", {}), self.get_extra_state()
        for mark, words in MARKS.items():
            if told.get(mark) != here[mark]:
                raise Refusal(
                    f"this checkpoint is of another {words}: it says {mark} = {told.get(mark)}, here it is {here[mark]}. "
                    "Make the Subspace of the same module, dim, kind and seed, with the libraries that made the checkpoint"
                )
        super()._load_from_state_dict(state_dict, prefix, *rest)


class Along(torch.autograd.Function):
    """P theta, and back by the adjoint."""

    @staticmethod
    def forward(theta: torch.Tensor, made: Projection) -> torch.Tensor:
        return made.apply(theta)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[torch.Tensor, Projection], output: torch.Tensor) -> None:
        ctx.made = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        return ctx.made.adjoint(gradient), None


def check(module: Any) -> None:
    """Refuses what has no weights that could be moved."""
    if not isinstance(module, nn.Module):
        raise Refusal(f"{module!r} is no torch.nn.Module; pass one that is made, not its class or a function")
    for name, value in module.named_parameters():
        if isinstance(value, nn.parameter.UninitializedParameter):
            raise Refusal(f"{name} has no shape yet; send a batch through the module first")
        if value.is_complex():
            raise Refusal(f"{name} is complex, and directions are real")
    if not any(value.requires_grad for value in module.parameters()):
        raise Refusal(f"{type(module).__name__} has no weight that requires a gradient: there is nothing to train")
