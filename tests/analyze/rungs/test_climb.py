"""All rungs of one state: told inputs and weights and nothing measured in deeper layers, and never stale."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery.analyze.rungs import climb as module
from rmtlottery.analyze.rungs import joint, names
from rmtlottery.analyze.rungs.climb import climb, unreached
from rmtlottery.analyze.rungs.names import T0, T1, T9, T9B
from rmtlottery.datasets.dataset import Split
from rmtlottery.measure.identity import pieces
from rmtlottery.measure.signal import hidden_lengths
from rmtlottery.nets.network import Network
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import FC, Conv, Normal, Passed
from tests.analyze.rungs.made import made

SHAPE = (2, 6, 7)
FULL = FC(widths=(13, 30, 8))
CONVOLVED = Conv(channels=(4, 5), padding="zero", strides=(2,), readout="flat", widths=(7,))
NETS = {"fc": FULL, "conv": CONVOLVED}
ALL = [name for name in names.SOURCES if name not in (names.MEASURED, names.PROBES)]
TO_T3, TO_T6 = ALL[: ALL.index(names.T4)], ALL[: ALL.index(names.T6) + 1]


@pytest.fixture(autouse=True)
def _nothing_kept():
    module._climbed.clear()
    module._inputs[:] = None, None
    yield
    module._climbed.clear()
    module._inputs[:] = None, None


@pytest.fixture
def held():
    return made(FULL, SHAPE, density=0.6)


def afresh(held, parts=2, **changed):
    """The rows of a climb that remembers nothing."""
    module._climbed.clear()
    return comparable(climb(held.ticket, held.weights, held.seen._replace(**changed), parts).rows)


def comparable(rows):
    """No bar is like no bar, as NaN is not like NaN; nothing else may be NaN."""
    assert not any(np.isnan(row[key]) for row in rows for key in ("q", "gain", "chi"))
    return [row | {"bar": None if np.isnan(row["bar"]) else row["bar"]} for row in rows]


def changed_sources(before, after):
    assert [(row["source"], row["layer"]) for row in before] == [(row["source"], row["layer"]) for row in after]
    return {row["source"] for row, other in zip(before, after, strict=True) if row != other}


def corrupt(monkeypatch):
    """Every signal of layers 2 and up is three times as long, and shifted."""
    honest = Network.signals

    def signals(self, weights, x):
        first, *deeper = honest(self, weights, x)
        return [first, *[(3 * given + 1, 3 * h + 1) for given, h in deeper]]

    monkeypatch.setattr(Network, "signals", signals)


@pytest.mark.parametrize("kind", NETS)
def test_corrupting_the_measured_signals_of_deeper_layers_changes_no_rung(kind, monkeypatch):
    held = made(NETS[kind], SHAPE, density=0.6)
    network, weights, x = held.seen.network, held.weights, held.seen.x
    before, q, parts = afresh(held), hidden_lengths(network, weights, x), pieces(network, weights, x)
    corrupt(monkeypatch)
    assert afresh(held) == before
    assert hidden_lengths(network, weights, x)[0] == q[0]
    assert pieces(network, weights, x)[0] == parts[0]
    for layer in (1, 2):
        assert hidden_lengths(network, weights, x)[layer] > 2 * q[layer]
        assert pieces(network, weights, x)[layer].q > 2 * parts[layer].q


@pytest.mark.parametrize("kind", NETS)
def test_no_rung_computes_an_activation_of_the_net_itself(kind):
    """The net's phi is another function altogether: only what is measured notices."""
    held = made(NETS[kind], SHAPE, density=0.6)
    before = afresh(held)
    broken = replace(held.seen.network, phi=lambda h: torch.full_like(h, float("nan")))
    assert afresh(held, network=broken) == before
    assert np.isnan(hidden_lengths(broken, held.weights, held.seen.x)[1])


