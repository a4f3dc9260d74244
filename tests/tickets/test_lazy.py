"""Tensors that are read when they are asked for, and kept by nobody."""

import gc
import pickle
import weakref
from functools import partial

import pytest
import torch

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.lazy import Lazy, narrow


@pytest.fixture
def watched():
    """A Lazy, and what was read of it."""
    read = []

    def reader(name):
        read.append(name)
        return torch.full((2, 3), float(len(name)))

    return Lazy({name: partial(reader, name) for name in ("a", "bb")}), read


def test_names_are_known_and_nothing_is_read(watched):
    lazy, read = watched
    assert (list(lazy), len(lazy), "a" in lazy, "c" in lazy, lazy == []) == (["a", "bb"], 2, True, False, False)
    assert lazy == lazy() == lazy
    assert lazy.only(["a"]) != lazy
    repr(lazy)
    assert read == []


def test_each_asking_reads_again(watched):
    lazy, read = watched
    assert lazy["bb"].sum() == 12
    assert [name for name, tensor in lazy.items() if tensor.sum() == 6] == ["a"]
    assert read == ["bb", "a", "bb"]
    with pytest.raises(KeyError, match="c"):
        lazy["c"]


def test_what_was_read_is_kept_by_who_asked_alone(watched):
    tensor = watched[0]["a"]
    gone = weakref.ref(tensor)
    del tensor
    gc.collect()
    assert gone() is None


def test_some_of_it(watched):
    lazy, read = watched
    assert list(lazy.only(["bb"])) == ["bb"]
    assert list(narrow(lazy, ["bb", "a"])) == ["bb", "a"]
    assert read == []
    with pytest.raises(Refusal, match="unknown layer 'b': did you mean 'bb'"):
        lazy.only(["b"])


def held():
    return {"fc1.weight": torch.ones(2, 3)}


def test_some_of_what_a_reader_gives_is_not_read_before_it_is_asked_for():
    some = narrow(held, ["fc1.weight", "fc2.weight"])
    assert torch.equal(some["fc1.weight"], torch.ones(2, 3))
    with pytest.raises(Refusal, match=r"unknown layer 'fc2\.weight': did you mean 'fc1\.weight'"):
        some["fc2.weight"]


def test_it_travels_to_another_process():
    some = pickle.loads(pickle.dumps(narrow(held, ["fc1.weight"])))
    assert torch.equal(some["fc1.weight"], torch.ones(2, 3))
