"""The law of the kept weights: bins by hand, mass that adds up, and Sarle's coefficient where it is known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats

import rmtlottery as rl
from rmtlottery.analyze.histogram import GAUSSIAN, chosen, headline, laws, table


def both(kept, bins=61):
    return {law["source"]: law for law in laws(np.asarray(kept, dtype=float), bins)}


def test_bins_span_four_root_mean_squares():
    """(-1, 1): rms 1, four bins of width 2 from -4 to 4, half of the weights in each of the inner ones."""
    found = both([-1.0, 0.99999, 1.00001, -1.0], bins=4)["measured"]
    assert found["w"] == pytest.approx([-3, -1, 1, 3], abs=1e-4)
    assert found["pdf"] == pytest.approx([0, 0.25, 0.25, 0], abs=1e-4)
    assert found["outside"] == pytest.approx(0)


def test_what_lies_beyond_the_bins_is_outside():
    kept = [-1.0, 1.0] * 99 + [30.0, -30.0]
    found = both(kept)["measured"]
    width = found["w"][1] - found["w"][0]
    assert found["outside"] == pytest.approx(2 / 200)
    assert found["pdf"].sum() * width == pytest.approx(1 - 2 / 200)


def test_the_gaussian_has_mean_and_std_of_the_kept_weights():
    kept = np.random.default_rng(0).exponential(2.0, 500)
    found = both(kept)[GAUSSIAN]
    width = found["w"][1] - found["w"][0]
    law = stats.norm(kept.mean(), kept.std())
    fine = np.linspace(found["w"] - width / 2, found["w"] + width / 2, 2001)
    assert found["pdf"] == pytest.approx(law.pdf(fine).mean(axis=0), rel=1e-2, abs=1e-5)
    assert found["outside"] == pytest.approx(1 - found["pdf"].sum() * width)
    assert found["bimodality"] == pytest.approx(1 / 3)


def test_weights_are_times_the_root_of_the_dense_fan_in():
    """A convolution of 2 channels and a 1x3 kernel: fan-in 6; and a layer of fan-in 2 for 3 units."""
    stream = torch.Generator().manual_seed(0)
    shapes = {"conv1.weight": (4, 2, 1, 3), "fc1.weight": (3, 2)}
    weights = {name: torch.randn(shape, generator=stream) for name, shape in shapes.items()}
    mask = {name: torch.ones_like(value, dtype=torch.bool) for name, value in weights.items()}
    mask["conv1.weight"][0] = False
    found = table(SimpleNamespace(states={"rewound": weights}, mask=mask), bins=5)
    for name, value, fan_in in (("conv1.weight", weights["conv1.weight"][1:], 6), ("fc1.weight", weights["fc1.weight"], 2)):
        rms = value.double().square().mean().sqrt().item() * fan_in**0.5
        assert found[(found["name"] == name)]["w"].max() == pytest.approx(4 * rms * 4 / 5)


def test_a_layer_without_two_different_weights_has_no_rows():
    weights = {"fc1.weight": torch.tensor([[1.0, 2.0]]), "fc2.weight": torch.tensor([[3.0]])}
    mask = {name: torch.ones_like(value, dtype=torch.bool) for name, value in weights.items()}
    assert set(table(SimpleNamespace(states={"rewound": weights}, mask=mask))["layer"]) == {1}
    bare = SimpleNamespace(states={"rewound": weights}, mask={"fc2.weight": mask["fc2.weight"]})
    with pytest.raises(rl.Refusal, match="keeps two different weights in no layer"):
        table(bare)


def test_fewer_than_two_bins_are_refused(tiny_run):
    with pytest.raises(rl.Refusal, match="bins = 1 is not at least 2"):
        rl.tabulate("histogram", tiny_run[0, 0], bins=1)


def test_the_density_column_stays_that_of_the_ticket(tiny_run):
    found = rl.tabulate("histogram", tiny_run, bins=7)
    assert len(found) == 8 * 2 * 3 * 7 * 2
    assert set(found["density"]) == {ticket.density for ticket in tiny_run}


def test_the_layers_shown_are_hidden_to_hidden():
    assert chosen([1, 2, 3, 4, 5, 6, 7, 8, 9]) == [2, 5, 8]
    assert chosen([1, 2, 3]) == [2]
    assert chosen([1, 2]) == [1]
    assert chosen([3]) == [3]


def test_the_headline_is_the_mean_over_hidden_layers_and_seeds(tiny_run):
    found = rl.tabulate("histogram", tiny_run, bins=7)
    hidden = found.query("source == 'measured' and layer < 3 and bin == 3")
    start, end = (hidden.query("state == 'trained' and level == @level")["bimodality"].mean() for level in (0, 3))
    assert f"{start:.3f} to {end:.3f} trained" in headline(found)
    assert "rewound" in headline(found)


@pytest.mark.parametrize("which", ["level == level", "seed == 0", "level == 3", "seed == 1 and level == 0"])
def test_the_figure_has_labels_and_a_legend_a_row(tiny_run, which):
    figure = rl.plot("histogram", rl.tabulate("histogram", tiny_run, bins=9).query(which))
    assert [axes.get_title() for axes in figure.axes] == ["rewound: layer 2", "trained: layer 2"]
    for axes in figure.axes:
        assert axes.get_xlabel() == "kept weight x sqrt(dense fan-in)"
        assert axes.get_ylabel() == "probability density"
        assert len(axes.get_lines()) == len(axes.get_legend().get_texts()) <= 5
