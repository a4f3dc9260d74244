"""The same numbers as in the tables of the questions that each quantity is from."""

import numpy as np
import pytest

import rmtlottery as rl
from rmtlottery.analyze._verdict_terms import (
    APART,
    CHI,
    EDGE,
    GAUSSIANS,
    SPECTRUM,
    VARIANCE,
    Asked,
    Cell,
    Q,
    by_chance,
    terms,
)
from rmtlottery.analyze.rungs.names import LADDER, T9B
from rmtlottery.measure.signal import probe
from rmtlottery.spectra.distance import ks_distance
from rmtlottery.tickets.parts import Conv, Digits
from tests.analyze.drawn import drawn, fc
from tests.conftest import assert_mean


def asked_of(ticket, samples, pairs, inputs, parts=1):
    return Asked(*(probe(ticket, number) for number in (samples, pairs, inputs)), parts)


@pytest.fixture(scope="module")
def ticket():
    return drawn(fc(20, 26, 17), density=0.6, seed=3)


@pytest.fixture(scope="module")
def found(ticket):
    return terms(ticket, ticket.rewound, asked_of(ticket, 30, 12, 3))


def values(table, column, source):
    rows = table[table["source"] == source]
    return dict(zip(rows["layer"], rows[column], strict=True))


@pytest.mark.parametrize(("quantity", "name", "column"), [(Q, "qmap", "q"), (CHI, "chi", "chi")])
def test_signals_are_those_of_the_ladder(ticket, found, quantity, name, column):
    table = rl.tabulate(name, ticket, samples=30)
    measured = values(table, column, "measured")
    for source in set(LADDER) - {T9B}:
        told = values(table, column, source)
        pairs = {cell.layer: pair for cell, pair in found.pairs.items() if cell[:2] == (quantity, source)}
        assert pairs.keys() == {1, 2, 3}
        assert pairs == {layer: pytest.approx((measured[layer], told[layer])) for layer in told}


def test_pairs_are_those_of_the_map_of_c_as_distances(ticket, found):
    table = rl.tabulate("cmap", ticket, samples=12)
    means = (table["c"] * table["number"]).groupby([table["source"], table["layer"]]).sum() / 66
    cells = [cell for cell in found.pairs if cell.quantity == APART]
    assert len(cells) == 9
    for cell in cells:
        expected = 1 - means["measured", cell.layer], 1 - means[cell.source, cell.layer]
        assert found.pairs[cell] == pytest.approx(expected)


def test_products_are_those_of_jacobians_between_hidden_layers(ticket, found):
    table = rl.tabulate("jacobian", ticket, samples=3)
    rows = table[(table["span"] == "hidden") & (table["bin"] == 0)].set_index("source")
    for quantity, column, number in ((VARIANCE, "variance", 4), (EDGE, "edge", 3)):
        pairs = {cell: pair for cell, pair in found.pairs.items() if cell.quantity == quantity}
        assert len(pairs) == number
        for cell, pair in pairs.items():
            assert cell.layer == 3
            assert pair == pytest.approx((rows[column]["measured"], rows[column][cell.source]), rel=1e-6)


def test_layers_have_their_distance_beside_that_of_gaussian_ones(ticket, found):
    table = rl.tabulate("spectrum", ticket, redraws=0)
    for source in ("Marchenko-Pastur", "rows x columns"):
        ks = values(table[table["bin"] == 0], "ks", source)
        shapes = [tuple(mask.shape) for mask in ticket.mask.values()]
        for layer, shape in enumerate(shapes, start=1):
            pair = found.pairs[Cell(SPECTRUM, source, layer)]
            assert pair == pytest.approx((ks[layer], by_chance(*shape)[source]))


def test_gaussian_distances_are_their_geometric_mean():
    """Of 8 draws, whose own error is allowed for, against 400 others."""
    logs, law = [], rl.spectra.MarchenkoPastur(14 / 23)
    for seed in range(400):
        squares = np.linalg.svd(np.random.default_rng(seed).standard_normal((14, 23)), compute_uv=False) ** 2
        logs.append(np.log(ks_distance(squares / squares.mean(), law.cdf)))
    expected, error = np.log(by_chance(14, 23)["Marchenko-Pastur"]), np.std(logs) / GAUSSIANS**0.5
    assert_mean(logs, expected, rejects=expected + np.log(1.5), bias=2 * error)


def test_a_layer_that_is_zero_has_no_terms():
    def empty(weights, mask):
        mask["fc2.weight"][:] = False

    ticket = drawn(fc(12, 15, 9), change=empty)
    cells = terms(ticket, ticket.rewound, asked_of(ticket, 10, 5, 2)).pairs
    assert not [cell for cell in cells if cell.quantity in (VARIANCE, EDGE)]
    assert {cell.layer for cell in cells if cell.quantity == SPECTRUM} == {1, 3, 4}
    assert 2 not in {cell.layer for cell in cells if cell.quantity == CHI}


def test_a_net_of_one_hidden_layer_has_the_whole_jacobian():
    ticket = drawn(fc(12))
    cells = terms(ticket, ticket.rewound, asked_of(ticket, 10, 5, 2)).pairs
    assert {cell.layer for cell in cells if cell.quantity == EDGE} == {2}


def test_a_convolution_has_no_theory_of_its_jacobian_and_says_so():
    ticket = drawn(Conv(channels=(4, 5)), data=Digits())
    found = terms(ticket, ticket.rewound, asked_of(ticket, 6, 4, 2))
    assert {cell.quantity for cell in found.pairs} == {Q, CHI, APART, SPECTRUM}
    assert "the Jacobian has a theory in fully connected chains alone" in found.skipped
    assert "T7 to T9" in found.skipped


def test_a_large_jacobian_is_left_out(ticket, monkeypatch):
    monkeypatch.setattr("rmtlottery.analyze._verdict_terms.LARGEST", 16)
    found = terms(ticket, ticket.rewound, asked_of(ticket, 6, 4, 2))
    assert "a Jacobian of 17 on its shorter side is beyond 16" in found.skipped
    assert {cell.layer for cell in found.pairs if cell.quantity == SPECTRUM} == {1, 4}


def test_classes_in_parts_are_there_where_they_are_asked_for():
    """Parts of a class need 200 samples; of fewer T9b is T9."""
    ticket = drawn(fc(12, 15))
    cells = terms(ticket, ticket.rewound, asked_of(ticket, 10, 5, 2, parts=2)).pairs
    assert Cell(Q, T9B, 2) in cells
