"""Thresholds over the distance of the start, on runs and on tables made up."""

import numpy as np
import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze.distance import family, headline, plot, starts, table
from rmtlottery.analyze.transition import BOUND, INIT, MEASURED, SECANT
from rmtlottery.train.child import child

SPEC = rl.preset("first").but(levels=0, widths="9", epochs=2, lr=1e-2, loss="squared", seeds=(0, 2), name="whole")
DIMS = np.array([10.0, 20.0, 40.0, 80.0, 160.0])


def made(factors, asked=0.0):
    """Starts `begun` -> how many directions a loss takes from there, as a multiple of what it takes from theta_0."""
    found = []
    for begun, factor in factors.items():
        task = f"t, {begun}" if begun else "t"
        whose = {"task": task, "begun": begun or INIT, "projection": "dense", "uniform": True}
        for seed in range(4):
            noise = np.exp(0.05 * np.random.default_rng(seed).standard_normal(len(DIMS)))
            rows = pd.DataFrame({"dim": DIMS, "loss": factor * noise / DIMS, "run": [f"d{d:.0f}" for d in DIMS]})
            found.append(rows.assign(source=MEASURED, seed=seed, **whose))
        curve = pd.DataFrame({"dim": np.geomspace(300, 5, 30), "loss": factor / np.geomspace(300, 5, 30), "run": "whole"})
        told = whose | {"seed": 0, "distance": 7 * factor}
        found += [curve.assign(source=SECANT, **told), curve.assign(source=BOUND, **told).eval("dim = 3 * dim")]
    return pd.concat(found, ignore_index=True).assign(asked=asked)


def test_every_start_has_its_distance_and_its_thresholds():
    found = starts(made({"": 1.0, "from step 5": 0.5, "from 0.5 of the way to w*": 0.7}, asked=0.02))
    assert found["start"].tolist() == ["from step 5", "from 0.5 of the way to w*", INIT]
    assert found["distance"].tolist() == pytest.approx([3.5, 4.9, 7.0])
    np.testing.assert_allclose(found[SECANT], [25, 35, 50], rtol=1e-6)
    np.testing.assert_allclose(found[BOUND], [75, 105, 150], rtol=1e-6)
    assert ((found["low"] < found[SECANT]) & (found[SECANT] < found["high"])).all()
    assert ((found["low"] <= found[MEASURED]) & (found[MEASURED] <= found["high"])).all()


def test_where_no_loss_is_named_every_start_reaches_it():
    found = starts(made({"": 1.0, "from step 5": 0.5}))
    assert found["loss"].nunique() == 1
    assert 1 / 160 < found["loss"].iloc[0] < 1 / 80
    assert np.isfinite(found[MEASURED]).all()


@pytest.mark.parametrize(
    ("start", "name"),
    [
        ("from step 25", "after a burn-in"),
        ("from 0.5 of the way to w*", "on the way to w*"),
        ("from 0.5 times the way beside w*", "beside w*"),
        (INIT, INIT),
    ],
)
def test_starts_that_differ_by_how_far_they_are_are_of_one_family(start, name):
    assert family(start) == name


def test_starts_without_a_run_of_all_weights_are_refused():
    with pytest.raises(rl.Refusal, match="no start has both runs along random directions and one of all weights"):
        starts(made({"": 1.0}).query("source == @MEASURED"))


def test_two_ends_of_one_start_are_refused():
    table_ = made({"": 1.0})
    other = table_[table_["source"] != MEASURED].assign(run="other")
    with pytest.raises(rl.Refusal, match="whole, other are runs of all weights from one start: give that whose end is"):
        starts(pd.concat([table_, other]))


def test_starts_from_which_every_run_hits_are_drawn_at_the_least_size():
    left, right = plot(made({"": 1.0, "from step 5": 0.001}, asked=0.02)).axes
    marked = [line for line in left.get_lines() if line.get_marker() == "v" and len(line.get_xdata())]
    assert [list(line.get_ydata()) for line in marked] == [[10.0]]
    assert "fewer than were tried" in {line.get_label() for line in right.get_lines()}


def test_runs_from_several_starts_are_told_apart(tmp_path):
    whole = rl.fit(SPEC, tmp_path, threads=1)
    tickets = list(whole)
    for control in ("rewound", "toward:0.5", "around:0.5"):
        for change in ({"chart": "affine", "dim": 15}, {"chart": "affine", "dim": 240}, {}):
            if change or control != "rewound":
                tickets += list(child(whole, tmp_path, {"control": control} | change, threads=1))
    told = pd.concat(
        [table(ticket, samples=100, probes=1, steps=8).assign(run=str(ticket.run), seed=ticket.seed) for ticket in tickets],
        ignore_index=True,
    )
    found = starts(told)
    assert set(found["start"]) == {INIT, "from 0.5 of the way to w*", "from 0.5 times the way beside w*"}
    words = headline(told)
    assert all(start in words for start in found["start"])
    left, right = plot(told).axes
    assert left.get_xlabel() == "distance |start - w*|"
    assert right.get_ylabel() == "directions predicted"
    assert {MEASURED, SECANT, BOUND} <= {line.get_label() for line in right.get_lines()}
