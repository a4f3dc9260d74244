"""Flat vectors and named tensors hold the same numbers in the same order."""

import pytest
import torch

from rmtlottery.charts.flat import flatten, layers, total, unflatten

SHAPES = {"fc1.weight": (2, 3), "fc1.bias": (2,), "fc2.weight": (1, 2), "fc2.bias": (1,)}


def test_the_order_is_that_of_the_shapes_and_rows_come_first():
    weights = {
        "fc2.bias": torch.tensor([11.0]),
        "fc1.weight": torch.tensor([[1.0, 2, 3], [4, 5, 6]]),
        "fc2.weight": torch.tensor([[9.0, 10]]),
        "fc1.bias": torch.tensor([7.0, 8]),
    }
    assert flatten(weights, SHAPES).tolist() == list(range(1, 12))


def test_a_vector_comes_back_by_name():
    found = unflatten(torch.arange(11), SHAPES)
    assert {name: value.tolist() for name, value in found.items()} == {
        "fc1.weight": [[0, 1, 2], [3, 4, 5]], "fc1.bias": [6, 7], "fc2.weight": [[8, 9]], "fc2.bias": [10]
    }  # fmt: skip


@pytest.mark.parametrize("leading", [(), (4,), (2, 3)])
def test_leading_axes_stay(leading):
    flat = torch.randn(*leading, 11)
    found = unflatten(flat, SHAPES)
    assert {name: tuple(value.shape) for name, value in found.items()} == {n: (*leading, *s) for n, s in SHAPES.items()}
    assert torch.equal(torch.cat([value.reshape(*leading, -1) for value in found.values()], dim=-1), flat)


def test_each_replicate_unflattens_as_it_would_alone():
    flat = torch.randn(3, 11)
    together = unflatten(flat, SHAPES)
    for replicate in range(3):
        assert torch.equal(flatten({name: value[replicate] for name, value in together.items()}, SHAPES), flat[replicate])


def test_what_comes_back_are_views():
    flat = torch.zeros(2, 11)
    unflatten(flat, SHAPES)["fc1.bias"][1] = 5
    assert flat[1].tolist() == [0] * 6 + [5, 5] + [0] * 3


def test_a_vector_of_the_wrong_length_is_refused():
    with pytest.raises(RuntimeError, match="split_sizes"):
        unflatten(torch.zeros(10), SHAPES)


def test_weights_and_biases_of_a_layer_are_counted_together():
    assert layers(SHAPES) == [8, 3]
    assert layers({"a": (2, 2), "b.weight": (3,), "b.sub.bias": (1,)}) == [4, 3, 1]
    assert total(SHAPES) == 11
