"""Recall: every answer can be read off its sequence, and a renaming changes the answers alone."""

import pytest
import torch

from rmtlottery.datasets import dataset
from rmtlottery.datasets.recall import recall
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Recall

SMALL = {"pairs": 3, "keys": 5, "values": 7, "samples": 600}


def made(**fields):
    return recall(Recall(**(SMALL | fields)))


def read(split, keys=5):
    """(keys, values) of one-hots, as they were before inputs were standardised: (samples, places, ...)."""
    hot = split.x.reshape(len(split), 4, -1) > 0
    return hot[..., :keys], hot[..., keys:]


def everything(found):
    return torch.cat([split.x for split in found.splits.values()]), torch.cat([s.y for s in found.splits.values()])


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_the_answer_is_the_value_beside_the_key_that_is_asked_for(name):
    split = made().splits[name]
    keys, values = read(split)
    for sample in range(len(split)):
        shown = {int(k.nonzero()): int(v.nonzero()) for k, v in zip(keys[sample, :-1], values[sample, :-1], strict=True)}
        assert len(shown) == 3
        assert shown[int(keys[sample, -1].nonzero())] == split.y[sample]
        assert not values[sample, -1].any()


def test_shapes_and_split_are_what_was_asked_for():
    found = made(validation=0.25)
    assert (found.shape, found.classes) == ((4, 12), 7)
    assert {name: tuple(split.x.shape) for name, split in found.splits.items()} == {
        "train": (360, 48), "validation": (120, 48), "test": (120, 48),
    }  # fmt: skip
    assert dataset(Recall()).shape == (5, 16)


def test_keys_values_and_the_place_of_the_answer_are_all_as_frequent():
    """Of 5,000 draws, five standard deviations."""
    found = made(samples=5000, validation=0.0)
    keys, values = read(found.train)
    asked = (keys[:, :-1] & keys[:, -1:]).any(-1)
    for counts in (keys[:, 0].sum(0), values[:, 1].sum(0), asked.sum(0), torch.bincount(found.train.y)):
        share = 1 / len(counts)
        assert ((counts - 4000 * share).abs() < 5 * (4000 * share * (1 - share)) ** 0.5).all()


@pytest.mark.parametrize("renaming", [1, 2])
def test_a_renaming_changes_answers_by_a_permutation_and_nothing_else(renaming):
    (x, y), (same, names) = everything(made()), everything(made(renaming=renaming))
    assert torch.equal(x, same)
    pairs = {(int(a), int(b)) for a, b in zip(y, names, strict=True)}
    assert sorted(a for a, _ in pairs) == sorted(b for _, b in pairs) == list(range(7))
    assert any(a != b for a, b in pairs)


def test_another_renaming_is_another_permutation():
    assert not torch.equal(made(renaming=1).train.y, made(renaming=2).train.y)


def test_the_same_fields_give_the_same_data_and_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    (x, y), (again, answers) = everything(made()), everything(made())
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(x, again)
    assert torch.equal(y, answers)


def test_more_samples_begin_with_the_same():
    few, many = made().test, made(samples=900).test
    assert torch.equal(few.x > 0, many.x[: len(few)] > 0)
    assert torch.equal(few.y, many.y[: len(few)])


def test_all_keys_may_be_shown_and_no_more():
    keys, _ = read(made(keys=3).train, keys=3)
    assert keys[:, :-1].any(1).all()
    with pytest.raises(Refusal, match="pairs = 3 cannot have 2 keys, each once; take more keys or fewer pairs"):
        made(keys=2)
