"""Recordings replayed give the very bits of steps taken one by one, on a tape that stands in for a CUDA graph."""

import json
from dataclasses import replace

import pytest
import torch

from rmtlottery.train import loop
from rmtlottery.train.level import begin
from rmtlottery.train.loop import train
from rmtlottery.train.replay import MOST, Replayed, advancing
from rmtlottery.train.state import State
from rmtlottery.train.step import Step
from tests.train.making import SPEC, level_of
from tests.train.tape import Tape

LONG = SPEC.but(batch=16, epochs=3)  # 80 full steps and one of 13 an epoch
CASES = {
    "adam": LONG,
    "nesterov-cosine": LONG.but(optimiser={"kind": "sgd", "nesterov": True}, schedule="cosine", warmup=30),
    "decay": LONG.but(decay=0.01),
    "decay-of-coordinates": LONG.but(decay=0.01, decay_target="coordinates"),
    "conv": SPEC.but(net={"kind": "conv", "channels": "2x3"}, batch=150),
    "snapshots": LONG.but(snapshots=(7, 50), rewind=3),
}


class Tapes:
    """Tapes for graphs. What is recorded is not done: the tensors that a step moves are put back."""

    def __init__(self, step):
        self.step = step

    def do(self, work):
        work()

    def record(self, work):
        moved = {**self.step.state.tensors, "place": self.step.place, "count": self.step.count}
        before = {name: tensor.clone() for name, tensor in moved.items()}
        with Tape() as tape:
            work()
        for name, tensor in moved.items():
            tensor.copy_(before[name])
        return tape.replay


def replayed(monkeypatch):
    """The loop as it goes on a GPU, with tapes for graphs; the recordings made."""
    made = []

    def advance(step):
        made.append(Replayed(step, Tapes(step)))
        return made[-1]

    monkeypatch.setattr(loop, "advancing", advance)
    return made


@pytest.mark.parametrize("number", [0, 1], ids=["dense", "masked"])
@pytest.mark.parametrize("name", CASES)
def test_a_level_replayed_ends_with_the_bits_of_one_taken_step_by_step(name, number, monkeypatch):
    level, _ = level_of(CASES[name], [0, 1], number)
    expected = train(level, begin(level, [0, 1]), lambda state: None)
    made = replayed(monkeypatch)
    found = train(level, begin(level, [0, 1]), lambda state: None)
    assert made[0].recordings
    assert found.tensors.keys() == expected.tensors.keys()
    for tensor, value in expected.tensors.items():
        assert torch.equal(found.tensors[tensor], value), tensor
    assert found.rows == expected.rows


def test_recordings_are_powers_of_two_and_an_epoch_takes_few(monkeypatch):
    level, _ = level_of(LONG, [0])
    made, ticks = replayed(monkeypatch), []
    train(level, begin(level, [0]), lambda state: ticks.append(state.step))
    assert set(made[0].recordings) == {1, 4, 8, 16, 32}
    assert max(made[0].recordings) == MOST
    assert ticks[:3] == [1, 2, 3], "the first ones are taken as they are"
    assert ticks[-4:] == [194, 226, 242, 243], "of the last epoch: 32, 32, 16, and the one that is not full"


def test_a_seed_that_stops_is_recorded_anew_and_its_neighbours_do_not_feel_it(monkeypatch):
    level, mask = level_of(LONG, [0, 1], number=1)
    level.chart.start[0, int(mask[0].nonzero()[-1])] = float("nan")
    expected = train(level, begin(level, [0, 1]), lambda state: None)
    made = replayed(monkeypatch)
    found = train(level, begin(level, [0, 1]), lambda state: None)
    assert len(made) == 2
    assert found.diverged == expected.diverged == {0: 0}
    assert torch.equal(found.tensors["coordinates"], expected.tensors["coordinates"])


@pytest.mark.parametrize("at", [17, 81, 100])
def test_a_level_resumed_in_mid_epoch_is_replayed_to_the_same_bits(at, monkeypatch):
    level, _ = level_of(CASES["nesterov-cosine"], [0, 1], number=1)
    expected = train(level, begin(level, [0, 1]), lambda state: None)
    state = begin(level, [0, 1])

    class Enough(Exception):
        pass

    def stop(held):
        if held.step == at:
            raise Enough

    with pytest.raises(Enough):
        train(level, state, stop)
    replayed(monkeypatch)
    restored = State.restore(json.loads(json.dumps(state.facts())), state.tensors, "cpu")
    found = train(level, restored, lambda state: None)
    assert torch.equal(found.tensors["coordinates"], expected.tensors["coordinates"])
    assert found.rows == expected.rows


def test_a_recording_that_moves_nothing_is_noticed():
    """As one made on another device than that of its tensors."""
    level, _ = level_of(LONG, [0])
    step = Step(level, begin(level, [0]))
    step.enter(0, 0)
    advance = Replayed(step, Tapes(step))
    advance.recorder.record = lambda work: lambda: None
    assert [advance(place, 80) for place in range(3)] == [1, 1, 1]
    with pytest.raises(RuntimeError, match="the device stands at step 3 of the epoch, not 35: no replay"):
        advance(3, 77)


def test_a_cpu_takes_steps_as_they_are():
    level, _ = level_of(SPEC, [0])
    step = Step(level, begin(level, [0]))
    step.enter(0, 0)
    advance = advancing(step)
    assert not isinstance(advance, Replayed)
    assert advance(0, 13) == 1


def test_a_step_in_bf16_asks_nothing_of_the_host():
    level, _ = level_of(SPEC, [0], number=1)
    step = Step(replace(level, compute=torch.bfloat16), begin(level, [0]))
    step.enter(0, 0)
    with Tape() as tape:
        step.take(100)
    assert len(tape.done) > 20


def test_the_tape_refuses_what_a_graph_cannot_record():
    with pytest.raises(AssertionError, match="_local_scalar_dense waits for the host"), Tape():
        torch.ones(3).sum().item()
    with pytest.raises(AssertionError, match="lift_fresh waits for the host"), Tape():
        torch.tensor([1.0])
