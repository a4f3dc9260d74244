"""The linearised net's thresholds, measured exactly and predicted, on dense and pruned tickets."""

import numpy as np
import pytest

import rmtlottery as rl
from rmtlottery.analyze.linearised import BOUND, PREDICTED, headline, plot, table

FEW = {"samples": 60, "most": 200, "draws": 2, "steps": 40}


@pytest.fixture(scope="module")
def rows(tiny_run):
    return rl.tabulate("linearised", [tiny_run[0, 0], tiny_run[0, 3]], projections="dense,sparse", **FEW)


def test_what_is_measured_is_what_is_predicted(rows):
    keys = ["level", "share"]
    predicted = rows[rows["source"] == PREDICTED].set_index(keys)["dim"]
    measured = rows[~rows["source"].isin([PREDICTED, BOUND])].groupby(keys)["dim"].median().dropna()
    assert len(measured) > 8
    ratios = measured[measured > 15] / predicted[measured[measured > 15].index]
    assert ratios.between(0.75, 1.33).all()


def test_the_bound_is_above_it_and_far_where_little_is_asked(rows):
    told = rows[rows["draw"].isna()].pivot_table(index=["level", "share"], columns="source", values="dim")
    assert (told[BOUND] >= told[PREDICTED]).all()
    assert told.loc[(0, 0.5), BOUND] > 2 * told.loc[(0, 0.5), PREDICTED]


def test_it_is_of_what_is_kept(rows, tiny_run):
    kept = {level: sum(int(mask.sum()) for mask in tiny_run[0, level].mask.values()) + 30 for level in (0, 3)}
    assert rows.groupby("level")["ambient"].first().to_dict() == kept


def test_more_directions_than_are_looked_at_are_left_out(tiny_run):
    found = table(tiny_run[0, 0], samples=60, most=60, draws=1)
    measured = found[found["source"] == "dense"]
    assert measured["dim"].max() <= 60
    assert measured["dim"].isna().any()


def test_figure_and_headline(rows):
    assert len(plot(rows).axes) == 2
    assert "sparse" in headline(rows)
    assert BOUND in headline(rows)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"projections": "dens"}, "did you mean 'dense'"),
        ({"projections": "countsketch"}, "countsketch of fewer columns is another matrix"),
        ({"draws": 0}, "each is at least 1"),
    ],
)
def test_what_cannot_be_asked_is_refused(tiny_run, given, words):
    with pytest.raises(rl.Refusal, match=words):
        table(tiny_run[0, 0], **given)


def test_the_error_is_that_of_the_spectrum_and_of_nothing_else(rows):
    told = rows[rows["source"] == PREDICTED]
    assert (told["error"] > 0).all()
    assert (told["error"] < 0.2 * told["dim"] + 1).all()
    assert np.isnan(rows.loc[rows["source"] != PREDICTED, "error"]).all()
