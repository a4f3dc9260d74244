"""Convolutional nets against torch's conv2d, loops over single numbers, and published sizes."""

import math
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn.functional import conv2d, max_pool2d, pad

from rmtlottery.nets import Network, build
from rmtlottery.nets.conv import around
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Conv

SHAPE, CLASSES = (3, 9, 7), 4
BY_HAND = {"tanh": math.tanh, "erf": math.erf, "relu": lambda h: max(h, 0.0)}
IN_TORCH = {"tanh": torch.tanh, "erf": torch.erf, "relu": torch.relu}
NETS = {
    "plain": Conv(channels=(5, 2)),
    "zero": Conv(channels=(5, 2), padding="zero", kernel=5, phi="erf"),
    "none": Conv(channels=(5, 2), padding="none", kernel=2, readout="flat"),
    "strided": Conv(channels=(5, 2, 6), strides=(1, 2), widths=(8,), phi="relu"),
    "strides only of the first": Conv(channels=(5, 2, 6), padding="zero", strides=(2,), readout="flat"),
    "strided without padding": Conv(channels=(5, 2), padding="none", strides=(2, 3)),
    "pooled": Conv(channels=(5, 2, 6), padding="zero", pools=(1, 3), readout="flat", widths=(8, 3)),
    "pooled at the end": Conv(channels=(5, 2), pools=(2,), bias=False),
    "pooled twice": Conv(channels=(5, 2, 6), pools=(1, 2), padding="zero"),
    "strided and pooled": Conv(channels=(5, 2), pools=(1,), strides=(2,), padding="zero", readout="flat", phi="relu"),
    "almost around": Conv(channels=(5, 2), kernel=11, strides=(1, 2), readout="flat"),
    "pointwise": Conv(channels=(5, 2), kernel=1, padding="zero", bias=False, readout="flat"),
}
EVERY = pytest.mark.parametrize("net", NETS.values(), ids=NETS)


def drawn(network, *leading, seed=0):
    stream = torch.Generator().manual_seed(seed)
    return {n: torch.randn(*leading, *s, generator=stream, dtype=torch.float64) for n, s in network.shapes.items()}


def inputs(*leading, shape=SHAPE):
    stream = torch.Generator().manual_seed(1)
    return torch.randn(*leading, math.prod(shape), generator=stream, dtype=torch.float64)


def by_torch(net, weights, x):
    """Pre-activations of all layers by conv2d, max_pool2d and products."""
    phi, found, x = IN_TORCH[net.phi], [], x.unflatten(-1, SHAPE)
    edge = 0 if net.padding == "none" else net.kernel // 2
    for number in range(1, len(net.channels) + 1):
        x = pad(x, (edge,) * 4, mode="circular") if net.padding == "circular" and edge else x
        stride = ([*net.strides] + [1] * 9)[number - 1]
        bias = weights[f"conv{number}.bias"] if net.bias else None
        h = conv2d(x, weights[f"conv{number}.weight"], bias, stride, edge if net.padding == "zero" else 0)
        found.append(h)
        x = max_pool2d(phi(h), 2) if number in net.pools else phi(h)
    x = x.mean((2, 3)) if net.readout == "mean" else x.reshape(len(x), -1)
    for number in range(1, len(net.widths) + 2):
        h = x @ weights[f"fc{number}.weight"].T + (weights[f"fc{number}.bias"] if net.bias else 0)
        found.append(h)
        x = phi(h)
    return found


class Erf(nn.Module):
    def forward(self, h):
        return torch.erf(h)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def modules(net, weights, shape):
    """What anyone would write: one module after the other, of one seed."""
    phi, layers = {"tanh": nn.Tanh, "erf": Erf, "relu": nn.ReLU}[net.phi], [nn.Unflatten(1, shape)]
    edge = net.kernel // 2 if net.padding != "none" else 0
    mode = "circular" if net.padding == "circular" else "zeros"
    for number, (inward, outward) in enumerate(pairwise((shape[0], *net.channels)), start=1):
        stride = ([*net.strides] + [1] * 9)[number - 1]
        layers += [nn.Conv2d(inward, outward, net.kernel, stride, edge, bias=net.bias, padding_mode=mode), phi()]
        layers += [nn.MaxPool2d(2)] if number in net.pools else []
    layers += [Mean() if net.readout == "mean" else nn.Flatten()]
    matrices = [weight for name, weight in weights.items() if name.startswith("fc") and weight.dim() == 2]
    for outward, inward in (matrix.shape for matrix in matrices):
        layers += [nn.Linear(inward, outward, bias=net.bias), phi()]
    found = nn.Sequential(*layers[:-1]).double()
    for parameter, weight in zip(found.parameters(), weights.values(), strict=True):
        parameter.data.copy_(weight)
    return found


