"""From runs to a sentence: what is asked together, what is drawn, and words that are numbers of the table."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze.recipes import BASE, IMP, headline, name_of, plot

TASK = "a task"
CONTROLS = ("shuffle_mask", "fresh_init")


@pytest.fixture(scope="module")
def found(tiny_run, tmp_path_factory):
    """imp of two seeds at two rates, and two controls of one of them trained at levels 2 and 3."""
    root = tmp_path_factory.mktemp("children")
    runs = [tiny_run, rl.fit(tiny_run.spec.but(lr=0.02), root)]
    for control in (getattr(rl.controls, name) for name in CONTROLS):
        runs.append(rl.fit(tiny_run.spec, root, start=[control(t, 0) for t in tiny_run if t.level in (2, 3)]))
    return rl.tabulate("recipes", [ticket for run in runs for ticket in run])


def test_arm_and_rate_are_those_of_the_run_and_accuracy_of_its_last_epoch(tiny_run, found):
    assert set(found["arm"]) == {"imp", *CONTROLS}
    assert set(found["task"]) == {"tanh fc of normal init (1.4, 0.3) on digits, 2 epochs of adam, batch 100"}
    assert set(found.query("arm == 'imp'")["lr"]) == {tiny_run.spec.optimiser.lr, 0.02}
    row = found.query("arm == 'imp' and lr != 0.02 and seed == 1 and level == 3 and split == 'validation'").iloc[0]
    last = tiny_run[1, 3].metrics[-1]
    assert row[["accuracy", "loss", "epoch", "source"]].to_list() == [
        last["validation_accuracy"], last["validation_loss"], 2, "measured",
    ]  # fmt: skip
    assert row["weights"] == sum(int(mask.sum()) for mask in tiny_run[1, 3].mask.values())
    assert len(found) == 3 * (2 * 2 * 4 + 2 * 2 * 2)


def test_what_is_stopped_is_another_task(tiny_run):
    table = rl.tabulate("recipes", tiny_run[0, 1], stopped=True)
    assert set(table["task"]) == {
        "tanh fc of normal init (1.4, 0.3) on digits, 2 epochs of adam, batch 100, stopped on validation"
    }
    best = max(row["validation_accuracy"] for row in tiny_run[0, 1].metrics)
    assert table.query("split == 'validation'")["accuracy"].item() == best


def test_what_was_not_trained_is_refused(tiny_run):
    ticket = rl.controls.fresh_init(tiny_run[0, 1], 5)
    with pytest.raises(rl.Refusal, match=r"a control that was not trained: train it with rl.fit"):
        rl.tabulate("recipes", ticket)


def test_real_runs_are_drawn_and_told_at_the_levels_they_share(found):
    figure = plot(found)
    titles = [axes.get_title(loc="left") for axes in figure.axes[::2]]
    densities = found.groupby("level")["density"].mean()
    titles = [title.partition("\n")[2] for title in titles]
    assert [title.partition(" %")[0] for title in titles] == [f"density {100 * densities[n]:.3g}" for n in (2, 3)]
    words = headline(found)
    assert all(title in words.replace(" % imp", " %: imp") for title in titles)
    assert "Holm over 2 tests, rates of 2 chosen from 2 by validation, 4 had one" in words


def test_one_run_alone_has_nothing_to_compare(tiny_run):
    table = rl.tabulate("recipes", tiny_run)
    assert headline(table).startswith("Nothing to compare: only imp of tanh fc")
    assert [text.get_text() for text in plot(table).axes[0].texts] == [headline(table)]


def made(arms, seeds=3, level=10, density=0.1):
    """Accuracies in percent: what each seed has in common plus each arm's own."""
    rows = [
        {"arm": arm, "seed": seed, "accuracy": (held[seed] + 5 * seed) / 100}
        for arm, held in arms.items()
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows).assign(
        split="test", task=TASK, net="n", rule="r", lr=0.01, level=level, density=density, weights=round(10_000 * density)
    )


ARMS = {
    "shuffle_mask": [60, 60, 60],
    "imp": [70, 70.1, 69.9],
    "keep_signs": [68, 68.01, 67.99],
    "snip at init": [69.9, 69.8, 70.2],
    "rescale": [60.5, 59, 60.6],
}


