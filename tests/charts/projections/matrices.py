"""What tests of projections share: the matrix one stands for, many of them, and what every projection owes its vectors."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from rmtlottery.charts.projections import projection
from tests.conftest import assert_mean

SEEDS = range(200)
WEIGHTS, WIDE = 199_210, 2**18
FULL_LENGTHS = torch.linspace(1, 3, 20)


class Given(NamedTuple):
    """A matrix in the clothes of a projection: the defects of others are written as such."""

    rows: torch.Tensor

    @property
    def dim(self):
        return self.rows.shape[1]

    def apply(self, theta):
        return theta @ self.rows.T

    def adjoint(self, g):
        return g @ self.rows


def matrix(p):
    """P itself, (D, d): the images of the basis vectors."""
    return p.apply(torch.eye(p.dim)).T


@lru_cache(None)
def drawn(kind, ambient, dim, seeds=SEEDS):
    """One P a seed, (seeds, D, d), in float64."""
    return torch.stack([matrix(projection(kind, ambient, dim, seed)) for seed in seeds]).double()


def columns_of(p, which):
    """Some of the columns, (those, D), without the others."""
    basis = torch.zeros(len(which), p.dim)
    basis[range(len(which)), which] = 1
    return p.apply(basis)


def gains(matrices, x):
    """|P x|^2 / |x|^2, one a matrix."""
    x = x.to(matrices.dtype)
    return ((matrices @ x).square().sum(-1) / x.square().sum()).numpy()


def assert_lengths_are_kept(matrices, *, rejects=1.06):
    """E |P x|^2 = |x|^2 for an x with no two coordinates alike."""
    assert_mean(gains(matrices, FULL_LENGTHS[: matrices.shape[-1]]), 1, rejects=rejects)


def assert_gain_is_one(p, *, rejects=1.1):
    """Of one P: |P x|^2 = |x|^2 in the mean over directions of x."""
    x = torch.randn(32, p.dim, generator=torch.Generator().manual_seed(5))
    assert_mean((p.apply(x).square().sum(1) / x.square().sum(1)).double().numpy(), 1, rejects=rejects)


def assert_every_coordinate_reaches(p, rows=10):
    """Also a layer that is a bias of 10, the last one."""
    missed = (matrix(p)[-rows:] == 0).all(0).double().mean().item()
    assert missed == 0, f"{missed:.0%} of the coordinates do not reach the last {rows} weights"


def assert_no_weight_is_frozen(p):
    frozen = (matrix(p) == 0).all(1).double().mean().item()
    assert frozen == 0, f"{frozen:.0%} of the weights are moved by no coordinate"


def assert_fourth_moment_of_a_sphere(units, size, *, rejects=2.8):
    """Of vectors uniform on the sphere of `size` dimensions: size (size + 2) E u^4 = 3. One sample a first index."""
    samples = (units.double() ** 4).flatten(1).mean(1).numpy() * size * (size + 2)
    assert_mean(samples, 3, rejects=rejects)


def relative_variance(matrices, signs=256):
    """Of |P x|^2 over vectors x of signs, one sample a matrix."""
    dim = matrices.shape[-1]
    x = torch.randn(dim, signs, generator=torch.Generator().manual_seed(3), dtype=torch.float64).sign()
    return np.asarray(((matrices @ x).square().sum(1) / dim - 1).square().mean(1))


class Made(TorchDispatchMode):
    """The numbers in each tensor that is made; their sum bounds the peak."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        out = function(*args, **(kwargs or {}))
        made = out if isinstance(out, list | tuple) else [out]
        self.sizes += [value.numel() for value in made if isinstance(value, torch.Tensor) and value.layout == torch.strided]
        return out

    def __enter__(self):
        self.sizes = [0]
        return super().__enter__()
