"""Numbers of rewound nets by autograd, words that are numbers of the regression, and controls that were trained."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch.autograd.functional import jacobian
from torch.nn.functional import cross_entropy

import rmtlottery as rl
from rmtlottery import datasets, nets
from rmtlottery.analyze._between_arms import ALONE, PREDICTORS, TOGETHER, logs, means, regressed
from rmtlottery.analyze.trainability import headline
from rmtlottery.tickets.parts import Conv, Digits
from tests.analyze.drawn import drawn, fc
from tests.analyze.made_arms import TASK, arms

SLOPES = {"chi": 2.0, "jacobian_spread": -1.0}
ALL = "level == level"
OTHER = "tanh conv of normal init (1.4, 0.3) on cifar10, 6 epochs of adam"
ARMS = ["shuffle_mask", "init_mask", "rescale", "random_mask"]


def as_trained(ticket, **scores):
    last = {"epoch": 3, "test_accuracy": 0.5, "train_accuracy": 0.7} | scores
    return replace(ticket, record=ticket.record | {"metrics": [{"epoch": 1, "test_accuracy": 0.1}, last]})


def by_autograd(ticket, samples):
    """Pre-activations, phi' there, and weights of all hidden layers in float64."""
    data = datasets.dataset(ticket.spec.data)
    network = nets.build(ticket.spec.net, data.shape, data.classes)
    weights = {name: value.double() for name, value in ticket.rewound.items()}
    x, y = data.test.x[:samples].double(), data.test.y[:samples]
    return network, weights, network.preactivations(weights, x), y


@pytest.fixture(scope="module")
def drawn_one():
    return as_trained(drawn(fc(8, 5, 7), density=0.7, seed=3, data=Digits()))


def test_signals_are_those_of_the_rewound_net(drawn_one):
    (row,) = rl.tabulate("trainability", drawn_one, samples=70, inputs=3).to_dict("records")
    _, weights, hidden, _ = by_autograd(drawn_one, 70)
    assert row["q"] == pytest.approx(hidden[2].square().mean().item())
    chi = []
    for h, name in zip(hidden[1:3], ["fc2", "fc3"], strict=True):
        gain = weights[f"{name}.weight"].square().sum(1)
        chi.append((((1 - h.tanh() ** 2) ** 2) * gain).mean().item())
    assert row["chi"] == pytest.approx(np.sqrt(chi[0] * chi[1]))


def test_the_jacobian_leads_from_the_first_to_the_last_hidden_layer(drawn_one):
    (row,) = rl.tabulate("trainability", drawn_one, samples=70, inputs=3).to_dict("records")
    network, weights, hidden, _ = by_autograd(drawn_one, 3)
    _, second, third, _ = network.layers
    follow = lambda h: third(weights, network.phi(second(weights, network.phi(h))))  # noqa: E731
    grams = []
    for h in hidden[0]:
        made = jacobian(follow, h[None]).reshape(7, 8).numpy()
        grams.append(made @ made.T)
    assert row["jacobian_mean"] == pytest.approx(np.mean([np.trace(gram) / 7 for gram in grams]))
    spread = [7 * np.trace(gram @ gram) / np.trace(gram) ** 2 for gram in grams]
    assert row["jacobian_spread"] == pytest.approx(np.mean(spread))
    assert np.mean(spread) > 7 / 5, "the rank is 5"
    assert "Jacobians at the first 3" in row["inputs"]


def gradients(ticket, samples, loss):
    """Squared lengths of the gradients of a loss in the first and in the last hidden layer."""
    network, weights, hidden, y = by_autograd(ticket, samples)
    sizes = []
    for place in (0, 2):
        h = hidden[place].detach().requires_grad_()
        made = h
        for layer in network.layers[place + 1 :]:
            made = layer(weights, network.phi(made))
        (slope,) = torch.autograd.grad(loss(made, y), h)
        sizes.append(slope.square().sum().item())
    return sizes


def test_the_gradient_ratio_is_that_of_the_loss(drawn_one):
    """Of more inputs than go through the net at once."""
    (row,) = rl.tabulate("trainability", drawn_one, samples=70, inputs=1).to_dict("records")
    sizes = gradients(drawn_one, 70, cross_entropy)
    assert row["gradient"] == pytest.approx(sizes[0] / sizes[1])


def test_the_loss_is_the_one_that_was_minimised(drawn_one):
    squared = replace(drawn_one, spec=drawn_one.spec.but(loss="squared"))
    (row,) = rl.tabulate("trainability", squared, samples=70, inputs=1).to_dict("records")
    sizes = gradients(squared, 70, lambda logits, y: (logits - torch.eye(10).double()[y]).square().sum())
    assert row["gradient"] == pytest.approx(sizes[0] / sizes[1])
    other = gradients(squared, 70, cross_entropy)
    assert abs(other[0] / other[1] / row["gradient"] - 1) > 0.01, "the two losses differ here"


