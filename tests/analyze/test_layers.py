"""Norms and ranks by numpy, laws that a random layer follows, and what is planted found."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from scipy import stats
from scipy.integrate import cumulative_trapezoid

import rmtlottery as rl
from rmtlottery.analyze.layers import headline
from tests.conftest import assert_mean

COLUMNS = [
    "run",
    "seed",
    "level",
    "density",
    "state",
    "layer",
    "name",
    "source",
    "rows",
    "columns",
    "kept",
    "per_row",
    "empty_rows",
    "empty_columns",
    "frobenius",
    "spectral",
    "stable_rank",
    "participation",
    "entropy",
    "effective_rank",
    "hard_rank",
    "kurtosis",
    "sarle",
    "mp_variance",
    "mp_edge",
    "mp_ks",
    "mp_beyond",
    "spikes",
    "spike_p",
    "spike_edge",
    "test",
    "alpha",
    "xmin",
    "alpha_p",
    "null_alpha",
    "null_low",
    "null_high",
    "beyond",
    "heavy",
    "operator_low",
    "operator_high",
]


@pytest.fixture
def asked(tmp_path):
    """The rows of the layers of a checkpoint, each a matrix or a (matrix, mask)."""

    def ask(*given, **options):
        both = [pair if isinstance(pair, tuple) else (pair, np.ones_like(pair)) for pair in given]
        save_file({f"{n}": torch.from_numpy(w.copy()) for n, (w, _) in enumerate(both)}, tmp_path / "net.safetensors")
        save_file({f"{n}": torch.from_numpy(m * 1.0) for n, (_, m) in enumerate(both)}, tmp_path / "mask.safetensors")
        ticket = rl.load(tmp_path / "net.safetensors", mask=tmp_path / "mask.safetensors")
        return rl.tabulate("layers", ticket, **{"bootstraps": 0, "redraws": 0} | options)

    return ask


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def lot(*shape, share, seed=1):
    return np.random.default_rng(seed).random(shape) < share


def distance_from_marchenko_pastur(values, m, n):
    """Of all m eigenvalues from the law of the same mean, whose density is added up on a fine grid."""
    c, held = m / n, np.sort(np.concatenate([np.zeros(m - len(values)), values])) / np.sum(values) * m
    x = (1 + c - 2 * np.sqrt(c) * np.cos(np.linspace(0, np.pi, 200_001)))[1:-1]
    pdf = np.sqrt(np.maximum(4 * c - (x - 1 - c) ** 2, 0)) / (2 * np.pi * c * x)
    cdf = np.interp(held, x, 1 - min(1, 1 / c) + cumulative_trapezoid(pdf, x, initial=0), right=1.0)
    cdf[held == 0] = max(0, 1 - 1 / c)
    above = np.arange(1, m + 1) / m
    both = np.abs(np.concatenate([above - cdf, above - 1 / m - cdf]))
    return both[np.tile(held > 0, 2)].max()


@pytest.mark.parametrize("shape", [(40, 25), (25, 40)])
def test_norms_and_ranks_are_those_of_numpy(asked, shape):
    weight, mask = normal(*shape), lot(*shape, share=0.5)
    mask[3], mask[:, 7] = False, False
    (row,) = asked((weight, mask)).itertuples()
    held, kept = weight * mask, weight[mask]
    singular = np.linalg.svd(held, compute_uv=False)
    squares, shares = singular**2, singular / singular.sum()
    assert (row.rows, row.columns, row.kept) == (*shape, mask.sum())
    assert row.per_row == mask.sum() / shape[0]
    assert (row.empty_rows, row.empty_columns) == (1, 1)
    assert row.frobenius == pytest.approx(np.linalg.norm(held))
    assert row.spectral == pytest.approx(singular[0])
    assert row.stable_rank == pytest.approx(squares.sum() / squares[0])
    assert row.participation == pytest.approx(squares.sum() ** 2 / np.sum(squares**2))
    assert row.entropy == pytest.approx(stats.entropy(squares) / np.log(25))
    assert row.effective_rank == pytest.approx(np.exp(stats.entropy(shares)))
    assert row.hard_rank == np.linalg.matrix_rank(held) == 24
    assert row.kurtosis == pytest.approx(stats.kurtosis(kept, fisher=False))
    assert row.sarle == pytest.approx((stats.skew(kept) ** 2 + 1) / row.kurtosis)
    assert row.mp_variance == pytest.approx(np.sum(held**2) / shape[0])
    assert row.mp_edge == pytest.approx(np.mean(held**2) * (np.sqrt(shape[0]) + np.sqrt(shape[1])) ** 2)
    assert row.mp_beyond == np.sum(squares > row.mp_edge)
    assert row.mp_ks == pytest.approx(distance_from_marchenko_pastur(squares, *shape), abs=1e-4)


def test_a_kernel_is_unfolded(asked):
    weight = normal(6, 3, 2, 5)
    pd.testing.assert_frame_equal(asked(weight, redraws=99), asked(weight.reshape(6, 30), redraws=99))


def test_the_rank_of_a_product_is_that_of_its_factors(asked):
    (row,) = asked(normal(30, 10) @ normal(10, 50, seed=1)).itertuples()
    assert row.hard_rank == 10


@pytest.mark.parametrize("shape", [(150, 250), (250, 150)])
def test_a_random_layer_follows_marchenko_pastur(asked, shape):
    """Rigidity: about 1/n. Weights of two sizes by row, 1 and 2, are told apart."""
    weight = normal(*shape)
    table = asked(weight, weight * np.where(np.arange(shape[0]) % 2, 1.0, 2.0)[:, None], redraws=0)
    assert table["mp_ks"][0] < 0.02
    assert table["mp_ks"][1] > 0.04
    assert (table["spikes"][0], table["test"][0]) == (0, "tracy-widom")
    assert table["test"][1] == "none"


def test_a_planted_direction_is_a_spike(asked):
    """+-1 on both sides: of the edge (8 + sqrt 96)^2 = 317 dense, and in a tenth of the places."""
    signs = np.sign(np.outer(normal(64, seed=2), normal(96, seed=3)))
    dense, sparse = normal(64, 96), lot(64, 96, share=0.1)
    table = asked(dense, dense + 0.35 * signs, (dense, sparse), (dense + 2 * signs, sparse), redraws=99)
    assert table["spikes"].to_list() == [0, 1, 0, 1]
    assert table["test"].to_list() == ["redraws"] * 4
    assert (table["spike_p"] <= 0.01).to_list() == [False, True, False, True]
    assert ((table["spectral"] ** 2 > table["spike_edge"]) == (table["spikes"] > 0)).all()
    assert table["spike_edge"][0] == pytest.approx(317, rel=0.08)
    words = headline(table)
    assert (
        "net.safetensors, trained: spikes at a level of 1 % in 2 of 4 layers tested, a heavy tail tested in no layer"
        in words
    )


def test_permuted_redraws_fire_at_their_level_on_random_layers(asked):
    """Each p-value as likely as any other of .01, .02, .., 1."""
    numbers = np.random.default_rng(4)
    layers = [(numbers.standard_t(4, (8, 13)), numbers.random((8, 13)) < 0.4) for _ in range(300)]
    table = asked(*layers, redraws=99)
    assert set(table["test"]) == {"redraws"}
    assert_mean(table["spike_p"], 0.505, rejects=0.6)
    assert_mean(table["spike_p"] <= 0.2, 0.2, rejects=0.33)
    assert ((table["spikes"] > 0) == (table["spike_p"] <= 0.01)).all()


def power_law(m, n, alpha):
    """Eigenvalues at the quantiles of a power law from 1 on, in random directions."""
    left, right = (np.linalg.qr(normal(side, side, seed=side))[0] for side in (m, n))
    values = ((np.arange(m) + 0.5) / m) ** (-1 / (alpha - 1))
    return left * np.sqrt(values) @ right[:m]


def test_a_planted_power_law_is_read_and_a_gaussian_layer_has_none(asked):
    table = asked(power_law(120, 150, 1.7), normal(120, 150), redraws=99, bootstraps=20)
    planted, random = table.iloc[0], table.iloc[1]
    assert planted["alpha"] == pytest.approx(1.7, abs=0.05)
    assert planted["xmin"] == pytest.approx(1, abs=0.2)
    assert planted["alpha_p"] > 0.1
    assert (planted["heavy"], random["heavy"]) == (True, False)
    assert planted["beyond"] >= 3
    assert random["beyond"] == 0
    assert planted["alpha"] < planted["null_low"] < planted["null_alpha"] < planted["null_high"]
    assert random["null_low"] < random["alpha"] < random["null_high"]
    assert "a heavy tail in 1 of 2" in headline(table)


def test_redraws_and_bootstraps_may_be_left_out(asked):
    weight, options = normal(20, 30), [{}, {"redraws": 99, "widest": 20}, {"bootstraps": 5}, {"redraws": 99, "widest": 19}]
    plain, drawn, booted, wide = (asked(weight, **option).iloc[0] for option in options)
    assert plain["test"] == booted["test"] == wide["test"] == "none"
    assert drawn["test"] == "redraws"
    assert np.isnan(plain[["spikes", "spike_p", "spike_edge", "alpha_p", "null_alpha", "beyond"]].to_list()).all()
    assert plain["alpha"] == drawn["alpha"] == booted["alpha"]
    assert np.isnan(drawn["alpha_p"])
    assert booted["alpha_p"] >= 0
    assert not wide["heavy"]


def test_each_null_redraws_in_its_own_way(asked):
    """Of a layer of equal weights signs alone and gaussian change the largest eigenvalue's share; permuted does not."""
    weight = np.ones((9, 14))
    p = {
        null: asked(weight, null=null, redraws=99)["spike_p"].item() for null in ("permuted", "signs", "gaussian", "degrees")
    }
    assert p == {"permuted": 1, "signs": 0.01, "gaussian": 0.01, "degrees": 1}