def test_the_headline_by_hand():
    """t of two degrees of freedom is 4.303: the lead is 10 +- 4.303 x 0.1 / sqrt 3."""
    words = headline(made(ARMS))
    assert words.startswith(
        f"{TASK}: at density 10 % imp's lead over shuffle_mask is 10.0 [9.8, 10.2] points; highest of 3 arms is snip at init"
    )
    assert "with 75.0%, 100% of the lead; better than the base: keep_signs, snip at init; better than imp: none;" in words
    assert "not told apart from imp: snip at init (0.0 [-0.8, 0.7] points) (seeds [0, 1, 2]" in words
    assert words.endswith("Holm over 3 tests, one rate each).")


def test_what_beats_imp_is_named_and_what_has_fewer_seeds_is_not_the_highest():
    table = made(ARMS | {"init_mask": [82.1, 82.0, 81.9]})
    lucky = made({"local_mask": [90, 90]}, seeds=2)
    words = headline(pd.concat([table, lucky]))
    assert "highest of 4 arms is largest at init (init_mask) with" in words
    assert "; better than imp: init_mask (12.0 [11.8, 12.2] points)" in words
    assert "local_mask" in words.partition("; better than imp: ")[2].partition(";")[0]


def test_without_a_gap_no_share_is_told():
    arms = ARMS | {"imp": [70, 60, 53]}
    words = headline(made(arms))
    assert "points: no gap to recover; highest of 3 arms is snip at init with 75.0%; better" in words
    assert "of the lead" not in words
    texts = plot(made(arms)).axes[1].get_yticklabels()
    assert [text.get_text() for text in texts] == ["no gap"] * 3


@pytest.mark.parametrize(
    ("arms", "seeds", "words"),
    [
        (ARMS | {"imp": [50, 50.1, 49.9]}, 3, "points: imp is behind"),
        ({"imp": ARMS["imp"], "rescale": ARMS["rescale"]}, 3, "no share: neither shuffle_mask nor random_mask is here"),
        ({"shuffle_mask": ARMS["shuffle_mask"], "rescale": ARMS["rescale"]}, 3, "no share: no imp at this density"),
        (ARMS, 1, "10.0 points: too few seeds for an interval"),
        ({"imp": ARMS["imp"], "shuffle_mask": ARMS["shuffle_mask"]}, 3, "is 10.0 [9.8, 10.2] points (seeds"),
    ],
)
def test_what_is_missing_is_said_and_drawn_around(arms, seeds, words):
    table = made(arms, seeds)
    assert words in headline(table)
    assert len(plot(table).axes) == 2


def test_points_are_sorted_filled_where_better_and_named_so_that_one_can_call_them():
    left, right = plot(made(ARMS)).axes
    assert [text.get_text() for text in left.get_yticklabels()] == [
        "rescaled to sigma_w (rescale), lr 0.01", "sizes redrawn, signs kept (keep_signs), lr 0.01", "snip at init, lr 0.01",
    ]  # fmt: skip
    dots = [line for line in left.get_lines() if line.get_marker() == "o"]
    assert [line.get_xdata()[0] for line in dots] == pytest.approx([0.6503, 0.73, 0.7497], abs=1e-4)
    assert [line.get_markerfacecolor() for line in dots] == ["white", "black", "black"]
    shares = [line.get_xdata()[0] for line in right.get_lines() if line.get_marker() == "o"]
    assert shares == pytest.approx([0.1 / 30, 0.8, 0.9967], abs=1e-4)
    assert [text.get_text() for text in right.get_yticklabels()][2] == "100% [92%, 107%]"


def test_imp_and_the_base_are_bands():
    left, right = plot(made(ARMS)).axes
    lines = {line.get_color(): line.get_xdata()[0] for line in left.get_lines() if line.get_color() in (IMP, BASE)}
    assert lines == pytest.approx({IMP: 0.75, BASE: 0.65})
    assert len(left.patches) == 2
    assert {line.get_color(): line.get_xdata()[0] for line in right.get_lines()[:2]} == {BASE: 0, IMP: 1}
    words = [text.get_text() for text in left.figure.legends[0].get_texts()]
    assert words[:2] == ["iterated (imp)", "mask shuffled in layers (shuffle_mask)"]