def test_corruption_goes_unnoticed_in_the_table_but_for_what_is_measured(tiny_run, monkeypatch):
    ticket = tiny_run[0, 2]
    before = rl.tabulate("qmap", ticket, samples=30)
    corrupt(monkeypatch)
    module._climbed.clear()
    after = rl.tabulate("qmap", ticket, samples=30)
    same = (before["q"] == after["q"]) | before["source"].isin([names.PROBES])
    assert set(before.loc[~same, "source"]) == {names.MEASURED}
    assert set(before.loc[~same, "layer"]) == {2}


def test_labels_of_test_inputs_change_nothing_and_those_of_training_inputs_T9_alone(held):
    before, train = afresh(held), held.seen.train
    assert afresh(held, y=None) == before
    other = Split(train.x, train.y.roll(1) * (torch.arange(len(train)) % 5 > 0))
    assert changed_sources(before, afresh(held, train=other)) == {T9, T9B}


def test_T4_to_T9_take_training_inputs_and_the_others_take_test_inputs(held):
    before = afresh(held)
    noise = 2 * torch.randn(held.seen.x.shape, generator=torch.Generator().manual_seed(5))
    of_test = [{key: value for key, value in row.items() if key != "bar"} for row in afresh(held, x=noise)]
    bare = [{key: value for key, value in row.items() if key != "bar"} for row in before]
    assert changed_sources(bare, of_test) == set(TO_T3)
    train = Split(torch.cat([noise] * 6), held.seen.train.y[: 6 * len(noise)])
    assert changed_sources(before, afresh(held, train=train)) == set(ALL) - set(TO_T3)


@pytest.mark.parametrize("inputs", [1, 8])
@pytest.mark.parametrize("train", [8, 150])
def test_no_rung_after_T3_leaks_what_it_is_compared_with(inputs, train):
    held = made(FULL, SHAPE, density=0.6, inputs=inputs, train=train)
    q = hidden_lengths(held.seen.network, held.weights, held.seen.x)
    rows = [row for row in climb(*held, 2).rows if row["source"] not in TO_T3]
    assert {row["source"] for row in rows} == set(ALL) - set(TO_T3)
    for name in {row["source"] for row in rows}:
        off = [row["q"] / q[row["layer"] - 1] - 1 for row in rows if row["source"] == name]
        assert np.abs(off).max() > 0.03, name


def test_what_is_asked_twice_is_found_once(held, monkeypatch):
    first = climb(*held, 1)
    monkeypatch.setattr(module, "climbed", lambda *_: pytest.fail("found again"))
    assert climb(*held, 1) is first
    assert (
        climb(SimpleNamespace(spec=held.ticket.spec, mask=dict(held.ticket.mask)), dict(held.weights), held.seen, 1) is first
    )


CHANGES = ["weights", "mask", "samples", "parts", "spec", "test inputs", "training inputs", "training labels", "in place"]


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_stale_is_remembered(what):
    """One entry, one kept weight, one number of anything: what is remembered is what is found afresh."""
    held = made(FULL, SHAPE, density=0.6, train=1800)
    first = climb(*held, 2).rows
    ticket, weights, seen, parts = (*held, 2)
    if what == "weights":
        weights = weights | {"fc2.weight": weights["fc2.weight"] * 1.001}
    if what == "mask":
        ticket = SimpleNamespace(spec=ticket.spec, mask=ticket.mask | {"fc2.weight": torch.ones(30, 13, dtype=torch.bool)})
    if what == "samples":
        seen = seen._replace(x=seen.x[:-1])
    if what == "parts":
        parts = 3
    if what == "spec":
        ticket = SimpleNamespace(spec=ticket.spec.but(sigma_w=1.1), mask=ticket.mask)
    if what == "test inputs":
        seen = seen._replace(x=seen.x * 2)
    if what == "training inputs":
        seen = seen._replace(train=Split(seen.train.x * 2, seen.train.y))
    if what == "training labels":
        seen = seen._replace(train=Split(seen.train.x, seen.train.y.roll(1)))
    if what == "in place":
        seen.train.x[3, 5] += 1
    second = climb(ticket, weights, seen, parts).rows
    module._climbed.clear()
    assert second == climb(ticket, weights, seen, parts).rows
    assert second != first
    assert (climb(*held, 2).rows == first) == (what != "in place"), "nor when one comes back"


