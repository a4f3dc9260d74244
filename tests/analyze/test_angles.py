"""Which way nets go along directions of their own: tiny runs, and tables made up."""

import numpy as np
import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze.angles import MEASURED, ONE_GRADIENT, SIGNS, UNIFORM, UNRELATED, headline, plot, table
from rmtlottery.charts.flat import flatten
from rmtlottery.charts.projections import projection

SPEC = rl.preset("first").but(
    chart={"kind": "affine", "dim": 15, "projection": "dense"}, levels=0, widths="9", epochs=2, lr=3e-2, seeds=(0, 2)
)
STEPS = (1, 5)
END, WEIGHTS, DIM = 42, 685, 15
SHARE = DIM / WEIGHTS


def fitted(root, *changes):
    return [rl.fit(SPEC.but(snapshots=STEPS, **change), root, threads=1) for change in changes]


def asked(runs, **options):
    return rl.tabulate("angles", [ticket for run in runs for ticket in run], **options)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("angles")


@pytest.fixture(scope="module")
def runs(root):
    return fitted(root, *({"draw": k} for k in range(4)))


@pytest.fixture(scope="module")
def told(runs):
    return asked(runs)


def displacements(ticket):
    """At every step that was recorded, by what the ticket holds, in float64."""
    shapes = {name: ticket.start[name].shape for name in ticket.record["parameters"]}
    kept = [ticket.snapshots[1], ticket.snapshots[5], ticket.weights]
    return [(flatten(held, shapes) - flatten(ticket.start, shapes)).double().numpy() for held in kept]


def columns(seed, draw):
    drawn = projection("dense", WEIGHTS, DIM, seed + (draw << 64)).held["columns"]
    return np.linalg.qr(drawn.double().numpy().T)[0]


def row(told, quantity, step, source=MEASURED, seed=2):
    return told.query("quantity == @quantity and step == @step and source == @source and seed == @seed").squeeze()


def test_there_is_a_row_for_every_step_and_source(told):
    measured = told[told["source"] == MEASURED]
    assert measured.groupby("quantity")["step"].unique().map(sorted).to_dict() == {
        "cosine": [1, 5, END], "within": [1, 5, END], "mean": [0], "largest": [0],
    }  # fmt: skip
    assert len(measured) == 2 * 8
    assert set(told["seed"]) == {0, 2}
    assert (told["dim"] == DIM).all()
    assert (told["ambient"] == WEIGHTS).all()


def test_cosines_are_those_of_all_pairs_of_displacements(told, runs):
    ways = [displacements(run[2, 0]) for run in runs]
    for place, step in enumerate((1, 5, END)):
        units = np.array([way[place] / np.linalg.norm(way[place]) for way in ways])
        each = (units @ units.T)[np.triu_indices(4, 1)]
        found = row(told, "cosine", step)
        assert found["value"] == pytest.approx(each.mean(), abs=1e-6)
        assert found["scatter"] == pytest.approx(each.std(ddof=1), abs=1e-6)


def test_shares_are_those_of_each_within_each_other(told, runs):
    bases = [columns(2, draw) for draw in range(4)]
    for place, step in enumerate((1, 5, END)):
        ends = [displacements(run[2, 0])[place] for run in runs]
        each = [
            np.square(bases[k].T @ ends[j]).sum() / np.square(ends[j]).sum() for j in range(4) for k in range(4) if j != k
        ]
        found = row(told, "within", step)
        assert found["value"] == pytest.approx(np.mean(each), rel=1e-4)
        assert found["scatter"] == pytest.approx(np.std(each, ddof=1), rel=1e-3)


def test_angles_are_those_of_the_subspaces(told):
    bases = [columns(2, draw) for draw in range(4)]
    squared = [
        np.linalg.svd(bases[j].T @ bases[k], compute_uv=False) ** 2 for j, k in zip(*np.triu_indices(4, 1), strict=True)
    ]
    for quantity, values in (("mean", [s.mean() for s in squared]), ("largest", [s.max() for s in squared])):
        found = row(told, quantity, 0)
        assert found["value"] == pytest.approx(np.mean(values), rel=1e-4)
        assert found["scatter"] == pytest.approx(np.std(values, ddof=1), rel=1e-3)


