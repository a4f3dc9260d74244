"""Lengths along skips: closed forms of unequal layers, walks by simulation, wide nets, and words that are the table's."""

import numpy as np
import pandas as pd
import pytest
import torch

import rmtlottery as rl
from rmtlottery import datasets, nets
from rmtlottery.analyze.skips import MEASURED, MOMENTS, NOMINAL, PLAIN, ROWS, SCALES, STARTED, headline
from rmtlottery.measure.residual import stream_lengths
from rmtlottery.nets.init import drawn as drawn_shapes
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import Digits, He, Normal, Own, Resnet, Skip
from tests.analyze.drawn import TEACHER, drawn
from tests.conftest import assert_mean


def course(found, source):
    return found.query("source == @source").sort_values("block")["q"].to_numpy()


def relu_sums(q, layers):
    """relu halves a length: q + s2^2 (s1^2 q / 2 + b1^2) / 2 + b2^2."""
    rows = [q]
    for (s1, b1), (s2, b2) in layers:
        rows.append(rows[-1] + s2 * (s1 * rows[-1] / 2 + b1) / 2 + b2)
    return rows


def test_the_nominal_recursion_of_relu_in_closed_form():
    ticket = drawn(Skip(phi="relu", units=5, blocks=3), Normal(sigma_w=1.3, sigma_b=0.4), density=0.5)
    found = rl.tabulate("skips", ticket, samples=30)
    given = datasets.dataset(TEACHER).test.x[:30].double().square().mean().item()
    layer = (1.69, 0.16)
    assert course(found, NOMINAL) == pytest.approx(relu_sums(1.69 * given + 0.16, [(layer, layer)] * 3), rel=1e-6)


def test_an_init_without_sigmas_has_its_second_moments_alone():
    found = rl.tabulate("skips", drawn(Skip(units=5, blocks=2), Own()), samples=9)
    assert set(found["source"]) == {MEASURED, MOMENTS, STARTED}
    assert headline(found)


def test_second_moments_are_of_each_layer_and_count_what_is_cut():
    ticket = drawn(Skip(phi="relu", units=7, blocks=2), density=0.4)
    found, w = rl.tabulate("skips", ticket, samples=30), ticket.rewound
    own = {
        name: ((weight := w[f"{name}.weight"].double().numpy()).shape[1] * np.mean(weight**2), np.mean(bias**2))
        for name in ("fc1", *(f"blocks.{block}.fc{place}" for block in (0, 1) for place in (1, 2)))
        for bias in [w[f"{name}.bias"].double().numpy()]
    }
    given = datasets.dataset(TEACHER).test.x[:30].double().square().mean().item()
    blocks = [(own[f"blocks.{block}.fc1"], own[f"blocks.{block}.fc2"]) for block in (0, 1)]
    start = own["fc1"][0] * given + own["fc1"][1]
    assert course(found, MOMENTS) == pytest.approx(relu_sums(start, blocks), rel=1e-6)
    begun = course(found, MEASURED)[0]
    assert course(found, STARTED) == pytest.approx(relu_sums(begun, blocks), rel=1e-6)
    assert begun != pytest.approx(start, rel=1e-4)


def test_inputs_are_followed_one_by_one():
    """erf has Q in closed form and is not linear in q: a mean taken before the map is another one."""
    ticket = drawn(Skip(phi="erf", units=6, blocks=1), Normal(sigma_w=2.0, sigma_b=0.1))
    found = rl.tabulate("skips", ticket, samples=200)
    square = datasets.dataset(TEACHER).test.x[:200].double().square().mean(1).numpy()
    q_map = lambda q: 4 * 2 / np.pi * np.arcsin(2 * q / (1 + 2 * q)) + 0.01  # noqa: E731
    behind = lambda q: q + q_map(q_map(q))  # noqa: E731
    q = 4 * square + 0.01
    assert course(found, NOMINAL) == pytest.approx([q.mean(), behind(q).mean()], rel=1e-5)
    assert course(found, NOMINAL)[1] != pytest.approx(behind(q.mean()), rel=1e-4)