def test_climbs_with_other_inputs_are_forgotten_and_those_with_the_same_are_kept(held):
    kept = [climb(*held, parts) for parts in (1, 2, 3)]
    assert [climb(*held, parts) for parts in (1, 2, 3)] == kept
    assert len(module._climbed) == 3
    climb(held.ticket, held.weights, held.seen._replace(x=held.seen.x * 2), 1)
    assert len(module._climbed) == 1
    again = climb(*held, 1)
    assert again is not kept[0]
    assert again == kept[0]
    assert len(module._climbed) == 1


def test_inputs_that_came_where_others_lay_are_told_apart(held):
    """Nobody but the cache keeps them, and memory is used again."""
    for factor in range(1, 9):
        seen = held.seen._replace(x=held.seen.x * factor, train=Split(held.seen.train.x / factor, held.seen.train.y))
        found = climb(held.ticket, held.weights, seen, 1)
        assert climb(held.ticket, held.weights, seen, 1) is found
        assert found == module.climbed(held.ticket, held.weights, seen, 1)
        del seen


@pytest.mark.parametrize("parts", [0, -1])
def test_less_than_one_part_is_refused(held, parts):
    with pytest.raises(Refusal, match=f"parts = {parts} is not at least 1"):
        climb(*held, parts)


def test_rows_are_whole_and_in_order(held):
    rows = climb(*held, 2).rows
    assert list(dict.fromkeys(row["source"] for row in rows)) == ALL
    assert [row["layer"] for row in rows] == [1, 2, 3] * len(ALL)
    for row in rows:
        assert list(row) == ["source", "layer", "q", "gain", "chi", "bar"]
        assert all(isinstance(row[key], float) for key in ("q", "gain", "chi"))
    assert len({row["bar"] for row in rows}) == 3, "one bar a layer"


ODD = {
    "fc": (FULL, SHAPE, {}),
    "one coordinate": (FULL, (1,), {}),
    "one input": (FULL, (20,), {"inputs": 1}),
    "one unit": (FC(widths=(1, 9, 1)), (20,), {}),
    "relu": (FC(widths=(9, 12), phi="relu"), (20,), {}),
    "sparse": (FULL, SHAPE, {"density": 0.02}),
    "no weight left": (FULL, SHAPE, {"density": 0.0}),
    "nothing left": (FULL, SHAPE, {"density": 0.0, "init": Normal(sigma_b=0.0)}),
    "zero": (CONVOLVED, SHAPE, {}),
    "none": (Conv(channels=(4, 5), padding="none", widths=(7,)), SHAPE, {"density": 0.3}),
    "1x1": (Conv(channels=(4, 5), kernel=1, bias=False), SHAPE, {}),
    "dead convolutions": (CONVOLVED, SHAPE, {"density": 0.0, "init": Normal(sigma_b=0.0)}),
}


@pytest.mark.parametrize("kind", ODD)
def test_every_rung_that_is_there_is_finite(kind):
    net, shape, changed = ODD[kind]
    held = made(net, shape, **changed)
    rows = climb(*held, 2).rows
    assert {row["source"] for row in rows} == set(ALL if net.kind == "fc" else TO_T6)
    for row in rows:
        numbers = [row[key] for key in ("q", "gain", "chi", "bar")[: 3 if behind_pictures(net, row["layer"]) else 4]]
        assert np.all(np.isfinite(numbers)), row
        assert min(numbers) >= 0
        assert np.isnan(row["bar"]) == behind_pictures(net, row["layer"])


def behind_pictures(net, layer):
    """There alone is no bar."""
    return net.kind == "conv" and layer > len(net.channels)


def enormous(held, factor, *only):
    return {name: value * factor if not only or name in only else value for name, value in held.weights.items()}


