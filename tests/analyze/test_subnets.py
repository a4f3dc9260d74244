"""How many nets fit into one vector of weights: tiny runs along several draws, and tables made up."""

import numpy as np
import pandas as pd
import pytest
import torch

import rmtlottery as rl
from rmtlottery.analyze._sharing import arms
from rmtlottery.analyze.subnets import LEAST, MEASURED, PREDICTED, headline, plot, sizes, table
from rmtlottery.measure.hessian import landscape
from rmtlottery.measure.stored import READOUTS, Stored
from rmtlottery.measure.subnets import Subnet
from rmtlottery.train.child import child
from rmtlottery.width import interference
from tests.analyze.made_subnets import made

SPEC = rl.preset("first").but(
    chart={"kind": "affine", "dim": 15, "projection": "dense"}, levels=0, widths="9", epochs=2, lr=3e-2, seeds=(0, 2)
)
FEW = {"samples": 100, "probes": 3}


def fitted(root, *changes):
    return [rl.fit(SPEC.but(**change), root, threads=1) for change in changes]


def tickets_of(runs, seed=0):
    return [run[seed, 0] for run in runs]


def asked(runs, **options):
    return rl.tabulate("subnets", [ticket for run in runs for ticket in run], **FEW | options)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("subnets")


@pytest.fixture(scope="module")
def one_task(root):
    return fitted(root, *({"draw": k} for k in range(5)))


@pytest.fixture(scope="module")
def tasks(root):
    return fitted(root, *({"draw": k, "shuffled": "pixels", "shuffling": k} for k in range(2)))


@pytest.fixture(scope="module")
def told(one_task):
    return asked(one_task)


@pytest.mark.parametrize(
    ("most", "expected"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (4, [1, 2, 4]), (11, [1, 2, 4, 8, 11])]
)
def test_numbers_of_subnets_double_up_to_all(most, expected):
    assert sizes(most) == expected


def test_there_is_a_row_for_all_that_is_asked(told):
    assert set(told["readout"]) == set(READOUTS)
    assert told.groupby(["seed", "arm", "readout", "source"])["subnets"].apply(list).tolist() == [[1, 2, 4, 5]] * 16
    assert told["arm"].nunique() == 1
    assert (told["dim"] == 15).all()
    assert (told["ambient"] == 685).all()
    np.testing.assert_allclose(told["load"], told["subnets"] * 15 / 685)
    assert (told["share"] == 0.9).all()


def test_one_alone_is_what_its_ticket_is(told, one_task):
    alone = told[(told["subnets"] == 1) & (told["source"] == MEASURED)]
    assert (alone["noise"] < 1e-10).all()
    for seed, rows in alone.groupby("seed"):
        expected = one_task[0][seed, 0].metrics[-1]["test_accuracy"]
        np.testing.assert_allclose(rows["accuracy"], expected, atol=1e-6)
        np.testing.assert_allclose(rows["together"], expected, atol=1e-6)


def test_the_start_and_each_alone_stand_beside(told, one_task):
    for seed, rows in told[told["source"] == MEASURED].groupby("seed"):
        ends = [ticket.metrics[-1]["test_accuracy"] for ticket in tickets_of(one_task, seed)]
        for number, part in rows.groupby("subnets"):
            np.testing.assert_allclose(part["alone"], np.mean(ends[:number]), atol=1e-6)
        begun = rl.tabulate("gap", rl.controls.rewound(one_task[0][seed, 0], 0)).set_index("split")["accuracy"]["test"]
        np.testing.assert_allclose(rows["start"], begun, atol=1e-6)


def test_measured_noise_is_that_of_the_readings(told, one_task):
    for seed in (0, 2):
        held = Stored.of(tickets_of(one_task, seed)).first(4)
        for readout in READOUTS:
            missed = (held.readings(readout) - held.moved).square().sum(1) / held.moved.square().sum(1)
            row = told.query("seed == @seed and readout == @readout and subnets == 4 and source == @MEASURED")
            assert row["noise"].item() == pytest.approx(missed.mean().item(), rel=1e-4, abs=1e-11)


def test_predicted_noise_is_that_of_uniform_subspaces_and_paths_so_alike(told, one_task):
    alike = {seed: Stored.of(tickets_of(one_task, seed)).cosine for seed in (0, 2)}
    for _, row in told[told["source"] == PREDICTED].iterrows():
        expected = interference(row["readout"], row["subnets"], 15, 685, cosine=alike[row["seed"]])
        assert row["noise"] == pytest.approx(float(expected))
        assert np.isnan(row["accuracy"])
        assert np.isnan(row["together"])