def test_wide_pruned_nets_follow_their_second_moments_and_not_the_nominal_ones():
    ratios = []
    for seed in range(30):
        found = rl.tabulate("skips", drawn(Skip(units=150, blocks=3), density=0.3, seed=seed), samples=20)
        q = course(found, MEASURED)
        ratios.append([q[-1] / course(found, STARTED)[-1], q[-1] / course(found, NOMINAL)[-1]])
    begun, nominal = np.array(ratios).T
    assert_mean(begun, 1, rejects=1.09, bias=0.015)
    assert nominal.mean() < 0.8


def walked(shift, spread, size=40_000):
    """(steps, channels) of x <- relu(x + N(shift, spread^2)) by simulation: the mean square of each."""
    rng, x, rows = np.random.default_rng(0), np.zeros((size, shift.shape[1])), []
    for mean, std in zip(shift, spread, strict=True):
        x = np.maximum(x + mean + std * rng.standard_normal(x.shape), 0)
        rows.append((x**2).mean(0))
    return np.array(rows)


def cut_row(weights, mask):
    mask["blocks.1.conv2.weight"][1] = False
    weights["blocks.1.norm2.weight"][1] = -3.0


def test_walks_of_each_channel_begin_where_it_is_added():
    ticket = drawn(Resnet(depth=8, stem=2), data=Digits(), change=cut_row)
    found, w = rl.tabulate("skips", ticket, samples=10), ticket.rewound
    shift, spread, widths = np.zeros((4, 8)), np.zeros((4, 8)), (2, 2, 4, 8)
    for step, (name, width) in enumerate(zip(("norm", *(f"blocks.{k}.norm2" for k in range(3))), widths, strict=True)):
        shift[step, :width], spread[step, :width] = w[f"{name}.bias"], w[f"{name}.weight"].abs()
    assert course(found, SCALES) == pytest.approx(walked(shift, spread).sum(1) / widths, rel=0.02)
    spread[2, 1] = 0
    assert course(found, ROWS) == pytest.approx(walked(shift, spread).sum(1) / widths, rel=0.02)
    assert course(found, ROWS)[2] < 0.7 * course(found, SCALES)[2], "an emptied row has no spread"
    fair = np.array([0.5, 1 + 1 / (2 * np.pi)])
    assert course(found, PLAIN)[:3] == pytest.approx([fair[0], fair[1], (course(found, PLAIN)[2])], rel=1e-4)
    assert course(found, PLAIN)[2] == pytest.approx((thrice() + 0.5) / 2, rel=1e-4), "two old channels of four"


def thrice():
    """<x^2> of three fair steps, by Spitzer: 3/2 + (1 + sqrt 2) / (2 pi)."""
    return 1.5 + (1 + np.sqrt(2)) / (2 * np.pi)


def test_wide_normalised_nets_are_walks_at_any_density():
    """He's init on white noise, all weights and a fifth of them: nothing changes but which."""
    network, noise = nets.build(Resnet(depth=8, stem=20), (3, 12, 10), 5), torch.Generator().manual_seed(0)
    x = torch.randn(30, 360, generator=noise)
    theory = course(rl.tabulate("skips", drawn(Resnet(depth=8, stem=20), data=Digits()), samples=5), PLAIN)
    for density in (1.0, 0.2):
        lengths = []
        for seed in range(16):
            theta = network.own(seed) | initial(He(), drawn_shapes(network.shapes, network.prunable), seed)
            mask = {name: torch.rand(theta[name].shape, generator=noise) < density for name in network.prunable}
            weights = {name: value * mask.get(name, 1) for name, value in theta.items()} | network.buffers
            lengths.append(stream_lengths(network, weights, x).mean(0).numpy())
        for found, expected in zip(np.transpose(lengths), theory, strict=True):
            assert_mean(found, expected, rejects=1.2 * expected, bias=0.04 * expected)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    spec = rl.preset("first").but(epochs=1, levels=2, batch=400, seeds=(0, 1))
    skip = spec.but(net={"kind": "skip", "units": 6, "blocks": 2}, name="skip")
    resnet = spec.but(net={"kind": "resnet", "depth": 8, "stem": 2}, init="he", name="resnet")
    return [rl.fit(one, tmp_path_factory.mktemp("runs")) for one in (skip, resnet)]