def assert_told(held, found, layers):
    """Every rung is there up to a layer, and if not to the last, the reason why it ends is said."""
    ends = {}
    for source in ALL if held.ticket.spec.net.kind == "fc" else TO_T6:
        rows = [row for row in found.rows if row["source"] == source]
        assert [row["layer"] for row in rows] == list(range(1, len(rows) + 1))
        assert np.all(np.isfinite([row[key] for row in rows for key in ("q", "gain", "chi")]))
        ends[source], word = len(rows), source.split()[0]
        assert (f"{word} ends after layer {len(rows)}: " in found.skipped) == (len(rows) < layers), source
        assert (f"{word} ends" in found.skipped) == (len(rows) < layers), source
    return ends


@pytest.mark.parametrize("factor", [1e5, 1e20, 1e30])
@pytest.mark.parametrize("phi", ["tanh", "relu"])
@pytest.mark.parametrize("kind", NETS)
def test_enormous_weights_end_rungs_and_the_others_come(kind, phi, factor):
    held = made(replace(NETS[kind], phi=phi), SHAPE, density=0.6)
    healthy = {(row["source"], row["layer"]): row for row in climb(*held, 2).rows}
    found = climb(held.ticket, enormous(held, factor), held.seen, 2)
    ends = assert_told(held, found, 3)
    assert ends[T0] == 3
    for name in ALL[ALL.index(names.T4) :]:
        assert ends.get(name, 0) == 0
    if phi == "tanh":
        assert ends[T1] == ends[names.T2] == ends[names.T3] == 0
        assert all(np.isnan(row["bar"]) for row in found.rows)
    for row in found.rows:
        if row["source"] == T0:
            assert all(row[key] == healthy[T0, row["layer"]][key] for key in ("q", "gain", "chi"))


@pytest.mark.parametrize("phi", ["tanh", "relu"])
@pytest.mark.parametrize("kind", NETS)
def test_an_enormous_layer_ends_rungs_there_and_what_came_before_is_kept(kind, phi):
    held = made(replace(NETS[kind], phi=phi), SHAPE, density=0.6)
    healthy = {(row["source"], row["layer"]): row for row in climb(*held, 2).rows}
    second = [name for name in held.weights if name.endswith("weight")][1]
    found = climb(held.ticket, enormous(held, 1e20, second), held.seen, 2)
    ends = assert_told(held, found, 3)
    for name in set(ends) - {T9B}:
        if name not in TO_T3:
            assert ends[name] == 1
    assert ends[T0] == 3
    assert ends[names.T3] == (1 if phi == "tanh" else 3)
    for row in found.rows:
        if row["layer"] == 1 and row["source"] not in (T1, names.T2):
            assert all(row[key] == healthy[row["source"], 1][key] for key in ("q", "gain", "chi"))


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_a_weight_that_is_no_number_ends_what_knows_it(wrong):
    held = made(FULL, SHAPE)
    held.weights["fc1.weight"][0, 0] = wrong
    found = climb(held.ticket, held.weights, held.seen, 2)
    assert {row["source"] for row in found.rows} == {T0}
    assert "T3 ends after layer 0" in found.skipped


def test_weights_that_the_signal_overflows_with_let_T7_to_T9_not_begin():
    """Finite in float32, as a ticket holds them; h^1 is not."""
    held = made(FULL, SHAPE, density=0.6)
    weights = enormous(held, 1e38)
    assert all(value.isfinite().all() for value in weights.values())
    found = climb(held.ticket, weights, held.seen, 2)
    counts = {name: sum(row["source"] == name for row in found.rows) for name in ALL}
    assert counts == dict.fromkeys(ALL, 0) | {T0: 3, names.T3H: 3}
    for name in set(TO_T6) - {T0, names.T3H}:
        assert f"{name.split()[0]} ends after layer 0: " in found.skipped
    assert found.skipped.count("T7 to T9 do not begin: groups are finite samples") == 1


