"""Inputs from 0 to 1."""

import torch

import rmtlottery as rl
from rmtlottery import datasets

PLAIN = datasets.dataset(rl.Spec().data)
UNIT = datasets.dataset(rl.Spec().but(scale="range").data)


def test_the_training_part_goes_from_0_to_1_and_the_others_by_its_ends():
    assert (UNIT.train.x.min(), UNIT.train.x.max()) == (0, 1)
    low, high = PLAIN.train.x.min(), PLAIN.train.x.max()
    for name in ("train", "validation", "test"):
        plain, unit = getattr(PLAIN, name), getattr(UNIT, name)
        torch.testing.assert_close(unit.x * (high - low) + low, plain.x)
        assert torch.equal(unit.y, plain.y)


def test_it_says_so():
    assert "from 0 to 1" in UNIT.preprocessing
    assert "mean" in PLAIN.preprocessing


def test_tensors_of_ones_own_are_scaled_too(tmp_path):
    x, y = torch.randn(60, 5), torch.arange(60) % 3
    spec = rl.Spec().but(widths="4", epochs=1, levels=0, scale="range", validation=0, seeds=(0,))
    ticket = rl.fit(spec, tmp_path, data=(x[:40], y[:40], x[40:], y[40:]))[0, 0]
    assert ticket.spec.data.scale == "range"
    held = datasets.dataset(ticket.spec.data)
    torch.testing.assert_close(held.train.x, (x[:40] - x[:40].min()) / (x[:40].max() - x[:40].min()))


def test_a_spec_of_before_is_scaled_by_moments():
    assert rl.Spec.from_json(rl.Spec().to_json().replace('"scale": "moments"', '"validation": 0.1')).data.scale == "moments"