def test_the_table_has_every_state_block_and_source(runs):
    for run, sources, blocks in zip(runs, ((NOMINAL, MOMENTS, STARTED), (PLAIN, SCALES, ROWS)), (3, 4), strict=True):
        found = rl.tabulate("skips", run, samples=40)
        assert list(found.columns[4:]) == ["state", "block", "q", "source", "inputs", "statistics"]
        assert list(dict.fromkeys(found["source"])) == [MEASURED, *sources]
        assert len(found) == 2 * 3 * 2 * 4 * blocks
        assert set(found["state"]) == {"rewound", "trained"}
        assert set(found["statistics"]) == {"none" if blocks == 3 else "of the 40 inputs, one batch"}


def test_measured_is_of_the_state(runs):
    for run in runs:
        ticket = run[1, 2]
        network = nets.build(run.spec.net, (1, 8, 8), 10)
        found = rl.tabulate("skips", ticket, samples=40)
        x = datasets.dataset(run.spec.data).test.x[:40]
        for state, weights in ticket.states.items():
            expected = stream_lengths(network, weights, x).mean(0).numpy()
            assert course(found.query(f"state == '{state}'"), MEASURED) == pytest.approx(expected, rel=1e-9)


def test_other_nets_are_not_asked(tiny_run):
    with pytest.raises(rl.Refusal, match="skips"):
        rl.tabulate("skips", tiny_run)


def made():
    """Two levels, two blocks; theory is 10 % short at one place, another right everywhere."""
    q = {MEASURED: [[1, 2], [1, 4]], NOMINAL: [[1, 2], [1, 3.6]], STARTED: [[1, 2], [1, 4]]}
    rows = [
        {"level": level, "block": block, "source": source, "q": value}
        for source, levels in q.items()
        for level, values in enumerate(levels)
        for block, value in enumerate(values)
    ]
    return pd.DataFrame(rows).assign(run="r", seed=0, state="rewound", density=lambda rows: 0.5 ** rows["level"])


def test_the_headline_is_of_the_last_block_and_the_worst_place():
    words = headline(made())
    assert "r, rewound: 2.00 densest and 4.00 sparsest (density 50.0%) behind the last block" in words
    assert f"{NOMINAL} 10.0%, {STARTED} 0.0% (means over seeds [0])" in words


@pytest.mark.parametrize("which", ["level == level", "seed == 1 and level == 1"])
def test_the_figure_has_blocks_left_and_densities_right(runs, which):
    tables = [rl.tabulate("skips", run, samples=20).query(which) for run in runs]
    figure = rl.plot("skips", pd.concat(tables))
    assert len(figure.axes) == 8
    assert [axes.get_xlabel() for axes in figure.axes[:2]] == ["block (0: before the first)", "density (weights kept)"]
    assert all(axes.get_ylabel() == "q, mean square of the stream" for axes in figure.axes)
    dashed = [axes.get_title().partition("dashed ")[2] for axes in figure.axes[::2]]
    assert dashed == [ROWS, ROWS, STARTED, STARTED]


def test_lines_on_the_right_are_behind_the_last_block():
    axes = rl.plot("skips", made()).axes[1]
    drawn_lines = [sorted(line.get_ydata()) for line in axes.get_lines() if len(line.get_ydata()) == 2]
    assert [2, 4] in drawn_lines
    assert [2, 3.6] in drawn_lines