def test_what_is_expected_of_uniform_subspaces(told):
    assert row(told, "within", END, UNIFORM)["value"] == pytest.approx(SHARE)
    assert row(told, "mean", 0, UNIFORM)["value"] == pytest.approx(SHARE)
    assert row(told, "largest", 0, UNIFORM)["value"] == pytest.approx(4 * SHARE * (1 - SHARE))
    assert row(told, "cosine", 5, ONE_GRADIENT)["value"] == pytest.approx(SHARE / (1 + SHARE))
    signs = 2 / np.pi * SHARE
    assert row(told, "cosine", 5, SIGNS)["value"] == pytest.approx(signs / (1 + signs))
    unrelated = row(told, "cosine", 5, UNRELATED)
    assert (unrelated["value"], unrelated["scatter"]) == (0, pytest.approx(WEIGHTS**-0.5))


def test_the_first_of_them_alone_are_paired(runs):
    pd.testing.assert_frame_equal(asked(runs, most=3), asked(runs[:3]))


def test_one_pair_has_no_scatter_but_of_shares_which_are_two(runs):
    rows = asked(runs[:2]).query("source == @MEASURED").groupby("quantity")["scatter"]
    assert rows.apply(lambda held: held.isna().all()).to_dict() == {
        "cosine": True, "largest": True, "mean": True, "within": False,
    }  # fmt: skip


@pytest.mark.parametrize("recorded", [(1, 3, 5, 7), (5,)])
def test_steps_that_not_all_of_them_recorded_are_left_out(runs, root, recorded):
    other = rl.fit(SPEC.but(draw=9, snapshots=recorded), root, threads=1)
    for order in ([runs[0], other], [other, rl.fit(SPEC.but(draw=10, snapshots=STEPS), root, threads=1)]):
        found = asked(order).query("quantity == 'cosine' and source == @MEASURED")
        assert found["step"].unique().tolist() == [*sorted({*STEPS} & {*recorded}), END]


def test_arms_stand_apart_and_one_without_a_pair_is_left_out(runs, root):
    axes = fitted(root, *({"draw": k, "projection": "axes"} for k in range(2)))
    alone = fitted(root, {"draw": 0, "projection": "sparse"})
    found = asked([*runs, *axes, *alone])
    assert [name.rpartition(", ")[2] for name in found["arm"].unique()] == ["dense d = 15", "axes d = 15"]
    pd.testing.assert_frame_equal(
        found[found["arm"].str.contains("dense")].reset_index(drop=True), asked(runs).reset_index(drop=True)
    )
    assert len(plot(found).axes) == 4


def test_other_tasks_are_of_the_same_arm(root):
    tasks = fitted(root, *({"draw": k, "shuffled": "pixels", "shuffling": k} for k in range(2)))
    assert asked(tasks)["arm"].nunique() == 1


@pytest.mark.parametrize("number", [1, 2])
def test_runs_without_a_pair_are_refused(runs, root, number):
    other = fitted(root, {"draw": 1, "projection": "axes"})
    with pytest.raises(rl.Refusal, match="no two of these runs differ in their directions alone: train some with --draw"):
        asked([runs[0], *other][:number])


def test_no_pair_and_the_same_draw_twice_are_refused(runs):
    with pytest.raises(rl.Refusal, match="most = 1 subnets have no pair: take 2 or more"):
        asked(runs, most=1)
    with pytest.raises(rl.Refusal, match=r"two of 2 subnets, .*, go along the same directions"):
        table([runs[0][0, 0]] * 2)


def test_figure_and_headline_tell_the_end(told):
    left, right = plot(told).axes
    assert left.get_xlabel() == right.get_xlabel() == "training step"
    assert left.get_ylabel() == "cosine of two displacements"
    assert right.get_ylabel() == "share of one's square\nin the other's subspace"
    assert {MEASURED, ONE_GRADIENT, UNRELATED} <= {text.get_text() for text in left.get_legend().get_texts()}
    words = headline(told)
    end = told.query("quantity == 'cosine' and step == @END and source == @MEASURED")["value"].mean()
    assert f"cosine of two paths' ends {end:.3g} (" in words
    assert f"{ONE_GRADIENT} {SHARE / (1 + SHARE):.3g}" in words
    largest = told.query("quantity == 'largest' and source == @MEASURED")["value"].mean()
    assert f"largest {largest:.3g} ({UNIFORM} {4 * SHARE * (1 - SHARE):.3g})." in words
