"""Degrees by hand, both ways, of matrices and of channels; and what chance does to them."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

import rmtlottery as rl
from rmtlottery.analyze.degrees import DIRECTIONS, chance, headline, laws, table
from tests.conftest import assert_mean


def made(*masks):
    return table(SimpleNamespace(mask={f"fc{n}.weight": torch.tensor(m).bool() for n, m in enumerate(masks, start=1)}))


def row(found, direction, source="measured"):
    return found[(found["direction"] == direction) & (found["source"] == source)].iloc[0]


def test_degrees_of_a_matrix_by_hand():
    """In: (3, 1, 0) of 4; out: (2, 1, 1, 0) of 3; p = 1/3."""
    found = made([[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    facts = ["units", "possible", "min", "max", "dead"]
    assert row(found, "in")[facts].to_list() == [3, 4, 0, 3, 1]
    assert row(found, "out")[facts].to_list() == [4, 3, 0, 2, 1]
    assert row(found, "in")[["mean", "std", "ratio"]].to_list() == pytest.approx([4 / 3, (7 / 3) ** 0.5, (7 / 3) / (8 / 9)])
    assert row(found, "out")[["mean", "std", "ratio"]].to_list() == pytest.approx([1, (2 / 3) ** 0.5, 1])


def test_the_binomial_row_is_that_of_scipy():
    found = made([[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    for direction, units, n in (("in", 3, 4), ("out", 4, 3)):
        law, held = stats.binom(n, 1 / 3), row(found, direction, "binomial")
        assert held[["mean", "std", "dead", "ratio"]].to_list() == pytest.approx(
            [law.mean(), law.std(), units * law.pmf(0), 1]
        )


def test_units_of_a_convolution_are_channels():
    """2 out, 3 in, 1x2 kernels: 6 weights into a channel, 4 out of one."""
    found = made([[[[1, 1]], [[1, 0]], [[0, 0]]], [[[0, 1]], [[0, 0]], [[0, 0]]]])
    assert row(found, "in")[["units", "possible", "mean", "min", "max"]].to_list() == [2, 6, 2, 1, 3]
    assert row(found, "out")[["units", "possible", "min", "max", "dead"]].to_list() == [3, 4, 0, 3, 1]


def test_a_whole_layer_and_a_single_unit_have_no_ratio():
    whole, single = made([[1, 1, 1], [1, 1, 1]]), made([[1, 0, 1]])
    assert np.isnan(row(whole, "in")["ratio"])
    assert np.isnan(row(whole, "out")["ratio"])
    assert np.isnan(row(single, "in")[["ratio", "low", "high"]].to_list()).all()
    assert row(single, "out")["ratio"] > 0


@pytest.mark.parametrize(("units", "n", "p"), [(40, 90, 0.05), (90, 40, 0.6), (30, 9, 0.2)])
def test_the_ratio_of_a_mask_by_lot_is_1(units, n, p):
    numbers = np.random.default_rng(units)
    ratios = [next(laws(numbers.random((units, n)) < p))["ratio"] for _ in range(3000)]
    assert_mean(ratios, 1.0, rejects=1.1, bias=1 / (units * n))
    assert_mean(ratios, 1.0, rejects=0.95, bias=1 / (units * n))


def test_the_band_holds_95_percent_of_masks_by_lot():
    numbers, (low, high) = np.random.default_rng(0), chance(24)
    ratios = np.array([next(laws(numbers.random((25, 60)) < 0.15))["ratio"] for _ in range(3000)])
    assert_mean(ratios < low, 0.025, rejects=0.05, bias=0.005)
    assert_mean(ratios > high, 0.025, rejects=0.05, bias=0.005)
    found = next(laws(numbers.random((25, 60)) < 0.15))
    assert (found["low"], found["high"]) == (low, high)


def test_it_agrees_with_the_connectivity_that_training_recorded(tiny_run):
    found = rl.tabulate("degrees", tiny_run[0, 3]).query("source == 'measured' and direction == 'in'")
    recorded = pd.DataFrame(tiny_run[0, 3].connectivity)
    for ours, theirs in (("mean", "in_degree_mean"), ("min", "in_degree_min"), ("max", "in_degree_max")):
        assert found[ours].to_list() == pytest.approx(recorded[theirs].to_list())


def cells(**last):
    rows = [
        {"level": level, "layer": layer, "direction": direction, "ratio": ratio, "seed": seed}
        for level, ratios in ((0, [np.nan] * 4), (1, [1.0, 1.1, 3.0, 1.2]))
        for (layer, direction), ratio in zip([(1, "in"), (1, "out"), (2, "in"), (2, "out")], ratios, strict=True)
        for seed in (0, 1)
    ]
    found = pd.DataFrame(rows)
    found["units"] = np.where((found["layer"] == 2) & (found["direction"] == "in"), 3, 201)
    return found.assign(run="r", density=0.5 ** found["level"], source="measured", low=0.5, high=2.0)


def test_the_headline_is_the_cell_farthest_from_chance_not_the_largest_ratio():
    """Ratio 3 of 3 units is 2 sqrt(2 x 2 / 2) = 2.83 off chance; 1.21 of 201 units is 0.21 sqrt(2 x 200 / 2) = 2.97."""
    found = cells()
    found.loc[found["ratio"] == 1.2, "ratio"] = 1.21
    low, high = stats.chi2.ppf([0.025, 0.975], 400) / 400
    words = headline(found)
    assert (
        "at density 50.0% the weights out of each input of layer 2 are farthest from chance and vary more than by lot"
        in words
    )
    assert (
        f"is 1.21 times that of chance (2 masks by lot have {low:.3g} to {high:.3g} in 95 %, and it is 3 standard" in words
    )


def test_the_headline_tells_less_from_more():
    found = cells()
    found.loc[found["ratio"] == 1.1, "ratio"] = 0.3
    assert "the weights out of each input of layer 1 are farthest from chance and vary less than by lot" in headline(found)


def test_a_dense_net_has_nothing_to_tell(tiny_run):
    found = rl.tabulate("degrees", tiny_run[0, 0])
    assert headline(found).startswith("Nothing is cut")
    assert len(rl.plot("degrees", found).axes) == 2


@pytest.mark.parametrize("which", ["level == level", "seed == 0", "level == 3", "seed == 1 and level == 2"])
def test_the_figure_has_a_panel_a_direction(tiny_run, which):
    found = rl.tabulate("degrees", tiny_run).query(which)
    figure = rl.plot("degrees", pd.concat([found, found.assign(run="other")]))
    assert [axes.get_title().partition("\n")[2] for axes in figure.axes] == list(DIRECTIONS.values()) * 2
    for axes in figure.axes:
        assert axes.get_yscale() == "log"
        assert axes.get_xlabel() == "density (weights kept)"
        assert len(axes.get_legend().get_texts()) == 3
