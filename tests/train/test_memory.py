"""The bound holds: a process that trains never holds more, and not much less than a multiple of it."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

import rmtlottery as rl
from rmtlottery.train.material import material
from rmtlottery.train.memory import SCRATCH, bound, directions, finding, resident, saved
from rmtlottery.work.unit import Unit

TRAINED = """
import json, sys
import rmtlottery as rl
from rmtlottery.train.material import material
from rmtlottery.train.memory import bound, peak, resident
from rmtlottery.work.unit import Unit

spec = rl.Spec().but(**json.loads(sys.argv[1]))
rl.fit(rl.preset("first").but(epochs=1, levels=0), sys.argv[2])  # what libraries take once
before, most = resident(), bound(material(spec), Unit(spec.seeds, threads=2))
rl.fit(spec, sys.argv[2], threads=2)
print(before, most, peak("cpu"))
"""
FEW = {"epochs": 1, "levels": 1, "seeds": [0, 1], "validation": 0.8}  # three batches, in which all is made that ever is
MORE = FEW | {"validation": 0.45}  # enough for one large batch and another
SPARE = MORE | {"validation": 0.1}
CASES = {
    "wide": FEW | {"net": {"kind": "fc", "widths": [1500, 1500, 1500]}},
    "large-batches": SPARE | {"net": {"kind": "fc", "widths": [400] * 12}, "batch": 1000},
    "convolutions": MORE | {"net": {"kind": "conv", "channels": [48] * 6}, "batch": 400},
    "few-channels": MORE | {"net": {"kind": "conv", "channels": [32] * 4, "kernel": 5, "padding": "zero"}, "batch": 700},
    "dense-subspace": FEW | {"levels": 0, "chart": {"kind": "affine", "dim": 200, "projection": "dense"}},
    "fastfood-subspace": FEW | {"net": {"kind": "fc", "widths": [1100] * 3}, "chart": {"kind": "said", "dim": 600}},
    "module": MORE | {"net": {"kind": "resnet", "depth": 14, "stem": 24}, "init": "he", "batch": 400},
}


@pytest.mark.parametrize("name", CASES)
def test_a_training_holds_no_more_than_the_bound_and_a_fair_part_of_it(name, tmp_path):
    words = [sys.executable, "-c", TRAINED, json.dumps(CASES[name]), tmp_path]
    out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    before, most, peak = map(int, out.split())
    assert peak <= most
    assert most - before < 4 * (peak - before), "a bound that is far too large says nothing"


CHILD = """
import sys
import rmtlottery as rl
from rmtlottery.train.fit import planned
from rmtlottery.train.memory import bound, peak, resident
from rmtlottery.work.unit import Unit

rl.fit(rl.preset("first").but(epochs=1, levels=0), sys.argv[2])  # what libraries take once
start = list(rl.Run(sys.argv[1]))
spec = start[0].spec.but(chart="principal", dim=int(sys.argv[3]), snapshots=())
before, plan = resident(), planned(spec, start)
most = bound(plan, Unit(plan.spec.seeds, threads=1), start)
rl.fit(plan.spec, sys.argv[2], start=start, threads=1)
print(before, most, peak("cpu"))
"""


@pytest.mark.parametrize(("points", "dim"), [(30, 4), (16, 15)])
def test_a_training_along_principal_directions_holds_no_more_either(points, dim, tmp_path):
    spec = rl.preset("first").but(widths="700", levels=0, epochs=1, batch=40, seeds=(0, 1), snapshots=range(1, points))
    parent = rl.fit(spec, tmp_path, threads=1)
    words = [sys.executable, "-c", CHILD, parent.path, tmp_path, str(dim)]
    out = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    before, most, peak = map(int, out.split())
    assert peak <= most
    assert most - before < 4 * (peak - before)


def test_directions_and_what_they_are_found_in_are_counted(tiny):
    numbers = 12 * 64 + 8 * 12 + 10 * 8 + 12 + 8 + 10
    held = material(tiny.but(chart="principal", dim=500))
    assert directions(held) == 2 * 4 * 500 * numbers
    tickets = [SimpleNamespace(trajectory=[{}] * many) for many in (7, 31, 2)]
    assert finding(held, tickets) > 8 * 31 * numbers
    assert finding(held, ()) == finding(material(tiny), tickets) == 0


def test_the_bound_grows_with_seeds_weights_batch_and_precision(tiny):
    def extra(spec=tiny, **unit):
        return bound(material(spec), Unit(spec.seeds, **unit)) - SCRATCH - resident()

    base = extra()
    assert extra(tiny.but(seeds=range(8))) > 3 * base
    assert extra(tiny.but(widths="500,400")) > 3 * base
    assert extra(precision="bf16") > base


def test_what_autograd_keeps_of_a_sample_is_what_convolutions_make_of_it():
    """Of 2 layers of 5 channels on 8x8 pixels: at least twice each one's padded input and its tanh, at most ten times."""
    held = material(rl.Spec().but(net={"kind": "conv", "channels": "2x5"}))
    inputs, made = 4 * 10 * 10 * (1 + 5), 4 * 2 * 5 * 8 * 8
    assert 2 * (inputs + made) <= saved(held) <= 10 * (inputs + made)