def test_a_layer_of_zeros_is_told_and_not_tested(asked):
    table = asked(np.zeros((4, 6)), normal(5, 7), redraws=99)
    row = table.iloc[0]
    assert (row["kept"], row["frobenius"], row["hard_rank"], row["test"]) == (24, 0, 0, "none")
    assert np.isnan(row["stable_rank"])
    assert not row["heavy"]
    assert "spikes at a level of 1 % in 0 of 1 layers tested, a heavy tail tested in no layer; 1 not tested" in headline(
        table
    )
    alone = asked(np.zeros((4, 6)))
    assert list(alone.columns) == COLUMNS
    assert "tested in no layer" in headline(alone)
    assert len(rl.plot("layers", alone).axes) == 3


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"redraws": 98}, "redraws = 98, bootstraps = 0: take none, or at least 99 redraws"),
        ({"redraws": -1}, "redraws = -1"),
        ({"bootstraps": -1}, "bootstraps = -1"),
        ({"null": "permutted"}, "permuted"),
        ({"widht": 3}, "widest"),
    ],
)
def test_wrong_options_are_refused(asked, option, words):
    with pytest.raises(rl.Refusal, match=words):
        asked(normal(3, 4), **option)


def test_every_layer_of_a_run_has_its_row(tiny_run):
    table = rl.tabulate("layers", tiny_run[0, 2], bootstraps=0)
    assert list(table.columns) == COLUMNS
    assert list(table["state"]) == ["rewound"] * 3 + ["trained"] * 3
    assert list(table["layer"]) == [1, 2, 3] * 2
    for row in table.itertuples():
        weight = tiny_run[0, 2].states[row.state][row.name].double().numpy()
        assert row.spectral == pytest.approx(np.linalg.norm(weight, 2))
        assert row.kept == np.count_nonzero(weight)
    pd.testing.assert_frame_equal(table, rl.tabulate("layers", tiny_run[0, 2], bootstraps=0))