def test_least_squares_along_axes_share_what_is_shared(root):
    along = {"projection": "axes", "dim": 300, "shuffled": "pixels"}
    rows = asked(fitted(root, *(along | {"draw": k, "shuffling": k} for k in range(4))))
    means = rows.query("readout == 'unmixed' and subnets == 4").groupby("source")["noise"].mean()
    assert means[PREDICTED] == pytest.approx(float(interference("mask", 4, 300, 685, touched=300 / 685)))
    assert means[MEASURED] == pytest.approx(means[PREDICTED], rel=0.1)


def test_predicted_loss_begins_where_measured_loss_does(told):
    losses = told.pivot_table(index=["readout", "seed", "subnets"], columns="source", values="loss", dropna=False)
    alone = losses.drop("mask", level="readout").xs(1, level="subnets")
    np.testing.assert_allclose(alone[MEASURED], alone[PREDICTED], rtol=1e-5)
    np.testing.assert_allclose(losses.loc["unmixed", MEASURED], losses.loc["unmixed", PREDICTED], rtol=1e-3)
    assert losses.loc["mask", PREDICTED].isna().all(), "what a mask misses is not isotropic"


def test_predicted_loss_rises_by_the_mean_curvature(one_task):
    held = tickets_of(one_task[:2])
    rows = table(held, samples=100, probes=250).query("source == @PREDICTED and subnets == 2").set_index("readout")["loss"]
    traces, within = [], []
    for ticket, map_, moved in zip(held, *Stored.of(held)[:2], strict=True):
        about = landscape(ticket, ticket.weights, 100)
        product, P, size = about.hessian, map_.apply(torch.eye(15)), moved.square().sum() / 2
        traces.append(size * sum(product(one)[place] for place, one in enumerate(torch.eye(685))) / 685)
        within.append(size * sum(one @ product(one) for one in torch.linalg.qr(P.T)[0].T) / 15)
    assert rows["sum"] - rows["unmixed"] == pytest.approx(np.mean(traces), rel=0.15)
    assert rows["projection"] - rows["unmixed"] == pytest.approx(15 / 685 * np.mean(within), rel=0.15)


def test_what_projections_miss_lies_in_the_subnet_s_own_subspace(one_task, monkeypatch):
    monkeypatch.setattr(Subnet, "rise", lambda subnet, within, *what: 1.0 if within else 10.0)
    rows = table(tickets_of(one_task[:2]), **FEW).query("source == @PREDICTED").pivot_table("loss", "readout", "subnets")
    alone = rows.loc["unmixed", 2]
    assert rows.loc["sum", 2] - alone == pytest.approx(10)
    assert rows.loc["projection", 2] - alone == pytest.approx(15 / 685)


def test_a_committee_is_told_of_one_task_alone(told, tasks):
    assert told.loc[told["source"] == MEASURED, "together"].notna().all()
    rows = asked(tasks).query("source == @MEASURED").set_index("subnets")
    assert rows.loc[1, "together"].notna().all()
    assert rows.loc[2, "together"].isna().all()
    assert rows["accuracy"].notna().all()


def test_a_committee_that_reads_alike_is_one_net(told):
    rows = told.query("readout == 'sum' and source == @MEASURED")
    np.testing.assert_allclose(rows["together"], rows["accuracy"], atol=1e-6)


def test_each_is_scored_on_its_own_task(tasks):
    rows = asked(tasks).query("source == @MEASURED and readout == 'unmixed' and subnets == 2")
    expected = [np.mean([run[seed, 0].metrics[-1]["test_accuracy"] for run in tasks]) for seed in rows["seed"]]
    np.testing.assert_allclose(rows["accuracy"], expected, atol=0.01)


def test_how_many_probes_and_samples_there_are_is_heeded(one_task, told):
    more = asked(one_task[:2], samples=0).query("subnets == 1")
    here = told.query("subnets == 1 and source == @MEASURED")["loss"].to_numpy()
    assert not np.allclose(more.query("source == @MEASURED")["loss"], here)


@pytest.mark.parametrize(
    "change",
    [
        {"projection": "axes"},
        {"dim": 20},
        {"shuffled": "classes"},
        {"lr": 1e-2},
        {"widths": "7"},
        {"epochs": 1},
        {"phi": "relu"},
    ],
)
def test_arms_differ_in_more_than_directions(one_task, root, change):
    other = fitted(root, {"draw": 1} | change)
    found = arms(tickets_of([*one_task[:2], *other]))
    assert [len(held) for held in found.values()] == [2, 1]
    assert len(set(found)) == 2


def test_starts_are_arms(one_task, root):
    beside = child(one_task[0], root, {"control": "around:0.5", "draw": 1}, threads=1)
    found = arms(tickets_of([*one_task[:2], beside]))
    assert [len(held) for held in found.values()] == [2, 1]
    assert "from 0.5 times the way beside w*" in list(found)[1]


