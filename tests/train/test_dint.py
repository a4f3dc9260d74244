"""The search spends its runs where accuracy passes the threshold."""

from types import SimpleNamespace

import pytest

import rmtlottery as rl
from rmtlottery.analyze.dint import headline
from rmtlottery.train.dint import AROUND, Search, accuracy, bracketed, dint

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
    return [run.spec.chart.dim for run in runs if run.spec.chart.kind != "full"]


def test_all_seeds_are_trained_about_the_crossing_and_the_first_alone_elsewhere(tmp_path):
    runs = dint(SPEC, tmp_path, threshold=0.5, threads=1)
    held = {run.spec.chart.dim: run.metrics.groupby("seed")["test_accuracy"].last() for run in runs[:-1]}
    whole = {dim: accuracies.mean() for dim, accuracies in held.items() if len(accuracies) == 2}
    assert len(whole) >= len(AROUND) - 1
    assert min(whole.values()) < 0.5 <= max(whole.values())
    assert all(list(accuracies.index) == [0] for dim, accuracies in held.items() if dim not in whole)
    assert runs[-1].spec.chart.kind == "full"
    assert sizes(dint(SPEC, tmp_path, threshold=0.5, threads=1)) == sizes(runs), "a second search finds all there"
    more = dint(SPEC.but(seeds=(2,)), tmp_path, threshold=0.5, threads=1)
    assert any(run.seeds == [0, 1, 2] for run in more), "other seeds go on in the same runs"


def stub(reached):
    """A search whose grid gives these accuracies of seeds 0 and 1 at a size; None is a seed that diverged."""

    class Stub(Search):
        def train(self, dims):
            self.asked = [*getattr(self, "asked", []), *sorted(dims)]
            assert len(self.asked) < 40, "it goes on for ever"
            self.runs |= {dim: Held(reached(dim)) for dim in dims}
            self.whole |= dims

    class Held:
        def __init__(self, found):
            self.found = found

        def status(self, seed, level):
            return "diverged" if self.found[seed] is None else "done"

        def __getitem__(self, place):
            return SimpleNamespace(metrics=[{"test_accuracy": self.found[place[0]]}])

    return Stub(SPEC)


@pytest.mark.parametrize(
    "reached", [lambda d: (0.95, None), lambda d: (0.95, 0.1), lambda d: (0.95, 0.95), lambda d: (0.1, 0.1)]
)
@pytest.mark.parametrize("first", [1, 2, 20, 64])
def test_it_ends_whatever_seeds_do(reached, first):
    search = stub(reached)
    search.train({first})
    search.reach_beyond(0.9, 1, 64)
    low, high = min(search.whole), max(search.whole)
    assert (
        low == 1
        or high == 64
        or accuracy(search.runs[low], (0, 1), "test") < 0.9 <= accuracy(search.runs[high], (0, 1), "test")
    )


def test_a_seed_that_diverged_reached_nothing():
    search = stub(lambda d: (0.8, None))
    search.train({5})
    assert accuracy(search.runs[5], (0, 1), "test") == 0.4


def test_a_threshold_beyond_the_whole_net_is_refused_with_what_it_reaches(tmp_path):
    with pytest.raises(rl.Refusal, match=r"trained whole reaches \d+.\d% test accuracy, not 99.9%"):
        dint(SPEC.but(epochs=1), tmp_path, threshold=0.999, threads=1)


def test_subnets_share_no_less_than_a_coordinate_each(tmp_path):
    runs = dint(SPEC.but(chart={"kind": "sum", "subnets": 4}, seeds=(0,)), tmp_path, threshold=0.2, start=4, threads=1)
    assert min(sizes(runs)) >= 4


def test_a_local_threshold_trains_the_whole_net_too(tmp_path):
    runs = dint(SPEC.but(seeds=(0,)), tmp_path, threshold=0.6, local=True, threads=1)
    assert runs[-1].spec.chart.kind == "full"
    table = rl.tabulate("dint", [ticket for run in runs for ticket in run], threshold=0.6, local=True)
    assert table["threshold"].unique() == pytest.approx(0.6 * runs[-1].metrics["test_accuracy"].iloc[-1])


def test_said_is_searched_beyond_its_factors(tmp_path):
    runs = dint(SPEC.but(chart="said", seeds=(0,)), tmp_path, threshold=0.2, start=4, threads=1)
    assert min(sizes(runs)) >= 3


def test_labels_by_lot_are_learnt_by_heart_where_the_training_part_is_asked(tmp_path):
    """What Li et al. (2018) measure of shuffled labels: no test accuracy is to be had."""
    spec = SPEC.but(data="digits", shuffled="labels", widths="40", batch=32, epochs=10, seeds=(0,))
    runs = dint(spec, tmp_path, threshold=0.2, split="train", start=50, threads=1)
    words = headline(rl.tabulate("dint", [ticket for run in runs for ticket in run], threshold=0.2, split="train"))
    assert "d at 20 % train accuracy is" in words
    last = {run.spec.chart.dim: run.metrics["train_accuracy"].iloc[-1] for run in runs[:-1]}
    assert min(last.values()) < 0.2 <= max(last.values())
    with pytest.raises(rl.Refusal, match=r"not 20\.0%"):
        dint(spec, tmp_path, threshold=0.2, start=50, threads=1)


@pytest.mark.parametrize(("split", "words"), [("tests", "test"), ("validation", "no validation part is held out")])
def test_a_split_that_is_not_there_is_refused(split, words, tmp_path):
    with pytest.raises(rl.Refusal, match=words):
        dint(SPEC.but(validation=0), tmp_path, split=split)


def test_directions_that_come_from_tickets_are_not_searched(tmp_path):
    """Before the whole net is trained."""
    with pytest.raises(rl.Refusal, match=r"from tickets, .*: train a child .* \(--control rewound, or start=\)"):
        dint(SPEC.but(chart="principal", dim=3), tmp_path, threshold=0.5)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("threshold", [0, 1, 45])
def test_a_threshold_that_is_no_share_is_refused(threshold, tmp_path):
    with pytest.raises(rl.Refusal, match=f"threshold = {threshold} is no accuracy"):
        dint(SPEC, tmp_path, threshold=threshold)