def looped(net, weights, picture):
    """Pre-activations of the convolutions and the logits of one picture (channels, rows, columns), number by number."""
    phi, found = BY_HAND[net.phi], []
    edge = 0 if net.padding == "none" else net.kernel // 2
    for number, out in enumerate(net.channels, start=1):
        matrix = weights[f"conv{number}.weight"].tolist()
        bias = weights[f"conv{number}.bias"].tolist() if net.bias else [0.0] * out
        stride = net.strides[number - 1] if number <= len(net.strides) else 1
        rows, columns = len(picture[0]), len(picture[0][0])

        def pixel(channel, row, column, picture=picture, rows=rows, columns=columns):
            if net.padding == "circular":
                return picture[channel][row % rows][column % columns]
            return picture[channel][row][column] if 0 <= row < rows and 0 <= column < columns else 0.0

        def tap(o, row, column, matrix=matrix, pixel=pixel, inward=matrix[0]):
            taps = ((c, a, b) for c in range(len(inward)) for a in range(net.kernel) for b in range(net.kernel))
            return sum(matrix[o][c][a][b] * pixel(c, row + a - edge, column + b - edge) for c, a, b in taps)

        starts = [range(0, side + 2 * edge - net.kernel + 1, stride) for side in (rows, columns)]
        h = [[[tap(o, r, c) + bias[o] for c in starts[1]] for r in starts[0]] for o in range(out)]
        found.append(h)
        picture = [[[phi(value) for value in row] for row in channel] for channel in h]
        picture = [pooled(channel) for channel in picture] if number in net.pools else picture
    flat = [value for channel in picture for row in channel for value in row]
    size = len(flat) // len(picture)
    x = [sum(flat[c * size : (c + 1) * size]) / size for c in range(len(picture))] if net.readout == "mean" else flat
    for number in range(1, len(net.widths) + 2):
        matrix = weights[f"fc{number}.weight"].tolist()
        bias = weights[f"fc{number}.bias"].tolist() if net.bias else [0.0] * len(matrix)
        h = [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in zip(matrix, bias, strict=True)]
        x = [phi(value) for value in h]
    return [*found, h]


def pooled(rows):
    """The largest of every 2x2; an odd row or column at the end is left out."""
    height, width = len(rows) // 2, len(rows[0]) // 2
    return [[max(rows[2 * r + a][2 * c + b] for a in (0, 1) for b in (0, 1)) for c in range(width)] for r in range(height)]


@EVERY
def test_preactivations_are_conv2ds(net):
    network = build(net, SHAPE, CLASSES)
    assert isinstance(network, Network)
    weights, x = drawn(network), inputs(6)
    found = network.preactivations(weights, x)
    for h, expected in zip(found, by_torch(net, weights, x), strict=True):
        torch.testing.assert_close(h, expected, rtol=1e-11, atol=1e-11)
    assert torch.equal(network.logits(weights, x), found[-1])
    assert found[-1].shape == (6, CLASSES)


@EVERY
def test_preactivations_are_those_of_a_loop(net):
    network = build(net, SHAPE, CLASSES)
    weights, x = drawn(network), inputs(2)
    found = network.preactivations(weights, x)
    for sample in range(2):
        *pictures, logits = looped(net, weights, x[sample].unflatten(-1, SHAPE).tolist())
        for h, expected in zip(found, pictures, strict=False):
            torch.testing.assert_close(h[sample], torch.tensor(expected, dtype=torch.float64), rtol=1e-11, atol=1e-11)
        assert found[-1][sample].tolist() == pytest.approx(logits, rel=1e-11, abs=1e-11)


