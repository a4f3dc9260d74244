"""Pairs of inputs: counted, of one class and of two, measured and predicted."""

import numpy as np
import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery import datasets
from rmtlottery.analyze.cmap import OTHER, SAME, headline
from rmtlottery.analyze.rungs.names import MEASURED, T0, T2, T3

SOURCES = {MEASURED, T0, T2, T3}


@pytest.fixture(scope="module")
def found(tiny_run):
    return rl.tabulate("cmap", tiny_run, samples=25)


@pytest.fixture(scope="module")
def labels(tiny_run):
    return datasets.dataset(tiny_run.spec.data).test.y[:25].numpy()


def test_it_has_every_state_layer_source_and_kind_of_pair(found):
    assert list(found.columns[4:]) == ["state", "layer", "source", "pairs", "c", "number", "inputs", "skipped"]
    assert set(found["source"]) == SOURCES
    assert len(found) == 8 * 2 * 2 * 4 * 2
    assert found["inputs"].iloc[0].startswith("25 test inputs of digits")
    assert (found["skipped"] == "nothing").all(), "T7 to T9 are no matter of pairs"


def test_pairs_are_all_pairs_counted_by_class(found, labels):
    same = sum(labels[a] == labels[b] for a in range(25) for b in range(a))
    assert set(found.loc[found["pairs"] == SAME, "number"]) == {same}
    assert set(found.loc[found["pairs"] == OTHER, "number"]) == {25 * 24 // 2 - same}
    assert 0 < same < 150


def test_measured_is_the_mean_cosine_of_the_pairs_of_a_kind(tiny_run, found, labels):
    ticket = tiny_run[1, 3]
    x = datasets.dataset(ticket.spec.data).test.x[:25].double().numpy()
    for layer in (1, 2):
        w, b = (ticket.weights[f"fc{layer}.{kind}"].double().numpy() for kind in ("weight", "bias"))
        h = x @ w.T + b
        lengths = np.linalg.norm(h, axis=1)
        c = h @ h.T / np.outer(lengths, lengths)
        once = np.triu(np.ones((25, 25), dtype=bool), 1)
        for kind, chosen in ((SAME, labels[:, None] == labels), (OTHER, labels[:, None] != labels)):
            rows = found.query(
                "seed == 1 and level == 3 and state == 'trained' and layer == @layer and source == 'measured'"
            )
            assert rows.set_index("pairs")["c"][kind] == pytest.approx(c[once & chosen].mean(), rel=1e-9)
        x = np.tanh(h)


def test_of_layer_1_T0_is_the_cosine_of_the_inputs_and_their_bias(tiny_run, found, labels):
    x = datasets.dataset(tiny_run.spec.data).test.x[:25].double().numpy()
    q = 1.4**2 * x @ x.T / 64 + 0.3**2
    c = q / np.sqrt(np.outer(np.diagonal(q), np.diagonal(q)))
    apart = np.triu(labels[:, None] != labels, 1)
    row = found[(found["source"] == T0) & (found["layer"] == 1) & (found["pairs"] == OTHER)]
    assert row["c"].to_numpy() == pytest.approx(np.full(16, c[apart].mean()), rel=1e-6)


def test_one_input_makes_no_pair(tiny_run):
    with pytest.raises(rl.Refusal, match="samples = 1 makes no pair; take at least 2"):
        rl.tabulate("cmap", tiny_run, samples=1)


def test_in_convolutions_neighbours_are_the_pairs_and_theory_ends_where_it_ends(tiny, tmp_path):
    spec = tiny.but(net={"kind": "conv", "channels": "3,4,2", "pools": "2"}, levels=1, epochs=1, seeds=0)
    table = rl.tabulate("cmap", rl.fit(spec, tmp_path), samples=40)
    y = datasets.dataset(spec.data).test.y[:40]
    numbers = table.groupby("pairs")["number"].unique().map(list).to_dict()
    assert numbers == {SAME: [int((y[1:] == y[:-1]).sum())], OTHER: [int((y[1:] != y[:-1]).sum())]}
    assert set(table[table["source"] == T2]["layer"]) == {1, 2}
    assert set(table[table["source"] == MEASURED]["layer"]) == {1, 2, 3}
    assert "no theory" in headline(table)
    assert "Not reached: T0 to T6 end before conv3, which takes what pooling leaves." in headline(table)
    assert len(rl.plot("cmap", table).axes) == 4


def made(jitter=0.0):
    rows = [
        {
            "seed": seed,
            "level": level,
            "layer": layer,
            "pairs": pairs,
            "source": source,
            "density": 0.8**level + jitter * seed,
        }
        | {"c": (0.2 + 0.1 * layer - 0.1 * level + 0.04 * seed) * (0.5 if source == T2 else 1) + (pairs == SAME) * 0.3}
        for seed in (0, 1)
        for level in (0, 1, 2)
        for layer in (1, 2, 3)
        for pairs in (SAME, OTHER)
        for source in (MEASURED, T2)
    ]
    return pd.DataFrame(rows).assign(run="r", state="rewound", skipped="nothing")


@pytest.mark.parametrize("jitter", [0.0, 0.0001])
def test_the_headline_has_both_ends_of_the_last_layer_of_two_classes(jitter):
    """Means over seeds, though masks by lot keep a few weights more or less."""
    words = headline(made(jitter))
    assert words.startswith("r: correlation of rewound signals of two classes in layer 3 is ")
    assert "0.520 at density 100.0% (T2 0.260), 0.320 at density 64.0% (T2 0.160)" in words


def test_the_figure_has_two_panels_a_state(found):
    figure = rl.plot("cmap", found)
    assert len(figure.axes) == 4
    for axes in figure.axes:
        assert axes.get_title()
        assert axes.get_xlabel()
        assert axes.get_ylabel().startswith("c, correlation")
        assert axes.get_legend()
    assert {text.get_text() for text in figure.axes[1].get_legend().get_texts()} >= SOURCES


def test_one_ticket(tiny_run):
    table = rl.tabulate("cmap", tiny_run[0, 1], samples=20)
    assert "correlation of rewound signals of two classes" in headline(table)
    assert len(rl.plot("cmap", table).axes) == 4


def test_two_inputs_make_a_table_a_headline_and_a_figure(tiny_run):
    """Of one pair there is one kind, whichever it is."""
    y = datasets.dataset(tiny_run.spec.data).test.y
    table = rl.tabulate("cmap", tiny_run[0, 1], samples=2)
    assert set(table["pairs"]) == {SAME if y[0] == y[1] else OTHER}
    assert isinstance(headline(table), str)
    assert rl.plot("cmap", table).axes


def test_where_all_pairs_are_of_one_class_there_is_still_a_headline_and_a_figure():
    table = made().query("pairs == @SAME")
    assert isinstance(headline(table), str)
    assert rl.plot("cmap", table).axes