def test_another_density_is_written_beside_the_arm():
    """As that of a narrow dense net, which keeps as many weights."""
    table = made(ARMS)
    table.loc[table["arm"] == "keep_signs", "density"] = 1.0
    table.loc[table["arm"] == "rescale", "density"] = 0.102
    ticks = [text.get_text() for text in plot(table).axes[0].get_yticklabels()]
    assert ticks[1] == "sizes redrawn, signs kept (keep_signs), lr 0.01, density 100 %"
    assert "density" not in ticks[0]
    assert plot(table).axes[0].get_title(loc="left").startswith(f"{TASK}\ndensity 10 %")


def test_arms_meet_where_they_keep_as_many_weights_and_others_are_counted():
    table = made(ARMS)
    snip = table["arm"] == "snip at init"
    elsewhere = table.assign(level=table["level"].mask(snip, 1))
    assert headline(elsewhere) == headline(table)
    other = table.assign(weights=table["weights"].mask(snip, 1100))
    assert headline(other).endswith(
        "one rate each); 3 tickets that keep numbers of weights that nothing is compared at are left out."
    )
    assert "snip at init" not in headline(other)


def test_one_seed_cannot_tell():
    words = headline(made(ARMS, 1))
    unknown = ("better than the base", "better than imp", "not told apart from imp")
    assert words.count("; ".join(f"{name}: cannot be told" for name in unknown)) == 1


def test_an_arm_far_out_is_told_beside_the_frame():
    others = {f"redraw_law{',rescale' * many}": [67 + many, 67, 67.5] for many in range(4)}
    left = plot(made(ARMS | others | {"aligned_mask": [14.5, 14, 15]})).axes[0]
    names = [text.get_text() for text in left.get_yticklabels()]
    assert names[0].endswith("(aligned_mask), lr 0.01: 19.5%")
    assert not any("%" in name for name in names[1:])
    assert 0.5 < left.get_xlim()[0] < 0.66


def test_a_density_that_lacks_the_base_is_counted_as_left_out():
    other = dict.fromkeys(("imp", "snip at init", "random_mask"), ARMS["imp"])
    words = headline(pd.concat([made(ARMS), made(other, level=12, density=0.05)]))
    assert words.endswith("9 tickets that keep numbers of weights that nothing is compared at are left out.")


def test_an_only_arm_is_called_so():
    few = {name: ARMS[name] for name in ("shuffle_mask", "imp", "keep_signs")}
    assert "points; the only other arm is sizes redrawn, signs kept (keep_signs) with 73.0%" in headline(made(few))


def test_seeds_that_agree_to_the_last_digit_have_no_interval():
    words = headline(made({"shuffle_mask": [60, 60, 60], "imp": [70, 70, 70], "rescale": [65, 64, 66]}))
    assert "imp's lead over shuffle_mask is 10.0 points: too few seeds for an interval; the only other arm" in words
    assert "nan" not in words


def test_every_task_has_its_sentence():
    words = headline(pd.concat([made(ARMS), made(ARMS).assign(task="of more epochs", level=2)]))
    assert words.startswith(f"{TASK}: at density 10 % imp's lead")
    assert "; of more epochs: at density 10 % imp's lead" in words


def test_names():
    assert name_of("shuffle_mask,rescale") == "mask shuffled in layers, rescaled to sigma_w (shuffle_mask,rescale)"
    assert name_of("shuffle_mask,unheard_of") == "shuffle_mask,unheard_of"
    assert name_of("snip at init") == "snip at init"


def test_densities_are_panels_from_dense_to_sparse():
    table = pd.concat([made(ARMS, level=13, density=0.05), made(ARMS), made({"imp": ARMS["imp"]}, level=3, density=0.5)])
    titles = [axes.get_title(loc="left").removeprefix(f"{TASK}\n")[:12] for axes in plot(table).axes[::2]]
    assert titles == ["density 10 %", "density 5 %:"]
    assert np.isfinite(plt.gcf().get_size_inches()).all()