def test_an_arm_is_in_order_of_draws_whatever_its_tasks_and_records(one_task, tasks, root):
    assert [[held.spec.chart.draw for held in each] for each in arms(tickets_of(one_task[::-1])).values()] == [
        [0, 1, 2, 3, 4]
    ]
    assert [len(held) for held in arms(tickets_of(tasks)).values()] == [2]
    recorded = fitted(root, {"draw": 7, "snapshots": 5})
    assert [len(held) for held in arms(tickets_of([*one_task[:1], *recorded])).values()] == [2]


@pytest.mark.parametrize("kind", ["full", "said", "sum"])
def test_other_charts_are_no_subnets_and_are_left_out(one_task, root, kind):
    """Neighbouring draws of a sum would have parts in common."""
    chart = {"chart": "full"} if kind == "full" else {"chart": {"kind": kind, "dim": 15}}
    other = fitted(root, chart)
    assert [len(held) for held in arms(tickets_of([*one_task[:2], *other])).values()] == [2]
    with pytest.raises(rl.Refusal, match="no whole net with chart affine is among these: give several, each with another"):
        arms(tickets_of(other))


def test_the_same_draw_twice_is_refused(one_task):
    with pytest.raises(rl.Refusal, match=r"two of 3 subnets, .*, go along the same directions: train each with another"):
        table([one_task[0][0, 0], one_task[1][0, 0], one_task[0][0, 0]], **FEW)


def test_what_was_not_trained_is_refused(one_task):
    with pytest.raises(rl.Refusal, match="was not trained here, and is no subnet; train it first"):
        table([rl.controls.rewound(one_task[0][0, 0], 0)], **FEW)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"share": 1.0}, "share = 1 is no part of an accuracy between 0 and 1"),
        ({"share": 0.0}, "share = 0 is no part of an accuracy between 0 and 1"),
        ({"probes": 0}, "probes = 0 is not at least 1"),
        ({"samples": -1}, "samples = -1 is not at least 1, or 0 for all"),
    ],
)
def test_options_that_cannot_be_are_refused(one_task, options, match):
    with pytest.raises(rl.Refusal, match=match):
        asked(one_task[:2], **options)


def test_the_headline_says_how_many_fit_by_each_read_out():
    rows = pd.concat([made([0.8, 0.8, 0.64]), made([0.8, 0.8, 0.79], "unmixed"), made([0.5, 0.3], arm="other")])
    words = "the start 0.0%, and 90 % of the difference is left with"
    assert headline(rows) == (
        f"t: one alone has 80.0%, {words} 2.8 [2.8, 2.8] subnets by sum (K d / D = 0.28); all 4 that were tried by unmixed. "
        f"other: one alone has 50.0%, {words} 1.2 [1.2, 1.2] subnets by sum (K d / D = 0.12)."
    )


def test_the_figure_has_a_row_an_arm_and_names_its_axes(told, tasks):
    both = pd.concat([told, asked(tasks)])
    figure = plot(both)
    assert len(figure.axes) == 6
    assert [axes.get_xlabel() for axes in figure.axes[:3]] == [*["load K d / D"] * 2, "squared error / squared displacement"]
    assert [axes.get_ylabel() for axes in figure.axes[3:]] == [
        "squared error of what is read\n/ squared displacement",
        "test accuracy, mean over subnets",
        "training loss, mean over subnets",
    ]
    words = [text.get_text() for text in figure.axes[2].get_legend().get_texts()]
    assert words == list(READOUTS)
    assert all(name.split(",")[0] in headline(both) for name in both["arm"].unique())


def test_what_is_as_good_as_exact_is_not_drawn_on_logarithms(told):
    figure = plot(told)
    noise, accuracy, loss = figure.axes
    assert 0 < told.query("readout == 'unmixed'")["noise"].max() < LEAST
    for axes, held in ((noise, "get_ydata"), (loss, "get_xdata")):
        drawn = np.concatenate([np.asarray(getattr(line, held)()) for line in axes.get_lines()])
        assert drawn.min() > 1e-3
    assert sum(len(line.get_xdata()) for line in accuracy.get_lines()) == 4 * 4 + 2 * 4  # read-outs, and the two ends


def test_one_run_alone_has_nobody_to_share_with(one_task):
    with pytest.raises(rl.Refusal, match="no two of these runs differ in their directions alone: train some with --draw 1"):
        asked(one_task[:1])


def test_seeds_that_some_runs_lack_are_left_out_of_what_is_told():
    rows = pd.concat([made([1.0, 0.95, 0.6]), made([0.4, 0.1], seed=1)])
    assert "one alone has 100.0%" in headline(rows)
    assert "2.2 [2.2, 2.2] subnets" in headline(rows)


def test_who_gains_nothing_has_nothing_to_lose():
    rows = pd.concat([made([0.5 + 0.01 * seed, 0.3], start=0.51, seed=seed) for seed in range(3)])
    assert headline(rows).endswith("so that there is nothing to lose.")
