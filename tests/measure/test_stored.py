"""What is read of one of several subnets in one vector, against explicit columns in float64 and against theory."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery.charts.flat import flatten
from rmtlottery.charts.projections import projection
from rmtlottery.measure.stored import READOUTS, Stored, directions, solved, squares
from rmtlottery.train.child import child
from rmtlottery.width import interference
from tests.conftest import TINY, assert_mean

SUBSPACE = TINY.but(chart={"kind": "affine", "dim": 11, "projection": "dense"}, levels=0, epochs=1, seeds=(0,))


def stored(kind, subnets, dim, ambient, first=0, lengths=None):
    """Subnets whose coordinates are uniform on spheres: of radius 1, or of these."""
    maps = [projection(kind, ambient, dim, first + k) for k in range(subnets)]
    x = np.random.default_rng(first).standard_normal((subnets, dim))
    x *= (np.ones(subnets) if lengths is None else lengths)[:, None] / np.linalg.norm(x, axis=1, keepdims=True)
    moved = [p.apply(torch.from_numpy(row).float()) for p, row in zip(maps, x, strict=True)]
    return Stored(tuple(maps), torch.stack(moved), torch.zeros(ambient))


def columns(map_):
    """P, (D, d)."""
    return map_.apply(torch.eye(map_.dim)).double().numpy().T


def shortest(matrix, total):
    """numpy's least squares of minimum norm."""
    return np.linalg.lstsq(matrix, total, rcond=1e-6)[0]


def missed(held, readout):
    return ((held.readings(readout) - held.moved).square().sum(1) / held.moved.square().sum(1)).double().numpy()


def test_the_sum_is_read_as_each_of_them():
    held = stored("dense", 3, 8, 70)
    read = held.readings("sum")
    assert read.shape == (3, 70)
    for one in read:
        torch.testing.assert_close(one, held.moved[0] + held.moved[1] + held.moved[2])


@pytest.mark.parametrize(("kind", "dim"), [("dense", 8), ("dense", 40), ("sparse", 8), ("axes", 20)])
def test_a_projection_is_that_on_the_columns(kind, dim):
    held = stored(kind, 3, dim, 70)
    total = held.moved.sum(0).double().numpy()
    for map_, read in zip(held.maps, held.readings("projection"), strict=True):
        basis = np.linalg.qr(columns(map_))[0]
        np.testing.assert_allclose(read.numpy(), basis @ (basis.T @ total), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("kind", "subnets", "dim"), [("dense", 4, 15), ("sparse", 4, 15), ("dense", 2, 33)])
def test_as_many_as_there_is_room_for_are_unmixed_exactly(kind, subnets, dim):
    held = stored(kind, subnets, dim, 70, lengths=np.geomspace(0.3, 3, subnets))
    torch.testing.assert_close(held.readings("unmixed"), held.moved, rtol=1e-3, atol=3e-4)
    assert (missed(held, "projection") > 0.05).any(), "too blunt"


def test_columns_that_fill_all_weights_are_unmixed_exactly_too():
    held = stored("dense", 2, 35, 70)
    assert np.linalg.cond(np.hstack([columns(map_) for map_ in held.maps])) > 30
    assert missed(held, "unmixed").max() < 1e-4


@pytest.mark.parametrize(("kind", "subnets", "dim"), [("dense", 5, 25), ("sparse", 5, 25), ("axes", 4, 25)])
def test_beyond_they_are_the_shortest_of_least_squares(kind, subnets, dim):
    held = stored(kind, subnets, dim, 70)
    each = [columns(map_) for map_ in held.maps]
    x = shortest(np.hstack(each), held.moved.sum(0).double().numpy())
    expected = [matrix @ part for matrix, part in zip(each, np.split(x, subnets), strict=True)]
    np.testing.assert_allclose(held.readings("unmixed").numpy(), expected, rtol=1e-3, atol=1e-4)


