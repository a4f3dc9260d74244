"""Measured and predicted lengths: the measured one by definition, each theory from its own variance, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery import datasets, nets
from rmtlottery.analyze._theory import T0, T1, T2, variances
from rmtlottery.measure.signal import hidden_lengths
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Normal
from tests.conftest import assert_mean


@pytest.fixture(scope="module")
def ticket(tiny_run):
    return tiny_run[0, 3]


@pytest.fixture(scope="module")
def table(ticket):
    return rl.tabulate("qmap", ticket, samples=100)


def curve(table, state, source):
    return table[(table["state"] == state) & (table["source"] == source)].sort_values("layer")["q"].to_numpy()


def test_it_has_every_state_source_and_hidden_layer(table):
    assert len(table) == 2 * 4 * 2
    assert set(table["source"]) == {"measured", T0, T1, T2}
    assert set(table["layer"]) == {1, 2}


def test_it_says_which_inputs(table):
    assert table["inputs"].iloc[0].startswith("100 test inputs of digits; inputs less")
    x = datasets.dataset(rl.Spec().data).test.x[:100]
    assert table["input_length"].iloc[0] == pytest.approx(x.square().mean().item(), rel=1e-5)


@pytest.mark.parametrize("state", ["rewound", "trained"])
def test_measured_is_h_squared_of_the_masked_net(ticket, table, state):
    weights = ticket.weights
    if state == "rewound":
        weights = {n: torch.where(ticket.mask[n], v, 0) if n in ticket.mask else v for n, v in ticket.init.items()}
    x = datasets.dataset(ticket.spec.data).test.x[:100].double().numpy()
    expected = []
    for layer in (1, 2):
        w, b = (weights[f"fc{layer}.{kind}"].double().numpy() for kind in ("weight", "bias"))
        h = x @ w.T + b
        expected.append(np.mean(h**2))
        x = np.tanh(h)
    assert curve(table, state, "measured") == pytest.approx(expected, rel=1e-10)


def test_layer_1_of_a_theory_is_its_sigma_on_the_inputs(ticket, table):
    length = table["input_length"].iloc[0]
    assert curve(table, "trained", T0)[0] == pytest.approx(1.4**2 * length + 0.3**2, rel=1e-6)


def test_the_map_is_taken_input_by_input_not_at_the_mean_length(ticket, table):
    """V is concave: the mean of the map is below the map of the mean."""
    x = datasets.dataset(ticket.spec.data).test.x[:100].double().square().mean(1).numpy()
    inputs = rl.meanfield.length_map(1.96 * x + 0.09, 1.4, 0.3)
    assert curve(table, "rewound", T0)[1] == pytest.approx(inputs.mean(), rel=1e-6)
    assert inputs.mean() < rl.meanfield.length_map(1.96 * x.mean() + 0.09, 1.4, 0.3) - 1e-4


def test_each_theory_takes_the_variance_that_its_name_says():
    """A made ticket of unequal layers: 2 of 6 and 3 of 12 weights kept, with a mean that is not 0."""
    weights = {
        "fc1.weight": torch.tensor([[3.0, 1, 0], [0, 0, 0]]),
        "fc1.bias": torch.tensor([1.0, 1]),
        "fc2.weight": torch.tensor([[2.0, 0], [0, 2], [0, 5], [0, 0], [0, 0], [0, 0]]),
        "fc2.bias": torch.full((6,), 2.0),
        "fc3.weight": torch.ones(1, 6),
        "fc3.bias": torch.zeros(1),
    }
    mask = {name: value != 0 for name, value in weights.items() if "weight" in name}
    made = SimpleNamespace(spec=rl.Spec(), mask=mask)
    found = variances(made, weights)
    assert np.allclose(found[T0], [(1.96, 0.09)] * 2)
    assert np.allclose(found[T1], [((1 * 3 + 2 * 2) / 2, (1 + 4) / 2)] * 2)  # var of (3, 1) is 1, of (2, 2, 5) is 2
    assert np.allclose(found[T2], [(((9 + 1) / 2 + (4 + 4 + 25) / 6) / 2, (1 + 4) / 2)] * 2)


def random_subnet(network, seed, density):
    """An init under a mask by lot."""
    weights, stream = initial(Normal(), network.shapes, seed), torch.Generator().manual_seed(seed)
    mask = {name: torch.rand(weights[name].shape, generator=stream) < density for name in network.prunable}
    return {name: value * mask[name] if name in mask else value for name, value in weights.items()}, mask


def test_under_a_random_mask_T2_holds_and_T0_and_T1_are_far_off():
    """Monte Carlo over inits and masks of density 0.1, on unequal widths."""
    network = nets.build(FC(widths=(200, 300, 250)), (64,), 10)
    x = torch.randn(20, 64, generator=torch.Generator().manual_seed(0))
    lengths = x.double().square().mean(1).numpy()
    ratios = {T0: [], T1: [], T2: []}
    for seed in range(100):
        weights, mask = random_subnet(network, seed, 0.1)
        measured = hidden_lengths(network, weights, x)[-1]
        for source, [(w2, b2), *_] in variances(SimpleNamespace(spec=rl.Spec(), mask=mask), weights).items():
            q = rl.meanfield.trajectory(w2 * lengths + b2, 3, w2**0.5, b2**0.5).mean(axis=1)[-1]
            ratios[source].append(q / measured)
    assert_mean(ratios[T2], 1.0, rejects=1.1, bias=0.01)
    assert min(ratios[T0]) > 3
    assert min(ratios[T1]) > 3


def test_the_headline_names_the_peak_and_how_far_each_theory_is(tiny_run):
    from rmtlottery.analyze.qmap import headline

    words = headline(rl.tabulate("qmap", tiny_run, samples=50))
    assert " densest (density 100.0%), " in words
    assert " at its peak (density " in words
    assert all(f"{name} x" in words for name in ("T0", "T1", "T2"))


def test_the_figure_has_two_panels_a_state_with_labels_and_legends(tiny_run):
    figure = rl.plot("qmap", rl.tabulate("qmap", tiny_run, samples=50))
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert axes.get_xlabel()
        assert axes.get_ylabel().startswith("q, mean")
        assert axes.get_yscale() == "log"
    assert [text.get_text() for text in figure.axes[1].get_legend().get_texts()] == ["measured", T0, T1, T2]
    shown = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert shown == [f"{100 * ticket.density:.3g} %" for ticket in tiny_run if ticket.seed == 0]
