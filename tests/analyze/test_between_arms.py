"""Known slopes are found with their signs, and what moves with density alone is not taken for one."""

import numpy as np
import pandas as pd
import pytest

from rmtlottery.analyze._between_arms import ALONE, JOINT, PREDICTORS, TOGETHER, logs, means, regressed, standard
from rmtlottery.analyze._regression import effects, foretold
from tests.analyze.made_arms import arms

SLOPES = {"chi": 2.0, "jacobian_spread": -1.0}


def told(table):
    return regressed(means(logs(table)))


def per_deviation(table, name):
    """Points per decade times the decades of a standard deviation within levels, by pandas."""
    found = means(logs(table))
    squares = found.groupby("kept")[name].transform(lambda part: (part - part.mean()) ** 2).sum()
    return np.sqrt(squares / (len(found) - found["kept"].nunique()))


def test_slopes_signs_and_all_are_within_their_joint_intervals():
    table = arms(SLOPES)
    joint = told(table).query("model == @TOGETHER").set_index("predictor")
    assert list(joint.index) == list(JOINT)
    for name in JOINT:
        truth = SLOPES.get(name, 0.0) * per_deviation(table, name)
        assert joint.loc[name, "low"] < truth < joint.loc[name, "high"]
    assert joint.loc["chi", "low"] > 1 > -0.3 > joint.loc["jacobian_spread", "high"]
    assert joint["explained"].iloc[0] > joint["foretold"].iloc[0] > 0.9


def test_a_flipped_sign_flips_the_slope():
    up, down = (told(arms({"gradient": slope}, noise=1e-9)) for slope in (1.0, -1.0))
    rows = [one.query("predictor == 'gradient'").iloc[0] for one in (up, down)]
    assert rows[0]["slope"] == pytest.approx(-rows[1]["slope"])
    assert rows[0]["slope"] > 0
    assert rows[0]["low"] == pytest.approx(-rows[1]["high"])


def test_alone_is_one_predictor_and_gradient_is_in_no_joint_model():
    found = told(arms(SLOPES))
    assert found.loc[found["model"] == ALONE, "predictor"].to_list() == list(PREDICTORS)
    assert (found.loc[found["model"] == ALONE, "inflation"] - 1).abs().max() < 1e-9
    assert found.loc[found["model"] == TOGETHER, "inflation"].min() > 1
    chi = standard(means(logs(arms(SLOPES))), ["chi"])[:, 0]
    assert np.sum(chi**2) == pytest.approx(27 - 3)


def test_what_falls_with_density_alone_is_no_effect():
    """Accuracy and predictors fall with level together: they correlate over levels, and not at equal density."""
    table = arms({}, drop=12.0, noise=1.0)
    assert np.corrcoef(np.log10(table["chi"]), table["accuracy"])[0, 1] > 0.75
    alone = told(table).query("model == @ALONE").set_index("predictor").loc["chi"]
    assert alone["low"] < 0 < alone["high"]
    assert abs(alone["slope"]) < 1


def test_a_predictor_of_the_level_alone_has_no_row():
    table = arms(SLOPES)
    found = told(table.assign(q=10.0 ** -table["level"]))
    assert set(found["predictor"]) == set(PREDICTORS) - {"q"}
    assert found.loc[found["model"] == TOGETHER, "predictor"].to_list() == list(JOINT[1:])


def test_predictors_that_are_one_have_no_joint_model():
    table = arms(SLOPES)
    found = told(table.assign(jacobian_mean=table["chi"] ** 3))
    assert set(found["model"]) == {ALONE}


def test_seeds_make_no_rows():
    table = arms(SLOPES, seeds=3)
    doubled = pd.concat([table, table.assign(seed=table["seed"] + 3)])
    pd.testing.assert_frame_equal(told(doubled), told(table))


@pytest.mark.parametrize(("number", "models"), [(3, []), (4, [ALONE]), (5, [ALONE]), (6, [ALONE, TOGETHER])])
def test_few_arms_tell_less(number, models):
    found = told(arms(SLOPES, arms=number))
    assert (list(found["model"].unique()) if len(found) else []) == models


def test_a_level_with_one_arm_is_left_out_unless_all_are():
    table = logs(arms(SLOPES, arms=3))
    assert set(means(table[(table["level"] > 0) | (table["arm"] == "imp")])["kept"]) == {8000, 6400}
    assert set(means(table[table["arm"] == "imp"])["kept"]) == {10_000, 8000, 6400}


def test_a_row_is_the_mean_of_seeds_each_the_mean_of_its_draws():
    table = arms(SLOPES, arms=3, seeds=3)
    mine = table[(table["arm"] == "shuffle_mask") & (table["level"] == 1)]
    drawn = mine[mine["seed"] == 2]
    found = means(logs(pd.concat([table, drawn.assign(accuracy=drawn["accuracy"] + 0.02)])))
    row = found.query("kept == 8000 and arm == 'shuffle_mask'").iloc[0]
    assert row["points"] == pytest.approx(100 * (mine["accuracy"].mean() + 0.01 / 3), rel=1e-12)
    assert row["chi"] == pytest.approx(np.log10(mine["chi"]).mean(), rel=1e-12)
    assert len(found) == 9


