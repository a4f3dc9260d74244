"""Densities by numpy, laws by formula and by large samples, and distances by scipy."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from scipy import stats
from scipy.integrate import quad

import rmtlottery as rl
from rmtlottery.analyze.spectrum import MEASURED, MP, PROFILE, REDRAWN, SOURCES, headline, shown
from tests.conftest import assert_mean


@pytest.fixture
def asked(tmp_path):
    """The table of a checkpoint's layers, each a matrix or a (matrix, mask)."""

    def ask(*given, **options):
        both = [pair if isinstance(pair, tuple) else (pair, np.ones_like(pair)) for pair in given]
        save_file({f"{n}": torch.from_numpy(w.copy()) for n, (w, _) in enumerate(both)}, tmp_path / "net.safetensors")
        save_file({f"{n}": torch.from_numpy(m * 1.0) for n, (_, m) in enumerate(both)}, tmp_path / "mask.safetensors")
        ticket = rl.load(tmp_path / "net.safetensors", mask=tmp_path / "mask.safetensors")
        return rl.tabulate("spectrum", ticket, **{"redraws": 0} | options)

    return ask


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def masked(*shape, share, seed=1):
    """A Gaussian layer, exact zeros outside its mask, and the mask."""
    mask = np.random.default_rng(seed).random(shape) < share
    return normal(*shape, seed=seed) * mask, mask


def first(table, source, layer=1):
    """The row of the first bin."""
    return table[(table["source"] == source) & (table["layer"] == layer) & (table["bin"] == 0)].iloc[0]


def singular(weight):
    """In units of their root mean square over rows, zeros beyond the short side included, ascending."""
    held = np.linalg.svd(weight, compute_uv=False)[::-1]
    held = np.concatenate([np.zeros(max(len(weight) - weight.shape[1], 0)), held])
    return held / np.sqrt(np.mean(held**2))


@pytest.mark.parametrize("shape", [(20, 35), (35, 20)])
def test_the_measured_density_is_that_of_the_singular_values(asked, shape):
    weight, mask = masked(*shape, share=0.6)
    table, values = asked((weight, mask), bins=12), singular(weight)
    here = table[table["source"] == MEASURED]
    width = np.diff(here["singular"]).mean()
    edges = np.append(here["singular"] - width / 2, here["singular"].iloc[-1] + width / 2)
    assert edges[0] == pytest.approx(0, abs=1e-12)
    assert edges[-1] > max(values[-1], 1 + np.sqrt(shape[0] / shape[1]))
    counts = np.histogram(values[values > 1e-9], edges)[0]
    assert here["pdf"].to_numpy() == pytest.approx(counts / len(values) / width)
    row = first(table, MEASURED)
    assert row["edge"] == pytest.approx(values[-1])
    assert row["atom"] == np.mean(values < 1e-9) == pytest.approx(max(0, 1 - shape[1] / shape[0]))
    assert (row["rows"], row["columns"], row["per_row"], row["ks"]) == (*shape, mask.sum() / shape[0], 0)


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_marchenko_pastur_is_that_of_the_shape(asked, ratio):
    """In singular values s the density is sqrt((b^2 - s^2)(s^2 - a^2)) / (pi c s), a, b = |1 -+ sqrt c|."""
    table = asked(normal(int(30 * ratio), 30), bins=30)
    a, b = abs(1 - np.sqrt(ratio)), 1 + np.sqrt(ratio)
    here, row = table[table["source"] == MP], first(table, MP)
    assert (row["edge"], row["atom"]) == pytest.approx((b, max(0, 1 - 1 / ratio)))
    width = np.diff(here["singular"]).mean()
    for place, density in zip(here["singular"], here["pdf"], strict=True):
        low, high = max(place - width / 2, a), min(place + width / 2, b)
        mass = (
            quad(lambda s: np.sqrt((b**2 - s**2) * (s**2 - a**2)) / (np.pi * ratio * s), low, high)[0] if low < high else 0
        )
        assert density * width == pytest.approx(mass, abs=1e-6)


