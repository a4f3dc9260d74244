"""Weights of two kinds are told from those of one; every number by scipy, and a Gaussian that is cut by its own law."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from scipy import stats
from scipy.integrate import quad

import rmtlottery as rl
from rmtlottery.analyze.bimodality import CUT, MEASURED, cut_gaussian, headline, hidden
from rmtlottery.spectra.dip import dip
from rmtlottery.spectra.two_gaussians import two_gaussians


@pytest.fixture
def asked(tmp_path):
    """The table of a checkpoint's layers, each a matrix that is masked where it is 0."""

    def ask(*layers, **options):
        save_file({f"{n}": torch.from_numpy(w.copy()) for n, w in enumerate(layers)}, tmp_path / "net.safetensors")
        masks = {f"{n}": torch.from_numpy((w != 0) * 1.0) for n, w in enumerate(layers)}
        save_file(masks, tmp_path / "mask.safetensors")
        ticket = rl.load(tmp_path / "net.safetensors", mask=tmp_path / "mask.safetensors")
        return rl.tabulate("bimodality", ticket, **options)

    return ask


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def two_points(*shape, width=0.1, seed=1):
    """+-1, each with some noise."""
    return np.sign(normal(*shape, seed=seed)) + width * normal(*shape, seed=seed + 1)


def measured(table):
    return table[table["source"] == MEASURED].reset_index(drop=True)


def test_every_number_is_that_of_the_kept_weights(asked):
    weight = np.where(normal(15, 20) > 0.3, np.random.default_rng(1).gamma(3.0, size=(15, 20)), 0.0)
    kept = weight[weight != 0]
    row = measured(asked(weight)).iloc[0]
    assert row["kept"] == len(kept)
    assert row["kurtosis"] == pytest.approx(stats.kurtosis(kept, fisher=False))
    assert row["sarle"] == pytest.approx((stats.skew(kept) ** 2 + 1) / row["kurtosis"])
    assert row["hole"] == pytest.approx(np.abs(kept).min() / np.sqrt(np.mean(kept**2)))
    assert [row["dip"], row["dip_p"]] == pytest.approx(list(dip(kept)))
    fit = two_gaussians(kept)
    assert [row["bic_gain"], row["valley"]] == pytest.approx([fit.bic_gain / len(kept), fit.valley])


def test_two_points_are_two_kinds_and_a_gaussian_is_one(asked):
    two, one, flat = measured(asked(two_points(30, 35), normal(30, 35), normal(30, 35) ** 3)).to_dict("records")
    assert two["sarle"] > 0.9
    assert one["sarle"] == pytest.approx(1 / 3, abs=0.05)
    assert (two["dip_p"] < 0.001, one["dip_p"] > 0.2, flat["dip_p"] > 0.2) == (True, True, True)
    assert two["dip"] > 0.15
    assert two["valley"] > 0.99
    assert one["valley"] == 0, "of a fit that BIC refuses it may be .62"
    assert two["bic_gain"] > 1
    assert one["bic_gain"] < 0
    assert flat["bic_gain"] > 0.3, "heavy tails are worth a second Gaussian"
    assert flat["valley"] < 0.01


def test_the_density_of_two_points_by_quadrature(asked):
    """BIC's gain per weight: twice the difference of entropies, less three parameters; a mixture of width .3 at +-1."""
    weight = two_points(50, 60, width=0.3)
    law = lambda x: (stats.norm.pdf(x, 1, 0.3) + stats.norm.pdf(x, -1, 0.3)) / 2  # noqa: E731
    entropy = -quad(lambda x: law(x) * np.log(law(x)), -4, 4, points=(-1, 1))[0]
    gain = 2 * (0.5 * np.log(2 * np.pi * np.e * 1.09) - entropy) - 3 * np.log(3000) / 3000
    row = measured(asked(weight)).iloc[0]
    assert row["bic_gain"] == pytest.approx(gain, abs=0.05)
    assert row["valley"] == pytest.approx(1 - law(0) / law(1), abs=0.02)


@pytest.mark.parametrize(("kept", "of"), [(500, 1000), (1000, 1000), (78, 400)])
def test_a_cut_gaussian_is_what_magnitude_pruning_leaves(kept, of):
    found, cut = cut_gaussian(kept, kept / of), stats.norm.isf(kept / of / 2)
    assert len(found) == kept
    assert np.abs(found).min() >= cut - 1e-9
    assert found == pytest.approx(-found[::-1], abs=1e-12)
    mass = stats.norm.sf(cut)
    upper = found[found > 0]
    law = lambda x: (stats.norm.cdf(x) - stats.norm.cdf(cut)) / mass  # noqa: E731
    assert stats.kstest(upper, law).statistic <= 1 / len(upper)


def test_a_gaussian_cut_by_magnitude_is_as_bimodal_as_the_law_it_is_held_against(asked):
    """Sarle's coefficient of the law: E x^2^2 / E x^4 beyond the cut."""
    weight = normal(60, 60)
    weight[np.abs(weight) < np.quantile(np.abs(weight), 0.7)] = 0
    row, law = (asked(weight).query("source == @s").iloc[0] for s in (MEASURED, CUT))
    cut = stats.norm.isf(0.15)
    second, fourth = (quad(lambda x, k=k: x**k * stats.norm.pdf(x), cut, 12)[0] / 0.15 for k in (2, 4))
    assert law["sarle"] == pytest.approx(second**2 / fourth, rel=0.01)
    assert law["hole"] == pytest.approx(cut / np.sqrt(second), rel=0.01)
    for name in ("sarle", "dip", "hole"):
        assert row[name] == pytest.approx(law[name], rel=0.08)
    assert min(row["valley"], law["valley"]) > 0.99
    assert row["dip_p"] < 0.001


