"""The search spends its runs where accuracy passes the threshold."""

import pytest

import rmtlottery as rl
from rmtlottery.train.dint import AROUND, bracketed, dint

SPEC = rl.preset("digits").but(widths="24", lr=1e-2, levels=0, epochs=3, seeds=(0, 1))


def reached(passes, asked=0.9):
    """Accuracy of nets that pass what is asked at a size, rising through it in log d; and the sizes that were tried."""
    tried = []

    def reach(dim):
        tried.append(dim)
        return asked * (dim / passes) ** 0.2

    return reach, tried


@pytest.mark.parametrize("passes", [3, 37, 100, 750, 9000])
@pytest.mark.parametrize("start", [1, 100, 5000])
def test_it_finds_where_a_rising_curve_passes(passes, start):
    reach, tried = reached(passes)
    assert bracketed(reach, 0.9, start, 1, 10_000) == pytest.approx(passes, rel=0.1)
    assert len(set(tried)) <= 16


def test_it_tries_no_more_sizes_than_doubling_takes():
    reach, tried = reached(750)
    bracketed(reach, 0.9, 446, 1, 199_210)
    assert set(tried) == {446, 892}


@pytest.mark.parametrize(("passes", "end"), [(1e-9, 4), (1e9, 5000)])
def test_where_nothing_passes_it_ends_at_the_end_of_the_range(passes, end):
    assert bracketed(reached(passes)[0], 0.9, 70, 4, 5000) == end


def sizes(runs):
    return [run.spec.chart.dim for run in runs]


def test_all_seeds_are_trained_about_the_crossing_and_the_first_alone_elsewhere(tmp_path):
    runs = dint(SPEC, tmp_path, threshold=0.5, threads=1)
    held = {run.spec.chart.dim: run.metrics.groupby("seed")["test_accuracy"].last() for run in runs}
    whole = {dim: accuracies.mean() for dim, accuracies in held.items() if len(accuracies) == 2}
    assert len(whole) >= len(AROUND) - 1
    assert min(whole.values()) < 0.5 <= max(whole.values())
    assert all(list(accuracies.index) == [0] for dim, accuracies in held.items() if dim not in whole)
    assert sizes(dint(SPEC, tmp_path, threshold=0.5, threads=1)) == sizes(runs), "a second search finds all there"


def test_a_local_threshold_trains_the_whole_net_too(tmp_path):
    runs = dint(SPEC.but(seeds=(0,)), tmp_path, threshold=0.6, local=True, threads=1)
    assert runs[-1].spec.chart.kind == "full"
    table = rl.tabulate("dint", [ticket for run in runs for ticket in run], threshold=0.6, local=True)
    assert table["threshold"].unique() == pytest.approx(0.6 * runs[-1].metrics["test_accuracy"].iloc[-1])


def test_said_is_searched_beyond_its_factors(tmp_path):
    runs = dint(SPEC.but(chart="said", seeds=(0,)), tmp_path, threshold=0.2, start=4, threads=1)
    assert min(sizes(runs)) >= 3


@pytest.mark.parametrize("threshold", [0, 1, 45])
def test_a_threshold_that_is_no_share_is_refused(threshold, tmp_path):
    with pytest.raises(rl.Refusal, match=f"threshold = {threshold} is no accuracy"):
        dint(SPEC, tmp_path, threshold=threshold)
