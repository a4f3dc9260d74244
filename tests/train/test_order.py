"""The order of the data depends on (seed, level, epoch) and on nothing else."""

from itertools import combinations, product

import pytest
import torch

from rmtlottery.train.order import epoch_order

ADDRESSES = [*product(range(3), repeat=3), (0, 1, 12), (0, 11, 2), (1, 11, 2)]


@pytest.mark.parametrize("size", [1, 2, 97, 1294])
def test_every_sample_comes_exactly_once(size):
    assert epoch_order(3, 1, 4, size).sort().values.tolist() == list(range(size))


def test_the_same_address_gives_the_same_order_whatever_was_drawn_before():
    first = epoch_order(3, 1, 4, 50)
    epoch_order(3, 1, 5, 50)
    torch.rand(7)
    assert torch.equal(epoch_order(3, 1, 4, 50), first)


def test_each_seed_level_and_epoch_has_an_order_of_its_own():
    orders = [epoch_order(*address, 60) for address in ADDRESSES]
    assert not any(torch.equal(a, b) for a, b in combinations(orders, 2))


def test_neighbouring_orders_agree_at_no_more_places_than_by_chance():
    matches = sum((epoch_order(0, 0, e, 1000) == epoch_order(0, 0, e + 1, 1000)).sum().item() for e in range(20))
    assert matches < 20 + 5 * 20**0.5


def test_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    epoch_order(3, 1, 4, 50)
    assert torch.equal(torch.random.get_rng_state(), before)
