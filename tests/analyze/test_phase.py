"""A net's place on the phase diagram: the nominal one, and the one that its weights have."""

import numpy as np
import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze.phase import headline, standing
from rmtlottery.analyze.rungs.names import T0, T2


@pytest.fixture(scope="module")
def found(tiny_run):
    return rl.tabulate("phase", tiny_run)


def test_it_has_a_nominal_and_a_real_point_of_every_state(found):
    assert list(found.columns[4:]) == ["state", "source", "phi", "sigma_w", "sigma_b", "q", "chi", "xi_c", "phase"]
    assert found.groupby(["seed", "level", "state"])["source"].apply(list).map(lambda held: held == [T0, T2]).all()
    assert (found["phi"] == "tanh").all()


def test_the_nominal_point_is_the_edge_of_chaos(found):
    rows = found[found["source"] == T0]
    assert np.allclose(rows[["sigma_w", "sigma_b"]], (1.4, 0.3), rtol=1e-6)
    assert rows["chi"].round(4).unique().tolist() == [1.0027]


def test_the_real_point_is_density_times_second_moment_over_all_hidden_layers(tiny_run, found):
    ticket = tiny_run[1, 3]
    squares, biases = [], []
    for layer in (1, 2):
        w, mask = ticket.weights[f"fc{layer}.weight"].double().numpy(), ticket.mask[f"fc{layer}.weight"].numpy()
        squares.append(mask.mean() * w.shape[1] * np.mean(w[mask] ** 2))
        biases.append(np.mean(ticket.weights[f"fc{layer}.bias"].double().numpy() ** 2))
    row = found.query("seed == 1 and level == 3 and state == 'trained' and source == @T2").iloc[0]
    assert row["sigma_w"] == pytest.approx(np.sqrt(np.mean(squares)), rel=1e-6)
    assert row["sigma_b"] == pytest.approx(np.sqrt(np.mean(biases)), rel=1e-6)
    assert row["q"] == pytest.approx(rl.meanfield.length_map(row["q"], row["sigma_w"], row["sigma_b"]), rel=1e-9)
    assert row["chi"] == pytest.approx(row["sigma_w"] ** 2 * rl.meanfield.activation("tanh").D(row["q"]), rel=1e-9)


@pytest.mark.parametrize(("sigma_w", "phase"), [(0.8, "ordered"), (2.5, "chaotic")])
def test_phases_have_names(sigma_w, phase):
    point = standing(sigma_w, 0.3, "tanh")
    assert phase in point["phase"]
    assert (point["chi"] > 1) == (phase == "chaotic")
    assert point["xi_c"] > 0


@pytest.mark.parametrize("phi", ["tanh", "erf", "relu", "leaky_relu", "hard_tanh", "linear", "gelu", "silu"])
def test_every_activation_has_a_diagram_from_dense_to_dead(phi):
    """No weight left, no bias left, and far into chaos, without a warning."""
    rows = [
        {"run": "r", "seed": 0, "level": level, "density": 0.5**level, "state": "rewound", "source": source, "phi": phi}
        | standing(*at, phi)
        for level, way in enumerate([(1.4, 0.3), (3.0, 0.3), (0.0, 0.3), (0.0, 0.0)])
        for source, at in ((T0, (1.4, 0.3)), (T2, way))
    ]
    table = pd.DataFrame(rows)
    assert table[["sigma_w", "sigma_b", "chi"]].notna().all().all()
    figure = rl.plot("phase", table)
    figure.canvas.draw()
    assert isinstance(headline(table), str)


def test_the_figure_has_a_panel_a_state_with_the_critical_line(found):
    figure = rl.plot("phase", found)
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == ["rewound: tanh", "trained: tanh"]
    for axes in panels:
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("sigma_w", "sigma_b")
        words = [text.get_text() for text in axes.get_legend().get_texts()]
        assert "critical line" in words
        assert any(word.startswith("nominal") for word in words)
        line = next(line for line in axes.get_lines() if line.get_label() == "critical line")
        at = np.argmin(np.abs(line.get_ydata() - 0.3))
        sigma_w, sigma_b = line.get_xdata()[at], line.get_ydata()[at]
        assert rl.meanfield.fixed_point(sigma_w, sigma_b).chi == pytest.approx(1, abs=1e-4)
    colours = [axes for axes in figure.axes if not axes.get_title()]
    assert [axes.get_ylabel() for axes in colours] == ["log2 chi"] * 2


def test_the_headline_has_both_ends_of_every_state(found):
    words = headline(found)
    for state in ("rewound", "trained"):
        assert f", {state}: (" in words
    assert words.count("at density 100 %") == 2
    sparsest = found.loc[found["level"] == 3, "density"].iloc[0]
    assert words.count(f"at density {100 * sparsest:.3g} %") == 2


def test_the_headline_is_of_means_over_seeds_of_slightly_other_density():
    rows = [
        {"run": "r", "state": "rewound", "source": T2, "seed": seed, "level": level, "density": 0.5**level + 1e-4 * seed}
        | {"sigma_w": 2.0 - level + seed, "sigma_b": 0.3, "chi": 1.5 - level + seed}
        for seed in (0, 1)
        for level in (0, 1)
    ]
    words = headline(pd.DataFrame(rows))
    assert "(2.5, 0.3), chi 2, at density 100 %" in words
    assert "(1.5, 0.3), chi 1, at density 50 %" in words


def test_one_ticket(tiny_run):
    table = rl.tabulate("phase", tiny_run[0, 2])
    assert len(table) == 4
    assert "chi " in headline(table)
    assert rl.plot("phase", table).axes


def test_without_a_nominal_law_there_is_the_real_point_alone(found):
    table = found[found["source"] == T2]
    assert rl.plot("phase", table).axes
    assert headline(table) == headline(found)
