"""Presets: known by name, labelled by it, and fit to be run."""

import math

import pytest
import torch

from rmtlottery.datasets.dataset import Split, assemble
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.presets import label, preset, presets
from rmtlottery.tickets.spec import Spec
from rmtlottery.train.material import material
from rmtlottery.train.plan import check_plan

SHAPES = {
    "digits": ((1, 8, 8), 10),
    "teacher": ((64,), 10),
    "mnist": ((1, 28, 28), 10),
    "cifar10": ((3, 32, 32), 10),
    "cifar100": ((3, 32, 32), 100),
}


def test_these_presets_exist_and_each_says_what_it_is_for():
    assert {"digits", "teacher", "first"} <= set(presets())
    assert all(words.endswith(".") and "\n" not in words for words in presets().values())


@pytest.mark.parametrize("name", presets())
def test_a_presets_label_is_its_name_and_survives_json(name):
    spec = preset(name)
    assert label(spec) == spec.preset == name
    assert Spec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("name", presets())
def test_a_preset_passes_the_checks_before_training(name):
    """On stand-ins of the right shape: no preset needs its data for that."""
    shape, classes = SHAPES[preset(name).data.kind]
    x, y = torch.zeros(500, math.prod(shape)), torch.arange(500) % classes
    data = assemble(Split(x + y[:, None], y), Split(x, y), shape, classes, preset(name).data.validation)
    check_plan(material(preset(name), data=data))


def test_no_two_presets_are_the_same_run():
    held = [preset(name).identity() for name in presets()]
    assert all(a != b for at, a in enumerate(held) for b in held[:at])


def test_an_unknown_preset_is_refused_with_the_nearest():
    with pytest.raises(Refusal, match="unknown preset 'digit': did you mean 'digits'"):
        preset("digit")


def test_a_new_protocol_keeps_the_label_of_no_preset_but_its_own():
    assert label(preset("teacher").but(preset="digits")) == "digits-data=teacher"


@pytest.mark.parametrize(
    ("spec", "expected"),
    [(Spec(), "run"), (preset("digits"), "digits"), (preset("digits").but(lr=1e-2), "digits-lr=0.01"),
     (preset("digits").but(widths="3x9,4", optimiser="sgd"), "digits-widths=3x9,4-optimiser=sgd"),
     (preset("digits").but(seeds=7).but(lr=0.5).but(lr=3e-3), "digits"), (preset("digits").but(lr=0.1, name="mine"), "mine"),
     (Spec().but(optimiser={"kind": "sgd", "nesterov": True}), "run-optimiser=sgd-nesterov=true")],
)  # fmt: skip
def test_a_label_is_the_name_or_the_preset_and_what_differs(spec, expected):
    assert label(spec) == expected


def test_a_label_does_not_tell_the_order_of_changes():
    first = preset("digits").but(lr=0.5).but(phi="erf").but(rate=0.3)
    second = preset("digits").but(rate=0.3).but(phi="erf", lr=0.5)
    assert label(first) == label(second) == "digits-phi=erf-lr=0.5-rate=0.3"
