"""Each theory of a product of layers against large random matrices, many small ones, and the laws of equal widths."""

import itertools

import numpy as np
import pytest
import torch
from scipy.special import ndtri

import rmtlottery as rl
from rmtlottery.analyze._products import MASKED, NOMINAL, SIZES, SPECTRA, Span, equal_shares, theories
from rmtlottery.measure.signal import probe
from rmtlottery.spectra.distance import ks_distance
from rmtlottery.tickets.parts import DeltaOrthogonal, DividedBias, Glorot, He, Normal, Orthogonal, Own
from tests.analyze.drawn import drawn, fc, held
from tests.conftest import assert_mean

WIDE, DRAWS = 30, 10
Z = np.linspace(-9, 9, 3001)
NORMAL = np.exp(-(Z**2) / 2) / np.sqrt(2 * np.pi) * (Z[1] - Z[0])
SPANS = [Span("whole", 0, 4), Span("hidden", 1, 3)]


def sech2(h):
    return 1 / np.cosh(h) ** 2


def told(ticket, span, samples=20):
    return dict(theories(ticket, ticket.rewound, probe(ticket, samples), span))


def measured_lengths(ticket, samples=20):
    """q of the hidden layers, by numpy."""
    w, b = held(ticket)
    x, found = probe(ticket, samples).x.double().numpy(), []
    for layer in range(1, len(w)):
        h = x @ w[layer].T + b[layer]
        found.append(np.mean(h**2))
        x = np.tanh(h)
    return found


def nominal_lengths(ticket, sigma_w, sigma_b, hidden, samples=20):
    square, found = np.mean(probe(ticket, samples).x.double().numpy() ** 2), []
    for _ in range(hidden):
        found.append(sigma_w**2 * square + sigma_b**2)
        square = NORMAL @ np.tanh(np.sqrt(found[-1]) * Z) ** 2
    return found


def sigmas(ticket):
    """sigma_w of each layer with its zeros."""
    return {layer: np.sqrt(np.sum(w**2) / len(w)) for layer, w in held(ticket)[0].items()}


def eigenvalues(factors):
    """Of J J^T, zeros included; the first factor is applied first, a vector is a diagonal."""
    product = np.eye(len(factors[0]) if factors[0].ndim == 1 else factors[0].shape[1])
    for factor in factors:
        product = factor[:, None] * product if factor.ndim == 1 else factor @ product
    found = np.linalg.eigvalsh(product @ product.T)
    return np.where(found > 1e-13 * found[-1], found, 0.0)


def agrees(law, draws):
    """To O(1/n) in the second moment, as real matrices of n units allow."""
    assert_mean([np.mean(one) for one in draws], law.mean, rejects=1.1 * law.mean)
    assert_mean([np.mean(one**2) for one in draws], law.second_moment, rejects=1.4 * law.second_moment, bias=0.03)
    assert ks_distance(np.concatenate(draws), law.cdf) < 0.015


def test_a_span_names_its_matrices_and_slopes():
    assert (list(SPANS[0].matrices), list(SPANS[0].slopes)) == ([1, 2, 3, 4], [1, 2, 3])
    assert (list(SPANS[1].matrices), list(SPANS[1].slopes)) == ([2, 3], [1, 2])


def test_slopes_of_one_input_stay_what_they_are():
    slopes = torch.tensor([[0.5, -2.0, 0.0]], dtype=torch.float64)
    assert equal_shares(slopes) == pytest.approx([0, 0.25, 4])


def test_slopes_of_many_inputs_keep_their_mean_square():
    slopes = torch.rand(16, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = equal_shares(slopes)
    assert found.shape == (5,)
    assert found.mean() == pytest.approx(slopes.square().mean().item())
    assert found[-1] == pytest.approx(slopes.square().flatten().sort().values[-16:].mean().item())


def random_layer(init, rows, columns, rng):
    if init.kind == "normal":
        return init.sigma_w * rng.standard_normal((rows, columns)) / np.sqrt(columns)
    turned = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))[0]
    return init.sigma_w * (turned if rows >= columns else turned.T) * np.sqrt(max(1, rows / columns))


