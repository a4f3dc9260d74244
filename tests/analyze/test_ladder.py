"""The attribution is exact, the verdict is the first rung within the bar."""

import numpy as np
import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery import datasets
from rmtlottery.analyze.ladder import FACTORS, changes, headline, verdict
from rmtlottery.analyze.rungs.names import DROPPED, LADDER, NONE, T0, T1, T2, T3, T9, UNTOLD

COLUMNS = "state layer q size below shape alignment bias cross verdict settles breaks bar source inputs skipped"


@pytest.fixture(scope="module")
def found(tiny_run):
    return rl.tabulate("ladder", tiny_run, samples=60)


def test_it_has_a_row_for_every_layer_of_every_state(found):
    assert list(found.columns[4:]) == COLUMNS.split()
    assert len(found) == 8 * 2 * 2
    assert found.groupby(["seed", "level", "state", "layer"]).size().eq(1).all()
    assert (found["source"] == "measured").all()
    assert found["inputs"].iloc[0].startswith("60 test inputs of digits")


def test_the_identity_closes_with_the_alignment_of_the_matrices(tiny_run):
    """A from W^T W and C = <x x^T> themselves, in a trained and pruned net, to 1e-9."""
    ticket = tiny_run[1, 3]
    rows = rl.tabulate("ladder", ticket, samples=60).query("state == 'trained'").set_index("layer")
    x = datasets.dataset(ticket.spec.data).test.x[:60].double().numpy()
    for layer in (1, 2):
        w, b = (ticket.weights[f"fc{layer}.{part}"].double().numpy() for part in ("weight", "bias"))
        C, gram = x.T @ x / len(x), w.T @ w
        alignment = w.shape[1] * np.trace(gram @ C) / (np.trace(gram) * np.trace(C))
        assert rows["alignment"][layer] == pytest.approx(alignment, rel=1e-9)
        row = rows.loc[layer]
        whole = row["size"] * row["below"] * row["shape"] * alignment + row["bias"] + row["cross"]
        assert row["q"] == pytest.approx(whole, rel=1e-9)
        x = np.tanh(x @ w.T + b)


def test_its_factors_are_what_they_are_called(tiny_run, found):
    """Of a sparse ticket: density x fan_in x second moment, V of the layer below, and q of `qmap`."""
    ticket = tiny_run[1, 3]
    rows = found.query("seed == 1 and level == 3 and state == 'trained'").set_index("layer")
    q = rl.tabulate("qmap", ticket, samples=60).query("state == 'trained' and source == 'measured'").set_index("layer")["q"]
    assert rows["q"].to_dict() == pytest.approx(q.to_dict())
    for layer in (1, 2):
        w, mask = ticket.weights[f"fc{layer}.weight"].double().numpy(), ticket.mask[f"fc{layer}.weight"].numpy()
        assert rows["size"][layer] == pytest.approx(mask.mean() * w.shape[1] * np.mean(w[mask] ** 2), rel=1e-6)
        b = ticket.weights[f"fc{layer}.bias"].double().numpy()
        assert rows["bias"][layer] == pytest.approx(np.mean(b**2), rel=1e-9)
    assert rows["shape"][1] == pytest.approx(1)
    assert rows["below"][2] == pytest.approx(float(rl.meanfield.activation("tanh").V(q[1])), rel=1e-9)


def rungs(**predicted):
    names = {name.split()[0]: name for name in (*LADDER, T1)}
    return {names[short]: {"q": q, "bar": 0.1} for short, q in predicted.items()}


def test_the_verdict_is_the_first_rung_within_the_bar_of_its_own_q():
    got = verdict(1.0, rungs(T0=2.0, T1=1.0, T2=0.5, T3=1.05, T9=0.95))
    assert got == {"verdict": T3, "settles": T3, "breaks": DROPPED[T3], "bar": 0.1}
    assert verdict(1.0, rungs(T0=1 / 1.099))["verdict"] == T0
    assert verdict(1.0, rungs(T0=1 / 1.101))["verdict"] == NONE
    assert verdict(1.0, rungs(T0=1.099))["verdict"] == T0
    assert verdict(1.0, rungs(T0=1.101))["verdict"] == NONE
    assert verdict(0.0, rungs(T0=1.0))["verdict"] == NONE


@pytest.mark.parametrize("bar", [1.0, 3.0, float("nan")])
def test_a_bar_as_long_as_q_tells_nothing(bar):
    """Else a rung a thousand times too large would be within it."""
    got = verdict(1.0, {T0: {"q": 1000.0, "bar": bar}})
    assert (got["verdict"], got["settles"]) == (UNTOLD, UNTOLD)
    assert got["breaks"] == "the bar is as long as q, or there is none"


def test_it_settles_later_where_a_higher_rung_is_outside_again():
    got = verdict(1.0, rungs(T0=2.0, T2=1.0, T3=3.0, T9=1.0))
    assert got == {"verdict": T2, "settles": T9, "breaks": DROPPED[T9], "bar": 0.1}
    assert verdict(1.0, rungs(T0=2.0, T2=3.0, T9=1.0)) == {"verdict": T9, "settles": T9, "breaks": DROPPED[T9], "bar": 0.1}
    assert verdict(1.0, rungs(T0=1.0, T2=1.0, T9=3.0))["settles"] == NONE


def test_where_no_rung_is_within_or_none_is_there_it_says_so():
    got = verdict(1.0, rungs(T0=2.0, T2=3.0))
    assert (got["verdict"], got["settles"], got["bar"]) == (NONE, NONE, 0.1)
    assert got["breaks"] == "more than any rung drops"
    got = verdict(1.0, {})
    assert (got["verdict"], got["settles"], got["breaks"]) == (UNTOLD, UNTOLD, "no rung reaches this layer")
    assert np.isnan(got["bar"])
    assert verdict(1.0, rungs(T1=1.0))["verdict"] == UNTOLD, "the wrong normalisation is no rung to stand on"


