"""A unit of work says all that its bits depend on."""

import json

import pytest

import rmtlottery as rl
from rmtlottery.work.unit import Unit, cores, provenance


def test_it_survives_json():
    unit = Unit((3, 1), "cuda", 4, "bf16")
    assert Unit.from_dict(json.loads(json.dumps(unit.to_dict()))) == unit


def test_its_name_is_its_seeds():
    assert Unit((3, 1)).name == "seeds-3-1"


def test_provenance_names_versions_and_machine():
    held = provenance()
    assert held["rmtlottery"] == rl.__version__
    assert set(held) == {"rmtlottery", "torch", "python", "machine"}
    assert all(held.values())


def test_there_is_at_least_one_core():
    assert cores() >= 1


def test_an_unknown_precision_is_refused():
    with pytest.raises(rl.Refusal, match="precision = 'tf32' is not fp32 or bf16"):
        Unit((0,), precision="tf32")
