"""Spectra of curvature of trained tickets, against matrices written out."""

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery.analyze.hessian import headline, plot, table
from rmtlottery.charts.flat import flatten
from rmtlottery.measure.hessian import landscape

FEW = {"samples": 80, "probes": 8, "steps": 40}


@pytest.fixture(scope="module")
def ticket(tiny_run):
    return tiny_run[1, 3]


@pytest.fixture(scope="module")
def written(ticket):
    """The Hessian of what is kept, and where training came from."""
    held = landscape(ticket, {name: value.double() for name, value in ticket.weights.items()}, 80)
    matrix = torch.stack([held.hessian(one) for one in torch.eye(len(held.at), dtype=torch.float64)])
    return matrix.numpy(), (flatten(ticket.rewound, held.network.shapes).double()[held.places] - held.at).numpy()


def test_counts_are_those_of_the_eigenvalues(ticket, written):
    rows = table(ticket, **FEW)
    rows = rows[rows["source"] == "hessian"]
    values, vectors = np.linalg.eigh(written[0])
    assert rows["largest"].iloc[0] == pytest.approx(values[-1], rel=1e-4)
    assert rows["lowest"].iloc[0] == pytest.approx(values[0], rel=1e-2)
    assert rows["trace"].iloc[0] == pytest.approx(values.sum(), rel=0.2)
    shares = (vectors.T @ written[1]) ** 2 / (written[1] @ written[1])
    for curvature in (0.3, 0.05):
        near = rows.iloc[np.abs(rows["curvature"] / rows["largest"] - curvature).argmin()]
        assert near["eigenvalues"] == pytest.approx((values >= near["curvature"]).sum(), abs=6)
        assert near["displacement"] == pytest.approx(shares[values >= near["curvature"]].sum(), abs=0.1)
    assert rows["negative"].iloc[0] == pytest.approx(np.mean(values < -1e-2 * values[-1]), abs=0.06)


def test_gauss_newton_has_nothing_negative_and_all_of_the_displacement(ticket):
    rows = table(ticket, **FEW)
    newton = rows[rows["source"] == "gauss_newton"]
    assert newton["negative"].eq(0).all()
    assert newton["eigenvalues"].is_monotonic_increasing
    assert newton["displacement"].iloc[-1] == pytest.approx(1, abs=0.35)


def test_figure_and_headline(tiny_run):
    rows = rl.tabulate("hessian", tiny_run, samples=60, probes=2, steps=10)
    assert len(plot(rows).axes) == 4
    assert "are below -1% of it" in headline(rows)


@pytest.mark.parametrize("given", [{"probes": 0}, {"steps": 0}])
def test_what_cannot_be_asked_is_refused(ticket, given):
    with pytest.raises(rl.Refusal, match="each is at least 1"):
        table(ticket, **given)


def test_a_ticket_that_went_nowhere_is_refused(ticket):
    with pytest.raises(rl.Refusal, match="was not trained, and went nowhere"):
        table(rl.controls.rewound(ticket, 0))