@EVERY
@pytest.mark.parametrize("shared", [True, False], ids=["shared inputs", "inputs of their own"])
def test_replicates_compute_what_each_would_alone(net, shared):
    network = build(net, SHAPE, CLASSES)
    weights = drawn(network, 4)
    x = inputs(1, 6) if shared else inputs(4, 6)
    together = network.preactivations(weights, x)
    for replicate in range(4):
        alone = network.preactivations({n: w[replicate] for n, w in weights.items()}, x[0 if shared else replicate])
        for h, expected in zip(together, alone, strict=True):
            torch.testing.assert_close(h[replicate], expected, rtol=1e-11, atol=1e-11)


@EVERY
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("replicates", [1, 3])
def test_logits_and_gradients_are_those_of_torchs_modules(net, replicates, channels):
    shape = (channels, *SHAPE[1:])
    network = build(net, shape, CLASSES)
    weights, x = drawn(network, replicates), inputs(replicates, 6, shape=shape)
    logits = network.logits({name: weight.requires_grad_() for name, weight in weights.items()}, x)
    gradients = torch.autograd.grad(logits.square().sum(), list(weights.values()))
    for place in range(replicates):
        alone = modules(net, {name: weight[place].detach() for name, weight in weights.items()}, shape)
        expected = alone(x[place])
        close(logits[place], expected)
        slopes = torch.autograd.grad(expected.square().sum(), list(alone.parameters()))
        for gradient, slope in zip(gradients, slopes, strict=True):
            close(gradient[place], slope)


def close(found, expected):
    """To 1e-12 of the largest number there is."""
    assert (found - expected).abs().max() <= 1e-12 * expected.abs().max()


@EVERY
def test_in_bf16_a_net_is_what_it_is_in_fp32_but_for_eight_bits(net):
    """Inputs and weights are the same; what is left are roundings of 2^-9 each, a few in every layer.

    Where pixels are pooled a rounding may also choose another one, and the gradient goes there.
    """
    network = build(net, SHAPE, CLASSES)
    coarse = {name: (0.3 * weight).bfloat16().requires_grad_() for name, weight in drawn(network, 3).items()}
    fine = {name: weight.detach().float().requires_grad_() for name, weight in coarse.items()}
    x = inputs(3, 6).bfloat16()
    logits, expected = network.logits(coarse, x), network.logits(fine, x.float())
    assert logits.dtype == torch.bfloat16
    assert apart(logits, expected) < 2**-9 * 6
    gradients = (
        torch.autograd.grad(h.float().sum(), list(held.values())) for h, held in ((logits, coarse), (expected, fine))
    )
    for found, slope in zip(*gradients, strict=True):
        assert found.dtype == torch.bfloat16
        assert apart(found, slope) < 2**-9 * 30 or net.pools


def apart(found, expected):
    return ((found.float() - expected).norm() / expected.norm()).item()


@EVERY
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("leading", [(), (1,), (3,)], ids=["alone", "one", "three"])
def test_channels_are_side_by_side_in_memory(net, channels, leading):
    """What convolutions and poolings are fastest with, from the first layer on."""
    network = build(net, (channels, *SHAPE[1:]), CLASSES)
    found = network.signals(drawn(network, *leading), inputs(*leading, 6, shape=(channels, *SHAPE[1:])))
    assert all(h.stride(-3) == 1 for _, h in found[: len(net.channels)])


@pytest.mark.parametrize("edge", range(1, 6))
def test_around_a_picture_are_its_far_edges(edge):
    """F.pad, its gradient and the gradient's."""
    x = inputs(2, shape=(3, 5, 7)).unflatten(1, (3, 5, 7)).requires_grad_()
    found, expected = around(x, edge), pad(x, (edge,) * 4, mode="circular")
    assert torch.equal(found, expected)
    slopes = [torch.autograd.grad(wide.pow(3).sum(), x, create_graph=True)[0] for wide in (found, expected)]
    close(*slopes)
    close(*[torch.autograd.grad(slope.square().sum(), x)[0] for slope in slopes])


