"""What a redraw keeps and what it draws; whose chance is lent to whom."""

import numpy as np
import pytest
import torch

from rmtlottery.analyze._products import MASKED, NOMINAL, SIZES
from rmtlottery.analyze._verdict_chance import own_chance, scattered, strays
from rmtlottery.analyze._verdict_terms import APART, EDGE, Asked, Cell, Q, terms
from rmtlottery.analyze.rungs.names import T0, T2, T3, T6, T9
from rmtlottery.measure.signal import probe
from tests.analyze.drawn import drawn, fc


@pytest.fixture(scope="module")
def ticket():
    return drawn(fc(14), density=0.5, seed=1)


def test_a_redraw_keeps_each_layers_weights_and_biases_and_nothing_of_their_places(ticket):
    before = {name: value.clone() for name, value in ticket.rewound.items()}
    other, weights = scattered(ticket, ticket.rewound, np.random.default_rng(0))
    for name, mask in ticket.mask.items():
        assert torch.equal(weights[name].flatten().sort()[0], before[name].flatten().sort()[0])
        assert other.mask[name].sum() == mask.sum()
        assert torch.equal(weights[name] != 0, other.mask[name])
        assert not torch.equal(other.mask[name], mask)
        assert torch.equal(weights[name.replace("weight", "bias")], before[name.replace("weight", "bias")])
        assert torch.equal(ticket.rewound[name], before[name])


def test_every_place_is_as_likely_in_rows_and_columns(ticket):
    """A layer with all of its weight in one row: chance spreads it."""
    weights = {name: value.clone() for name, value in ticket.rewound.items()}
    weights["fc2.weight"][:] = torch.arange(len(weights["fc2.weight"]))[:, None].float()
    rows = [scattered(ticket, weights, np.random.default_rng(seed))[1]["fc2.weight"].mean(1) for seed in range(30)]
    assert torch.stack(rows).mean(0).numpy() == pytest.approx(1.5, abs=5 * np.sqrt(1.25 / 14 / 30))


def test_redraws_differ(ticket):
    numbers = np.random.default_rng(0)
    one, two = (scattered(ticket, ticket.rewound, numbers)[1]["fc1.weight"] for _ in range(2))
    assert not torch.equal(one, two)


def test_strays_are_logs_of_measured_over_predicted_in_the_redraws(ticket):
    seen = probe(ticket, 8)
    asked = Asked(seen, seen, seen._replace(x=seen.x[:2]), 1)
    found = strays(ticket, ticket.rewound, asked, 2, np.random.default_rng(4))
    numbers = np.random.default_rng(4)
    for place in range(2):
        for cell, (measured, predicted) in terms(*scattered(ticket, ticket.rewound, numbers), asked).pairs.items():
            assert found[cell][place] == pytest.approx(np.log(measured) - np.log(predicted))


@pytest.mark.parametrize(
    ("quantity", "source", "lender"),
    [(Q, T0, T3), (APART, T2, T3), (EDGE, NOMINAL, SIZES), (Q, T3, T3), (Q, T6, T6), (Q, T9, T9), (EDGE, MASKED, MASKED)],
)
def test_theories_of_other_sizes_borrow_the_chance_of_those_of_the_same(quantity, source, lender):
    assert own_chance(Cell(quantity, source, 2)) == Cell(quantity, lender, 2)