def test_coordinates_are_the_shortest_that_lead_nearest():
    map_, total = projection("dense", 40, 9, 0), torch.randn(40, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(solved(map_, total).numpy(), shortest(columns(map_), total.double().numpy()), atol=1e-5)


def test_a_mask_of_axes_shares_a_weight_among_those_that_touch_it():
    """In proportion to |x_k|^2, whatever each has there."""
    lengths = np.array([1.0, 2.0, 5.0])
    held = stored("axes", 3, 12, 30, lengths=lengths)
    touched = np.array([columns(map_).any(1) for map_ in held.maps])
    assert {0, 1, 2} <= set(touched.sum(0)), "too blunt"
    total, read = held.moved.sum(0).numpy(), held.readings("mask").numpy()
    for place in range(30):
        among = lengths**2 * touched[:, place]
        shares = among / among.sum() if among.any() else np.zeros(3)
        np.testing.assert_allclose(read[:, place], shares * total[place], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("kind", ["dense", "sparse", "countsketch", "axes"])
def test_masks_share_the_whole_sum(kind):
    held = stored(kind, 5, 9, 70, lengths=np.arange(1.0, 6.0))
    torch.testing.assert_close(held.readings("mask").sum(0), held.moved.sum(0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["dense", "orthonormal", "sparse", "countsketch", "fastfood", "axes"])
@pytest.mark.parametrize("readout", READOUTS)
def test_one_subnet_alone_is_read_exactly(readout, kind):
    """By a mask too: what it cuts is where the subnet never goes."""
    held = stored(kind, 4, 9, 70).first(1)
    assert len(held.maps) == len(held.moved) == 1
    torch.testing.assert_close(held.readings(readout), held.moved, rtol=1e-4, atol=1e-6)


def test_a_subnet_that_did_not_move_is_read_as_none_by_masks():
    held = stored("axes", 2, 9, 70, lengths=np.array([0.0, 0.0]))
    assert not held.readings("mask").any()


@pytest.mark.parametrize("ambient", [70, 200])
def test_squares_are_those_of_rows(ambient):
    """Also of more columns than are written out at once."""
    map_ = projection("dense", ambient, 70, 1)
    np.testing.assert_allclose(squares(map_).numpy(), np.square(columns(map_)).sum(1), rtol=1e-5)


def test_axes_touch_their_share_of_weights():
    assert stored("axes", 3, 14, 70).touched == pytest.approx(0.2)
    assert stored("dense", 3, 14, 70).touched == 1


CASES = [
    ("dense", 2, 10, 60),
    ("dense", 5, 10, 60),
    ("dense", 6, 18, 60),
    ("axes", 3, 12, 45),
    ("axes", 6, 20, 60),
    ("orthonormal", 3, 30, 60),
]


@pytest.mark.parametrize(("kind", "subnets", "dim", "ambient"), CASES)
@pytest.mark.parametrize("readout", READOUTS)
def test_what_is_missed_is_what_theory_says(readout, kind, subnets, dim, ambient):
    """Masks of dense rows are not quite alike."""
    draws = [stored(kind, subnets, dim, ambient, 1000 * number) for number in range(60)]
    law = draws[0].maps[0].law
    expected = interference(readout, subnets, dim, ambient, touched=draws[0].touched, law=law)
    samples = np.array([missed(held, readout).mean() for held in draws])
    if expected == 0:
        assert samples.max() < 1e-6
    else:
        assert_mean(samples, expected, rejects=1.5 * expected, bias=0.05 * expected if kind != "axes" else 0)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    root = tmp_path_factory.mktemp("stored")
    return [rl.fit(SUBSPACE.but(draw=draw), root, threads=1) for draw in range(3)]


def test_of_tickets_each_moved_along_its_own_map(runs):
    tickets = [run[0, 0] for run in runs]
    held = Stored.of(tickets)
    shapes = {name: tickets[0].start[name].shape for name in tickets[0].record["parameters"]}
    for ticket, map_, moved in zip(tickets, held.maps, held.moved, strict=True):
        torch.testing.assert_close(held.start + moved, flatten(ticket.weights, shapes), rtol=1e-6, atol=1e-7)
        torch.testing.assert_close(moved, map_.apply(ticket.coordinates.flatten()), rtol=1e-3, atol=1e-6)
        assert moved.norm() > 0.01
    assert torch.equal(held.start, flatten(tickets[0].init, shapes))


def test_tickets_of_another_seed_or_start_are_refused(runs, tmp_path):
    other = rl.fit(SUBSPACE.but(draw=1, seeds=(1,)), tmp_path, threads=1)
    with pytest.raises(rl.Refusal, match=r"seed 1, .* and .*seed 0, .* began at different weights, and cannot share them"):
        Stored.of([runs[0][0, 0], other[1, 0]])
    beside = child(runs[0], tmp_path, {"control": "around:0.5", "draw": 1}, threads=1)
    with pytest.raises(rl.Refusal, match="began at different weights"):
        Stored.of([runs[0][0, 0], beside[0, 0]])


def test_tickets_along_the_same_directions_are_refused(runs):
    with pytest.raises(
        rl.Refusal, match=r"two of 3 subnets, .*, go along the same directions: train each with another --draw"
    ):
        Stored.of([runs[place][0, 0] for place in (0, 1, 0)])


@pytest.mark.parametrize("chart", ["full", "said", "sum"])
def test_tickets_of_other_charts_are_refused(chart, tmp_path):
    run = rl.fit(SUBSPACE.but(chart=chart if chart == "full" else {"kind": chart, "dim": 11}), tmp_path, threads=1)
    with pytest.raises(rl.Refusal, match=f"was trained with chart {chart}: subnets are tickets of chart affine"):
        Stored.of([run[0, 0]])


def test_directions_that_these_libraries_draw_otherwise_are_refused(runs, monkeypatch):
    ticket = runs[0][0, 0]
    shapes = {name: tuple(ticket.start[name].shape) for name in ticket.record["parameters"]}
    made = directions(ticket, shapes)
    assert made.fingerprint == ticket.chart["fingerprint"]
    another = projection("dense", made.ambient, made.dim, 9)
    monkeypatch.setattr("rmtlottery.measure.stored.projection_of", lambda *what: another)
    with pytest.raises(
        rl.Refusal, match=f"{made.fingerprint}, and with these libraries its seed gives {another.fingerprint}"
    ):
        directions(ticket, shapes)


@pytest.mark.parametrize("factor", [0.0, float("nan"), float("inf")])
def test_a_net_that_went_nowhere_or_too_far_is_no_subnet(tmp_path, factor):
    ticket = rl.fit(TINY.but(levels=0, chart="affine", dim=20, seeds=(0,)), tmp_path, threads=1)[0, 0]
    ended = {n: ticket.start[n] + factor * (value - ticket.start[n]) for n, value in ticket.weights.items()}
    with pytest.raises(rl.Refusal, match="from its start: it is no subnet that could be read"):
        Stored.of([replace(ticket, read={**ticket.read, "weights": lambda: ended})])
