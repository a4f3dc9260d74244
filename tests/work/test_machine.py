"""The settings of a unit hold while it is worked on, and no longer."""

import pytest
import torch

from rmtlottery.work.machine import settled, tf32


def settings():
    return torch.get_num_threads(), torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32


def fault_inside(threads, seen):
    with settled(threads):
        seen.append(settings())
        raise ValueError("fault")


def test_they_hold_inside_and_are_put_back_even_after_a_fault():
    torch.set_float32_matmul_precision("high")
    before = settings()
    seen = []
    try:
        with pytest.raises(ValueError, match="fault"):
            fault_inside(before[0] + 1, seen)
        assert seen == [(before[0] + 1, "highest", False)]
        assert settings() == before
    finally:
        torch.set_float32_matmul_precision("highest")


def test_tf32_is_named_where_a_gpu_may_use_it(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    with settled(1):
        assert tf32() == "off"
    monkeypatch.setattr("torch.backends.cudnn.allow_tf32", True)
    assert tf32() == "on"