@pytest.mark.parametrize("init", [Normal(sigma_w=1.3, sigma_b=0.4), Orthogonal(sigma_w=1.3, sigma_b=0.4)])
@pytest.mark.parametrize("span", SPANS, ids=["whole", "hidden"])
def test_nominal_is_the_law_of_large_random_layers(span, init):
    """The same net, every side 30 times as long, its pre-activations Gaussian of the lengths that quadrature gives."""
    ticket, rng, sides = drawn(fc(8, 5, 7), init), np.random.default_rng(3), [WIDE * n for n in (9, 8, 5, 7, 4)]
    q, draws = nominal_lengths(ticket, 1.3, 0.4, 3), []
    for _ in range(DRAWS):
        factors = []
        for layer in range(span.first, span.last + 1):
            if layer > span.first:
                factors.append(random_layer(init, sides[layer], sides[layer - 1], rng))
            if 0 < layer < span.last:
                z = ndtri((np.arange(sides[layer]) + 0.5) / sides[layer])
                factors.append(sech2(np.sqrt(q[layer - 1]) * rng.permutation(z)))
        draws.append(eigenvalues(factors))
    agrees(told(ticket, span)[NOMINAL], draws)


def test_own_sizes_are_the_law_of_equal_widths():
    """Hidden, W_4 D_3 W_3 D_2 W_2 D_1: three layers with the measured sigma_w and length of each."""
    ticket = drawn(fc(10, 10, 10, 10), density=0.6)
    sigma, q = sigmas(ticket), measured_lengths(ticket)
    law, found = rl.spectra.JacobianLaw(q[:3], [sigma[2], sigma[3], sigma[4]]), told(ticket, Span("hidden", 1, 4))[SIZES]
    x = np.geomspace(1e-4, law.edge, 30)
    assert (found.mean, found.variance, found.edge) == pytest.approx((law.mean, law.variance, law.edge), rel=1e-9)
    assert found.cdf(x) == pytest.approx(law.cdf(x), abs=1e-8)


def test_own_sizes_of_unequal_widths_are_of_rows():
    ticket = drawn(fc(8, 5, 7), density=0.6)
    sigma, chi = sigmas(ticket), [NORMAL @ sech2(np.sqrt(q) * Z) ** 2 for q in measured_lengths(ticket)]
    mean = np.prod([sigma[layer] ** 2 for layer in (1, 2, 3, 4)]) * np.prod(chi)
    assert told(ticket, SPANS[0])[SIZES].mean == pytest.approx(mean, rel=1e-9)


@pytest.mark.parametrize("init", [Orthogonal(), DeltaOrthogonal()])
def test_nominal_of_an_orthogonal_init_is_orthogonal(init):
    ticket = drawn(fc(10, 10, 10), init)
    q = nominal_lengths(ticket, 1.4, 0.3, 2)
    law, found = rl.spectra.JacobianLaw(q, 1.4, weights="orthogonal"), told(ticket, Span("hidden", 1, 3))[NOMINAL]
    assert (found.mean, found.variance, found.edge) == pytest.approx((law.mean, law.variance, law.edge), rel=1e-9)


def test_nominal_knows_the_sigmas_of_every_layer():
    """He: sigma_w^2 = 2; Glorot: 2 in/(in + out); a divided bias: sigma_b^2 over the width.

    Means are products of sigma_w^2 E phi'^2.
    """
    ticket = drawn(fc(8, 5, phi="relu"), He())
    assert told(ticket, Span("whole", 0, 3))[NOMINAL].mean == pytest.approx(2**3 / 2**2)
    sides = [9, 8, 5, 4]
    fans = [2 * before / (before + after) for before, after in itertools.pairwise(sides)]
    ticket = drawn(fc(8, 5, phi="linear"), Glorot())
    assert told(ticket, Span("whole", 0, 3))[NOMINAL].mean == pytest.approx(np.prod(fans))
    assert told(ticket, Span("hidden", 1, 2))[NOMINAL].mean == pytest.approx(fans[1])
    ticket = drawn(fc(8, 5), DividedBias(sigma_w=1.2, sigma_b=2.0))
    first = 1.44 * np.mean(probe(ticket, 20).x.double().numpy() ** 2) + 4 / 8
    chi = 1.44 * NORMAL @ sech2(np.sqrt(first) * Z) ** 2
    assert told(ticket, Span("hidden", 1, 2))[NOMINAL].mean == pytest.approx(chi, rel=1e-9)


