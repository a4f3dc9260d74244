"""Measured and predicted lengths: the measured one by definition, each theory from its own variance, by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

import rmtlottery as rl
from rmtlottery import datasets, nets
from rmtlottery.analyze.qmap import headline
from rmtlottery.analyze.rungs.names import MEASURED, PROBES, SOURCES, T0, T1, T2, T3, T6, T9, T9B
from rmtlottery.analyze.rungs.pooled import variances
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
    assert set(table["source"]) == set(SOURCES) - {T9B}
    assert len(table) == 2 * (len(SOURCES) - 1) * 2
    assert set(table["layer"]) == {1, 2}
    assert list(table.columns[4:]) == ["state", "layer", "source", "q", "bar", "inputs", "skipped", "input_length"]


def test_rungs_have_a_bar_and_what_is_measured_has_none(table):
    rungs = ~table["source"].isin([MEASURED, PROBES])
    assert (table.loc[rungs, "bar"] > 0).all()
    assert table.loc[~rungs, "bar"].isna().all()
    assert (table["skipped"] == "nothing").all()


def test_parts_add_the_classes_in_parts(ticket):
    rows = rl.tabulate("qmap", ticket, samples=20, parts=3)
    assert set(rows["source"]) == set(SOURCES)


def test_iid_probes_are_the_size_of_the_weights_at_the_measured_length(ticket, table):
    """Layer 2: |W|_F^2 / fan_out V(measured q of layer 1) + <b^2>."""
    w, b = (ticket.weights[f"fc2.{kind}"].double().numpy() for kind in ("weight", "bias"))
    V = rl.meanfield.activation("tanh").V(curve(table, "trained", MEASURED)[0])
    assert curve(table, "trained", PROBES)[1] == pytest.approx((w**2).sum() / len(w) * V + (b**2).mean(), rel=0.1)


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


def test_under_a_random_mask_T2_and_T3_hold_and_T0_and_T1_are_far_off():
    """Monte Carlo over inits and masks of density 0.1, on unequal widths."""
    network = nets.build(FC(widths=(200, 300, 250)), (64,), 10)
    x = torch.randn(20, 64, generator=torch.Generator().manual_seed(0))
    lengths = x.double().square().mean(1).numpy()
    ratios = {T0: [], T1: [], T2: [], T3: []}
    for seed in range(100):
        weights, mask = random_subnet(network, seed, 0.1)
        measured = hidden_lengths(network, weights, x)[-1]
        for source, pairs in variances(SimpleNamespace(spec=rl.Spec(), mask=mask), weights).items():
            q = lengths
            for layer, (w2, b2) in enumerate(pairs):
                q = w2 * (rl.meanfield.activation("tanh").V(q) if layer else q) + b2
            ratios[source].append(q.mean() / measured)
    for source in (T2, T3):
        assert_mean(ratios[source], 1.0, rejects=1.1, bias=0.01)
    assert min(ratios[T0]) > 3
    assert min(ratios[T1]) > 3


def test_the_headline_names_the_peak_and_how_far_each_theory_is(tiny_run):
    words = headline(rl.tabulate("qmap", tiny_run, samples=50))
    assert " densest (density 100.0%), " in words
    assert " at its peak (density " in words
    assert all(f"{name} x" in words for name in ("T0", "T1", "T2", "T6", "T9"))


def made_table():
    """Two seeds, two levels and layers 1 to 4; T9 is 1 % off at level 0, and 20 % at level 1, of density 5 %."""
    times = {MEASURED: 1.0, T0: 2.0, T2: 0.5, T9: 1.01}
    rows = [
        {"seed": seed, "level": level, "layer": layer, "source": source, "q": (1 + seed) * (2 - level) * t}
        for seed in (0, 1)
        for level in (0, 1)
        for layer in (1, 2, 3, 4)
        for source, t in (times | ({T9: 1.2} if level else {})).items()
    ]
    found = pd.DataFrame(rows)
    return found.assign(run="r", state="rewound", density=0.05 ** found["level"], bar=0.1, skipped="nothing")


def test_the_headline_says_how_close_the_best_rung_is_and_where():
    words = headline(made_table())
    assert "q of the rewound net is 3.00 densest (density 100.0%), 3.00 at its peak (density 100.0%), 1.50 sparsest" in words
    assert "at its peak theory over measured is T0 x2, T2 x0.5, T9 x1" in words
    assert "sparsest theory over measured is T0 x2, T2 x0.5, T9 x1.2" in words
    assert "rewound T9 1.0%" in words, "only down to 10 % density"
    assert "20.0%" not in words


def test_the_headline_names_what_was_not_reached():
    assert headline(made_table().assign(skipped="no T9: ask later")).count("no T9: ask later") == 1


def test_the_figure_has_three_panels_a_state_with_labels_and_legends(tiny_run):
    figure = rl.plot("qmap", rl.tabulate("qmap", tiny_run, samples=50))
    assert len(figure.axes) == 6
    for axes in figure.axes:
        assert axes.get_title()
        assert axes.get_xlabel()
        assert axes.get_ylabel()
        assert axes.get_legend()
    for axes in (*figure.axes[::3], *figure.axes[1::3]):
        assert axes.get_ylabel().startswith("q, mean")
        assert axes.get_yscale() == "log"
    assert [text.get_text().replace("\n", " ") for text in figure.axes[1].get_legend().get_texts()] == [
        "measured",
        PROBES,
        T0,
        T1,
        T2,
        T6,
        T9,
    ]
    shown = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert shown == [f"{100 * ticket.density:.3g} %" for ticket in tiny_run if ticket.seed == 0]


def test_the_last_panel_has_what_each_rung_leaves_in_octaves():
    """|log2 of predicted over measured|: T0 1, T2 1, T9 0.014 and 0.26."""
    axes = rl.plot("qmap", made_table()).axes[2]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["T0", "T2", "T9"]
    heights = [list(line.get_ydata()) for line in axes.get_lines() if len(line.get_ydata()) == 3]
    assert [1, 1, np.log2(1.01)] in [pytest.approx(height) for height in heights]
    assert [1, 1, np.log2(1.2)] in [pytest.approx(height) for height in heights]


def test_the_table_of_one_ticket_has_a_headline_and_a_figure(table):
    assert "theory over measured is T0 x" in headline(table)
    assert len(rl.plot("qmap", table).axes) == 6


@pytest.mark.parametrize("widths", ["6", "6,5,4"])
def test_a_net_of_any_depth_has_a_headline_and_a_figure(widths, tiny, tmp_path):
    table = rl.tabulate("qmap", rl.fit(tiny.but(widths=widths, levels=1, epochs=1, seeds=0), tmp_path), samples=20)
    assert "q of the rewound net is" in headline(table)
    assert len(rl.plot("qmap", table).axes) == 6
