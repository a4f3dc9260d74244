"""A user's own tensors, known to a Spec by name and fingerprint."""

from typing import Any

import numpy as np
import torch

from rmtlottery.datasets.dataset import Dataset, Split, assemble
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.tickets.parts import Given

HELD: dict[Given, Dataset] = {}
FOUR = "pass (x, y, x_test, y_test), or two pairs (x, y), or two torch data sets: to learn from and for the test"


def given(tensors: Any, validation: float = 0.1) -> tuple[Given, Dataset]:
    """The data part of a Spec and the data set, which `recalled` finds again in this process.

    Inputs are (samples, features) or (samples, channels, height, width). The fingerprint is that of what is trained on,
    float32 and int64, whatever library and type the numbers came in.
    """
    x, y, x_test, y_test = four(tensors)
    learn = inputs(x, "x"), labels(y, "y", len(x))
    test = inputs(x_test, "x_test"), labels(y_test, "y_test", len(x_test))
    shape, classes = agreed_shape(learn[0], test[0]), counted(learn[1], test[1])
    print_of = fingerprint(dict(zip(("x", "y", "x_test", "y_test"), (*learn, *test), strict=True)))
    part = Given(validation=validation, fingerprint=print_of[:16])
    flat, flat_test = (Split(x.flatten(1), y) for x, y in (learn, test))
    HELD[part] = assemble(flat, flat_test, shape=shape, classes=classes, validation=validation)
    return part, HELD[part]


def recalled(data: Given) -> Dataset:
    """The data set of tensors that were given earlier in this process: a Spec does not hold them."""
    plain = Given(validation=data.validation, fingerprint=data.fingerprint)
    if plain not in HELD:
        known = f"the data of SHA-256 {data.fingerprint}..., validation {data.validation:g},"
        raise Refusal(f"{known} are tensors that only you have: pass the same ones again as data=")
    return HELD[plain]


def four(tensors: Any) -> tuple[Any, ...]:
    if not isinstance(tensors, tuple | list) or len(tensors) not in (2, 4):
        raise Refusal(f"data is {described(tensors)}; {FOUR}")
    if len(tensors) == 4:
        return tuple(tensors)
    return (*pair(tensors[0]), *pair(tensors[1]))


def pair(source: Any) -> tuple[Any, Any]:
    """(x, y) of such a tuple, or of all samples of a torch data set."""
    if isinstance(source, tuple | list) and len(source) == 2:
        return source[0], source[1]
    if isinstance(source, tuple | list) or not (hasattr(source, "__len__") and hasattr(source, "__getitem__")):
        raise Refusal(f"half of data is {described(source)}; {FOUR}")
    return gathered(source)


def gathered(source: Any) -> tuple[torch.Tensor, torch.Tensor]:
    samples = [source[index] for index in range(len(source))]
    if not samples or not all(isinstance(sample, tuple | list) and len(sample) == 2 for sample in samples):
        raise Refusal(f"a {type(source).__name__} of {len(samples)} samples does not give pairs (x, y); {FOUR}")
    x = [tensor(x, "an input of a data set") for x, _ in samples]
    y = [tensor(np.asarray(y) if isinstance(y, int) else y, "a label of a data set") for _, y in samples]
    if len({one.shape for one in x}) > 1 or any(one.ndim for one in y):
        raise Refusal(f"a {type(source).__name__} gives inputs of several shapes, or labels that are no single number")
    return torch.stack(x), torch.stack(y)


def inputs(value: Any, name: str) -> torch.Tensor:
    x = tensor(value, name)
    if x.ndim not in (2, 4) or not x.numel():
        wanted = "(samples, features) or (samples, channels, height, width), none of them 0"
        raise Refusal(f"{name} has the shape {tuple(x.shape)}; give {wanted}")
    x = x.float()
    if not x.isfinite().all():
        raise Refusal(
            f"{name} holds {(~x.isfinite()).sum()} numbers that are NaN or infinite in float32; mend or leave them out"
        )
    return x


def labels(value: Any, name: str, samples: int) -> torch.Tensor:
    y = tensor(value, name)
    if y.shape != (samples,):
        raise Refusal(f"{name} has the shape {tuple(y.shape)} for {samples} inputs; give one label an input: ({samples},)")
    number = y.double()
    wrong = y[~number.isfinite() | (number != number.round()) | (number < 0)]
    if len(wrong):
        raise Refusal(f"{name} holds the label {wrong[0].item():g}; number the classes 0, 1, 2, ...")
    return y.to(torch.int64, copy=True)


def tensor(value: Any, name: str) -> torch.Tensor:
    """On the CPU, in this machine's byte order; torch computes little with unsigned numbers of more than a byte."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        rare = (value.dtype.kind == "u" and value.dtype.itemsize > 1) or value.dtype.itemsize > 8
        return torch.from_numpy(np.array(value, np.float64 if rare else value.dtype.newbyteorder("=")))
    if isinstance(value, torch.Tensor) and not value.is_complex():
        return value.detach().cpu()
    raise Refusal(f"{name} is {described(value)}; give a numpy array or torch tensor of real numbers")


def described(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    kind = getattr(value, "dtype", "")
    return f"a {type(value).__name__}{f' of {kind}' if kind else ''}"


def agreed_shape(x: torch.Tensor, test: torch.Tensor) -> tuple[int, ...]:
    if x.shape[1:] != test.shape[1:]:
        raise Refusal(
            f"x has inputs of the shape {tuple(x.shape[1:])} and x_test of {tuple(test.shape[1:])}; give one shape"
        )
    return tuple(x.shape[1:])


def counted(y: torch.Tensor, test: torch.Tensor) -> int:
    """Classes: one more than the largest label of both."""
    classes, samples = int(max(y.max(), test.max())) + 1, len(y) + len(test)
    if len(y.unique()) < 2:
        raise Refusal(f"y holds the label {y[0].item()} alone; give at least two classes to learn")
    if classes > samples:
        raise Refusal(f"labels go up to {classes - 1} with {samples} samples; number the classes 0, 1, 2, ...")
    return classes
