"""Courses of training, and angles between them and between subspaces, of cases written out."""

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery.charts.flat import flatten
from rmtlottery.charts.projections import projection
from rmtlottery.measure.paths import basis, cosine, course, last, share_within, squared_cosines
from rmtlottery.train.child import child
from tests.conftest import TINY

SPEC = TINY.but(chart={"kind": "affine", "dim": 9}, levels=0, seeds=(0,), lr=1e-2)  # 26 steps


def flat(ticket, weights):
    return flatten(weights, {name: weights[name].shape for name in ticket.record["parameters"]})


def test_a_course_is_where_training_had_led_by_each_step_and_at_its_end(tmp_path):
    ticket = rl.fit(SPEC.but(snapshots=(3, 17)), tmp_path, threads=1)[0, 0]
    found = course(ticket)
    assert list(found) == [3, 17, 26] == [3, 17, last(ticket)]
    for step, weights in ((3, ticket.snapshots[3]), (17, ticket.snapshots[17]), (26, ticket.weights)):
        assert torch.equal(found[step], flat(ticket, weights) - flat(ticket, ticket.start))
        assert found[step].norm() > 0


def test_a_last_step_that_was_recorded_comes_once(tmp_path):
    ticket = rl.fit(SPEC.but(snapshots=(26,)), tmp_path, threads=1)[0, 0]
    assert list(course(ticket)) == [26]


def test_the_course_of_a_child_is_its_own_from_where_it_began(tmp_path):
    whole = rl.fit(SPEC.but(chart="full", snapshots=12), tmp_path, threads=1)
    ticket = child(whole, tmp_path, {"control": "after:12", "chart": "affine", "dim": 9, "snapshots": 5}, threads=1)[0, 0]
    found = course(ticket)
    assert list(found) == [5, 26]
    assert torch.equal(found[26], flat(ticket, ticket.weights) - flat(ticket, whole[0, 0].snapshots[12]))


@pytest.mark.parametrize("kind", ["dense", "sparse", "fastfood", "axes"])
def test_a_basis_is_orthonormal_and_spans_what_the_map_reaches(kind):
    map_ = projection(kind, 50, 8, 2)
    Q, P = basis(map_), map_.apply(torch.eye(8)).double().T
    assert Q.dtype == torch.float64
    torch.testing.assert_close(Q.T @ Q, torch.eye(8).double(), rtol=0, atol=1e-12)
    torch.testing.assert_close(Q @ (Q.T @ P), P, rtol=0, atol=1e-6)


def test_cosines_of_displacements():
    one, other = torch.tensor([3.0, 4.0, 0.0]), torch.tensor([0.0, 2.0, 0.0])
    assert cosine(one, other) == pytest.approx(0.8)
    assert cosine(one, -5 * one) == pytest.approx(-1)
    assert cosine(other, torch.tensor([1.0, 0.0, 7.0])) == 0


def test_a_share_is_that_of_the_square_within():
    plane = torch.eye(4, dtype=torch.float64)[:, :2]
    assert share_within(torch.tensor([1.0, 2.0, 2.0, 4.0]), plane) == pytest.approx(5 / 25)
    assert share_within(torch.tensor([1.0, -2.0, 0.0, 0.0]), plane) == pytest.approx(1)
    turned = torch.linalg.qr(torch.tensor([[1.0, 1.0], [1.0, -1.0], [0.0, 0.0], [0.0, 1.0]]).double())[0]
    v = torch.tensor([1.0, 2.0, 2.0, 4.0])
    fit = np.linalg.lstsq(turned.numpy(), v.double().numpy(), rcond=None)[0]
    assert share_within(v, turned) == pytest.approx((turned.numpy() @ fit) @ v.numpy() / 25)


def test_principal_angles_of_planes_that_share_a_line():
    """The planes (e1, e2) and (e1, e2 cos t + e3 sin t)."""
    turn = 0.7
    one = torch.eye(3, dtype=torch.float64)[:, :2]
    other = torch.tensor([[1.0, 0.0], [0.0, np.cos(turn)], [0.0, np.sin(turn)]], dtype=torch.float64)
    np.testing.assert_allclose(squared_cosines(one, other), [1, np.cos(turn) ** 2])
    mixed = other @ torch.linalg.qr(torch.tensor([[1.0, 2.0], [3.0, 4.0]]).double())[0]
    np.testing.assert_allclose(squared_cosines(one, mixed), [1, np.cos(turn) ** 2])
    assert squared_cosines(one, torch.eye(3, dtype=torch.float64)[:, 2:]).tolist() == [0]


def test_a_line_has_one_angle_with_a_plane():
    line = torch.tensor([[2.0], [3.0], [6.0]], dtype=torch.float64) / 7
    np.testing.assert_allclose(squared_cosines(line, torch.eye(3, dtype=torch.float64)[:, :2]), [13 / 49])
