"""Nets that are what a theory speaks of are refused as seldom as they should, and nets with a planted defect are."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import rmtlottery as rl
from rmtlottery.analyze import _verdict_terms
from rmtlottery.analyze._judge import corrected
from rmtlottery.analyze._verdict_terms import APART, CHI, EDGE, SPECTRUM, VARIANCE, Q
from rmtlottery.analyze.rungs.climb import Climb
from rmtlottery.analyze.rungs.names import NOTHING, T0, T2, T3, T9
from rmtlottery.analyze.verdict import headline
from rmtlottery.tickets.parts import Normal
from tests.analyze.drawn import drawn, fc

WIDTHS = (20, 26, 17)
INIT = Normal(sigma_w=1.4, sigma_b=0.3)
OWN = [(APART, T3, 2), (APART, T0, 3), (VARIANCE, "own sizes", 3), (EDGE, "own spectra", 3), (VARIANCE, "nominal", 3)]
REST = [(Q, T0, 2), (Q, T3, 3), (Q, T9, 2), (CHI, T3, 2), (SPECTRUM, "Marchenko-Pastur", 2), (SPECTRUM, "rows x columns", 2)]


@pytest.fixture
def leave_out(monkeypatch):
    """Quantities that a test is not about, for the time that they take."""

    def leave(*names):
        for name in names:
            monkeypatch.setattr(_verdict_terms, f"of_{name}", lambda *_: ())
        if "signals" in names:
            monkeypatch.setattr(_verdict_terms, "climbed", lambda *_: Climb([], NOTHING))

    return leave


def judged(seeds, change=None, density=1.0, widths=WIDTHS, **options):
    tickets = (drawn(fc(*widths), INIT, seed=seed, change=change, density=density) for seed in seeds)
    return rl.tabulate("verdict", tickets, **{"samples": 20, "inputs": 2} | options)


def cells(table, column="p"):
    return table.set_index(["quantity", "source", "layer"])[column].sort_index()


def refused_share(nets, those):
    """How often each cell is refused alone, at 5 %, in nets asked one by one."""
    p = pd.DataFrame([cells(judged([seed])).loc[those] for seed in range(nets)])
    return (p < 0.05).sum()


def test_random_nets_are_refused_as_seldom_as_they_should(leave_out):
    leave_out("signals", "layers")
    assert (refused_share(10, OWN) <= binom.ppf(1 - 1e-4, 10, 0.05)).all()


@pytest.mark.slow
def test_many_random_nets_are_refused_as_seldom_as_they_should():
    """The t-test takes logs as normal, and lends T0 and "nominal" the scatter of nets of one size."""
    nets, those = 40, [*OWN, *REST]
    share = refused_share(nets, those)
    assert (share <= binom.ppf(1 - 1e-3, nets, 0.06)).all()
    assert share.sum() >= binom.ppf(1e-3, nets * len(those), 0.03)


def scaled(factor):
    def change(weights, mask):
        weights["fc2.weight"] *= factor

    return change


def test_a_layer_of_another_size_is_refused_by_theories_that_do_not_know_it(leave_out):
    leave_out("layers", "products")
    found = judged(range(3), scaled(1.8), redraws=6)
    ratio, refused = cells(found, "ratio"), cells(found, "refused")
    for source in (T0, T2):
        assert refused[Q, source, 2]
        assert not refused[Q, T3, 2]
    assert ratio[Q, T0, 2] == pytest.approx(1.8**2, rel=0.25)
    assert not refused[Q, T0, 1]
    assert not cells(judged(range(3), scaled(1.05), redraws=6), "refused").any()


def aligned(weights, mask):
    """Every row of a layer sorted alike: its weights go together, as no independent ones do."""
    weights["fc2.weight"] = weights["fc2.weight"].sort(1)[0]


def test_weights_that_go_together_are_refused_by_all_that_take_them_as_independent(leave_out):
    leave_out("layers", "signals")
    refused = cells(judged(range(3), aligned, redraws=6), "refused")
    assert refused[VARIANCE, "own sizes", 3]
    assert refused[VARIANCE, "masked moments", 3]
    assert refused[EDGE, "own sizes", 3]
    assert not refused[:, :, 1].any()


def test_the_spectrum_of_such_a_layer_is_refused_and_no_other(leave_out):
    leave_out("signals", "products", "pairs")
    refused = cells(judged(range(3), aligned, widths=(20, 26), redraws=4), "refused")
    assert refused[SPECTRUM, "Marchenko-Pastur"].to_list() == [False, True, False]


def test_it_has_a_row_a_cell_of_all_seeds_and_corrects_run_by_run(leave_out, tiny_run):
    leave_out("layers", "signals")
    found = rl.tabulate("verdict", tiny_run, samples=12, inputs=1, redraws=3)
    told = ["ratio", "low", "high", "p", "p_corrected", "refused", "chance_ratio", "seeds", "skipped"]
    key = ["run", "state", "level", "density", "quantity", "source", "layer"]
    assert list(found.columns) == key + told
    assert not found.duplicated(key).any()
    assert set(found["seeds"]) == {2}
    assert set(found["level"]) == {0, 1, 2, 3}
    assert set(found["state"]) == {"rewound", "trained"}
    assert (found["low"] < found["ratio"]).all()
    assert (found["ratio"] < found["high"]).all()
    assert found["p_corrected"].to_numpy() == pytest.approx(corrected(found["p"]).to_numpy())
    assert (found["refused"] == (found["p_corrected"] < 0.05)).all()


def test_runs_are_corrected_each_by_itself(leave_out, tmp_path):
    leave_out("layers", "signals")
    from dataclasses import replace

    one, other = (replace(drawn(fc(*WIDTHS), INIT, seed=3, change=aligned), run=tmp_path / name) for name in "ab")
    both = rl.tabulate("verdict", [one, other], samples=10, inputs=1)
    alone = rl.tabulate("verdict", one, samples=10, inputs=1)
    assert (alone["p_corrected"] < 1).any()
    pd.testing.assert_frame_equal(both[both["run"] == "a"], alone)


@pytest.mark.parametrize("options", [{"redraws": 1}, {"inputs": 0}, {"samples": 1}])
def test_too_few_of_anything_are_refused(options):
    with pytest.raises(rl.Refusal, match="is not at least 2, or inputs = "):
        judged([0], **options)


def test_a_net_without_a_weight_has_nothing_that_chance_could_change():
    def empty(weights, mask):
        for one in mask.values():
            one[:] = False

    with pytest.raises(rl.Refusal, match="measures nothing that theory and chance have a positive number for"):
        judged([0], empty)


@pytest.fixture(scope="module")
def found():
    part = judged([0], density=0.3, widths=(9, 11), redraws=2)
    return pd.concat([part, part.assign(state="trained"), part.assign(level=2, density=0.1)])


def test_the_figure_has_states_side_by_side_and_random_nets_last(found):
    figure = rl.plot("verdict", pd.concat([found, found.assign(run="other")]))
    titles = [axes.get_title() for axes in figure.axes]
    assert len(titles) == 6
    assert titles[3].startswith("other\nrewound: measured / theory")
    assert titles[5].startswith("other\ntrained: random nets / theory")
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "no theory" in words
    assert all("density" in axes.get_xlabel() for axes in figure.axes)


def test_the_headline_has_a_clause_a_quantity_and_says_how_many_tests(found):
    words = headline(found)
    assert all(f"{quantity}: " in words for quantity in (Q, CHI, APART, VARIANCE, EDGE, SPECTRUM))
    assert f"(false discovery rate 5% over {len(found)} tests" in words


def test_numbers_are_a_function_of_seed_and_level(leave_out):
    leave_out("layers", "signals")
    one, two = judged([1]), judged([1])
    pd.testing.assert_frame_equal(one, two)
    assert not np.allclose(one["p"], judged([2])["p"])
