"""Thresholds measured and predicted, on runs and on tables made up."""

import numpy as np
import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze.transition import BOUND, MEASURED, PREDICTED, SECANT, at, grids, headline, plot, table, thresholds
from rmtlottery.train.grid import grid

SPEC = rl.preset("first").but(chart="affine", levels=0, widths="9", epochs=2, lr=1e-2, loss="squared", seeds=(0, 2))
DIMS = np.array([10.0, 20.0, 40.0, 80.0, 160.0])


@pytest.fixture(scope="module")
def tickets(tmp_path_factory):
    root = tmp_path_factory.mktemp("transition")
    runs = [*grid(SPEC, [15, 60, 240], root, threads=1), rl.fit(SPEC.but(chart="full"), root, threads=1)]
    return [ticket for run in runs for ticket in run]


def made(losses, factor=1.0):
    """Seeds whose loss is `losses` at each size, of a task whose curve needs `factor` times as many directions."""
    own = [
        {
            "task": "t",
            "projection": "dense",
            "uniform": True,
            "asked": 0.0,
            "source": MEASURED,
            "run": f"d{d:.0f}",
            "seed": seed,
            "dim": d,
            "loss": loss,
        }
        for seed, row in enumerate(losses)
        for d, loss in zip(DIMS, row, strict=True)
    ]
    curve = pd.DataFrame({"dim": factor * np.geomspace(300, 5, 30), "loss": 1 / np.geomspace(300, 5, 30)})
    sources = [curve.assign(source=PREDICTED), curve.assign(source=BOUND, dim=3 * curve["dim"])]
    return pd.concat([pd.DataFrame(own), *(part.assign(task="t", run="full", seed=0) for part in sources)])


def falling(seeds=6):
    return np.exp(0.05 * np.random.default_rng(0).standard_normal((seeds, len(DIMS)))) / DIMS


def test_a_run_in_a_subspace_tells_its_least_training_loss(tickets):
    rows = table(tickets[0])
    assert rows["source"].tolist() == [MEASURED]
    assert rows["loss"].item() == min(row["train_loss"] for row in tickets[0].metrics)
    assert (rows["dim"].item(), rows["ambient"].item()) == (15, 685)


def test_the_whole_net_tells_a_curve_of_each_source(tickets):
    rows = table(tickets[-1], samples=100, probes=2, steps=10)
    assert set(rows["source"]) == {PREDICTED, SECANT, BOUND}
    for source, part in rows.groupby("source"):
        assert (part["dim"].diff().dropna() < 0).all(), source
        assert (part["loss"] > part["lowest"]).all()
    told = rows[rows["source"] != SECANT].pivot_table(index="loss", columns="source", values="dim")
    assert (told[BOUND] >= told[PREDICTED]).all()


def test_the_secant_well_is_as_high_at_the_start_as_the_loss(tickets):
    rows = table(tickets[-1], samples=0, probes=2, steps=60).groupby("source")[["start", "initial"]].first()
    assert rows.loc[SECANT, "start"] == pytest.approx(rows.loc[SECANT, "initial"], rel=0.25)
    assert abs(rows.loc[PREDICTED, "start"] / rows.loc[PREDICTED, "initial"] - 1) > 0.25, "too blunt"


def test_runs_of_one_task_stand_together(tickets):
    ((name, rows, curves),) = grids(rl.tabulate("transition", tickets, samples=100, probes=2, steps=10))
    assert name.endswith(": fastfood")
    assert sorted(rows["dim"].unique()) == [15, 60, 240]
    assert curves["seed"].nunique() == 2


@pytest.mark.parametrize("factor", [1.0, 1.3])
def test_what_is_predicted_is_set_beside_what_is_measured(factor):
    rows = made(falling(), factor)
    told = thresholds(rows[rows["source"] == MEASURED], rows[rows["source"] != MEASURED])
    inner = told.iloc[1:-1]
    np.testing.assert_allclose(inner[PREDICTED] / inner["dim"], factor, rtol=0.15)
    np.testing.assert_allclose(told[BOUND] / told[PREDICTED], 3)
    assert (inner["low"] <= inner["dim"]).all()
    assert (inner["dim"] <= inner["high"]).all()


def test_beyond_its_ends_a_curve_predicts_nothing():
    rows = made(falling())
    assert np.isnan(at(rows, PREDICTED, 1.0))
    assert at(rows, PREDICTED, 1 / 50) == pytest.approx(50, rel=1e-3)


def test_one_loss_may_be_asked_for():
    told = thresholds(made(falling()).query("source == @MEASURED").assign(asked=1 / 50), made([])[1:0])
    assert told["loss"].tolist() == [1 / 50]
    assert told["dim"].item() == pytest.approx(50, rel=0.2)


def test_one_size_has_no_threshold():
    rows = made(falling())
    alone = rows[(rows["dim"] == 20) | (rows["source"] != MEASURED)]
    assert "one size alone has no threshold" in headline(alone)


def test_a_grid_in_which_everything_hits_is_said_to_have_none():
    rows = made(falling())
    flat = rows.assign(loss=np.where(rows["source"] == MEASURED, 0.01, rows["loss"]))
    assert "is reached by every run, and has no threshold" in headline(flat)


def test_figure_and_headline_tell_every_grid(tickets):
    rows = rl.tabulate("transition", tickets, samples=100, probes=2, steps=10)
    figure = plot(rows)
    assert len(figure.axes) == 3
    assert "secant well" in headline(rows)
    assert "d = " in headline(rows)


def test_runs_of_all_weights_alone_are_no_grid(tickets):
    with pytest.raises(rl.Refusal, match="no run in a subspace is among these"):
        plot(rl.tabulate("transition", tickets[-1:], samples=100, probes=2, steps=10))


def test_an_untrained_ticket_is_refused(tickets):
    with pytest.raises(rl.Refusal, match="was not trained here"):
        table(rl.controls.rewound(tickets[-1], 0))


def test_hits_that_become_fewer_are_said_to_have_no_threshold():
    rows = made(np.tile([1.0, 1.0, 3.0, 3.0, 3.0], (4, 1))).assign(asked=2.0)
    assert "loss 2 is not reached more often with more coordinates" in headline(rows)


def test_where_nothing_is_predicted_the_shares_of_hits_are_drawn():
    rows = made(falling())
    guided = rows[rows["source"] == MEASURED].assign(uniform=False, asked=1 / 30)
    _, right, *_ = plot(guided).axes
    assert right.get_ylabel() == "share of seeds that hit"
    line = right.get_lines()[0]
    np.testing.assert_array_equal(line.get_xdata(), DIMS)
    np.testing.assert_array_equal(line.get_ydata(), [0, 0, 1, 1, 1])