def test_a_control_is_rewound_alone(tiny_run):
    table = rl.tabulate("layers", rl.controls.shuffle_entries(tiny_run[0, 2], 0), redraws=0, bootstraps=0)
    assert list(table["state"]) == ["rewound"] * 3


@pytest.fixture(scope="module")
def table(tiny_run):
    return rl.tabulate("layers", tiny_run, bootstraps=5)


def test_the_headline_counts_layers(table):
    for state, part in table.groupby("state"):
        spiked, heavy = (part["spikes"] > 0).sum(), part["heavy"].sum()
        words = f"{state}: spikes at a level of 1 % in {spiked} of 24 layers tested, a heavy tail in {heavy} of 24 layers"
        assert words in headline(table)


@pytest.mark.parametrize("which", ["level == level", "seed == 0", "level == 3", "seed == 1 and level == 0", "layer == 2"])
def test_the_figure_has_labels_and_legends(table, which):
    figure = rl.plot("layers", table.query(which))
    assert len(figure.axes) == 6
    for axes, words in zip(figure.axes, ["above the line are spikes", "power law", "directions"] * 2, strict=True):
        assert words in axes.get_title()
        assert axes.get_xlabel() == "layer"
        assert axes.get_ylabel()
        assert axes.get_legend()
    words = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert words == ["p >= .1", "no power law,\nor p not asked"]
    assert figure.axes[0].get_yscale() == "log"


