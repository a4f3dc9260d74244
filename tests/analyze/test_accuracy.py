"""Accuracies are those of the last epoch, and the level that is praised was not chosen on the test set."""

import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery import datasets, nets
from rmtlottery.analyze import accuracy


def test_test_accuracy_is_that_of_the_weights_on_disk(tiny_run):
    ticket = tiny_run[1, 3]
    data = datasets.dataset(ticket.spec.data)
    network = nets.build(ticket.spec.net, (64,), 10)
    right = network.logits(ticket.weights, data.test.x).argmax(1) == data.test.y
    row = rl.tabulate("accuracy", ticket).query("split == 'test'").iloc[0]
    assert row["accuracy"] == pytest.approx(right.float().mean().item(), abs=1e-6)
    assert row["epoch"] == 2


def test_without_a_validation_set_there_is_no_such_row(tiny, tmp_path):
    run = rl.fit(tiny.but(validation=0, levels=0, seeds=0), tmp_path)
    assert set(rl.tabulate("accuracy", run)["split"]) == {"train", "test"}
    assert "validation" not in rl.plot("accuracy", rl.tabulate("accuracy", run)).axes[0].get_legend_handles_labels()[1]


def made(validation, test):
    """A table of two seeds and three levels."""
    rows = [
        {
            "run": "r",
            "seed": seed,
            "level": level,
            "density": 0.8**level,
            "split": split,
            "accuracy": values[level] + 0.01 * seed,
            "when": "after the last epoch",
        }
        for split, values in (("train", [1, 1, 1]), ("validation", validation), ("test", test))
        for level in range(3)
        for seed in (0, 1)
    ]
    return pd.DataFrame(rows)


def test_the_headline_chooses_its_level_on_validation():
    words = accuracy.headline(made(validation=[0.5, 0.7, 0.6], test=[0.5, 0.6, 0.9]))
    assert "60.5% [54.1%, 66.9%] chosen on validation (density 80.0%)" in words
    assert "%] sparsest (density 64.0%)" in words
    assert "over seeds [0, 1]" in words


def test_the_figure_has_a_panel_a_run_a_line_a_split_and_its_labels(tiny_run):
    table = rl.tabulate("accuracy", tiny_run)
    figure = rl.plot("accuracy", pd.concat([table, table.assign(run="other")]))
    name = tiny_run.path.name
    assert [axes.get_title() for axes in figure.axes] == ["test accuracy of each run", name, "other"]
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [name, "other"]
    for axes in figure.axes[1:]:
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("density (weights kept)", "accuracy after the last epoch")
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["train", "validation", "test"]


def test_what_is_stopped_is_called_so(tiny_run):
    table = rl.tabulate("accuracy", tiny_run[0, 1], stopped=True)
    best = max(row["validation_accuracy"] for row in tiny_run[0, 1].metrics)
    assert table.query("split == 'validation'")["accuracy"].item() == best
    assert f"{tiny_run.path.name}, stopped on validation: test accuracy is" in accuracy.headline(table)
    assert rl.plot("accuracy", table).axes[0].get_title().endswith(", stopped on validation")


def test_stopped_or_not_are_not_averaged():
    last = made(validation=[0.5, 0.7, 0.6], test=[0.5, 0.6, 0.9])
    best = last.assign(accuracy=last["accuracy"] + 0.05, when="stopped on validation")
    words = accuracy.headline(pd.concat([last, best]))
    assert "r: test accuracy is 50.5% [" in words
    assert "r, stopped on validation: test accuracy is 55.5% [" in words


def test_runs_with_and_without_a_validation_part_are_told_together():
    held = made(validation=[0.5, 0.7, 0.6], test=[0.5, 0.6, 0.9])
    bare = held[held["split"] != "validation"].assign(run="bare")
    words = accuracy.headline(pd.concat([held, pd.concat([bare, bare.assign(split="train")])]))
    assert "r: test accuracy is" in words
    assert "chosen on train" in words.partition("bare: ")[2].partition(";")[0]