@pytest.mark.parametrize("shape", [(40, 60), (60, 40)])
def test_the_profile_law_is_that_of_large_matrices_of_the_same_rows_and_columns(asked, shape):
    """Sums of squares of its rows and columns, each of which 8 rows and columns of independent entries share."""
    weight = normal(*shape) * np.geomspace(0.3, 3, shape[0])[:, None] * np.linspace(0.5, 2, shape[1])
    table = asked(weight, bins=25)
    rows, columns = np.sum(weight**2, axis=1), np.sum(weight**2, axis=0)
    scale = np.sqrt(np.kron(np.outer(rows, columns), np.ones((8, 8))))
    values, here = singular(scale * normal(*scale.shape, seed=5)), table[table["source"] == PROFILE]
    width = np.diff(here["singular"]).mean()
    below = np.array([np.mean((values > 1e-9) & (values < place + width / 2)) for place in here["singular"]])
    assert np.cumsum(here["pdf"].to_numpy()) * width == pytest.approx(below, abs=0.015)
    assert first(table, PROFILE)["edge"] == pytest.approx(values[-1], rel=0.05)
    assert first(table, PROFILE)["ks"] < 0.05
    assert first(table, MP)["ks"] > 0.15


def test_distances_are_those_of_scipy(asked):
    """From Marchenko-Pastur of a square layer: the quarter circle, whose distribution function is elementary."""
    weight, mask = masked(40, 40, share=0.1, seed=2)
    values, table = singular(weight), asked((weight, mask), redraws=9)
    values = values[values > 1e-7]
    quarter = lambda s: (s * np.sqrt(np.maximum(4 - s**2, 0)) / 2 + 2 * np.arcsin(np.minimum(s / 2, 1))) / np.pi  # noqa: E731
    atom, above = 1 - len(values) / 40, np.arange(40 - len(values), 41) / 40
    gaps = np.concatenate([[atom], np.abs(above[1:] - quarter(values)), np.abs(above[:-1] - quarter(values))])
    assert first(table, MEASURED)["atom"] == pytest.approx(atom)
    assert atom > 0
    assert first(table, MP)["ks"] == pytest.approx(gaps.max())


def test_a_random_layer_is_near_every_law(asked):
    table = asked(normal(60, 90), redraws=20)
    for source in (MP, PROFILE, REDRAWN):
        assert first(table, source)["ks"] < 0.05
    row = first(table, REDRAWN)
    assert row["ks"] < 2 * row["ks_scatter"]
    assert row["ks_scatter"] < 0.05
    assert row["edge"] == pytest.approx(first(table, MEASURED)["edge"], rel=0.05)


def test_redraws_alone_know_the_mask(asked):
    """Blocks of 40 x 10 and 20 x 50 leave a rank of 30, which sums over rows and columns do not tell."""
    mask = np.zeros((60, 60), bool)
    mask[:40, :10], mask[40:, 10:] = True, True
    table = asked((normal(60, 60) * mask, mask), redraws=30)
    far = {source: first(table, source)["ks"] for source in SOURCES}
    assert first(table, MEASURED)["atom"] == first(table, REDRAWN)["atom"] == pytest.approx(0.5)
    assert far[REDRAWN] < 1.2 * first(table, REDRAWN)["ks_scatter"] < 0.1
    assert min(far[MP], far[PROFILE]) > 0.4


def test_the_scatter_holds_most_redraws(asked):
    """A random layer is one more of them: beyond the scatter as often as 1 in 20."""
    numbers = np.random.default_rng(6)
    layers = [(numbers.standard_normal((7, 11)), numbers.random((7, 11)) < 0.5) for _ in range(80)]
    table = asked(*layers, redraws=40, bins=2)
    here = table[(table["source"] == REDRAWN) & (table["bin"] == 0)]
    assert_mean(here["ks"] > here["ks_scatter"], 0.05, rejects=0.3, bias=0.03)


def test_redraws_are_of_the_whole_layer_and_repeat(asked):
    weight, mask = masked(30, 12, share=0.3)
    table = asked((weight, mask), redraws=5)
    assert first(table, REDRAWN)["atom"] >= 1 - 12 / 30
    pd.testing.assert_frame_equal(table, asked((weight, mask), redraws=5))


def test_redraws_may_be_left_out(asked):
    weight = normal(12, 20)
    every = [MEASURED, MP, PROFILE]
    assert list(asked(weight)["source"].unique()) == every
    assert list(asked(weight, redraws=3, widest=11)["source"].unique()) == every
    assert list(asked(weight, redraws=3, widest=12)["source"].unique()) == [*every, REDRAWN]