def test_one_replicate_with_its_axis_is_that_replicate():
    network = build(NETS["pooled"], SHAPE, CLASSES)
    weights, x = drawn(network, 1), inputs(1, 6)
    alone = network.logits({n: w[0] for n, w in weights.items()}, x[0])
    torch.testing.assert_close(network.logits(weights, x)[0], alone, rtol=1e-11, atol=1e-11)


def test_one_replicates_gradient_is_blind_to_the_others():
    network = build(NETS["strided and pooled"], SHAPE, CLASSES)
    weights = {name: value.requires_grad_() for name, value in drawn(network, 3).items()}
    logits = network.logits(weights, inputs(3, 6))
    for gradient in torch.autograd.grad(logits[1].square().sum(), list(weights.values())):
        assert (gradient[[0, 2]] == 0).all()
        assert gradient[1].abs().sum() > 0


def test_names_and_shapes_go_layer_by_layer_and_out_comes_first():
    net = Conv(channels=(5, 2), kernel=3, padding="zero", pools=(1,), readout="flat", widths=(8,))
    assert list(build(net, SHAPE, CLASSES).shapes.items()) == [
        ("conv1.weight", (5, 3, 3, 3)), ("conv1.bias", (5,)), ("conv2.weight", (2, 5, 3, 3)), ("conv2.bias", (2,)),
        ("fc1.weight", (8, 2 * 4 * 3)), ("fc1.bias", (8,)), ("fc2.weight", (4, 8)), ("fc2.bias", (4,)),
    ]  # fmt: skip


def test_a_mean_readout_sees_channels_and_a_flat_one_pixels():
    mean, flat = (build(Conv(channels=(5, 2), readout=readout), SHAPE, CLASSES).shapes for readout in ("mean", "flat"))
    assert mean["fc1.weight"] == (4, 2)
    assert flat["fc1.weight"] == (4, 2 * 9 * 7)


@pytest.mark.parametrize(
    ("options", "mixing"),
    [
        ({"readout": "flat"}, []),
        ({"readout": "mean"}, ["fc1"]),
        ({"readout": "flat", "pools": (1,)}, ["conv2"]),
        ({"readout": "flat", "pools": (2,)}, ["fc1"]),
        ({"readout": "mean", "pools": (1,), "widths": (8, 3)}, ["conv2", "fc1"]),
    ],
)
def test_a_layer_mixes_if_its_input_was_pooled_or_averaged(options, mixing):
    network = build(Conv(channels=(5, 2), **options), SHAPE, CLASSES)
    assert [layer.name for layer in network.layers if layer.mixes] == mixing


def test_without_bias_there_is_none():
    network = build(Conv(channels=(5, 2), widths=(8,), bias=False), SHAPE, CLASSES)
    assert list(network.shapes) == network.prunable == ["conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight"]
    assert (network.logits(drawn(network), torch.zeros(1, 189, dtype=torch.float64)) == 0).all()


def test_a_circular_net_does_not_see_where_a_picture_is():
    """Shifted around the border, the mean over pixels is the same; with zero padding it is not."""
    x = inputs(6)
    moved = x.unflatten(-1, SHAPE).roll((4, 2), (2, 3)).flatten(1)
    gaps = []
    for padding in ("circular", "zero"):
        network = build(Conv(channels=(5, 2), padding=padding), SHAPE, CLASSES)
        gaps.append((network.logits(drawn(network), x) - network.logits(drawn(network), moved)).abs().max().item())
    assert gaps[0] < 1e-12
    assert gaps[1] > 1e-3


def test_an_input_is_flattened_channel_by_channel_and_row_by_row():
    """Only the weight of channel 1, middle tap, is there: the first pre-activation is that channel."""
    network = build(Conv(channels=(1,), bias=False), SHAPE, CLASSES)
    weights = {n: torch.zeros_like(w) for n, w in drawn(network).items()}
    weights["conv1.weight"][0, 1, 1, 1] = 1
    h = network.preactivations(weights, torch.arange(189, dtype=torch.float64)[None])[0]
    assert h[0, 0].flatten().tolist() == list(range(63, 126))


