"""LeNets against torch's convolutions, against each other where one is a case of another, and published sizes."""

from math import prod

import pytest
import torch
from torch.nn.functional import conv2d, max_pool2d

import rmtlottery as rl
from rmtlottery.nets import build
from rmtlottery.nets.lenet import across, apart, windows
from rmtlottery.prune.connectivity import connectivity
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Conv, LeNet
from rmtlottery.tickets.spec import Spec

SHARINGS = ("tied", "untied", "full", "tied_full")
EVERY = pytest.mark.parametrize("sharing", SHARINGS)
SHAPE, CLASSES = (2, 20, 16), 4
FIRST, HALF, SECOND = (6, 16, 12), (6, 8, 6), (16, 4, 2)  # what is made of SHAPE, what is left of it, and what of that
SIZES = {
    "tied": (44_426, 62_006),
    "untied": (286_334, 658_238),
    "full": (3_640_574, 16_397_726),
    "tied_full": (193_370, 297_734),
}
PRESETS = {"tied": "li_lenet", "untied": "li_untied", "full": "li_fc_lenet", "tied_full": "li_fctied"}


def net(sharing, shape=SHAPE, **options):
    return build(LeNet(sharing=sharing, **options), shape, CLASSES)


def drawn(network, *leading, seed=0):
    """Weights of variance 2/fan_in and biases of 0.01, float64."""
    stream = torch.Generator().manual_seed(seed)
    return {
        n: torch.randn(*leading, *s, generator=stream, dtype=torch.float64) * (2 / prod(s[1:]) if s[1:] else 0.01) ** 0.5
        for n, s in network.shapes.items()
    }


def inputs(*leading, shape=SHAPE):
    return torch.randn(*leading, prod(shape), generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def by_torch(weights, x, shape, phi, **padding):
    """Pre-activations of two convolutions and three matrices."""
    found, x = [], x.unflatten(-1, shape)
    for name in ("conv1", "conv2"):
        found.append(conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], **padding))
        x = max_pool2d(phi(found[-1]), 2)
    x = x.flatten(1)
    for name in ("fc1", "fc2", "fc3"):
        found.append(x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])
        x = phi(found[-1])
    return found


def places(made):
    """(channel, row, column) of the units of a layer, one after the other: 2x2 by 2x2."""
    channels, rows, columns = made
    squares = [(r, c) for r in range(0, rows, 2) for c in range(0, columns, 2)]
    return [(k, r + a, c + b) for k in range(channels) for r, c in squares for a in (0, 1) for b in (0, 1)]


def ordered(pictures):
    """(samples, channels, H, W) -> (samples, units)."""
    made = tuple(pictures.shape[1:])
    return torch.stack([pictures[:, k, r, c] for k, r, c in places(made)], 1)


def as_matrix(kernel, given, made):
    """The matrix (units, inputs) of a convolution without padding."""
    matrix = torch.zeros(prod(made), *given, dtype=kernel.dtype)
    for unit, (k, r, c) in enumerate(places(made)):
        matrix[unit, :, r : r + 5, c : c + 5] = kernel[k]
    return matrix.flatten(1)


@pytest.mark.parametrize("case", [0, 1], ids=["MNIST", "CIFAR-10"])
@EVERY
def test_there_are_as_many_parameters_as_published(sharing, case):
    """Li et al. 2018; fan_in of a unit that ties nothing is that of its own kernel."""
    shape = ((1, 28, 28), (3, 32, 32))[case]
    network = build(LeNet(sharing=sharing), shape, 10)
    assert sum(prod(held) for held in network.shapes.values()) == SIZES[sharing][case]
    preset = rl.preset(PRESETS[sharing] + ("_mnist", "_cifar10")[case]).net
    assert build(preset, shape, 10).shapes == network.shapes


def test_shapes_on_mnist():
    conv = {s: [build(LeNet(sharing=s), (1, 28, 28), 10).shapes[f"conv{n}.weight"] for n in (1, 2)] for s in SHARINGS}
    assert conv == {
        "tied": [(6, 1, 5, 5), (16, 6, 5, 5)],
        "untied": [(6 * 24 * 24, 1, 5, 5), (16 * 8 * 8, 6, 5, 5)],
        "full": [(6 * 24 * 24, 784), (16 * 8 * 8, 6 * 12 * 12)],
        "tied_full": [(6, 1, 55, 55), (16, 6, 27, 27)],
    }