def test_an_iterated_ticket_that_lets_nothing_through_still_gives_the_number():
    table = arms(SLOPES, arms=3)
    imp = table["arm"] == "imp"
    near = table.assign(weights=table["weights"].where(imp, table["weights"] * 51 // 50))
    near.loc[imp & (near["level"] == 1), "chi"] = 0.0
    assert logs(near).groupby("kept")["arm"].nunique().to_dict() == {10_000: 3, 8000: 2, 6400: 3}


def test_arms_that_another_density_has_are_not_missed():
    table = logs(arms(SLOPES, arms=3))
    torn = table[(table["level"] != 1) | (table["arm"] != "random_mask")]
    assert means(torn).groupby("kept").size().to_dict() == {10_000: 3, 8000: 2, 6400: 3}


@pytest.mark.parametrize(("name", "value"), [("chi", 0.0), ("jacobian_spread", np.nan), ("gradient", np.inf)])
def test_a_net_that_lets_nothing_through_is_left_out(name, value):
    table = arms(SLOPES)
    table.loc[5, name] = value
    lost = table.loc[5, ["arm", "level", "seed"]].to_list()
    kept = logs(table)[["arm", "level", "seed"]].to_numpy().tolist()
    assert len(kept) == len(table) - 1
    assert lost not in kept


def test_logs_are_decades_and_points():
    table = arms(SLOPES)
    found = logs(table).merge(table, on=["arm", "level", "seed"], suffixes=("", "_before"))
    assert found["chi"].to_numpy() == pytest.approx(np.log10(found["chi_before"]))
    assert found["points"].to_numpy() == pytest.approx(100 * found["accuracy_before"])
    assert len(found) == len(table)


def test_every_arm_is_taken_at_its_best_rate():
    table = arms(SLOPES)
    worse = table.assign(lr=0.1, accuracy=1 - table["accuracy"], train=0.8, chi=table["q"])
    pd.testing.assert_frame_equal(told(pd.concat([table, worse])), told(table))


def test_only_seeds_that_all_arms_of_a_density_have_are_averaged():
    table = arms(SLOPES, seeds=3)
    torn = table.drop(table.query("arm == 'imp' and level == 1 and seed == 2").index)
    pd.testing.assert_frame_equal(told(torn), told(table.query("level != 1 or seed != 2")))


def test_rows_are_matched_by_weights_and_not_by_level():
    table = arms(SLOPES)
    moved = table.assign(level=table["level"].where(table["arm"] == "imp", table["level"] + 5))
    pd.testing.assert_frame_equal(told(moved), told(table))
    near = table.assign(weights=table["weights"].where(table["arm"] == "imp", table["weights"] * 51 // 50))
    pd.testing.assert_frame_equal(told(near), told(table))


def test_arms_under_one_mask_are_one_cluster():
    table = arms(SLOPES, noise=1.0)
    found = means(logs(table.replace({"arm": {"init_mask": "shuffle_mask,rescale", "local_mask": "rescale"}})))
    masks = found["arm"].replace({"shuffle_mask,rescale": "shuffle_mask", "rescale": "imp"}).to_numpy(dtype=str)
    x, y, kept = standard(found, ["q"]), found["points"].to_numpy(), found["kept"].to_numpy()
    row = regressed(found).iloc[0]
    assert row[["slope", "low", "high", "freedom"]].to_list() == pytest.approx([*effects(x, y, kept, masks)[0]])
    assert row["foretold"] == pytest.approx(foretold(x, y, kept, masks))
    alone = found["arm"].to_numpy(dtype=str)
    assert row["low"] != pytest.approx(effects(x, y, kept, alone)[0].low)
    assert row["foretold"] != pytest.approx(foretold(x, y, kept, alone))


def test_what_is_foretold_is_of_whole_arms():
    """A shift of one arm at every level cannot be known from its other levels."""
    table = arms({}, noise=3.0)
    row = told(table).iloc[0]
    found = means(logs(table))
    x, y = standard(found, ["q"])[:, 0], found["points"].to_numpy()
    level = np.array([found["kept"] == one for one in (10_000, 8000, 6400)], dtype=float).T
    missed = {"with": 0.0, "without": 0.0}
    for name, design in (("with", np.column_stack([x, level])), ("without", level)):
        for arm in found["arm"].unique():
            out = (found["arm"] == arm).to_numpy()
            slopes = np.linalg.solve(design[~out].T @ design[~out], design[~out].T @ y[~out])
            missed[name] += np.sum((y[out] - design[out] @ slopes) ** 2)
    assert row["foretold"] == pytest.approx(1 - missed["with"] / missed["without"])
