"""Measured chi by its definition, the theories in their place, and where theory ends."""

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import trapezoid

import rmtlottery as rl
from rmtlottery import datasets
from rmtlottery.analyze.chi import headline
from rmtlottery.analyze.rungs.names import MEASURED, PROBES, SOURCES, T0, T1, T2, T6, T9, T9B


@pytest.fixture(scope="module")
def found(tiny_run):
    return rl.tabulate("chi", tiny_run, samples=40)


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    """A convolutional run whose theory ends after its first layer."""
    spec = rl.preset("first").but(net="conv", channels="3,4,2", pools="1", epochs=1, levels=1, batch=400, seeds=0)
    return rl.tabulate("chi", rl.fit(spec, tmp_path_factory.mktemp("runs")), samples=20)


def test_it_has_every_state_source_and_hidden_layer(found):
    assert set(found["source"]) == set(SOURCES) - {T9B, PROBES}
    assert len(found) == 8 * 2 * (len(SOURCES) - 2) * 2
    assert list(found.columns[4:]) == ["state", "layer", "source", "chi", "gain", "inputs", "skipped", "slope"]
    assert "q" not in found
    assert found["inputs"].iloc[0].startswith("40 test inputs of digits")


def test_measured_is_the_squared_frobenius_norm_of_the_jacobian_over_its_rows(tiny_run, found):
    """|D W|_F^2 / N, input by input, on widths 12 and 8."""
    ticket = tiny_run[1, 3]
    x = datasets.dataset(ticket.spec.data).test.x[:40].double().numpy()
    for layer in (1, 2):
        w, b = (ticket.weights[f"fc{layer}.{kind}"].double().numpy() for kind in ("weight", "bias"))
        h = x @ w.T + b
        jacobians = (1 - np.tanh(h) ** 2)[:, :, None] * w
        row = found.query("seed == 1 and level == 3 and state == 'trained' and layer == @layer and source == 'measured'")
        assert row["chi"].item() == pytest.approx((jacobians**2).sum((1, 2)).mean() / len(w), rel=1e-9)
        assert row["gain"].item() == pytest.approx((w**2).sum() / len(w), rel=1e-9)
        x = np.tanh(h)


def test_chi_is_gain_times_slope(found):
    assert np.allclose(found["chi"], found["gain"] * found["slope"], rtol=1e-12)
    assert ((found["slope"] > 0) & (found["slope"] <= 1)).all(), "of tanh"


def test_the_gain_is_told_to_T3_and_T4_to_T9_alike(found):
    keys = ["seed", "level", "state", "layer"]
    gain = found[~found["source"].isin([T0, T1, T2])].pivot_table("gain", keys, "source")
    assert np.allclose(gain, gain[[MEASURED]], rtol=1e-6)


def test_T0_is_sigma_w_squared_times_the_mean_of_the_squared_slope(tiny_run, found):
    x = datasets.dataset(tiny_run.spec.data).test.x[:40].double().square().mean(1).numpy()
    z = np.linspace(-9, 9, 4001)
    slopes = (1 - np.tanh(np.sqrt(1.96 * x + 0.09)[:, None] * z) ** 2) ** 2
    expected = 1.96 * trapezoid(slopes * np.exp(-(z**2) / 2), z).mean() / np.sqrt(2 * np.pi)
    rows = found[(found["source"] == T0) & (found["layer"] == 1)]
    assert rows["chi"].to_numpy() == pytest.approx(np.full(16, expected), rel=1e-5)


def test_theory_ends_where_layers_are_pooled_and_the_headline_says_so(pooled):
    assert set(pooled.loc[pooled["source"] == T0, "layer"]) == {1}
    assert set(pooled.loc[pooled["source"] == "measured", "layer"]) == {1, 2, 3}
    assert "T2 x" in headline(pooled), "of the layers that theory reaches"
    assert "T0 to T6 end before conv2, which takes what pooling leaves" in headline(pooled)
    assert len(rl.plot("chi", pooled).axes) == 6


def made():
    """Layers 1 to 4, of which 3 and 4 are the deeper half; T2 does not reach layer 4."""
    rows = [
        {"level": level, "layer": layer, "source": source, "chi": times * layer * (1 - 0.5 * level)}
        for level in (0, 1)
        for layer in (1, 2, 3, 4)
        for source, times in (("measured", 1.0), (T0, 2.0), (T1, 3.0), (T2, 0.5))
        if (source, layer) != (T2, 4)
    ]
    found = pd.DataFrame(rows)
    return found.assign(run="r", seed=0, state="rewound", density=0.2 ** found["level"], gain=4.0, skipped="nothing").assign(
        slope=lambda table: table["chi"] / 4
    )


def test_the_headline_has_both_ends_in_two_parts_and_theory_over_measured_in_the_same_layers():
    words = headline(made())
    assert "chi of the rewound net is 3.5 (gain 4, slope 0.875) densest (density 100.0%)" in words
    assert "1.75 (gain 4, slope 0.438) sparsest (density 20.0%)" in words
    assert "theory over measured is T0 x2, T1 x3, T2 x0.5 " in words


@pytest.mark.parametrize("which", ["level == level", "seed == 0", "level == 3", "seed == 1 and level == 0"])
def test_the_figure_has_three_panels_a_state_and_lines_where_chi_is_1(found, which):
    figure = rl.plot("chi", found.query(which))
    assert len(figure.axes) == 6
    for place, axes in enumerate(figure.axes):
        assert axes.get_title()
        assert axes.get_xlabel()
        assert axes.get_legend()
        assert axes.get_ylabel().startswith("log2" if place % 3 == 2 else "chi")
        assert axes.get_yscale() == ("linear" if place % 3 == 2 else "log")
        one = 0 if place % 3 == 2 else 1
        assert any(list(line.get_ydata()) == [one, one] for line in axes.get_lines())
    assert [text.get_text().replace("\n", " ") for text in figure.axes[1].get_legend().get_texts()] == [
        "measured",
        T0,
        T1,
        T2,
        T6,
        T9,
    ]


def test_the_last_panel_splits_the_logarithm(found):
    """Each line is a mean over the deeper half, so that gain and slope add up to chi."""
    axes = rl.plot("chi", found.query("seed == 0")).axes[2]
    words = [text.get_text() for text in axes.get_legend().get_texts()]
    assert {"gain", "slope", "chi"} <= set(words)
    assert {MEASURED, T9} <= set(words)


def test_a_dead_layer_has_no_gain_and_a_slope_of_0():
    dead = made().assign(chi=0.0, gain=0.0, slope=0.0)
    assert "chi of the rewound net is 0 (gain 0, slope 0) densest" in headline(dead.query("source == 'measured'"))


def test_a_ticket_by_itself(tiny_run):
    table = rl.tabulate("chi", tiny_run[1, 2], samples=10)
    assert "chi of the rewound net is" in headline(table)
    assert len(rl.plot("chi", table).axes) == 6