@EVERY
def test_names_biases_and_what_mixes(sharing):
    network = net(sharing)
    names = ["conv1", "conv2", "fc1", "fc2", "fc3"]
    assert list(network.shapes) == [f"{name}.{part}" for name in names for part in ("weight", "bias")]
    assert [layer.name for layer in network.layers if layer.mixes] == ["conv2", "fc1"]
    assert all(network.shapes[f"{n}.bias"] == network.shapes[f"{n}.weight"][:1] for n in names)


@EVERY
def test_no_layer_makes_more_of_a_sample_than_is_said(sharing):
    """Windows are copied too, before they meet their kernels."""
    network = net(sharing)
    made = [h.numel() for h in network.preactivations(drawn(network), inputs(1))]
    copies = [16 * 12 * 2 * 25, 4 * 2 * 6 * 25] if sharing == "untied" else []
    assert network.widest == max(*made, prod(SHAPE), *copies)


@pytest.mark.parametrize("phi", ["relu", "tanh"])
def test_tied_is_the_kind_conv_and_torchs_lenet(phi):
    kind = Conv(phi=phi, channels=(6, 16), kernel=5, padding="none", pools=(1, 2), readout="flat", widths=(120, 84))
    ours, theirs = net("tied", phi=phi), build(kind, SHAPE, CLASSES)
    assert ours.shapes == theirs.shapes
    weights, x = drawn(ours), inputs(5)
    assert torch.equal(ours.logits(weights, x), theirs.logits(weights, x))
    expected = by_torch(weights, x, SHAPE, getattr(torch, phi))
    close(ours.preactivations(weights, x), expected)


def close(found, expected):
    for h, by_other in zip(found, expected, strict=True):
        torch.testing.assert_close(h, by_other, rtol=1e-11, atol=1e-11)


def test_untied_with_one_kernel_for_all_positions_is_tied():
    tied, untied = net("tied"), net("untied")
    weights, x = drawn(tied), inputs(5)
    own = {n: w.repeat_interleave(prod((FIRST if "1" in n else SECOND)[1:]), 0) for n, w in weights.items() if "conv" in n}
    close(untied.preactivations(weights | own, x)[2:], tied.preactivations(weights, x)[2:])


def test_a_unit_has_its_own_kernel_at_its_own_place():
    network = net("untied")
    weights, x = drawn(network), inputs(3)
    h, second = network.preactivations(weights, x)[:2]
    pictures = torch.zeros(3, *FIRST, dtype=x.dtype)
    for unit, (k, r, c) in enumerate(places(FIRST)):
        window = x.unflatten(-1, SHAPE)[:, :, r : r + 5, c : c + 5]
        pictures[:, k, r, c] = (window * weights["conv1.weight"][unit]).sum((1, 2, 3)) + weights["conv1.bias"][unit]
    close([h.flatten(1)], [ordered(pictures)])
    half = max_pool2d(pictures.relu(), 2)
    for unit, (_, r, c) in enumerate(places(SECOND)):
        seen = (half[:, :, r : r + 5, c : c + 5] * weights["conv2.weight"][unit]).sum((1, 2, 3))
        close([second[:, unit, 0, 0]], [seen + weights["conv2.bias"][unit]])


def test_full_with_the_matrices_of_convolutions_is_tied():
    tied, whole = net("tied"), net("full")
    weights, x = drawn(tied), inputs(5)
    matrices = {
        f"{name}.weight": as_matrix(weights[f"{name}.weight"], given, made)
        for name, given, made in (("conv1", SHAPE, FIRST), ("conv2", HALF, SECOND))
    }
    biases = {
        f"conv{n}.bias": weights[f"conv{n}.bias"].repeat_interleave(prod(made[1:])) for n, made in ((1, FIRST), (2, SECOND))
    }
    found, expected = whole.preactivations(weights | matrices | biases, x), tied.preactivations(weights, x)
    close(found, [*map(ordered, expected[:2]), *expected[2:]])


