"""A net led elsewhere by others: its loss, its logits, and how much a random displacement adds to the loss."""

from functools import partial

import numpy as np
import pytest
import torch
from torch.autograd.functional import hessian

import rmtlottery as rl
from rmtlottery import datasets, nets
from rmtlottery.charts.flat import flatten, unflatten
from rmtlottery.charts.projections import projection
from rmtlottery.datasets.dataset import Split
from rmtlottery.measure.hessian import Landscape
from rmtlottery.measure.stored import Stored
from rmtlottery.measure.subnets import Subnet
from tests.conftest import TINY, assert_mean

SUBSPACE = TINY.but(
    chart={"kind": "affine", "dim": 9, "projection": "orthonormal"}, levels=0, widths="5", epochs=2, lr=5e-2, seeds=(3,)
)
SAMPLES = 60
LOSSES = {
    "cross_entropy": torch.nn.functional.cross_entropy,
    "squared": lambda logits, y: (logits - torch.eye(10)[y]).square().sum(1).mean() / 2,
}


@pytest.fixture(scope="module", params=sorted(LOSSES))
def subnet(request, tmp_path_factory):
    run = rl.fit(
        SUBSPACE.but(loss=request.param, shuffled="classes", shuffling=2), tmp_path_factory.mktemp("subnet"), threads=1
    )
    return made(run[3, 0])


def made(ticket, samples=SAMPLES):
    held = Stored.of([ticket])
    return Subnet(ticket, held.maps[0], held.moved[0], samples)


def outputs(subnet, moved, split):
    """By the network itself, at the start and what it is moved by."""
    network = nets.build(subnet.ticket.spec.net, (64,), 10)
    start = flatten(subnet.ticket.start, network.shapes)
    return network.logits(unflatten(start + moved, network.shapes), split.x)


def loss(subnet, moved, samples=SAMPLES):
    train = datasets.dataset(subnet.ticket.spec.data).train
    few = Split(train.x[:samples], train.y[:samples])
    return LOSSES[subnet.ticket.spec.optimiser.loss](outputs(subnet, moved, few), few.y)


def elsewhere(subnet):
    return subnet.moved + 0.1 * torch.randn(len(subnet.moved), generator=torch.Generator().manual_seed(0))


def test_the_loss_is_that_of_training_on_the_first_samples(subnet):
    for moved in (subnet.moved, elsewhere(subnet), torch.zeros_like(subnet.moved)):
        assert subnet.loss(moved) == pytest.approx(loss(subnet, moved).item(), rel=1e-5)
    assert abs(subnet.loss(elsewhere(subnet)) - subnet.loss(subnet.moved)) > 1e-3


def test_of_no_number_of_samples_it_is_that_of_all(subnet):
    found = made(subnet.ticket, 0).loss(subnet.moved)
    assert found == pytest.approx(loss(subnet, subnet.moved, samples=None).item(), rel=1e-5)
    assert found != pytest.approx(subnet.loss(subnet.moved), rel=1e-3)


def test_logits_are_those_of_the_test_part_of_its_own_task(subnet):
    assert subnet.task.shuffling == 2
    for moved in (subnet.moved, elsewhere(subnet)):
        torch.testing.assert_close(subnet.logits(moved), outputs(subnet, moved, subnet.test), rtol=1e-4, atol=1e-5)
    right = (subnet.logits(subnet.moved).argmax(1) == subnet.test.y).float().mean().item()
    assert right == pytest.approx(subnet.ticket.metrics[-1]["test_accuracy"], abs=1e-6)
    plain = datasets.dataset(rl.preset("first").data).test
    assert not torch.equal(subnet.test.y, plain.y)


def test_logits_of_a_few_at_a_time_are_the_same(subnet):
    several = made(subnet.ticket)
    several.__dict__["seen"] = Landscape(**(vars(several.seen) | {"batch": 50}))
    torch.testing.assert_close(several.logits(several.moved), subnet.logits(subnet.moved), rtol=1e-5, atol=1e-5)


def test_what_random_displacements_add_is_the_mean_curvature(subnet):
    H = hessian(partial(loss, subnet), subnet.moved).double()
    squared = subnet.moved.square().sum().item()
    Q = subnet.map_.apply(torch.eye(9)).double().T
    torch.testing.assert_close(Q.T @ Q, torch.eye(9).double(), rtol=0, atol=1e-5)
    expected = {False: squared * H.trace() / len(H) / 2, True: squared * (Q.T @ H @ Q).trace() / 9 / 2}
    assert abs(expected[True] / expected[False] - 1) > 0.1, "too blunt"
    for within, mean in expected.items():
        numbers = np.random.default_rng(int(within))
        samples = [subnet.rise(within, 25, numbers) for _ in range(40)]
        assert_mean(samples, mean.item(), rejects=1.2 * mean.item())


def test_of_one_direction_that_is_its_own_there_is_no_scatter(subnet):
    alone = Subnet(subnet.ticket, projection("dense", len(subnet.moved), 1, 7), subnet.moved, SAMPLES)
    rises = [alone.rise(True, 1, np.random.default_rng(seed)) for seed in range(3)]
    assert rises == pytest.approx([rises[0]] * 3, rel=1e-4)


def test_the_way_to_curvature_is_made_once_for_all_probes(subnet, monkeypatch):
    times, product = [], Landscape.hessian.fget
    monkeypatch.setattr(Landscape, "hessian", property(lambda held: (times.append(1), product(held))[1]))
    subnet.rise(False, 5, np.random.default_rng(0))
    assert len(times) == 1
