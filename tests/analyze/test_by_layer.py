"""Layers of a foreign ticket are asked some at a time, and each keeps its own number and its own faults."""

import pytest
import torch
from safetensors.torch import save_file

import rmtlottery as rl
from rmtlottery.analyze import _by_layer
from rmtlottery.analyze._ask import gather
from rmtlottery.analyze._by_layer import together

SIZES = {"a": (4, 5), "b": (6, 7), "c": (30, 40), "d": (3, 3), "e": (2, 9)}


@pytest.fixture
def ticket(tmp_path):
    stream = torch.Generator().manual_seed(0)
    save_file({name: torch.randn(shape, generator=stream) for name, shape in SIZES.items()}, tmp_path / "x.safetensors")
    return rl.load(tmp_path / "x.safetensors")


def test_neighbours_that_are_small_in_sum_are_asked_together(ticket, monkeypatch):
    monkeypatch.setattr(_by_layer, "SMALL", 70)
    assert list(together(ticket)) == [[1, 2], [3], [4, 5]]
    monkeypatch.setattr(_by_layer, "SMALL", 1)
    assert list(together(ticket)) == [[1], [2], [3], [4], [5]]


@pytest.mark.parametrize(("small", "workers"), [(1, 1), (70, 1), (2**20, 1), (1, 2)])
def test_numbers_are_those_of_the_whole_however_they_are_asked(ticket, small, workers, monkeypatch):
    monkeypatch.setattr(_by_layer, "SMALL", small)
    table, faults = gather("weights", [ticket], {}, workers)
    assert faults == []
    assert table[["layer", "name"]].to_numpy().tolist() == [[1, "a"], [2, "b"], [3, "c"], [4, "d"], [5, "e"]]
    assert table["kept"].tolist() == [20, 42, 1200, 9, 18]


@pytest.mark.parametrize("small", [1, 2**20])
@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator:\nno memory"), rl.Refusal("it is NaN")])
def test_a_fault_is_one_layer_s_own(ticket, small, error, monkeypatch):
    monkeypatch.setattr(_by_layer, "SMALL", small)

    def broken():
        raise error

    ticket.weights.readers["b"] = broken
    table, faults = gather("weights", [ticket], {})
    assert table["name"].tolist() == ["a", "c", "d", "e"]
    assert table["layer"].tolist() == [1, 3, 4, 5]
    assert len(faults) == 1
    assert "\n" not in faults[0]
    assert faults[0] == str(error) if isinstance(error, rl.Refusal) else "weights of b failed" in faults[0]


@pytest.mark.parametrize("error", [ArithmeticError("no solution at 3 points"), ValueError("a factor is 0")])
def test_what_theory_cannot_do_for_a_run_s_ticket_is_named_and_the_rest_goes_on(tiny_run, error, monkeypatch):
    from rmtlottery.analyze import weights

    told = weights.table

    def table(ticket):
        if (ticket.seed, ticket.level) == (1, 2):
            raise error
        return told(ticket)

    monkeypatch.setattr(weights, "table", table)
    found, faults = gather("weights", tiny_run, {})
    assert found.groupby(["seed", "level"]).ngroups == 7
    assert faults == [f"{tiny_run.path}: weights of seed 1, level 2 failed: {error}"]
