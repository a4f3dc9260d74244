"""The intrinsic dimension from runs in subspaces of several sizes."""

import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze.dint import BEST, LAST, WHOLE, headline, plot, pooled, table
from rmtlottery.train.grid import grid

SPEC = rl.preset("first").but(chart="affine", levels=0, widths="9", epochs=3, lr=1e-2, seeds=(0, 2))


@pytest.fixture(scope="module")
def tickets(tmp_path_factory):
    root = tmp_path_factory.mktemp("dint")
    runs = [*grid(SPEC, [15, 60, 240], root, threads=1), *grid(SPEC.but(chart="said"), [60], root, threads=1)]
    return [ticket for run in [*runs, rl.fit(SPEC.but(chart="full"), root, threads=1)] for ticket in run]


def test_a_row_for_each_split_and_one_for_the_best_test_epoch(tickets):
    rows = table(tickets[0])
    assert list(zip(rows["split"], rows["when"], strict=True)) == [
        ("train", LAST), ("validation", LAST), ("test", LAST), ("test", BEST)
    ]  # fmt: skip
    assert rows["accuracy"].iloc[3] == max(row["test_accuracy"] for row in tickets[0].metrics) >= rows["accuracy"].iloc[2]
    assert set(rows["ambient"]) == {64 * 9 + 9 + 9 * 10 + 10}
    assert set(rows["dim"]) == {15}


def test_charts_are_told_apart_and_the_net_is_one_task(tickets):
    rows = rl.tabulate("dint", tickets)
    assert set(rows["projection"]) == {"fastfood", "said, fastfood", WHOLE}
    assert rows["task"].nunique() == 1
    assert rows.loc[rows["projection"] == WHOLE, "dim"].unique() == [685]


def test_other_rates_data_and_widths_are_other_tasks(tickets, tmp_path):
    others = [SPEC.but(lr=2e-2), SPEC.but(shuffled="pixels"), SPEC.but(widths="8"), SPEC.but(optimiser="sgd")]
    found = [table(grid(spec.but(seeds=(0,)), [15], tmp_path, threads=1)[0][0, 0])["task"].iloc[0] for spec in others]
    assert len({*found, table(tickets[0])["task"].iloc[0]}) == 5


def test_tuning_of_trained_weights_is_a_task_of_its_own(tickets, tmp_path):
    whole = [ticket for ticket in tickets if ticket.spec.chart.kind == "full"]
    tuned = rl.fit(SPEC.but(dim=15), tmp_path, start=[rl.controls.trained(ticket, 0) for ticket in whole], threads=1)
    again = rl.fit(SPEC.but(dim=15), tmp_path, start=[rl.controls.rewound(ticket, 0) for ticket in whole], threads=1)
    before = table(tickets[0])["task"].iloc[0]
    assert table(tuned[0, 0])["task"].iloc[0] == before.replace(", lr", ", from trained weights, lr")
    assert table(again[0, 0])["task"].iloc[0] == before


def test_a_local_threshold_is_a_share_of_what_the_whole_net_reaches(tickets):
    rows = rl.tabulate("dint", tickets, threshold=0.8, local=True)
    direct = rows.query("projection == @WHOLE and split == 'test' and when == @LAST").set_index("seed")["accuracy"]
    assert rows.groupby("seed")["threshold"].unique().explode().to_dict() == pytest.approx((0.8 * direct).to_dict())


def test_a_local_threshold_needs_the_whole_net(tickets):
    few = [ticket for ticket in tickets if ticket.spec.chart.kind != "full"]
    with pytest.raises(rl.Refusal, match="give a run of all weights too"):
        rl.tabulate("dint", few, local=True)


def made(accuracies, dims=(100, 200, 400), data="mnist", ambient=199_210, local=False, threshold=0.9):
    """A table as of three seeds, the second and third .01 above and below."""
    rows = [
        {"run": "r", "seed": seed, "level": 0, "density": 1.0, "task": "a net", "data": data, "projection": "fastfood"}
        | {"dim": d, "ambient": ambient, "split": "test", "when": when, "accuracy": a + shift + 0.02 * (when == BEST)}
        | {"asked": threshold, "local": local, "of": "test", "source": "measured"}
        for seed, shift in enumerate((0, 0.01, -0.01))
        for d, a in zip(dims, accuracies, strict=True)
        for when in (LAST, BEST)
    ]
    return pooled(pd.DataFrame(rows))


