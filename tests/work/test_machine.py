"""The settings of a unit hold while it is worked on, and no longer."""

import subprocess
import sys

import pytest
import torch

from rmtlottery.work.machine import exact, settled, tf32


def settings():
    cudnn = torch.backends.cudnn
    return torch.get_num_threads(), [getattr(*where[:2]) for where in exact()], cudnn.deterministic, cudnn.benchmark


def fault_inside(threads, seen):
    with settled(threads):
        seen.append(settings())
        raise ValueError("fault")


def test_they_hold_inside_and_are_put_back_even_after_a_fault(monkeypatch):
    monkeypatch.setattr("torch.backends.cudnn.benchmark", True)
    before, seen = settings(), []
    with pytest.raises(ValueError, match="fault"):
        fault_inside(before[0] + 1, seen)
    wanted = [value for *_, value in exact()]
    assert seen == [(before[0] + 1, wanted, True, False)]
    assert settings() == before


def test_tf32_is_named_where_a_gpu_may_use_it(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    holder, name, _ = exact()[0]
    loose = "tf32" if name == "fp32_precision" else True
    with settled(1):
        assert tf32() == "off"
        setattr(holder, name, loose)
        assert tf32() == "on"


SWITCHES = [
    "torch.backends.cuda.matmul.allow_tf32 = True",
    "torch.backends.cuda.matmul.fp32_precision = 'tf32'",
    "torch.backends.fp32_precision = 'tf32'",
    "torch.backends.cudnn.conv.fp32_precision = 'ieee'",
    "torch.set_float32_matmul_precision('medium')",
]


@pytest.mark.parametrize("switch", SWITCHES)
def test_they_hold_whatever_switches_a_user_has_turned(switch):
    """In fp32 that is fp32: bf16 inside would be off by a thousand times as much."""
    words = f"""
import torch
from rmtlottery.work.machine import settled
from rmtlottery.work.unit import provenance
{switch}
a, b = torch.randn(2, 300, 300)
with settled(1):
    provenance()
    exact = a.double() @ b.double()
    assert (a @ b - exact).norm() / exact.norm() < 1e-6
provenance()
"""
    done = subprocess.run([sys.executable, "-c", words], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
