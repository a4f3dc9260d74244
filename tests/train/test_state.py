"""What a checkpoint holds is all of the state."""

import json

import torch

from rmtlottery.train.state import State

STATE = State(
    2, [4, 5, 6], 17, {"coordinates": torch.arange(6.0).view(3, 2), "slot/mean": torch.ones(3, 2)},
    [[{"epoch": 1}], [], []], {1: 11},
)  # fmt: skip


def test_it_survives_json():
    facts = json.loads(json.dumps(STATE.facts()))
    found = State.restore(facts, STATE.tensors, "cpu")
    assert found.facts() == STATE.facts()
    assert found.tensors.keys() == STATE.tensors.keys()
    for name, tensor in STATE.tensors.items():
        assert torch.equal(found.tensors[name], tensor)
        assert found.tensors[name].data_ptr() != tensor.data_ptr(), "training moves its own, not the file's"


def test_those_that_diverged_train_no_more():
    assert STATE.training == [0, 2]


def test_a_group_is_named_without_its_prefix():
    assert list(STATE.group("slot/")) == ["mean"]
