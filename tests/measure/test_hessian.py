"""Curvature by products against matrices that are written out, whole and pruned, in uneven batches."""

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

import rmtlottery as rl
from rmtlottery.measure.hessian import Landscape, Spectra, landscape, spectra
from tests.conftest import assert_mean
from tests.measure import landscapes
from tests.measure.landscapes import CLASSES, SAMPLES, vector


def ones_at(y):
    return (y[:, None] == torch.arange(CLASSES)).double()


LOSSES = {
    "cross_entropy": cross_entropy,
    "squared": lambda logits, y: (logits - ones_at(y)).square().sum() / (2 * len(y)),
}


def whole(held, loss):
    return lambda flat: LOSSES[loss](held.logits(flat, held.split.x), held.split.y)


@pytest.mark.parametrize("kept", [None, 0.4])
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_value_gradient_and_products_are_those_of_the_whole_split(loss, kept):
    held = landscapes.landscape(loss, kept)
    function = whole(held, loss)
    assert held.value(held.at) == pytest.approx(function(held.at).item(), rel=1e-13)
    torch.testing.assert_close(held.gradient(), torch.func.grad(function)(held.at), rtol=1e-11, atol=1e-14)
    v = vector(len(held.at))
    torch.testing.assert_close(
        held.hessian(v), torch.func.jacrev(torch.func.grad(function))(held.at) @ v, rtol=1e-10, atol=1e-13
    )


@pytest.mark.parametrize("kept", [None, 0.4])
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_gauss_newton_is_the_jacobian_around_the_curvature_of_the_loss(loss, kept):
    held = landscapes.landscape(loss, kept)
    J, p = landscapes.jacobian(held), held.logits(held.at, held.split.x).softmax(1)
    bend = torch.diag_embed(p) - p[:, :, None] * p[:, None] if loss == "cross_entropy" else torch.eye(CLASSES).double()
    matrix = torch.einsum("nci,ncd,ndj->ij", J, bend.expand(SAMPLES, -1, -1), J) / SAMPLES
    v = vector(len(held.at))
    torch.testing.assert_close(held.gauss_newton(v), matrix @ v, rtol=1e-10, atol=1e-13)
    assert (held.hessian(v) - held.gauss_newton(v)).abs().max() > 1e-3, "the net is not linear"


def test_the_secant_is_the_average_over_the_way():
    held = landscapes.landscape("squared")
    start, v = held.at + 0.3 * vector(len(held.at), seed=5), vector(len(held.at))
    ways = (np.arange(400) + 0.5) / 400
    each = [(2 * (1 - t) / 400) * held.about_to(start, t).gauss_newton(v) for t in ways]
    torch.testing.assert_close(held.secant(start, 8)(v), torch.stack(each).sum(0), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["hessian", "gauss_newton", "secant"])
def test_what_a_split_is_made_into_is_kept_where_it_is_small_and_gives_the_same(kind, monkeypatch):
    """Of 23 samples in batches of 7: four are sent through the net once, at each of the secant's places, or for every v."""
    times, logits = [], Landscape.logits
    monkeypatch.setattr(Landscape, "logits", lambda *what: (times.append(1), logits(*what))[1])
    found = {}
    for numbers in (SAMPLES * 6, SAMPLES * 6 - 1):
        monkeypatch.setattr("rmtlottery.measure.hessian.KEPT", numbers)
        held = landscapes.landscape()
        times.clear()
        product = held.secant(0.9 * held.at, 3) if kind == "secant" else getattr(held, kind)
        found[numbers] = spectra(product, vector(len(held.at)), 2, 5, np.random.default_rng(0))
        assert len(times) == 4 * (3 if kind == "secant" else 1) * (1 if numbers == SAMPLES * 6 else 3 * 5)
    kept, anew = found.values()
    for one, other in zip([*kept.probes, kept.along], [*anew.probes, anew.along], strict=True):
        assert np.array_equal(one, other)


def test_what_is_cut_is_zero_and_does_not_move():
    held = landscapes.landscape(kept=0.4)
    filled = held.whole(held.at)
    assert len(held.at) < len(filled)
    assert torch.equal(filled[held.places], held.at)
    assert filled.count_nonzero() == len(held.at)


def test_the_measure_of_a_vector_has_its_moments_and_that_of_probes_the_trace():
    eigenvalues = np.r_[np.zeros(30), np.linspace(0.5, 2, 60), 9.0]
    basis = np.linalg.qr(np.random.default_rng(3).standard_normal((91, 91)))[0]
    matrix, u = torch.from_numpy(basis * eigenvalues @ basis.T), vector(91)
    found = spectra(lambda v: matrix @ v, u, 200, 12, np.random.default_rng(4))
    nodes, shares = found.along
    for power in (0, 1, 5):
        expected = (u @ torch.linalg.matrix_power(matrix, power) @ u).item()
        assert found.squared * (shares @ nodes**power) == pytest.approx(expected, rel=1e-9)
    traces = [found.ambient * (weights @ nodes) for nodes, weights in found.probes]
    assert_mean(traces, eigenvalues.sum(), rejects=1.1 * eigenvalues.sum())
    assert found.lowest == pytest.approx(0, abs=0.02)


def test_negative_curvature_is_told():
    eigenvalues = np.r_[np.full(20, -1.0), np.full(60, 1.0), 50.0]
    matrix = torch.diag(torch.from_numpy(eigenvalues))
    found = spectra(lambda v: matrix @ v, vector(81), 60, 5, np.random.default_rng(0))
    assert found.lowest == pytest.approx(-1, abs=1e-6)
    assert found.negative(0.001) == pytest.approx(20 / 81, abs=0.04)
    assert found.negative(0.1) == 0


def test_a_rule_alone_tells_the_negative_share():
    assert Spectra(3, [(np.array([-1.0, 2.0]), np.array([0.25, 0.75]))], (np.ones(1), np.ones(1)), 1.0).negative(0.1) == 0.25


def test_no_displacement_has_no_measure():
    with pytest.raises(rl.Refusal, match="the weights are where training began"):
        spectra(lambda v: v, torch.zeros(4), 1, 2, np.random.default_rng(0))


def test_of_a_ticket_on_the_first_training_samples_by_its_own_loss(tiny_run):
    ticket = tiny_run[1, 3]
    held = landscape(ticket, ticket.weights, 50)
    assert len(held.split.y) == 50
    assert len(held.at) == sum(int(mask.sum()) for mask in ticket.mask.values()) + 12 + 8 + 10
    logits = held.logits(held.at, held.split.x)
    assert held.value(held.at) == pytest.approx(cross_entropy(logits, held.split.y).item(), rel=1e-6)
    half = landscape(ticket, ticket.weights, 50, "squared").value(held.at)
    assert half == pytest.approx((logits - torch.eye(10)[held.split.y]).square().sum(1).mean().item() / 2, rel=1e-6)


def test_of_a_ticket_on_all_samples_where_none_are_named(tiny_run):
    ticket = tiny_run[0, 0]
    assert len(landscape(ticket, ticket.weights, 0).split.y) == 1293
    with pytest.raises(rl.Refusal, match="samples = -1 is not at least 1, or 0 for all"):
        landscape(ticket, ticket.weights, -1)