def test_layers_that_nothing_could_test_have_a_figure(asked):
    figure = rl.plot("layers", asked(normal(5, 7), normal(6, 7)))
    assert figure.axes[0].get_xlabel() == "layer"
    assert figure.axes[2].get_legend()


def test_without_redraws_tracy_widom_decides_where_it_may(asked):
    signs = np.sign(np.outer(normal(64, seed=2), normal(96, seed=3)))
    dense = normal(64, 96)
    table = asked(dense, dense + 0.35 * signs, (dense, lot(64, 96, share=0.1)), redraws=0)
    assert table["test"].to_list() == ["tracy-widom", "tracy-widom", "none"]
    assert table["spikes"].to_list()[:2] == [0, 1]


def test_a_mean_is_no_spike_to_redraws_that_have_it_too(asked):
    table = asked(normal(48, 90) + 0.3, redraws=99)
    assert (table["test"].item(), table["spikes"].item()) == ("redraws", 0)


def test_a_kernel_as_an_operator_is_bounded_where_its_pictures_are_told(tmp_path):
    """Against the whole matrix of the operator, zero padded, on pictures of side 6."""
    kernel = torch.from_numpy(normal(4, 3, 3, 3))
    save_file(
        {"conv": kernel, "fc": torch.from_numpy(normal(4, 27)), "solid": torch.ones(2, 3, 2, 2, 2)},
        tmp_path / "net.safetensors",
    )
    table = rl.tabulate("layers", rl.load(tmp_path / "net.safetensors"), redraws=0, bootstraps=0, picture=6)
    pictures = torch.eye(108, dtype=torch.float64).reshape(108, 3, 6, 6)
    operator = torch.nn.functional.conv2d(pictures, kernel, padding=1).reshape(108, -1)
    norm = torch.linalg.matrix_norm(operator, 2).item()
    assert table["operator_low"][0] == pytest.approx(norm, rel=1e-5)
    assert norm <= table["operator_high"][0] < 1.3 * norm
    assert table[["operator_low", "operator_high"]].iloc[1:].isna().all().all()
