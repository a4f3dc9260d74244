"""What a finite net does to small changes of its inputs: Jacobians at data points, in float64.

Row by row, by one reverse pass for some rows of all inputs at once: those are sent through the net as if they were that many
inputs. It needs neither vmap (which refuses our convolutions) nor forward mode; explicit products W D W D .. take about half
the time at widths of 500 and more, where the SVD that follows takes longer than either.
"""

from collections.abc import Callable
from itertools import count
from math import prod

import torch

from rmtlottery.measure.signal import slopes
from rmtlottery.nets.network import Map, Network, Weights
from rmtlottery.refusal import Refusal

AT_ONCE = 2**19  # numbers that a layer makes of all that is sent through the net at a time
LARGEST = 2**28  # numbers of all Jacobians together: 2 GB


def jacobians(network: Network, weights: Weights, x: torch.Tensor, first: int, last: int) -> torch.Tensor:
    """d h^last / d h^first at each input, (inputs, units of last, units of first); h^0 is the input, h^L the logits.

    h^first is a pre-activation, so that fc's are W_last D_{last-1} .. W_{first+1} D_first; pictures are flattened.
    """
    layers = len(network.layers)
    if not 0 <= first < last <= layers:
        raise Refusal(f"no Jacobian leads from layer {first} to {last} of {layers}; take 0 <= first < last <= {layers}")
    exact, x = doubled(weights, x), x.double()
    start = between(network, exact, 0, first)(x).detach()
    return by_rows(between(network, exact, first, last), start, network.widest)


def module_jacobians(function: Map, x: torch.Tensor) -> torch.Tensor:
    """Of any function (inputs, ..) -> (inputs, ..) that takes each input by itself: (inputs, numbers out, numbers in).

    In the precision of x, which is for the function's weights to have too.
    """
    if not alone(function, x[:1]):
        raise Refusal("what this function makes of an input depends on the others with it; put the module in eval mode")
    return by_rows(function, x, 32 * x[0].numel())


def singular_values(matrices: torch.Tensor) -> torch.Tensor:
    """(.., fewer), descending: by SVD, right to 1e-16 of the largest, not 1e-8 as by Gram matrices: a net's reach 3e-11."""
    if not matrices.isfinite().all():
        raise Refusal(f"{int((~matrices.isfinite()).sum())} numbers of the Jacobians are not finite; has the net diverged?")
    return torch.linalg.svdvals(matrices.double())


def gains(network: Network, weights: Weights, x: torch.Tensor, layer: int) -> torch.Tensor:
    """D_layer = phi'(h^layer) of a hidden layer, 1 the first, at each input: (inputs, units)."""
    if not 0 < layer < len(network.layers):
        raise Refusal(f"layer = {layer} is none of the {len(network.layers) - 1} hidden layers, which phi follows")
    with torch.no_grad():
        h = between(network, doubled(weights, x), 0, layer)(x.double())
    return slopes(network.phi, h).flatten(1)


def doubled(weights: Weights, x: torch.Tensor) -> Weights:
    """In float64, where the inputs are."""
    return {name: value.to(x.device, torch.float64) for name, value in weights.items()}


def between(network: Network, weights: Weights, first: int, last: int) -> Map:
    """h^last as a function of h^first."""

    def follow(h: torch.Tensor) -> torch.Tensor:
        for place, layer in zip(count(first), network.layers[first:last], strict=False):
            h = layer(weights, layer.prepare(network.phi(h) if place else h))
        return h

    return follow


def by_rows(function: Map, x: torch.Tensor, widest: int) -> torch.Tensor:
    """Rows of the Jacobians of all inputs, as many at a time as a memory takes if an input makes `widest` numbers."""
    with torch.no_grad():
        rows = function(x[:1]).numel()
    shape = (len(x), rows, x[0].numel())
    if prod(shape) > LARGEST:
        raise Refusal(
            f"Jacobians of shape {shape} need {prod(shape) / 2**27:.0f} GB; take fewer inputs, or jacobian_products"
        )
    abreast = min(rows, max(1, AT_ONCE // (len(x) * widest)))
    pull, found = reverse(function, x, abreast), x.new_empty(shape)
    for some in torch.arange(rows).split(abreast):
        directions = x.new_zeros(abreast, len(x), rows)
        directions[range(len(some)), :, some] = 1
        found[:, some] = pull(directions)[: len(some)].transpose(0, 1)
    return found


def reverse(function: Map, x: torch.Tensor, abreast: int) -> Callable[[torch.Tensor], torch.Tensor]:
    """(abreast, inputs, numbers out) -> (abreast, inputs, numbers in): u -> u J, from one pass forward."""
    with torch.enable_grad():
        many = x.detach().repeat(abreast, *[1] * (x.dim() - 1)).requires_grad_()
        made = function(many)

    def pull(directions: torch.Tensor) -> torch.Tensor:
        (found,) = torch.autograd.grad(made, many, directions.reshape(made.shape), retain_graph=True)
        return found.reshape(abreast, len(x), -1)

    return pull


def alone(function: Map, x: torch.Tensor) -> bool:
    """Whether what becomes of one of two inputs has no slope in the other."""
    two = torch.cat([x, x + 1]).detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(function(two)[0].sum(), two)
    return not slope[1].any()
