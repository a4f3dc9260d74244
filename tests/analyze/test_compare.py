"""Measured and predicted side by side, theory only where it reaches."""

import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze._compare import best_rung, deeper, gaps, not_reached, of_each_run, theory_over_measured
from rmtlottery.analyze.rungs.names import MEASURED, T0, T1, T2, T3H, T6, T9, T9B


def made(sources, layers=(1, 2, 3)):
    cells = [(seed, layer, source) for seed in (0, 1) for layer in layers for source in sources]
    frame = pd.DataFrame(cells, columns=["seed", "layer", "source"])
    return frame.assign(
        y=[(2.0 if source == T0 else 0.5) * (1 + layer) for _, layer, source in cells],
        state="rewound",
        run="a",
        skipped="nothing",
    )


def test_the_deeper_half_of_an_odd_number_is_the_larger_one():
    assert set(deeper(made(["measured"]))["layer"]) == {2, 3}
    assert set(deeper(made(["measured"], layers=(1, 2, 3, 4)))["layer"]) == {3, 4}


def test_each_theory_is_held_against_the_layers_that_it_reaches():
    table = made(["measured", T0])
    assert theory_over_measured(table, "y") == "theory over measured is T0 x4"
    short = table[(table["source"] == "measured") | (table["layer"] == 1)]
    assert theory_over_measured(short, "y") == "theory over measured is T0 x4", "like with like"
    assert theory_over_measured(table[table["source"] == "measured"], "y") == "no theory reaches these layers"


def test_every_run_has_its_sentence_on_the_deeper_half_of_the_rewound_net():
    table = pd.concat([made(["measured"]), made(["measured"]).assign(run="b"), made(["measured"]).assign(state="trained")])
    words = of_each_run(table, lambda part: f"{len(part)} rows")
    assert words == "a: 4 rows; b: 4 rows (means over seeds, deeper half of the layers)."


def test_what_theory_does_not_reach_is_said_once():
    table = pd.concat([made(["measured"]).assign(skipped=words) for words in ("no T0", "nothing", "no T0", "no T9")])
    assert not_reached(table) == " Not reached: no T0; no T9."
    assert not_reached(made(["measured"])) == ""
    assert of_each_run(table, lambda part: "so").endswith("Not reached: no T0; no T9.")


def test_the_best_rung_is_the_highest_that_there_is_and_T1_and_T3h_are_none():
    assert best_rung(made([MEASURED, T0, T6, T2])) == T6
    assert best_rung(made([MEASURED, T9B, T9])) == T9B
    assert best_rung(made([MEASURED, T1, T3H])) == ""


def test_gaps_are_octaves_either_way_and_bars_too():
    table = pd.DataFrame({"source": [MEASURED, T0, T2, T9], "q": [2.0, 8.0, 0.5, 2.0], "bar": [None, 1.0, 0.0, 3.0]})
    found = gaps(table.assign(seed=0, level=0, layer=1)).set_index("source")
    assert found["gap"].to_dict() == {T0: 2.0, T2: 2.0, T9: 0.0}
    assert found["bar"].to_dict() == {T0: 1.0, T2: 0.0, T9: 2.0}


@pytest.mark.parametrize("name", ["qmap", "chi"])
def test_a_pooled_net_has_a_headline_and_a_figure(name, tmp_path):
    spec = rl.preset("first").but(net={"kind": "conv", "channels": "3,4,5", "pools": "1"}, levels=1, epochs=1, seeds=0)
    table = rl.tabulate(name, rl.fit(spec, tmp_path), samples=20)
    module = __import__(f"rmtlottery.analyze.{name}", fromlist=["headline"])
    assert "T0 to T6 end before conv2" in module.headline(table)
    assert "T2 x" in module.headline(table), "of the layers that theory reaches"
    figure = rl.plot(name, table)
    assert len(figure.axes) == 6
    assert all(axes.get_ylabel() and axes.get_xlabel() and axes.get_title() for axes in figure.axes)
