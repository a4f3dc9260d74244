"""Whole splits, and to the last digit what training recorded."""

from dataclasses import replace

import pytest
import torch

import rmtlottery as rl
from rmtlottery import nets
from rmtlottery.datasets.dataset import Split
from rmtlottery.measure import accuracy as room
from rmtlottery.measure.accuracy import accuracies, accuracy
from rmtlottery.tickets.parts import FC


def test_they_are_those_that_training_recorded_after_the_last_step(tiny_run):
    for ticket in tiny_run:
        found, last = accuracies(ticket), ticket.metrics[-1]
        assert list(found) == ["train", "validation", "test"]
        assert found["test"] == last["test_accuracy"]
        assert found["validation"] == last["validation_accuracy"]


@pytest.mark.parametrize("net", [{"net": "conv", "channels": "3,2"}, {"net": "resnet", "depth": 8}])
def test_a_net_that_is_no_chain_of_matrices_too(tmp_path, net):
    run = rl.fit(rl.preset("first").but(**net, epochs=1, levels=1, batch=400, seeds=0), tmp_path)
    for ticket in run:
        assert accuracies(ticket)["test"] == ticket.metrics[-1]["test_accuracy"]


@pytest.mark.parametrize("portion", [1, 3, 7, 100])
def test_the_last_portion_counts_as_much_as_it_holds(monkeypatch, portion):
    """7 samples, 5 right."""
    network = nets.build(FC(widths=(3,)), (2,), 2)
    monkeypatch.setattr(room, "portion", lambda widest: portion)
    weights = {name: torch.zeros(shape) for name, shape in network.shapes.items()}
    weights["fc2.bias"] = torch.tensor([0.0, 1.0])
    split = Split(torch.zeros(7, 2), torch.tensor([1, 1, 0, 1, 1, 0, 1]))
    assert accuracy(network, weights, split) == pytest.approx(5 / 7, rel=1e-6)


def test_a_ticket_without_a_spec_is_refused(tiny_run):
    with pytest.raises(rl.Refusal, match="names no data set"):
        accuracies(replace(tiny_run[0, 0], spec=None))