@pytest.mark.parametrize("shape", [SHAPE, (1, 7, 9), (3, 4, 4)])
def test_tied_full_is_a_convolution_with_zeros_around_the_picture(shape):
    network = build(LeNet(sharing="tied_full", phi="tanh"), shape, CLASSES)
    weights, x = {n: w.requires_grad_() for n, w in drawn(network).items()}, inputs(5, shape=shape)
    found, expected = network.preactivations(weights, x), by_torch(weights, x, shape, torch.tanh, padding="same")
    close(found, expected)
    close(*[torch.autograd.grad(h[-1].square().sum(), list(weights.values())) for h in (found, expected)])


def test_every_output_of_tied_full_sees_every_input():
    """Of the first layer; no tap of the kernel is idle."""
    weight, x = torch.ones(6, 2, 39, 31), torch.zeros(2 * 20 * 16, 2, 20, 16)
    x.view(-1, 2 * 20 * 16).fill_diagonal_(1)
    assert (across(weight, x) == 1).all()
    weight.requires_grad_()
    assert (torch.autograd.grad(across(weight, x).sum(), weight)[0] > 0).all()


@EVERY
@pytest.mark.parametrize("shared", [True, False], ids=["shared inputs", "inputs of their own"])
def test_replicates_compute_what_each_would_alone(sharing, shared):
    network = net(sharing)
    weights, x = drawn(network, 3), inputs(1, 5) if shared else inputs(3, 5)
    together = network.preactivations(weights, x)
    for place in range(3):
        alone = network.preactivations({n: w[place] for n, w in weights.items()}, x[0 if shared else place])
        close([h[place] for h in together], alone)
    one = network.logits({n: w[:1] for n, w in weights.items()}, x[:1])
    close([one[0]], [together[-1][0]])


@EVERY
def test_one_replicates_gradient_is_blind_to_the_others_and_no_weight_lacks_one(sharing):
    """Of those that a pooling leaves, one unit of four at least."""
    network = net(sharing, phi="tanh")
    weights = {name: value.requires_grad_() for name, value in drawn(network, 2).items()}
    logits = network.logits(weights, inputs(2, 30))
    for gradient in torch.autograd.grad(logits[1].square().sum(), list(weights.values())):
        assert gradient.isfinite().all()
        assert (gradient[0] == 0).all()
        assert (gradient[1] != 0).float().mean() >= 0.25


@EVERY
def test_gradients_are_differentiated_again(sharing):
    """As GraSP and curvature do; along the weights, against a difference of gradients."""
    network, x = net(sharing, phi="tanh"), inputs(1, 3)
    weights = {n: w.requires_grad_() for n, w in drawn(network, 1).items()}

    def slopes(held, again=False):
        loss = network.logits(held, x).square().sum()
        return torch.autograd.grad(loss, list(held.values()), create_graph=again)

    along = sum((g * w.detach()).sum() for g, w in zip(slopes(weights, again=True), weights.values(), strict=True))
    found = torch.autograd.grad(along, list(weights.values()))
    ends = [slopes({n: (w.detach() * (1 + step)).requires_grad_() for n, w in weights.items()}) for step in (-1e-6, 1e-6)]
    for curve, low, high in zip(found, *ends, strict=True):
        assert (curve - (high - low) / 2e-6).norm() < 1e-6 * curve.norm()


@EVERY
def test_in_bf16_a_net_is_what_it_is_in_fp32_but_for_eight_bits(sharing):
    network = net(sharing)
    coarse = {name: weight.bfloat16() for name, weight in drawn(network, 2).items()}
    x = inputs(2, 6).bfloat16()
    logits = network.logits(coarse, x)
    expected = network.logits({n: w.float() for n, w in coarse.items()}, x.float())
    assert logits.dtype == torch.bfloat16
    assert (logits.float() - expected).norm() < 2**-9 * 10 * expected.norm()