def test_accuracies_are_of_the_last_epoch_and_a_task_says_how_many(drawn_one):
    (row,) = rl.tabulate("trainability", drawn_one, samples=5).to_dict("records")
    assert (row["accuracy"], row["train"], row["epoch"], row["source"]) == (0.5, 0.7, 3, "measured")
    assert np.isnan(row["validation"])
    assert (row["task"], row["arm"]) == ("tanh fc of normal init (1.4, 0.3) on digits, 3 epochs of adam", "imp")
    (with_one,) = rl.tabulate("trainability", as_trained(drawn_one, validation_accuracy=0.6)).to_dict("records")
    assert with_one["validation"] == 0.6


def test_a_convolutional_net_is_told_by_what_its_jacobian_is():
    ticket = drawn(Conv(channels=(2, 3), padding="circular", widths=(12,)), data=Digits())
    (row,) = rl.tabulate("trainability", as_trained(ticket), samples=6, inputs=2).to_dict("records")
    told = rl.tabulate("jacobian", ticket, samples=2).query("span == 'hidden' and bin == 0 and state == 'rewound'")
    assert row["jacobian_mean"] == pytest.approx(told["mean"].iloc[0])
    assert row["jacobian_spread"] == pytest.approx(1 + told["variance"].iloc[0])
    assert row["anisotropy"] == pytest.approx(told["anisotropy"].iloc[0])
    assert row["task"] == "tanh conv of normal init (1.4, 0.3) on digits, 3 epochs of adam"


def test_a_jacobian_that_is_too_large_is_known_by_its_products(monkeypatch):
    """To the errors of 16 probes: a mean of squares is sqrt(2 spread / (side probes)) off."""
    ticket = as_trained(drawn(fc(170, 150, 160), density=0.8))
    (exact,) = rl.tabulate("trainability", ticket, inputs=4).to_dict("records")
    monkeypatch.setattr("rmtlottery.analyze.trainability.FORMED", 149)
    (other,) = rl.tabulate("trainability", ticket, inputs=4).to_dict("records")
    error = np.sqrt(2 * exact["jacobian_spread"] / (150 * 16))
    assert other["jacobian_mean"] == pytest.approx(exact["jacobian_mean"], rel=5 * error)
    assert other["jacobian_mean"] != exact["jacobian_mean"]
    assert 5 * error < 0.4


@pytest.mark.parametrize(("option", "words"), [({"inputs": 0}, "inputs = 0 is not"), ({"samples": 0}, "samples = 0 is not")])
def test_wrong_options_are_refused(drawn_one, option, words):
    with pytest.raises(rl.Refusal, match=words):
        rl.tabulate("trainability", drawn_one, **option)


def test_one_hidden_layer_is_refused():
    with pytest.raises(rl.Refusal, match="has one hidden layer, and no Jacobian"):
        rl.tabulate("trainability", as_trained(drawn(fc(8))))


def test_what_was_not_trained_is_refused():
    with pytest.raises(rl.Refusal, match="is a control that was not trained: train it with"):
        rl.tabulate("trainability", drawn(fc(8, 5)))


def emptied(weights, mask):
    mask["fc2.weight"][:] = False


def test_a_net_that_lets_nothing_through_is_counted_and_drawn_nowhere():
    dead = rl.tabulate("trainability", as_trained(drawn(fc(8, 5, 7), change=emptied)), samples=3)
    assert dead["chi"].iloc[0] == dead["jacobian_mean"].iloc[0] == dead["gradient"].iloc[0] == 0
    assert headline(dead).endswith("; tickets left out: 1 without a signal at the end.")
    assert len(rl.plot("trainability", dead).axes) == 6


@pytest.mark.parametrize("sign", [1, -1])
def test_the_headline_has_the_slopes_surest_first(sign):
    table = arms({name: sign * slope for name, slope in SLOPES.items()})
    alone = regressed(means(logs(table))).query("model == @ALONE").set_index("predictor")
    words, sure = headline(table), (alone["low"] > 0) | (alone["high"] < 0)
    assert 0 < sure.sum() < len(alone)
    for name, row in alone.iterrows():
        said = f"{PREDICTORS[name]} {row['slope']:+.2g} [{row['low']:+.2g}, {row['high']:+.2g}]"
        assert said in words
        assert (words.index(said) < words.index("cannot be told from 0 for")) == sure[name]
    assert "(9 arms of 9 masks at 3 densities, 2 seeds each, 95 % intervals over masks" in words


def test_the_headline_has_what_all_are_worth_and_says_when_they_are_collinear():
    table = arms(SLOPES)
    joint = regressed(means(logs(table))).query("model == @TOGETHER").iloc[0]
    worth = f"together q, chi and Jacobian explain {joint['explained']:.0%} of what density leaves and foretell "
    assert f"{worth}{joint['foretold']:.0%} of a mask left out" in headline(table)
    assert "collinear" not in headline(table)
    blurred = 10 ** (0.02 * np.random.default_rng(4).standard_normal(len(table)))
    words = headline(table.assign(jacobian_mean=table["chi"] * blurred))
    assert "too collinear to be told apart (variance inflation " in words


