"""What shuffling takes away, and what it leaves."""

import pytest
import torch

import rmtlottery as rl
from rmtlottery import datasets

PLAIN = datasets.dataset(rl.Spec().data)


def of(what, which=0):
    return datasets.dataset(rl.Spec().but(shuffled=what, shuffling=which).data)


def test_pixels_go_the_same_way_in_every_picture_of_every_split():
    found = of("pixels")
    where = [int((PLAIN.train.x == column.unsqueeze(1)).all(0).nonzero()[0]) for column in found.train.x.T if column.any()]
    places = [place for place, column in enumerate(found.train.x.T) if column.any()]
    assert where != sorted(where)
    for name in ("train", "validation", "test"):
        plain, moved = getattr(PLAIN, name), getattr(found, name)
        assert torch.equal(moved.x.sort(1).values, plain.x.sort(1).values)
        assert torch.equal(moved.y, plain.y)
        distinct = [(a, b) for a, b in zip(places, where, strict=True) if PLAIN.train.x[:, b].std() > 0.5]
        assert all(torch.equal(moved.x[:, a], plain.x[:, b]) for a, b in distinct)


def test_labels_are_dealt_anew_within_each_split():
    found = of("labels")
    for name in ("train", "validation", "test"):
        plain, moved = getattr(PLAIN, name), getattr(found, name)
        assert torch.equal(moved.x, plain.x)
        assert torch.equal(moved.y.bincount(), plain.y.bincount())
        assert (moved.y == plain.y).float().mean() < 0.25, "a tenth agrees by chance"


def test_classes_are_renamed_alike_in_every_split():
    found, names = of("classes", 3), {}
    for name in ("train", "validation", "test"):
        plain, moved = getattr(PLAIN, name), getattr(found, name)
        assert torch.equal(moved.x, plain.x)
        assert all(names.setdefault(a, b) == b for a, b in zip(plain.y.tolist(), moved.y.tolist(), strict=True))
    assert sorted(names) == sorted(names.values()) == list(range(10))
    assert any(a != b for a, b in names.items())


@pytest.mark.parametrize("what", ["pixels", "classes", "labels"])
def test_there_are_many_permutations(what):
    def told(which):
        split = of(what, which).train
        return (*split.x[0].tolist(), *split.y.tolist())

    assert len({told(which) for which in range(4)}) == 4
    assert of(what, 2).preprocessing.endswith(f"; {what} shuffled (2)")


def test_all_say_so_and_nothing_is_nothing():
    assert of("labels").preprocessing.endswith("; labels shuffled")
    assert of("nothing").preprocessing == PLAIN.preprocessing


def test_a_spec_of_before_has_nothing_shuffled():
    assert rl.Spec.from_json(rl.Spec().to_json().replace(',\n  "shuffled": "nothing"', "")).data.shuffled == "nothing"


def test_what_is_no_order_is_refused():
    with pytest.raises(rl.Refusal, match="labels"):
        rl.Spec().but(shuffled="label")


def test_a_permutation_of_nothing_is_refused():
    with pytest.raises(rl.Refusal, match="shuffling = 3 says which permutation, and shuffled = nothing has none"):
        of("nothing", 3)