def test_kernels_that_are_not_one_a_unit_go_to_all_positions():
    """As theory asks how a mean square is passed on, with a kernel alone."""
    x, kernel = inputs(3).unflatten(-1, SHAPE), torch.ones(1, 2, 5, 5, dtype=torch.float64)
    close([apart(kernel, x, FIRST)], [conv2d(x, kernel)])


def test_windows_are_those_of_unfold():
    x = inputs(2, 3).unflatten(-1, SHAPE)
    expected = torch.nn.functional.unfold(x.flatten(0, 1), 5).unflatten(-1, FIRST[1:])
    found = windows(x)
    for position, (_, r, c) in enumerate(places((1, *FIRST[1:]))):
        assert torch.equal(found[:, position].transpose(1, 2).flatten(0, 1), expected[..., r, c])


def test_the_units_that_one_pooling_looks_at_die_together():
    """Nothing reads one pooled number of the first layer: four units, a 2x2 of the picture, change no logit."""
    network = net("full")
    weights, x = drawn(network), inputs(3)
    mask = {name: torch.ones_like(weights[name], dtype=torch.bool) for name in network.prunable}
    mask["conv2.weight"][:, 9] = False
    assert [row["dead"] for row in connectivity(mask)] == [4, 0, 0, 0, 0]
    weights["conv2.weight"] = weights["conv2.weight"] * mask["conv2.weight"]
    before = network.logits(weights, x)
    weights["conv1.weight"][36:40] = 7
    assert torch.equal(network.logits(weights, x), before)
    assert places(FIRST)[36:40] == [(0, 2, 6), (0, 2, 7), (0, 3, 6), (0, 3, 7)]


@EVERY
def test_it_is_trained_and_pruned_as_others_are(sharing, tmp_path):
    stream = torch.Generator().manual_seed(0)
    x, y = torch.randn(60, 1, 28, 28, generator=stream), torch.arange(60) % 3
    spec = rl.preset("first").but(
        net={"kind": "lenet", "sharing": sharing}, init="he", epochs=1, levels=1, batch=20, seeds=0
    )
    run = rl.fit(spec, tmp_path, data=(x, y, x[:9], y[:9]))
    assert not torch.equal(run[0, 1].weights["conv1.weight"], run[0, 1].rewound["conv1.weight"])
    assert len(run[0, 1].record["connectivity"]) == 5
    assert Spec.from_json(run.spec.to_json()) == run.spec


@EVERY
@pytest.mark.parametrize("shape", [(784,), (28, 28), (1, 1, 28, 28)])
def test_inputs_that_are_no_pictures_are_refused(sharing, shape):
    with pytest.raises(
        Refusal, match=r"a lenet takes pictures \(channels, height, width\), and these inputs have shape .*take fc"
    ):
        net(sharing, shape)


@pytest.mark.parametrize("sharing", ["tied", "untied", "full"])
def test_a_picture_that_vanishes_is_refused(sharing):
    with pytest.raises(
        Refusal, match=f"sharing = {sharing} takes pictures of at least 16x16, not 28x12; take sharing tied_full"
    ):
        net(sharing, (1, 28, 12))
    assert net(sharing, (1, 16, 16)).shapes["fc1.weight"] == (120, 16)


def test_the_smallest_picture_of_tied_full():
    assert net("tied_full", (1, 4, 5)).shapes["fc1.weight"] == (120, 16)
    with pytest.raises(Refusal, match="sharing = tied_full takes pictures of at least 4x4, not 3x28; take fc"):
        net("tied_full", (1, 3, 28))


@pytest.mark.parametrize("sharing", ["untied", "full"])
def test_units_of_their_own_are_halved_without_a_rest(sharing):
    with pytest.raises(
        Refusal, match="takes sides that are multiples of 4, not 28x30; cut the pictures, or take sharing tied"
    ):
        net(sharing, (1, 28, 30))
    assert net("tied", (1, 28, 30)).shapes["fc1.weight"] == (120, 16 * 4 * 4)


def test_an_unknown_sharing_is_refused():
    with pytest.raises(Refusal, match="unknown sharing 'untie': did you mean 'untied'"):
        LeNet(sharing="untie")
