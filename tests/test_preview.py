"""Before anything is trained a command says where theory puts the net."""

import pytest

import rmtlottery as rl
from rmtlottery.preview import edge, preview
from rmtlottery.train.material import material


@pytest.mark.parametrize(
    ("sigma_w", "sigma_b", "words"),
    [
        (1.4, 0.3, "at the edge"),
        (1.4, 0.3 / 16, "NOT at the edge of chaos but chaotic; sigma_w = 1.0640 is critical"),
        (1.0, 0.3, "NOT at the edge of chaos but ordered; sigma_w = 1.3956 is critical"),
    ],
)
def test_it_says_when_the_net_is_not_at_the_edge(sigma_w, sigma_b, words):
    assert words in edge(material(rl.Spec().but(sigma_w=sigma_w, sigma_b=sigma_b)))


def test_it_shows_the_net_the_data_and_the_edge_and_the_training_and_the_cuts_in_five_lines():
    net, data, training, kept, last = preview(material(rl.preset("teacher").but(widths="5,4", validation=0))).splitlines()
    assert net == "teacher-widths=5,4-validation=0: 64 -> 5 -> 4 -> 10, tanh, seeds 0, 1, 2, 3, 4"
    assert data.startswith("data: teacher, 3200 train, 800 test; inputs less")
    assert "mean |x|^2/fan_in 1.000 train" in data
    assert training.startswith(
        "training: normal: sigma_w 1.4, sigma_b 0.3; adam: loss cross_entropy, lr 0.003, decay 0, decay_target weights"
    )
    assert "constant: epochs 30, batch 32, warmup 0; imp: levels 17, rate 0.2" in training
    assert kept.startswith("kept at level 17: ")
    assert kept.endswith("% of 380 weights; cuts remove nothing more from fc2.weight from level 9")
    assert last.startswith("chi = 1.0027, q* = 0.7713, xi_c = 378.8 layers")


def test_cuts_that_remove_nothing_more_are_named():
    """20 % of 6, 5, 4, 3 rounds to 1, of 2 to 0: a layer of 6 weights stays at 2 from level 4 on."""
    kept = preview(material(rl.preset("first").but(widths="3,2", levels=9))).splitlines()[3]
    assert "cuts remove nothing more from fc2.weight from level 4" in kept
    assert "fc1.weight" not in kept


def test_zero_padding_and_layers_that_differ_are_said():
    conv = {"kind": "conv", "channels": "4,6,8", "padding": "zero"}
    words = edge(material(rl.preset("first").but(net=conv, init="glorot")))
    low, high = (2 * 4 / (4 + 6)) ** 0.5, (2 * 6 / (6 + 8)) ** 0.5
    assert words.startswith(f"sigma_w = {low:.4g} to {high:.4g} by layer")
    assert "away from the zeros around a picture, chi = " in words
    assert "zeros" not in edge(material(rl.preset("first").but(net=conv | {"padding": "circular"})))


@pytest.mark.parametrize(
    ("phi", "sigma_w", "words"),
    [
        ("gelu", 1.4, "ordered; no sigma_w is critical at sigma_b = 0.1"),
        ("linear", 1.4, "with lengths that grow without end; sigma_w = 1.0000 is critical"),
        ("leaky_relu", 1.4142, "at the edge of chaos, as seen over 3 layers"),
        ("silu", 3.0, "with lengths that grow without end; no sigma_w"),
    ],
)
def test_every_activation_has_its_own_edge_or_none(phi, sigma_w, words):
    spec = rl.preset("first").but(phi=phi, sigma_w=sigma_w, sigma_b=0.1)
    assert words in preview(material(spec))


def test_a_module_has_no_edge_and_its_name_stands_for_its_layers():
    words = preview(material(rl.preset("first").but(net={"kind": "resnet", "depth": 8, "stem": 2}, init="he")))
    assert "1x8x8 -> resnet: depth 8, stem 2, seeds 0, 1" in words
    assert words.splitlines()[-1] == "theory of signals is for chains of layers, and this net is none"


def test_a_global_ranking_says_who_is_in_it():
    assert "one ranking of all layers, without fc4.weight" in preview(
        material(rl.preset("first").but(scope="global", last_rate=0))
    )
    assert "one ranking of all layers, the last one too" in preview(
        material(rl.preset("first").but(scope="global", last_rate=0.2))
    )
