"""What makes q is exact on any net, and the alignment is that of explicit matrices."""

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d, pad, unfold

from rmtlottery import nets
from rmtlottery.measure.identity import pieces
from rmtlottery.measure.signal import hidden_lengths
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Conv, Normal

SHAPE = (2, 6, 7)
INIT = Normal(sigma_w=1.5, sigma_b=0.4)
NETS = {
    "fc": FC(widths=(13, 40, 7)),
    "relu": FC(widths=(9, 30, 21), phi="relu"),
    "zero": Conv(channels=(4, 3, 5), padding="zero"),
    "circular": Conv(channels=(4, 3, 5), padding="circular"),
    "none": Conv(channels=(4, 3), padding="none", widths=(11,)),
    "strides": Conv(channels=(4, 3, 5), padding="zero", strides=(2, 1, 2), readout="flat", widths=(6,)),
    "pools": Conv(channels=(4, 3), padding="zero", pools=(1,), widths=(8,)),
    "no bias": Conv(channels=(4, 3), padding="zero", bias=False, kernel=5),
}


def made(name, density=1.0, inputs=130):
    """A net under a random mask, weights with a mean, inputs that go together."""
    numbers = torch.Generator().manual_seed(3)
    network = nets.build(NETS[name], SHAPE, 3)
    weights = initial(INIT, network.shapes, 1)
    for key in network.prunable:
        weights[key] = (weights[key] + 0.1) * (torch.rand(weights[key].shape, generator=numbers) < density)
    x = torch.randn(inputs, 84, generator=numbers) * torch.linspace(0, 2, 84) + torch.randn(inputs, 1, generator=numbers)
    return network, weights, x


@pytest.mark.parametrize("density", [1.0, 0.2])
@pytest.mark.parametrize("name", NETS)
def test_the_identity_is_exact(name, density):
    network, weights, x = made(name, density)
    found = pieces(network, weights, x)
    assert [held.q for held in found] == pytest.approx(hidden_lengths(network, weights, x), rel=1e-12)
    assert len(found) == len(network.layers) - 1
    for held in found:
        assert held.s2 * held.x2 * held.alignment + held.b2 + 2 * held.bh == pytest.approx(held.q, rel=1e-10)


@pytest.mark.parametrize("name", NETS)
def test_bias_and_cross_are_what_q_has_beyond_its_product(name):
    """Without biases q loses <b^2> and 2<b (W x)>, <b (W x)> computed here from h less b."""
    network, weights, x = made(name)
    exact = {key: value.double() for key, value in weights.items()}
    for layer, (_, h), held in zip(
        network.layers, network.signals(exact, x.double()), pieces(network, weights, x), strict=False
    ):
        bias = exact.get(f"{layer.name}.bias", torch.zeros(layer.shape[0], dtype=torch.float64))
        b = bias.reshape(1, -1, *[1] * (h.dim() - 2)).expand(h.shape)
        assert held.b2 == pytest.approx(b.square().mean().item(), rel=1e-10, abs=1e-15)
        assert held.bh == pytest.approx((b * (h - b)).mean().item(), rel=1e-9, abs=1e-14)


def explicit(w, columns):
    """N Tr(W^T W C)/(Tr W^T W Tr C), C = <x x^T> uncentred, of columns (samples, N)."""
    c = columns.T @ columns / len(columns)
    gram = w.T @ w
    return w.shape[1] * np.trace(gram @ c) / (np.trace(gram) * np.trace(c))


@pytest.mark.parametrize("density", [1.0, 0.2])
def test_the_alignment_of_matrices(density):
    network, weights, x = made("fc", density)
    given = x.double().numpy()
    for number, held in enumerate(pieces(network, weights, x), start=1):
        w, b = (weights[f"fc{number}.{kind}"].double().numpy() for kind in ("weight", "bias"))
        assert held.alignment == pytest.approx(explicit(w, given), rel=1e-10)
        assert held.s2 == pytest.approx((w**2).sum() / len(w), rel=1e-12)
        assert held.x2 == pytest.approx((given**2).mean(), rel=1e-10)
        given = np.tanh(given @ w.T + b)


PADDED = {"zero": (1, "constant"), "circular": (1, "circular"), "none": (0, "constant"), "strides": (1, "constant")}


@pytest.mark.parametrize("name", PADDED)
def test_the_alignment_of_unfolded_patches_zeros_included(name):
    network, weights, x = made(name, 0.5)
    edge, mode = PADDED[name]
    given = x.double().reshape(-1, *SHAPE)
    convolutions = [layer for layer in network.layers[:-1] if layer.name.startswith("conv")]
    strides = (2, 1, 2) if name == "strides" else (1, 1, 1)
    for layer, stride, held in zip(convolutions, strides, pieces(network, weights, x), strict=False):
        kernel, bias = (weights[f"{layer.name}.{kind}"].double() for kind in ("weight", "bias"))
        framed = pad(given, (edge,) * 4, mode=mode)
        patches = unfold(framed, 3, stride=stride).transpose(1, 2).flatten(0, 1).numpy()
        assert held.alignment == pytest.approx(explicit(kernel.flatten(1).numpy(), patches), rel=1e-10)
        assert held.x2 == pytest.approx((patches**2).mean(), rel=1e-10)
        given = torch.tanh(conv2d(framed, kernel, bias, stride=stride))


def test_isotropic_inputs_are_aligned_with_nothing():
    """Exactly where C is the identity, nearly where inputs are drawn."""
    network, weights, _ = made("fc")
    basis = torch.linalg.qr(torch.randn(84, 84, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))[0]
    assert pieces(network, weights, basis * 84**0.5)[0].alignment == pytest.approx(1, rel=1e-10)
    drawn = torch.randn(20000, 84, generator=torch.Generator().manual_seed(1))
    assert pieces(network, weights, drawn)[0].alignment == pytest.approx(1, abs=0.01)


def test_a_weight_of_rank_one_along_its_inputs_has_the_largest_alignment():
    network, weights, _ = made("fc")
    way = torch.randn(84, generator=torch.Generator().manual_seed(2))
    weights["fc1.weight"] = torch.arange(1.0, 14)[:, None] * way
    lengths = torch.tensor([[1.0], [-2.0], [0.5]])
    assert pieces(network, weights, lengths * way)[0].alignment == pytest.approx(84, rel=1e-6)
    across = torch.randn(84, generator=torch.Generator().manual_seed(3))
    across -= way * (across @ way) / (way @ way)
    assert pieces(network, weights, lengths * across)[0].alignment == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", ["fc", "zero", "no bias"])
def test_a_dead_layer_has_no_alignment_to_speak_of_and_still_closes(name):
    network, weights, x = made(name)
    second = network.prunable[1]
    weights[second] = torch.zeros_like(weights[second])
    for held in pieces(network, weights, x):
        assert np.all(np.isfinite(held))
        assert held.s2 * held.x2 * held.alignment + held.b2 + 2 * held.bh == pytest.approx(held.q, rel=1e-10, abs=1e-15)
    assert pieces(network, weights, x)[1].s2 == 0