def test_mass_adds_up(asked):
    table = asked(masked(30, 12, share=0.3), masked(12, 30, share=0.2), redraws=5, bins=17)
    for (_, source), part in table.groupby(["layer", "source"]):
        width = np.diff(part["singular"]).mean()
        mass = part["pdf"].sum() * width + part["atom"].iloc[0]
        assert mass == pytest.approx(1, abs=1e-6 if source in (MEASURED, MP) else 0.02), (
            "the others may reach beyond the bins"
        )


def test_a_layer_of_zeros_has_no_rows(asked):
    assert set(asked(np.zeros((4, 5)), normal(4, 5))["name"]) == {"1"}
    with pytest.raises(rl.Refusal, match="has no weight that is not 0, and no spectrum"):
        asked(np.zeros((4, 5)))


@pytest.mark.parametrize(("option", "words"), [({"bins": 1}, "bins = 1 is not"), ({"redraws": -1}, "redraws = -1 not at")])
def test_wrong_options_are_refused(asked, option, words):
    with pytest.raises(rl.Refusal, match=words):
        asked(normal(3, 4), **option)


def test_a_kernel_is_unfolded(asked):
    weight = normal(6, 3, 2, 5)
    pd.testing.assert_frame_equal(asked(weight, redraws=3), asked(weight.reshape(6, 30), redraws=3))


def test_a_control_is_rewound_alone(tiny_run):
    table = rl.tabulate("spectrum", rl.controls.shuffle_entries(tiny_run[0, 2], 0), redraws=0, bins=5)
    assert list(table["state"].unique()) == ["rewound"]


@pytest.fixture(scope="module")
def table(tiny_run):
    return rl.tabulate("spectrum", tiny_run, bins=8, redraws=3)


def test_every_layer_of_a_run_has_its_rows(table, tiny_run):
    assert len(table) == 8 * 2 * 3 * 4 * 8
    for ticket in tiny_run:
        for state, weights in ticket.states.items():
            where = f"seed == {ticket.seed} and level == {ticket.level} and state == '{state}' and layer == 2"
            largest = first(table.query(where), MEASURED, 2)["edge"]
            assert largest == pytest.approx(singular(weights["fc2.weight"].double().numpy())[-1])


def test_the_headline_has_the_distances_of_both_ends(table):
    cells = table.query("bin == 0 and state == 'trained' and source != 'measured'")
    for level in (0, 3):
        here = cells[cells["level"] == level]
        far = here.groupby("source")["ks"].mean()
        found = ", ".join(f"{source} {far[source]:.3f}" for source in (MP, PROFILE, REDRAWN))
        assert f"{found} at density {here['density'].mean():.1%}" in headline(table)
    assert headline(table.query("level == 3")).count("at density") == 2


def test_the_layer_shown_is_hidden_to_hidden():
    for layers, middle in (([1, 2, 3, 4, 5], 3), ([1, 2, 3], 2), ([1, 2], 2), ([1], 1)):
        assert shown(pd.DataFrame({"layer": layers})) == middle


@pytest.mark.parametrize("which", ["level == level", "seed == 0", "level == 3", "seed == 1 and level == 0", "layer == 2"])
def test_the_figure_has_labels_and_names_every_source(table, which):
    here = table.query(which)
    figure, count = rl.plot("spectrum", here), min(here["level"].nunique(), 3)
    assert len(figure.axes) == 2 * (count + 1)
    for axes in figure.axes:
        assert axes.get_title().startswith(("rewound: ", "trained: "))
        assert axes.get_xlabel()
        assert axes.get_ylabel()
    left, right = figure.axes[0], figure.axes[count]
    assert left.get_title().startswith("rewound: layer 2, density")
    assert set(left.get_legend_handles_labels()[1]) == set(SOURCES)
    assert [text.get_text() for text in right.get_legend().get_texts()] == [MP, PROFILE, REDRAWN, "scatter of redraws"]


def test_the_figure_without_redraws_has_no_scatter(asked):
    axes = rl.plot("spectrum", asked(normal(5, 7), normal(6, 7))).axes[-1]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [MP, PROFILE]
    assert axes.get_xlabel() == "layer"


def test_a_sample_of_a_uniform_law_is_as_far_as_scipy_says():
    from rmtlottery.analyze.spectrum import empirical

    values = np.sort(np.random.default_rng(0).random(50))
    x = np.linspace(0, 1, 100_001)
    assert np.abs(empirical(values)(x) - x).max() == pytest.approx(stats.kstest(values, "uniform").statistic, abs=1e-4)
