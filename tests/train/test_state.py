"""What a checkpoint holds is all of the state."""

import json

import torch

from rmtlottery.train.state import State

STATE = State(
    2, (4, 5, 6), [4, 6], 17, {"coordinates": torch.arange(4.0).view(2, 2), "slot/mean": torch.ones(2, 2)},
    {4: [{"epoch": 1}], 5: [], 6: []}, {5: 11},
)  # fmt: skip


def test_it_survives_json():
    facts = json.loads(json.dumps(STATE.facts()))
    again = State.restore(facts, STATE.tensors, "cpu")
    assert again == State(*[getattr(STATE, name) for name in vars(STATE)])


def test_keeping_some_places_keeps_them_in_every_tensor():
    state = State(0, (4, 5), [4, 5], 0, {"coordinates": torch.arange(4.0).view(2, 2), "hits": torch.tensor([1.0, 2.0])})
    state.keep([1])
    assert state.seeds == [5]
    assert state.began == (4, 5)
    assert state.tensors["coordinates"].tolist() == [[2.0, 3.0]]
    assert state.tensors["hits"].tolist() == [2.0]


def test_a_group_is_named_without_its_prefix():
    assert list(STATE.group("slot/")) == ["mean"]
