"""Products of layers by autograd; rotated nets agree with the free product, and a net of aligned layers does not."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch.autograd.functional import jacobian

import rmtlottery as rl
from rmtlottery.analyze._singular import log_bins
from rmtlottery.analyze.freeness import FREE, MEASURED, ROTATED, SOURCES, free, haar, headline, multiplied, rotated
from rmtlottery.measure.signal import probe
from rmtlottery.tickets.parts import Conv, Digits, Normal, Orthogonal
from tests.analyze.drawn import drawn, fc, held
from tests.conftest import assert_mean


def numbers(table, source):
    """A row a layer."""
    return table[(table["source"] == source) & (table["bin"] == 0)].set_index("layer")


def through(ticket, last):
    """h^last as a function of h^1, by hand."""
    w, b = ({n: torch.from_numpy(one) for n, one in part.items()} for part in held(ticket))

    def follow(h):
        for layer in range(2, last + 1):
            h = w[layer] @ torch.tanh(h) + b[layer]
        return h

    return follow, w[1], b[1]


@pytest.mark.parametrize("last", [2, 3, 4])
def test_what_is_measured_is_the_jacobian_from_the_first_hidden_layer(last):
    ticket = drawn(fc(8, 5, 7, 6), density=0.7)
    follow, w, b = through(ticket, last)
    squares = []
    for x in probe(ticket, 6).x.double():
        made = jacobian(follow, w @ x + b).numpy()
        squares.append(np.linalg.eigvalsh(made @ made.T).clip(0))
    squares = np.array(squares)
    found = numbers(rl.tabulate("freeness", ticket, samples=6), MEASURED).loc[last]
    means, edges = squares.mean(axis=1), squares.max(axis=1)
    spreads = (squares**2).mean(axis=1) / means**2 - 1
    for name, values in (("mean", means), ("edge", edges), ("variance", spreads)):
        assert found[name] == pytest.approx(values.mean(), rel=1e-9)
        assert [found[f"{name}_low"], found[f"{name}_high"]] == pytest.approx(np.quantile(values, [0.05, 0.95]), rel=1e-9)
    assert found["zeros"] == pytest.approx(max(1 - min(8, 5, *(7, 6)[: last - 2]) / squares.shape[1], 0))


def test_shares_are_of_all_inputs_together():
    ticket = drawn(fc(8, 5, 7))
    follow, w, b = through(ticket, 3)
    made = np.stack([jacobian(follow, w @ x + b).numpy() for x in probe(ticket, 4).x.double()])
    logs = np.log10(np.linalg.svd(made, compute_uv=False) ** 2)
    table = rl.tabulate("freeness", ticket, samples=4, bins=30).query("source == 'measured' and layer == 3")
    counts, edges = np.histogram(logs, log_bins(30))
    assert table["share"].to_list() == pytest.approx(counts / made[..., 0].size / np.diff(edges))
    assert table["log10"].to_list() == pytest.approx((edges[1:] + edges[:-1]) / 2)


def test_turned_layers_keep_their_singular_values_and_lose_their_directions():
    before = [torch.randn(7, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)]
    (after,) = rotated(before, np.random.default_rng(0))
    torch.testing.assert_close(torch.linalg.svdvals(after), torch.linalg.svdvals(before[0]))
    corner = torch.zeros(3, 4, dtype=torch.float64)
    corner[0, 0] = 1
    assert rotated([corner], np.random.default_rng(0))[0].all(), "on both sides"
    turned = np.stack([haar(3, np.random.default_rng(seed)).numpy() for seed in range(4000)])
    assert np.allclose(turned @ turned.swapaxes(1, 2), np.eye(3))
    assert_mean(turned[:, 0, 0], 0.0, rejects=0.1)
    assert_mean(turned[:, 0, 0] ** 2, 1 / 3, rejects=0.3)


def slopes_and_matrices(weights, samples=1):
    """Of a net that nobody aligned, with slopes alike at every input."""
    stream = torch.Generator().manual_seed(0)
    slopes = [torch.rand(1, w.shape[1], generator=stream, dtype=torch.float64).repeat(samples, 1) for w in weights]
    return slopes, weights


def normal(rows, columns, seed):
    stream = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=stream, dtype=torch.float64) / columns**0.5


def spectra(source, slopes, matrices, count=12):
    """The deepest row of each of several rotations."""
    edges = log_bins(50)
    draws = (rotated(matrices, np.random.default_rng(seed)) for seed in range(count))
    return pd.DataFrame([list(multiplied(source, slopes, turned, edges))[-1] for turned in draws])


def test_rotated_nets_agree_with_the_free_product():
    """Of widths 60, 40, 50; means to sampling, second moments to that and O(1/n)."""
    slopes, matrices = slopes_and_matrices([normal(40, 60, 1), normal(50, 40, 2)])
    turned, law = spectra(ROTATED, slopes, matrices), list(free(slopes, matrices, log_bins(50)))[-1]
    assert_mean(turned["mean"], law["mean"], rejects=1.1 * law["mean"])
    assert_mean(turned["variance"], law["variance"], rejects=1.2 * law["variance"], bias=0.03)
    assert turned["zeros"].to_list() == pytest.approx([law["zeros"]] * 12)
    assert law["zeros"] == pytest.approx(1 / 5)
    assert 0.75 < turned["edge"].mean() / law["edge"] < 1, "reached from below, as n^(-2/3)"
    assert_mean(turned["anisotropy"], law["anisotropy"], rejects=1.03 * law["anisotropy"], bias=0.005)
    pooled = np.mean(turned["share"].to_list(), axis=0)
    assert np.abs(np.cumsum(pooled - law["share"])).max() * 0.2 < 0.02


def aligned(weights, mask):
    weights["fc3.weight"] = weights["fc2.weight"].T.clone()


def test_aligned_layers_are_not_free():
    """W_3 = W_2^T of a linear net: its singular values are the squares of those of W_2."""
    ticket = drawn(fc(40, 40, 40, phi="linear"), Normal(sigma_w=1.0), change=aligned)
    table = rl.tabulate("freeness", ticket, samples=2)
    fourth = np.linalg.svd(held(ticket)[0][2], compute_uv=False) ** 4
    spread = {source: numbers(table, source).loc[3, "variance"] for source in SOURCES}
    assert spread[MEASURED] == pytest.approx(np.mean(fourth**2) / fourth.mean() ** 2 - 1, rel=1e-9)
    assert spread[ROTATED] == pytest.approx(spread[FREE], rel=0.25)
    assert spread[MEASURED] > 1.4 * spread[FREE]


def test_random_layers_are_free():
    ticket = drawn(fc(60, 50, 60), density=0.8)
    table = rl.tabulate("freeness", ticket, samples=16)
    for layer in (2, 3):
        law = numbers(table, FREE).loc[layer]
        for source in (MEASURED, ROTATED):
            assert numbers(table, source).loc[layer, "mean"] == pytest.approx(law["mean"], rel=0.1)
            assert numbers(table, source).loc[layer, "variance"] == pytest.approx(law["variance"], rel=0.2)


def test_orthogonal_linear_layers_stay_a_multiple_of_an_isometry():
    table = rl.tabulate("freeness", drawn(fc(9, 9, 9, phi="linear"), Orthogonal(sigma_w=1.5)), samples=2)
    for source in SOURCES:
        assert numbers(table, source)["anisotropy"].to_list() == pytest.approx([0, 0], abs=1e-2)
        assert numbers(table, source)["mean"].to_list() == pytest.approx([1.5**2, 1.5**4])
    assert len(rl.plot("freeness", table).axes) == 2


def test_every_row_of_a_run_has_its_place(tiny_run):
    table = rl.tabulate("freeness", tiny_run[0, 1], samples=5, bins=10)
    assert len(table) == 2 * 3 * 10
    assert list(table["state"].unique()) == ["rewound", "trained"]
    assert list(table["source"].unique()) == [MEASURED, ROTATED, FREE]
    assert set(table["layer"]) == {2}
    assert set(table["inputs"]) == {probe(tiny_run[0, 1], 5).words}
    pd.testing.assert_frame_equal(table, rl.tabulate("freeness", tiny_run[0, 1], samples=5, bins=10))


def test_a_control_is_rewound_alone(tiny_run):
    table = rl.tabulate("freeness", rl.controls.shuffle_entries(tiny_run[0, 1], 0), samples=3, bins=10)
    assert list(table["state"].unique()) == ["rewound"]
    assert "rewound: measured" in headline(table)


@pytest.mark.parametrize("net", [fc(8), Conv(channels=(2, 2, 2), widths=(5,))])
def test_a_net_without_two_fully_connected_hidden_layers_is_refused(net):
    with pytest.raises(rl.Refusal, match="has no two hidden layers that are fully connected"):
        rl.tabulate("freeness", drawn(net, data=Digits()))


def emptied(weights, mask):
    mask["fc2.weight"][:] = False


def test_a_layer_of_zeros_is_refused():
    with pytest.raises(rl.Refusal, match="has a hidden layer that is 0 when rewound, whose products have no spectrum"):
        rl.tabulate("freeness", drawn(fc(8, 5, 7), change=emptied))


@pytest.mark.parametrize(("option", "words"), [({"bins": 1}, "bins = 1 is not"), ({"samples": 0}, "samples = 0 is not")])
def test_wrong_options_are_refused(option, words):
    with pytest.raises(rl.Refusal, match=words):
        rl.tabulate("freeness", drawn(fc(8, 5)), **option)


def test_a_checkpoint_is_refused(tmp_path):
    torch.save({"weight": torch.ones(3, 4)}, tmp_path / "net.pt")
    with pytest.raises(rl.Refusal, match="freeness needs the net and its data, which a checkpoint alone does not hold"):
        rl.tabulate("freeness", rl.load(tmp_path / "net.pt"))


@pytest.fixture(scope="module")
def table(tiny_run):
    return rl.tabulate("freeness", tiny_run, samples=4, bins=10)


def test_the_headline_has_the_means_over_seeds_of_both_ends(table):
    words, cells = headline(table), table.query("bin == 0 and state == 'trained'")
    for level in (0, 3):
        here = cells[cells["level"] == level]
        means = here.groupby("source")["variance"].mean()
        found = ", ".join(f"{source} {means[source]:.3g}" for source in (MEASURED, ROTATED, FREE))
        assert f"{found} at density {here['density'].mean():.1%}" in words


@pytest.mark.parametrize("which", ["level == level", "seed == 0", "level == 3", "seed == 1 and level == 0"])
def test_the_figure_has_labels_and_names_every_source(table, which):
    table = table.query(which)
    figure = rl.plot("freeness", table)
    shown = min(table["level"].nunique(), 3)
    assert len(figure.axes) == 2 * (1 + shown)
    for axes in figure.axes:
        assert axes.get_title().startswith(("rewound: ", "trained: "))
        assert axes.get_xlabel()
        assert axes.get_ylabel()
    left, right = figure.axes[0], figure.axes[shown]
    assert left.get_yscale() == "log"
    assert "dashed free,\ndotted rotated" in left.get_legend().get_title().get_text()
    assert len(left.get_legend().get_texts()) == shown
    assert [text.get_text() for text in right.get_legend().get_texts()] == SOURCES