def test_with_five_arms_the_best_predictor_speaks_for_itself():
    assert "; log10 chi, the best of 5, by itself explain " in headline(arms({"chi": 5.0}, arms=5))


def test_few_arms_are_told_what_to_train():
    words = headline(arms(SLOPES, arms=3))
    assert "takes 4 masks to tell, and here are 3 (imp, random_mask, shuffle_mask); train controls with rl.fit(" in words


def test_every_task_has_its_sentence_and_its_panels():
    table = pd.concat([arms(SLOPES), arms(SLOPES, arms=2).assign(task=OTHER)])
    assert headline(table).startswith(f"{OTHER}: whether it does at equal density takes 4 masks")
    assert f"; {TASK}: at equal density test accuracy" in headline(table)
    figure = rl.plot("trainability", table)
    assert [axes.get_title(loc="left") for axes in figure.axes][::6] == [OTHER, TASK]
    assert not figure.axes[5].axison


@pytest.mark.parametrize("which", [ALL, "level == 1", "seed == 0", "arm == 'imp'", "arm == 'imp' and level == 1"])
def test_the_figure_has_every_predictor_and_one_legend(which):
    figure = rl.plot("trainability", arms(SLOPES).query(which))
    assert [axes.get_xlabel() for axes in figure.axes[:5]] == [f"{n}, less its density's mean" for n in PREDICTORS.values()]
    assert all(axes.get_ylabel() == "test accuracy, points,\nless its density's mean" for axes in figure.axes[:5])
    words = [text.get_text() for text in figure.axes[2].get_legend().get_texts()]
    assert words[:2] == ["arm", "imp"]
    assert "density" in words


def test_points_are_deviations_from_their_level():
    table = arms(SLOPES)
    small, large = rl.plot("trainability", table).axes[1].collections[:2]
    found = means(logs(table))
    by = found.groupby("kept")
    deviations = (found[["chi", "points"]] - by[["chi", "points"]].transform("mean")).to_numpy()
    assert np.sort(large.get_offsets().data, 0) == pytest.approx(np.sort(deviations, 0))
    assert len(small.get_offsets()) == len(table)


def test_slopes_are_drawn_with_their_intervals():
    table = arms(SLOPES)
    axes = rl.plot("trainability", table).axes[5]
    found = regressed(means(logs(table)))
    for box, model in zip(axes.containers, (ALONE, TOGETHER), strict=True):
        here, (line, caps, _) = found[found["model"] == model], box
        assert line.get_xdata() == pytest.approx(here["slope"])
        assert caps[0].get_xdata() == pytest.approx(here["low"])
        assert caps[1].get_xdata() == pytest.approx(here["high"])
    assert [text.get_text() for text in axes.get_yticklabels()] == list(PREDICTORS.values())


def test_equal_accuracies_are_drawn_and_told():
    table = arms(SLOPES).assign(accuracy=0.5)
    assert "cannot be told from 0" in headline(table)
    assert len(rl.plot("trainability", table).axes) == 6


@pytest.fixture(scope="module")
def study(tiny_run, tmp_path_factory):
    """The tiny run, and what became of four controls of its last two levels."""
    root = tmp_path_factory.mktemp("children")
    parents = [tiny_run[seed, level] for seed in (0, 1) for level in (2, 3)]
    runs = [rl.fit(tiny_run.spec, root, start=[getattr(rl.controls, name)(one, 0) for one in parents]) for name in ARMS]
    return parents, runs


@pytest.fixture(scope="module")
def asked(study):
    parents, runs = study
    return rl.tabulate("trainability", [*parents, *(ticket for run in runs for ticket in run)], samples=50)


def test_children_are_asked_beside_their_parents(study, asked):
    assert asked.groupby("arm").size().to_dict() == dict.fromkeys(["imp", *ARMS], 4)
    assert asked["task"].unique().tolist() == [TASK]
    ticket = study[1][2][1, 3]
    row = asked.query("arm == 'rescale' and seed == 1 and level == 3").iloc[0]
    assert row["accuracy"] == ticket.metrics[-1]["test_accuracy"]
    _, _, hidden, _ = by_autograd(rl.controls.rescale(study[0][3], 0), 50)
    assert row["q"] == pytest.approx(hidden[1].square().mean().item(), rel=1e-6)


def test_children_are_regressed(asked):
    assert "(5 arms of 4 masks at 2 densities" in headline(asked)
    assert headline(asked).count("[") == len(PREDICTORS)
    figure = rl.plot("trainability", asked)
    words = [text.get_text() for text in figure.axes[2].get_legend().get_texts()]
    assert words[1:6] == ["imp", *sorted(ARMS)]
