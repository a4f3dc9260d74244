"""The real sets, from files to tickets: what a first hour with MNIST and CIFAR-10 must show."""

import math

import pytest

import rmtlottery as rl
from tests.commands import command


@pytest.fixture(autouse=True)
def _found(real_data, monkeypatch):
    monkeypatch.setenv("RMTL_DATA", str(real_data))


def test_lenet_learns_mnist_and_keeps_it_under_a_cut(tmp_path):
    """A net of 300 and 100 units is above 95 % after 900 steps; a wrong label order would give 10 %."""
    spec = rl.preset("lenet_300_100").but(epochs=1, levels=1, rate=0.8, last_rate=0.4)
    run = rl.fit(spec, tmp_path, threads=1)
    assert [ticket.metrics[-1]["test_accuracy"] > 0.945 for ticket in run] == [True, True]
    assert run[0, 1].density == pytest.approx(0.2 + 0.4 * 1000 / 266_200)


def test_the_lens_net_is_at_the_edge_on_cifar10_and_learns(tmp_path):
    """q of 8 layers of 256 lies near q* = 0.77, within the finite width's spread; CIFAR-10 is learnt to a third."""
    run = rl.fit(rl.preset("lens_fc_quick").but(epochs=1, levels=0), tmp_path, threads=1)
    table = rl.tabulate("qmap", run, samples=500)
    rewound = table[(table["state"] == "rewound") & (table["layer"] > 4)].groupby("source")["q"].mean()
    assert rewound["measured"] == pytest.approx(0.76, abs=0.15)
    assert rewound["T0 nominal"] == pytest.approx(0.7713, abs=0.01)
    assert run[0, 0].metrics[-1]["test_accuracy"] > 0.33


def test_a_small_convolutional_lens_takes_steps_on_cifar10(tmp_path):
    spec = rl.preset("lens_conv_small").but(channels="3x8", strides="2,2,2", epochs=1, batch=512, levels=1)
    run = rl.fit(spec, tmp_path, threads=1)
    assert run[0, 1].metrics[-1]["test_accuracy"] > 0.15
    assert math.isfinite(rl.tabulate("qmap", run, samples=50)["q"].sum())


def test_the_command_says_which_sets_are_here(real_data):
    code, out, err = command("datasets", "list", env={"RMTL_DATA": str(real_data)})
    assert (code, err) == (0, "")
    assert f"mnist      in {real_data / 'mnist'}, checked" in out
    assert f"cifar10    in {real_data / 'cifar-10-batches-py'}, checked" in out