def test_an_init_without_sigmas_has_no_nominal_law():
    assert list(told(drawn(fc(8, 5), Own()), Span("whole", 0, 3))) == [SIZES, MASKED, SPECTRA]


@pytest.mark.parametrize("span", SPANS, ids=["whole", "hidden"])
def test_masked_moments_are_those_over_masks_and_weights(span):
    """Each layer's kept weights, one by lot at each place or none, with random signs; independent gains of its length."""
    ticket, rng, samples = drawn(fc(6, 8, 5), density=0.5), np.random.default_rng(5), 40_000
    w, _ = held(ticket)
    q, start = measured_lengths(ticket), [9, 6, 8, 5, 4][span.first]
    product = np.broadcast_to(np.eye(start), (samples, start, start))
    for layer in range(span.first, span.last + 1):
        if layer > span.first:
            mask = ticket.mask[f"fc{layer}.weight"].numpy()
            size = (samples, *w[layer].shape)
            entries = rng.choice(w[layer][mask], size) * rng.choice([-1, 1], size)
            product = np.where(rng.random(size) < mask.mean(), entries, 0.0) @ product
        if 0 < layer < span.last:
            slopes = sech2(np.sqrt(q[layer - 1]) * rng.standard_normal((samples, product.shape[1], 1)))
            product = slopes * product
    gram, rows = product @ product.swapaxes(1, 2), product.shape[1]
    mean, variance = told(ticket, span)[MASKED]
    assert_mean(np.trace(gram, axis1=1, axis2=2) / rows, mean, rejects=1.06 * mean)
    square = np.sum(gram**2, axis=(1, 2)) / rows / mean**2
    assert_mean(square, 1 + variance, rejects=1.25 * (1 + variance))
    assert_mean(square, 1 + variance, rejects=0.8 * (1 + variance))


@pytest.mark.parametrize("span", SPANS, ids=["whole", "hidden"])
def test_own_spectra_are_those_of_turned_layers(span):
    """Each measured singular value and slope 30 times, between random rotations."""
    ticket, rng, draws = drawn(fc(8, 5, 7), density=0.7), np.random.default_rng(7), []
    w, b = held(ticket)
    x, slopes = probe(ticket, 1).x[0].double().numpy(), {}
    for layer in (1, 2, 3):
        h = w[layer] @ x + b[layer]
        x, slopes[layer] = np.tanh(h), sech2(h)
    for _ in range(DRAWS):
        factors = []
        for layer in range(span.first, span.last + 1):
            if layer > span.first:
                big = np.kron(w[layer], np.eye(WIDE))
                left, right = (np.linalg.qr(rng.standard_normal((side, side)))[0] for side in big.shape)
                factors.append(left @ big @ right)
            if 0 < layer < span.last:
                factors.append(np.repeat(slopes[layer], WIDE))
        draws.append(eigenvalues(factors))
    agrees(told(ticket, span, samples=1)[SPECTRA], draws)


def test_own_spectra_have_the_mean_of_sizes_and_slopes():
    ticket = drawn(fc(8, 5, 7), density=0.7)
    w, b = held(ticket)
    x, mean = probe(ticket, 20).x.double().numpy(), 1.0
    for layer in (1, 2, 3, 4):
        mean *= np.sum(w[layer] ** 2) / len(w[layer])
        h = x @ w[layer].T + b[layer]
        x, mean = np.tanh(h), mean * (np.mean(sech2(h) ** 2) if layer < 4 else 1)
    assert told(ticket, SPANS[0])[SPECTRA].mean == pytest.approx(mean, rel=1e-9)


def test_a_product_with_a_factor_of_zeros_has_no_law():
    def emptied(weights, mask):
        mask["fc2.weight"][:] = False

    ticket = drawn(fc(8, 5, 7), change=emptied)
    assert told(ticket, SPANS[0]) == {}
    assert told(ticket, Span("last", 3, 4)).keys() == {NOMINAL, SIZES, MASKED, SPECTRA}
