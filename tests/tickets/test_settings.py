"""The settings that presets name: the numbers that their sources give."""

import math

import pytest
import torch

from rmtlottery import nets
from rmtlottery.prune.cut import counts
from rmtlottery.tickets.presets import preset, presets

PICTURE = {"mnist": (1, 28, 28), "cifar10": (3, 32, 32), "cifar100": (3, 32, 32)}


def shapes(name):
    spec = preset(name)
    return nets.build(spec.net, PICTURE[spec.data.kind], 100 if spec.data.kind == "cifar100" else 10).shapes


@pytest.mark.parametrize(
    ("name", "weights"),
    [
        ("lens_fc", 3072 * 256 + 7 * 256**2 + 2560),
        ("lens_conv", 9 * (3 * 128 + 7 * 128**2) + 1280),
        ("lens_skip", 3072 * 256 + 8 * 256**2 + 2560),
        ("lens_resnet", 9 * (3 * 8 + 2 * 8**2 + 8 * 16 + 16**2 + 16 * 32 + 32**2) + 320),
        ("lenet_300_100", 266_200),
        ("dual_axis", 62_240),
        ("conv2", 9 * (3 * 64 + 64**2) + 64 * 16**2 * 256 + 256**2 + 2560),
        ("conv4", 9 * (3 * 64 + 64**2 + 64 * 128 + 128**2) + 128 * 8**2 * 256 + 256**2 + 2560),
        ("conv6", 9 * (3 * 64 + 64**2 + 64 * 128 + 128**2 + 128 * 256 + 256**2) + 256 * 4**2 * 256 + 256**2 + 2560),
    ],
)
def test_prunable_weights(name, weights):
    assert sum(math.prod(shape) for shape in shapes(name).values() if len(shape) > 1) == weights


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("li_fc_mnist", 199_210), ("li_lenet_mnist", 44_426), ("li_fc_cifar10", 1_393_610), ("li_lenet_cifar10", 62_006),
     ("gargiulo_fc_cifar10", 1_051_930)],
)  # fmt: skip
def test_the_published_parameter_counts(name, parameters):
    assert sum(math.prod(shape) for shape in shapes(name).values()) == parameters


def test_the_dual_axis_ends_at_344_weights():
    prune = preset("dual_axis").prune
    assert prune.levels == 4
    sizes = [math.prod(shape) for shape in shapes("dual_axis").values()]
    assert sum(counts(size, prune.rate, 4)[-1] for size in sizes) == 344


def test_conv_6_is_cut_by_15_percent_in_convolutions_and_half_as_much_in_the_last_layer():
    prune = preset("conv6").prune
    assert (prune.layer_rates, prune.rate, prune.last_rate) == ("conv*=0.15", 0.2, 0.1)


def test_the_orthogonal_lens_is_an_isometry():
    spec = preset("lens_fc_orthogonal")
    from rmtlottery.nets.init import initial

    weight = initial(spec.init, {"fc2.weight": (256, 256)}, 0)["fc2.weight"].double()
    torch.testing.assert_close(weight.T @ weight, torch.eye(256, dtype=torch.float64), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "name", sorted(set(presets()) - {"first", "digits", "teacher", "lens_fc_quick", "lens_conv_small", "lens_fc_divided"})
)
def test_a_setting_names_its_source(name):
    assert "(" in presets()[name]