def test_verdicts_of_the_table_are_those_of_the_rows_of_qmap(tiny_run, found):
    ticket = tiny_run[0, 3]
    q = rl.tabulate("qmap", ticket, samples=60)
    mine = found.query("seed == 0 and level == 3").set_index(["state", "layer"])
    for cell, rows in q.groupby(["state", "layer"]):
        measured = rows.loc[rows["source"] == "measured", "q"].item()
        told = {row["source"]: row for row in rows.to_dict("records") if row["source"] in LADDER}
        assert verdict(measured, told) == {key: mine[key][cell] for key in ("verdict", "settles", "breaks", "bar")}


def made(jitter=0.0):
    """Two seeds, three levels, layers 1 and 2; alignment doubles at level 1, size falls to a quarter at level 2."""
    rows = [
        {"seed": seed, "level": level, "layer": layer, "size": [2.0, 2, 0.5][level] * (1 + seed), "below": 0.5}
        | {"shape": 1.0, "alignment": [1.0, 2, 1][level], "bias": 0.1, "cross": 0.0, "density": 0.8**level + jitter * seed}
        | {"verdict": [T0, T2, NONE][level], "settles": [T0, T9, NONE][level]}
        for seed in (0, 1)
        for level in (0, 1, 2)
        for layer in (1, 2)
    ]
    return pd.DataFrame(rows).assign(run="r", state="rewound", skipped="nothing")


def test_changes_are_octaves_since_the_densest_level_and_add_up():
    change = changes(made())
    assert change["alignment"].tolist() == pytest.approx([0, 1, 0])
    assert change["size"].tolist() == pytest.approx([0, 0, -2])
    assert change["total"].tolist() == pytest.approx(change[FACTORS].sum(axis=1).tolist())


def test_the_headline_has_the_longest_and_the_last_level_and_counts_verdicts():
    words = headline(made())
    assert "at density 80 % +1.00 (size +0.00, below +0.00, shape +0.00, alignment +1.00)" in words
    assert "at density 64 % -2.00 (size -2.00, below +0.00, shape +0.00, alignment +0.00)" in words
    assert "of 6 cells after layer 1, from T0 2, T9 2, none 2 on (2 by chance before that, too)" in words
    assert words.startswith("r: ")


def test_seeds_of_slightly_other_density_are_still_means_over_seeds():
    """Masks by lot keep a number of weights that differs a little from seed to seed."""
    assert "+1.00 (size +0.00, below +0.00, shape +0.00, alignment +1.00)" in headline(made(jitter=0.001))
    assert "-2.00 (size -2.00, below +0.00, shape +0.00, alignment +0.00)" in headline(made(jitter=0.001))


def test_the_figure_has_two_panels_a_state(found):
    figure = rl.plot("ladder", found)
    assert len(figure.axes) == 4
    for left, right in zip(figure.axes[::2], figure.axes[1::2], strict=True):
        assert "what changed q" in left.get_title()
        assert "first rung from which on all are within the bar" in right.get_title()
        assert all(axes.get_xlabel() and axes.get_ylabel() for axes in (left, right))
        words = [text.get_text() for text in left.get_legend().get_texts()]
        assert set(FACTORS) <= set(words)
        assert len(left.patches) == 4 * len(FACTORS)
        assert len(right.texts) == 4 * 1


def test_bars_add_up_to_the_line():
    axes = rl.plot("ladder", made()).axes[0]
    line = next(line for line in axes.get_lines() if len(line.get_ydata()) == 3)
    assert list(line.get_ydata()) == pytest.approx([0, 1, -2])
    heights = np.array([patch.get_height() for patch in axes.patches]).reshape(4, 3)
    assert heights.sum(axis=0) == pytest.approx([0, 1, -2])


def test_the_figure_says_from_which_rung_on_theory_holds():
    texts = [text.get_text() for text in rl.plot("ladder", made()).axes[1].texts]
    assert texts == ["T0", "T9", "none"], "of the layers after the first"


def test_one_ticket(tiny_run):
    table = rl.tabulate("ladder", tiny_run[0, 2], samples=10)
    assert len(table) == 4
    assert "log2 of q less its bias" in headline(table)
    assert len(rl.plot("ladder", table).axes) == 4


def test_a_net_of_one_hidden_layer_has_a_headline_and_a_figure(tiny, tmp_path):
    table = rl.tabulate("ladder", rl.fit(tiny.but(widths="6", levels=1, epochs=1, seeds=0), tmp_path), samples=20)
    assert len(table) == 4
    assert isinstance(headline(table), str)
    assert rl.plot("ladder", table).axes


@pytest.mark.parametrize("net", [{"padding": "zero", "strides": "2"}, {"pools": "1"}, {"padding": "none", "bias": False}])
def test_of_convolutions_layers_beyond_theory_say_so(net, tiny, tmp_path):
    spec = tiny.but(net={"kind": "conv", "channels": "3,4", **net}, levels=1, epochs=1, seeds=0)
    table = rl.tabulate("ladder", rl.fit(spec, tmp_path), samples=20)
    product = table[FACTORS].prod(axis=1)
    assert np.allclose(product, table["q"] - table["bias"] - table["cross"], rtol=1e-9)
    beyond = table[table["bar"].isna()]
    assert set(beyond["layer"]) == ({2} if "pools" in net else set())
    assert (beyond["breaks"] == "no rung reaches this layer").all()
    assert "Not reached" in headline(table)
    assert len(rl.plot("ladder", table).axes) == 4


def test_T2_and_T3_have_names_that_the_verdict_may_give():
    assert {T2, T3} <= set(DROPPED)
