"""Training less test accuracy of the final weights, and words that are numbers of the table."""

import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery import datasets, nets
from rmtlottery.analyze.gap import gaps, headline
from rmtlottery.train.controls import fresh_init


@pytest.fixture(scope="module")
def found(tiny_run):
    return rl.tabulate("gap", tiny_run)


def test_training_accuracy_is_of_the_final_weights_on_the_whole_part(tiny_run, found):
    ticket = tiny_run[1, 2]
    data = datasets.dataset(ticket.spec.data)
    network = nets.build(ticket.spec.net, data.shape, data.classes)
    right = network.logits(ticket.weights, data.train.x).argmax(1) == data.train.y
    row = found.query("seed == 1 and level == 2 and split == 'train'").iloc[0]
    assert row["accuracy"] == pytest.approx(right.double().mean().item(), abs=1e-6)
    assert row["accuracy"] != ticket.metrics[-1]["train_accuracy"]
    assert (row["state"], row["source"]) == ("trained", "measured")


def test_an_untrained_ticket_is_asked_as_it_starts(tiny_run):
    ticket = fresh_init(tiny_run[0, 1], 5)
    found = rl.tabulate("gap", ticket)
    data = datasets.dataset(ticket.spec.data)
    network = nets.build(ticket.spec.net, data.shape, data.classes)
    right = network.logits(ticket.rewound, data.test.x).argmax(1) == data.test.y
    assert set(found["state"]) == {"rewound"}
    assert found.set_index("split").loc["test", "accuracy"] == pytest.approx(right.double().mean().item(), abs=1e-6)


def made():
    """Two seeds, three levels; the gaps of seed 1 are 2 points larger."""
    splits = {"train": [1.0, 0.9, 0.8], "validation": [0.5, 0.7, 0.6], "test": [0.9, 0.85, 0.78]}
    rows = [
        {"seed": seed, "level": level, "split": split, "accuracy": values[level] - 0.02 * seed * (split == "test")}
        for split, values in splits.items()
        for level in range(3)
        for seed in (0, 1)
    ]
    found = pd.DataFrame(rows)
    return found.assign(run="r", state="trained", density=0.8 ** found["level"])


def test_gaps_are_taken_seed_by_seed():
    assert gaps(made()).loc[1].to_list() == pytest.approx([0.05, 0.07])


def test_the_headline_has_the_gap_at_three_places():
    """11 +- 12.7 (t of one degree of freedom) x 1; validation is best at level 1."""
    words = headline(made())
    assert "r: training less test accuracy is 11.0 [-1.7, 23.7] points densest (density 100.0%)" in words
    assert "6.0 [-6.7, 18.7] points chosen on validation (density 80.0%)" in words
    assert "3.0 [-9.7, 15.7] points sparsest (density 64.0%)" in words
    assert "seeds [0, 1]" in words


def test_without_a_validation_part_no_level_is_chosen():
    words = headline(made().query("split != 'validation'"))
    assert "chosen" not in words
    assert "densest" in words


@pytest.mark.parametrize("which", ["level == level", "seed == 0", "level == 3", "seed == 1 and level == 2"])
def test_the_figure_has_the_splits_left_and_the_gap_right(found, which):
    part = found.query(which)
    figure = rl.plot("gap", pd.concat([part, part.assign(run="other")]))
    assert [axes.get_ylabel() for axes in figure.axes] == ["accuracy", "gap, percentage points"] * 2
    assert all(axes.get_xlabel() == "density (weights kept)" for axes in figure.axes)
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["train", "validation", "test"]


def test_the_line_on_the_right_is_the_mean_gap():
    axes = rl.plot("gap", made()).axes[1]
    assert sorted(axes.get_lines()[0].get_ydata()) == pytest.approx([3, 6, 11])
