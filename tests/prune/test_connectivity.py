"""Connectivity against a hand-drawn net and against every path of small random ones."""

from itertools import pairwise, product

import numpy as np
import pytest
import torch

from rmtlottery.prune.connectivity import connectivity

# Inputs 0..4 -> units a, b, c, d -> p, q, r -> outputs 0, 1.
DRAWN = {
    "fc1.weight": [
        [1, 1, 0, 0, 0],  # a reads inputs 0 and 1 and feeds p: the only one on a path
        [0, 0, 1, 0, 0],  # b reads input 2, nobody reads b
        [0, 0, 0, 0, 0],  # c reads nothing, yet p reads c
        [1, 0, 0, 1, 1],  # d reads three inputs and feeds q only, which nobody reads
    ],
    "fc2.weight": [[1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]],  # p reads a and c, q reads d, r reads nothing
    "fc3.weight": [[1, 0, 0], [0, 0, 1]],  # output 0 reads p, output 1 reads r
}
BY_HAND = [
    {"kept": 6, "layer_density": 6 / 20, "in_degree_mean": 1.5, "in_degree_std": 1.25**0.5,
     "in_degree_min": 0, "in_degree_max": 3, "dead": 3, "path_density": 2 / 20},
    {"kept": 3, "layer_density": 3 / 12, "in_degree_mean": 1.0, "in_degree_std": (2 / 3) ** 0.5,
     "in_degree_min": 0, "in_degree_max": 2, "dead": 2, "path_density": 1 / 12},
    {"kept": 2, "layer_density": 2 / 6, "in_degree_mean": 1.0, "in_degree_std": 0.0,
     "in_degree_min": 1, "in_degree_max": 1, "dead": 1, "path_density": 1 / 6},
]  # fmt: skip


def masks(rows):
    return {name: torch.tensor(row, dtype=torch.bool) for name, row in rows.items()}


def by_paths(layers):
    """(dead units, weights on a path) of each layer, from a list of every path from an input to an output."""
    sizes = [layers[0].shape[1], *(layer.shape[0] for layer in layers)]
    whole = [p for p in product(*map(range, sizes)) if all(m[b, a] for m, (a, b) in zip(layers, pairwise(p), strict=True))]
    found = []
    for at, layer in enumerate(layers):
        units = {path[at + 1] for path in whole}
        edges = {path[at : at + 2] for path in whole}
        found.append((layer.shape[0] - len(units), len(edges) / layer.size))
    return found


@pytest.mark.parametrize(("layer", "expected"), list(enumerate(BY_HAND)))
def test_a_net_drawn_by_hand(layer, expected):
    row = connectivity(masks(DRAWN))[layer]
    assert row.pop("layer") == list(DRAWN)[layer]
    assert row == pytest.approx(expected, abs=1e-6)


def test_a_dense_net_has_no_dead_unit_and_is_all_path():
    rows = connectivity({"fc1.weight": torch.ones(3, 5, dtype=torch.bool), "fc2.weight": torch.ones(2, 3, dtype=torch.bool)})
    assert [(row["dead"], row["path_density"], row["in_degree_mean"]) for row in rows] == [(0, 1.0, 5.0), (0, 1.0, 3.0)]


def test_one_empty_layer_cuts_every_path_and_kills_every_unit():
    layers = [torch.ones(4, 3), torch.zeros(2, 4), torch.ones(5, 2)]
    rows = connectivity({f"fc{at}.weight": layer.bool() for at, layer in enumerate(layers, start=1)})
    assert [row["dead"] for row in rows] == [4, 2, 5]
    assert [row["path_density"] for row in rows] == [0.0, 0.0, 0.0]


def test_a_single_layer_is_its_own_path():
    (row,) = connectivity({"fc1.weight": torch.tensor([[True, False], [False, False], [True, True]])})
    assert (row["dead"], row["path_density"]) == (1, 0.5)


@pytest.mark.parametrize("seed", range(20))
def test_random_masks_agree_with_a_list_of_all_paths(seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 6, size=rng.integers(2, 6))
    layers = [rng.random((b, a)) < 0.45 for a, b in pairwise(sizes)]
    rows = connectivity({f"fc{at}.weight": torch.from_numpy(layer) for at, layer in enumerate(layers, start=1)})
    for row, (dead, on_path) in zip(rows, by_paths(layers), strict=True):
        assert row["dead"] == dead
        assert row["path_density"] == pytest.approx(on_path, abs=1e-6)