@pytest.mark.parametrize("init", [Normal(), Normal(sigma_b=0.0)])
def test_one_layer_without_weights_passes_its_biases_on(init):
    held = made(FULL, SHAPE, init=init)
    held.ticket.mask["fc2.weight"][:] = False
    held.weights["fc2.weight"] = torch.zeros(30, 13)
    rows = climb(*held, 2).rows
    b2 = held.weights["fc2.bias"].double().square().mean().item()
    for row in rows:
        assert np.all(np.isfinite([row[key] for key in ("q", "gain", "chi", "bar")])), row
        if row["layer"] == 2 and row["source"] not in (names.T0, names.T1, names.T2):
            assert (row["q"], row["gain"], row["chi"]) == pytest.approx((b2, 0, 0), abs=1e-12)


def test_all_is_there_and_nothing_skipped(held):
    assert climb(*held, 1).skipped == "nothing"
    assert list(unreached(held.ticket, held.seen)) == []
    assert {row["source"] for row in climb(*held, 1).rows} == set(ALL) - {T9B}


def test_pooled_nets_end_where_they_are_pooled_and_say_which_layer():
    held = made(Conv(channels=(3, 4, 5), padding="zero", pools=(2,)), SHAPE)
    found = climb(*held, 1)
    assert {(row["source"], row["layer"]) for row in found.rows} == {(name, layer) for name in TO_T6 for layer in (1, 2)}
    assert list(unreached(held.ticket, held.seen)) == ["T0 to T6 end before conv3, which takes what pooling leaves"]
    assert "T0 to T6 end before conv3, which takes what pooling leaves" in found.skipped
    assert "T7 to T9 take fully connected layers, and conv1 is none" in found.skipped


def test_without_training_inputs_there_is_no_T7_to_T9(held):
    found = climb(held.ticket, held.weights, held.seen._replace(train=None), 1)
    assert [*dict.fromkeys(row["source"] for row in found.rows)] == TO_T6
    assert found.skipped == "T7 to T9 take training inputs, and there are 0"


def test_without_labels_there_is_no_T9(held):
    found = climb(held.ticket, held.weights, held.seen._replace(train=Split(held.seen.train.x, None)), 2)
    assert [*dict.fromkeys(row["source"] for row in found.rows)] == ALL[:-2]
    assert found.skipped == "T9 takes classes, and the training inputs have no labels"


def test_without_a_law_of_the_init_there_is_no_T0():
    found = climb(*made(FULL, SHAPE, init=Passed()), 2)
    assert [*dict.fromkeys(row["source"] for row in found.rows)] == ALL[1:]
    assert ALL[0] == T0
    assert found.skipped.startswith("no T0: init = 'passed' is a module's own, which has no law known here")


def test_layers_too_wide_have_no_covariance(held, monkeypatch):
    monkeypatch.setattr(joint, "WIDEST", 20)
    found = climb(*held, 1)
    assert [*dict.fromkeys(row["source"] for row in found.rows)] == TO_T6
    assert found.skipped == "T7 to T9 take layers of at most 20 units, and one has 30"


def test_on_random_nets_all_rungs_are_inside_the_bar_but_for_the_wrong_normalisation():
    """Pruned by lot, inputs of small means: T2 to T9 agree with what is measured, T0 and T1 are out.

    Test and training inputs are enough of them to be like one another.
    """
    inside = dict.fromkeys(ALL, 0.0)
    for seed in range(30):
        held = made(FC(widths=(80, 120, 60)), (40,), seed=seed, density=0.2, inputs=300, train=800)
        q = hidden_lengths(held.seen.network, held.weights, held.seen.x)
        for row in climb(*held, 2).rows:
            inside[row["source"]] += (abs(row["q"] - q[row["layer"] - 1]) <= row["bar"] * row["q"]) / 90
    for name in set(ALL) - {T0, T1}:
        assert inside[name] > 0.9, name
    assert inside[T1] < 0.1
    assert inside[T0] < 0.1