def test_a_gaussian_cut_by_lot_is_of_one_kind(asked):
    weight = np.where(np.random.default_rng(5).random((60, 60)) < 0.3, normal(60, 60), 0.0)
    row, law = (asked(weight).query("source == @s").iloc[0] for s in (MEASURED, CUT))
    assert row["sarle"] < 0.4
    assert law["sarle"] > 0.7
    assert row["dip_p"] > 0.1
    assert law["dip_p"] < 0.001


def test_layers_of_few_different_weights_are_left_out(asked):
    few = np.zeros((4, 20))
    few[0] = normal(20)
    table = asked(normal(5, 6), few, np.ones((10, 10)))
    assert list(measured(table)["name"]) == ["0"]
    assert list(measured(asked(few, fewest=20))["kept"]) == [20]
    with pytest.raises(rl.Refusal, match="keeps 30 different weights in no layer; take a smaller fewest"):
        asked(few)


def test_too_few_to_tell_are_refused(asked):
    with pytest.raises(rl.Refusal, match="fewest = 4 is not at least 6"):
        asked(normal(5, 6), fewest=4)


def test_hidden_layers_are_all_but_the_last_or_the_only_ones():
    table = pd.DataFrame({"run": list("aaabbc"), "layer": [1, 2, 3, 2, 2, 1]})
    assert list(hidden(table).index) == [0, 1, 3, 4, 5]


def test_a_net_with_one_layer_that_has_enough_weights_has_a_figure(asked):
    table = asked(normal(2, 3), normal(8, 9), fewest=10)
    assert set(table["layer"]) == {2}
    assert "in 0 of 1 layers" in headline(table)
    assert len(rl.plot("bimodality", table).axes) == 3


def test_a_control_is_rewound_alone(tiny_run):
    table = rl.tabulate("bimodality", rl.controls.shuffle_entries(tiny_run[0, 3], 0))
    assert list(table["state"].unique()) == ["rewound"]


@pytest.fixture(scope="module")
def table(tiny_run):
    return rl.tabulate("bimodality", [tiny_run[seed, level] for seed in (0, 1) for level in (0, 3)])


def test_every_layer_of_a_ticket_has_its_rows(table, tiny_run):
    assert len(table) == 4 * 2 * 3 * 2
    found = measured(table).set_index(["seed", "level", "state", "layer"])
    for seed, level in ((0, 0), (1, 3)):
        for state, weights in tiny_run[seed, level].states.items():
            kept = weights["fc2.weight"][tiny_run[seed, level].mask["fc2.weight"]].double().numpy()
            row = found.loc[(seed, level, state, 2)]
            assert row["sarle"] == pytest.approx((stats.skew(kept) ** 2 + 1) / stats.kurtosis(kept, fisher=False))


def test_the_headline_has_both_ends_of_hidden_layers(table):
    here = table[table["layer"] < 3]
    for level in (0, 3):
        for state in ("rewound", "trained"):
            rows = here[(here["level"] == level) & (here["state"] == state)]
            ours, law = rows[rows["source"] == MEASURED], rows[rows["source"] == CUT]
            words = (
                f"at density {here[here['level'] == level]['density'].mean():.1%} {state} Sarle's coefficient "
                f"{ours['sarle'].mean():.2f} (cut Gaussian {law['sarle'].mean():.2f}), one mode is refused at 1 % in "
                f"{(ours['dip_p'] <= 0.01).sum()} of 4 layers"
            )
            assert words in headline(table)


@pytest.mark.parametrize("which", ["level == level", "seed == 0", "level == 3", "seed == 1 and level == 0", "layer == 3"])
def test_the_figure_has_labels_and_names_both_sources(table, which):
    figure = rl.plot("bimodality", table.query(which))
    assert len(figure.axes) == 6
    for axes, words in zip(figure.axes, ["Sarle's coefficient", "dip", "depth of the valley"] * 2, strict=True):
        assert words in axes.get_title()
        assert words in axes.get_ylabel()
        assert axes.get_xlabel()
    assert [text.get_text() for text in figure.axes[2].get_legend().get_texts()] == [MEASURED, CUT]


def test_of_very_many_weights_some_are_looked_at(asked):
    weight = normal(80, 90)
    whole, part = asked(weight), asked(weight, most=2000)
    assert set(whole["kept"]) == {7200}
    assert part["kept"].between(1500, 2000).all()
    row = part[part["source"] == MEASURED].iloc[0]
    assert row["sarle"] == pytest.approx(1 / 3, abs=0.05)
    assert row["dip_p"] > 0.05


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_what_rounding_ties_together_is_not_many_modes(tmp_path, dtype):
    save_file({"w": torch.from_numpy(0.02 * normal(400, 500)).to(dtype)}, tmp_path / "net.safetensors")
    row = measured(rl.tabulate("bimodality", rl.load(tmp_path / "net.safetensors"))).iloc[0]
    assert row["dip_p"] > 0.05
    assert row["sarle"] == pytest.approx(1 / 3, abs=0.01)