@pytest.mark.parametrize(
    ("net", "shape", "number"),
    [
        (Conv(phi="relu", channels=(32, 64), kernel=5, padding="none", pools=(1, 2), readout="flat", bias=False),
         (1, 28, 28), 62_240),
        (Conv(channels=(6, 16), kernel=5, padding="none", pools=(1, 2), readout="flat", widths=(120, 84)),
         (1, 28, 28), 44_426),
        (Conv(channels=(6, 16), kernel=5, padding="none", pools=(1, 2), readout="flat", widths=(120, 84)),
         (3, 32, 32), 62_006),
        (Conv(channels=(64, 64), padding="zero", pools=(2,), readout="flat", widths=(256, 256)), (3, 32, 32), 4_301_642),
    ],
    ids=["dual axis", "LeNet on MNIST", "LeNet on CIFAR-10", "Conv-2"],
)  # fmt: skip
def test_there_are_as_many_parameters_as_published(net, shape, number):
    """Conv-2 has 4.3M weights (Frankle and Carbin 2019, figure 2)."""
    assert sum(math.prod(held) for held in build(net, shape, 10).shapes.values()) == number


@pytest.mark.parametrize("shape", [(63,), (9, 7), (1, 3, 9, 7)])
def test_inputs_that_are_no_pictures_are_refused(shape):
    with pytest.raises(Refusal, match=r"takes pictures \(channels, height, width\), and these inputs have shape"):
        build(Conv(channels=(5, 2)), shape, CLASSES)


@pytest.mark.parametrize("padding", ["zero", "circular"])
def test_an_even_kernel_cannot_be_padded_around(padding):
    with pytest.raises(Refusal, match=r"kernel = 4 has no middle to pad around; take an odd one, or padding none"):
        build(Conv(channels=(5, 2), kernel=4, padding=padding), SHAPE, CLASSES)


@pytest.mark.parametrize(
    ("options", "number"),
    [
        ({"padding": "none", "kernel": 8}, 1),
        ({"padding": "none", "kernel": 5}, 2),
        ({"padding": "none", "pools": (1,), "kernel": 6}, 2),
        ({"padding": "zero", "channels": (5, 2, 6), "pools": (1, 2, 3), "strides": (2, 1, 1)}, 3),
    ],
)
def test_a_picture_that_vanishes_is_refused_where_it_does(options, number):
    """Nine rows and seven columns: a side of 7 has room for no kernel of 8, and for one of 5 only once."""
    with pytest.raises(Refusal, match=f"convolution {number} leaves nothing of a 9x7 picture"):
        build(Conv(**{"channels": (5, 2)} | options), SHAPE, CLASSES)


def test_the_last_pixel_is_enough():
    network = build(Conv(channels=(5, 2), padding="none", kernel=4, readout="flat"), SHAPE, CLASSES)
    assert network.shapes["fc1.weight"] == (4, 2 * 3 * 1)
    assert network.logits(drawn(network), inputs(2)).shape == (2, 4)


@pytest.mark.parametrize("options", [{"strides": (1, 2, 1)}, {"pools": (1, 3)}, {"pools": (3,), "strides": (2,)}])
def test_schedules_beyond_the_last_convolution_are_refused(options):
    with pytest.raises(Refusal, match="strides and pools name convolution 3 of 2; shorten them"):
        build(Conv(channels=(5, 2), **options), SHAPE, CLASSES)


def test_a_circular_edge_goes_once_around_a_picture():
    """A kernel of 15 reaches 7 pixels beyond a picture that is 7 wide."""
    net = Conv(channels=(2,), kernel=15)
    network = build(net, SHAPE, CLASSES)
    weights, x = drawn(network), inputs(1)
    expected = looped(net, weights, x[0].unflatten(-1, SHAPE).tolist())[0]
    h = network.preactivations(weights, x)[0][0]
    torch.testing.assert_close(h, torch.tensor(expected, dtype=torch.float64), rtol=1e-11, atol=1e-11)


def test_a_circular_edge_that_would_go_around_twice_is_refused():
    """Stride and pooling leave one pixel, and a kernel of 5 reaches two beyond it: torch would stop in mid-training."""
    with pytest.raises(Refusal, match="kernel"):
        build(Conv(channels=(5, 2), kernel=5, strides=(4,), pools=(1,)), SHAPE, CLASSES)