def test_the_headline_has_the_estimate_its_interval_and_what_is_published():
    words = headline(made([0.7, 0.85, 0.95]))
    assert "a net (199,210 weights): d at 90 % test accuracy is fastfood 283 [238, 336]" in words
    assert "best epochs 246" in words
    assert words.endswith("of 3 seeds; published: Li et al. 2018 750, Gargiulo 2023 600.")


def test_what_is_published_of_the_test_part_stands_beside_no_other():
    table = made([0.7, 0.85, 0.95])
    words = headline(table.assign(split="train", of="train"))
    assert "90 % train accuracy is fastfood 283" in words
    assert "published" not in words


@pytest.mark.parametrize(("split", "words"), [("tests", "unknown split"), ("validation", "has no validation part")])
def test_a_split_that_is_not_there_is_refused(split, words, tmp_path):
    (run,) = grid(SPEC.but(validation=0, epochs=1, seeds=(0,)), [15], tmp_path, threads=1)
    with pytest.raises(rl.Refusal, match=words):
        rl.tabulate("dint", run, split=split)


@pytest.mark.parametrize(
    ("accuracies", "words"), [([0.5, 0.6, 0.7], "fastfood above 400"), ([0.92] * 3, "fastfood below 100")]
)
def test_no_threshold_is_invented_where_none_is_passed(accuracies, words):
    assert words in headline(made(accuracies))


def test_where_a_seed_does_not_cross_there_is_no_interval():
    assert "fastfood 376, no interval" in headline(made([0.7, 0.85, 0.905]))


def test_the_figure_has_a_point_a_seed_the_threshold_and_the_interval(tickets):
    axes = plot(made([0.7, 0.85, 0.95])).axes[0]
    points = axes.lines[0]
    assert len(points.get_xdata()) == 9
    assert axes.get_xscale() == "log"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("coordinates d", "test accuracy\nafter the last epoch")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["fastfood: 283 [238, 336]", "threshold 90 %"]
    bar = axes.lines[2]
    assert bar.get_xdata() == pytest.approx([238, 336], abs=1)
    assert set(bar.get_ydata()) == {0.03}
    assert len(plot(rl.tabulate("dint", tickets)).axes) == 1


def test_whole_nets_alone_have_no_dimension(tickets):
    assert headline(rl.tabulate("dint", [tickets[-1]])) == "no run in a subspace is among these."


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_a_threshold_that_is_none_is_refused(threshold, tickets):
    with pytest.raises(rl.Refusal, match="is no accuracy"):
        table(tickets[0], threshold=threshold)


def test_cut_tickets_are_left_out_and_alone_are_refused(tmp_path):
    run = rl.fit(SPEC.but(levels=1, seeds=(0,), epochs=1), tmp_path, threads=1)
    assert set(rl.tabulate("dint", run)["level"]) == {0}
    with pytest.raises(rl.Refusal, match="dint has nothing to say of these tickets"):
        rl.tabulate("dint", run[0, 1])


def test_draws_and_subnets_are_told_apart(tmp_path):
    charts = [{"draw": 1}, {"kind": "sum"}, {"kind": "sum", "subnets": 3}]
    runs = [grid(SPEC.but(chart={"kind": "affine"} | c, seeds=(0,), epochs=1), [15], tmp_path, threads=1)[0] for c in charts]
    found = rl.tabulate("dint", [run[0, 0] for run in runs])["projection"].unique()
    assert list(found) == ["fastfood, draw 1", "sum, fastfood", "sum, fastfood, subnets 3"]


def test_buffers_are_no_weights(tmp_path):
    spec = rl.preset("resnet20_cifar10").but(data="digits", depth=8, stem=2, chart="affine", levels=0, epochs=1, seeds=(0,))
    ticket = grid(spec, [9], tmp_path, threads=1)[0][0, 0]
    parameters = sum(ticket.weights[name].numel() for name in ticket.record["parameters"])
    assert (
        set(table(ticket)["ambient"])
        == {parameters}
        < {sum(value.numel() for value in ticket.weights.values())} | {parameters}
    )


def test_a_run_without_subspaces_is_not_asked(tiny_run, tmp_path):
    from rmtlottery.analyze._answer import answer

    outcome = answer([tiny_run], [("dint",), ("accuracy",)], tmp_path / "report.html", "title", "command")
    assert outcome.faults == []
    assert any("dint: is about runs with chart affine or said or sum" in line for line in outcome.skipped)
