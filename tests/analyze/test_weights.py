"""Moments of the kept weights by hand, on unequal shapes and a convolution, and how often z is within its error."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import to_rgb

import rmtlottery as rl
from rmtlottery.analyze.weights import headline, moments, table
from tests.conftest import assert_mean


def made(**tensors):
    """A ticket of one state whose masks keep what is not 0."""
    weights = {f"{name}.weight": torch.tensor(value) for name, value in tensors.items()}
    return SimpleNamespace(states={"rewound": weights}, mask={name: value != 0 for name, value in weights.items()})


def test_moments_are_of_the_kept_weights_times_the_root_of_the_dense_fan_in():
    """(3, 1) in a layer of fan-in 4: mean 2 x 2, std sqrt(2) x 2, and an error of std / sqrt(2)."""
    row = table(made(fc1=[[3.0, 0, 0, 0], [0, 1, 0, 0]])).iloc[0]
    assert (row["state"], row["layer"], row["name"], row["kept"]) == ("rewound", 1, "fc1.weight", 2)
    assert row[["mean", "std", "mean_error", "z"]].to_list() == pytest.approx([4, 2 * 2**0.5, 2, 2])
    assert row["source"] == "measured"


def test_the_fan_in_of_a_convolution_has_its_kernel():
    """2 channels in, 1x3 kernel: fan-in 6, fan-out 3."""
    found = table(made(conv1=[[[[1.0, 0, 0]], [[0, 3.0, 0]]]], fc1=[[5.0, 5.0]]))
    assert found["mean"].to_list() == pytest.approx([2 * 6**0.5, 5 * 2**0.5])
    assert found["layer"].to_list() == [1, 2]


def test_one_weight_has_no_std_and_none_has_no_mean():
    one, none = moments(np.array([2.0])), moments(np.array([]))
    assert one["mean"] == 2
    assert np.isnan([one["std"], one["z"], none["mean"], none["std"], none["z"]]).all()
    assert (one["kept"], none["kept"]) == (1, 0)


def test_z_of_a_centred_law_is_within_196_in_95_percent():
    draws = np.random.default_rng(0).uniform(-1, 1, (4000, 300))
    z = np.array([moments(draw)["z"] for draw in draws])
    assert_mean(np.abs(z) < 1.96, 0.95, rejects=0.92)
    assert_mean(z**2, 1.0, rejects=1.15, bias=0.01)


def test_it_has_every_state_and_layer_of_a_run(tiny_run):
    found = rl.tabulate("weights", tiny_run)
    assert len(found) == 8 * 2 * 3
    dense = found.query("state == 'rewound' and level == 0 and layer == 2")
    assert dense["kept"].to_list() == [96, 96]
    w = tiny_run[1, 0].init["fc2.weight"].double().numpy() * 12**0.5
    assert dense["std"].iloc[1] == pytest.approx(w.std(ddof=1))


def cells():
    rows = [
        ("rewound", 0, 1, 1.4, 0.5),
        ("rewound", 0, 2, 9.0, -2.5),
        ("rewound", 1, 1, 2.8, 1.9),
        ("rewound", 1, 2, 9.0, -1),
    ]
    found = pd.DataFrame(rows, columns=["state", "level", "layer", "std", "z"])
    return found.assign(run="r", seed=0, density=0.5 ** found["level"], source="measured", mean=0.0, kept=9, mean_error=0.1)


def test_the_headline_counts_cells_and_leaves_the_readout_out_of_the_std():
    words = headline(cells())
    assert "r: the mean of a layer is within 1.96 sampling errors of 0 in 75.0% of 4 rewound cells, 95 % expected" in words
    assert "from density 100.0% to 50.0% std goes 1.4 to 2.8 rewound" in words


def test_the_headline_of_a_run_has_both_states(tiny_run):
    found = rl.tabulate("weights", tiny_run)
    words = headline(found)
    share = (found.query("state == 'trained'")["z"].abs() < 1.96).mean()
    assert f"{share:.1%} of 24 trained cells" in words


@pytest.mark.parametrize("which", ["level == level", "seed == 0", "level == 3", "seed == 1 and level == 0"])
def test_the_figure_has_a_row_a_state(tiny_run, which):
    figure = rl.plot("weights", rl.tabulate("weights", tiny_run).query(which))
    assert [axes.get_title().split(":")[0] for axes in figure.axes] == ["rewound"] * 2 + ["trained"] * 2
    assert all("sqrt(dense fan-in)" in axes.get_ylabel() and axes.get_xlabel() == "layer" for axes in figure.axes)


def test_the_band_is_196_errors_of_the_mean_over_seeds():
    """Two seeds of error 0.1 each: 1.96 x 0.1 / sqrt(2) around the mean."""
    found = pd.concat([cells(), cells().assign(seed=1)]).query("level == 0")
    axes = rl.plot("weights", found).axes[0]
    edge = axes.collections[0].get_paths()[0].vertices[:, 1]
    assert (edge.min(), edge.max()) == pytest.approx((-0.1385929, 0.1385929), abs=1e-6)


def test_several_runs_have_panels_of_their_own(tiny_run):
    found = rl.tabulate("weights", tiny_run)
    figure = rl.plot("weights", pd.concat([found, found.assign(run="other")]))
    assert len(figure.axes) == 8
    assert any(axes.get_title().startswith("other\ntrained") for axes in figure.axes)


def test_lines_are_named_and_coloured_by_their_density(tiny_run):
    """Levels 0 to 3 in both panels, the means over seeds, and the sparsest in one colour left and right."""
    found = rl.tabulate("weights", tiny_run)
    left, right = rl.plot("weights", found).axes[:2]
    names = [f"{100 * tiny_run[0, level].density:.3g} %" for level in range(4)]
    for axes in (left, right):
        assert [text.get_text() for text in axes.get_legend().get_texts()] == names
    expected = found.query("state == 'rewound' and level == 3").groupby("layer")["std"].mean()
    drawn = next(line for line in right.get_lines() if list(line.get_ydata()) == pytest.approx(expected.to_list()))
    assert to_rgb(left.get_lines()[3].get_color()) == pytest.approx(to_rgb(drawn.get_color()), abs=0.02)
    assert to_rgb(right.get_legend().get_lines()[3].get_color()) == to_rgb(drawn.get_color())
