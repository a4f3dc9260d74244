"""A unit of work says all that its bits depend on."""

import json

import pytest

import rmtlottery as rl
from rmtlottery.work.unit import Unit, check_device, check_sparse, cores, provenance, sparse_by_default


def test_it_survives_json():
    unit = Unit((3, 1), "cuda", 4, "bf16", 0.1)
    assert Unit.from_dict(json.loads(json.dumps(unit.to_dict()))) == unit


def test_one_from_before_sparse_steps_goes_on_without_them():
    assert Unit.from_dict({"seeds": [3], "device": "cpu", "threads": 2, "precision": "fp32"}).sparse == 0


@pytest.mark.parametrize(
    ("device", "precision", "density"), [("cpu", "fp32", 0.15), ("cpu", "bf16", 0.1), ("cuda", "fp32", 0)]
)
def test_sparse_steps_are_taken_where_they_were_found_to_pay(device, precision, density):
    assert sparse_by_default(device, precision) == density


def test_there_are_none_without_mkl(monkeypatch):
    monkeypatch.setattr("torch.backends.mkl.is_available", lambda: False)
    assert sparse_by_default("cpu", "fp32") == 0
    with pytest.raises(rl.Refusal, match=r"sparse = 0.1 needs a torch that was built with MKL; take --sparse 0"):
        check_sparse(Unit((0,), sparse=0.1))


def test_its_name_is_its_seeds_as_long_as_they_are_few():
    assert Unit((3, 1)).name == "seeds-3-1"
    many = Unit(tuple(range(500))).name
    assert many.startswith("seeds-0-and-499-more-")
    assert len(many) < 40
    assert many != Unit((*range(499), 700)).name


def test_provenance_names_versions_and_machine():
    held = provenance()
    assert held["rmtlottery"] == rl.__version__
    assert set(held) == {"rmtlottery", "torch", "numpy", "python", "machine", "gpu", "tf32"}
    assert all(held.values())


def test_the_number_of_cores_is_the_environments_if_it_says(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert cores() >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert cores() == 7


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(rl.Refusal, match=r"device = 'cuda:97' is not on this machine \(\d+ GPUs\); take --device cpu"):
        check_device("cuda:97")
    check_device("cpu")


@pytest.mark.parametrize(
    ("field", "match"),
    [
        ({"precision": "tf32"}, "precision = 'tf32' is not fp32 or bf16"),
        ({"device": "gpu"}, "device = 'gpu' is not cpu, cuda or cuda:NUMBER"),
        ({"device": 5}, "device = 5 is not cpu"),
        ({"threads": "x"}, "threads = 'x' is not a whole number"),
        ({"sparse": 1.5}, "sparse = 1.5 is no density between 0 and 1"),
        ({"sparse": "few"}, "sparse = 'few' is no density"),
    ],
)
def test_what_no_unit_can_be_is_refused(field, match):
    with pytest.raises(rl.Refusal, match=match):
        Unit((0,), **field)
