"""T7 to T9: units that go together, as they do over training inputs at the first pre-activation, and no later."""

from collections.abc import Iterator

import numpy as np
import torch

from rmtlottery.analyze.rungs.names import T7, T8, T9, T9B
from rmtlottery.meanfield.mixture import Layers, Mixture, farthest, mixture_course, mixture_of
from rmtlottery.meanfield.quenched import Step
from rmtlottery.measure.signal import Probe
from rmtlottery.tickets.ticket import Weights

WIDEST = 512
PART = 200  # samples at least: parts of few would be the inputs themselves
Groups = list[np.ndarray]


def joint_courses(weights: Weights, seen: Probe, phi: str, parts: int) -> Iterator[tuple[str, Iterator[Step]]]:
    """source -> its steps through all hidden layers of a fully connected net."""
    layers, h, labels = matrices(weights, seen), *first_preactivations(weights, seen)
    whole = mixture_of([h])
    yield T7, mixture_course(layers, whole, phi, terms=1)
    yield T8, mixture_course(layers, whole, phi)
    if labels is None or no_classes(seen):
        return
    classes = by_class(h, labels)
    mixed = mixture_of(classes)
    yield T9, mixture_course(layers, mixed, phi)
    if parts > 1:
        yield T9B, by_parts(layers, mixed, classes, phi, parts)


def by_parts(layers: Layers, mixed: Mixture, classes: Groups, phi: str, parts: int) -> Iterator[Step]:
    directions = farthest(layers, mixed, phi)
    smaller = [part for group, way in zip(classes, directions, strict=True) for part in parted(group, way, parts)]
    yield from mixture_course(layers, mixture_of(smaller), phi)


def why_not(seen: Probe) -> str:
    """Why there are no such rungs; nothing where there are."""
    layers = seen.network.layers[:-1]
    if seen.train is None or len(seen.train.x) < 2:
        return f"T7 to T9 take training inputs, and there are {0 if seen.train is None else len(seen.train.x)}"
    other = next((layer.name for layer in layers if len(layer.shape) > 2 or layer.mixes), "")
    if other:
        return f"T7 to T9 take fully connected layers, and {other} is none"
    widest = max(layer.shape[0] for layer in layers)
    return f"T7 to T9 take layers of at most {WIDEST} units, and one has {widest}" if widest > WIDEST else ""


def no_classes(seen: Probe) -> str:
    """Why there is no T9 where there is T8; nothing where there is."""
    if seen.train is None:
        return ""
    if seen.train.y is None:
        return "T9 takes classes, and the training inputs have no labels"
    return "" if seen.train.y.bincount().max() > 1 else "T9 takes classes of two training inputs, and there is none"


def matrices(weights: Weights, seen: Probe) -> Layers:
    names = [layer.name for layer in seen.network.layers[:-1]]
    zero = torch.zeros(1)
    return [
        (weights[f"{name}.weight"].double().numpy(), weights.get(f"{name}.bias", zero).double().numpy()) for name in names
    ]


@torch.no_grad()
def first_preactivations(weights: Weights, seen: Probe) -> tuple[np.ndarray, np.ndarray | None]:
    """h^1 of the training inputs and their labels: all that these rungs are told of the signal."""
    assert seen.train is not None
    layer, labels = seen.network.layers[0], seen.train.y
    h = layer(weights, layer.prepare(seen.train.x)).double().numpy()
    return h, None if labels is None else labels.numpy()


def by_class(h: np.ndarray, labels: np.ndarray) -> Groups:
    """The samples of each class, without those that are seen less than twice."""
    return [h[labels == label] for label in np.unique(labels) if (labels == label).sum() > 1]


def parted(group: np.ndarray, way: np.ndarray, parts: int) -> Groups:
    """Equal parts of the samples, in order along a direction; as many as are asked for, if they are of some size."""
    return np.array_split(group[np.argsort(group @ way)], max(1, min(parts, len(group) // PART)))
