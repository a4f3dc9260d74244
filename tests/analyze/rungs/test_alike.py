"""Pairs by T0 to T3: against random nets, and against the covariance map by hand."""

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery.analyze.rungs.alike import SOURCES, alike
from rmtlottery.analyze.rungs.names import T0, T2, T3
from rmtlottery.measure.pairs import correlations
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Conv, Normal, Passed
from tests.analyze.rungs.made import INIT, made
from tests.conftest import assert_mean

SHAPE = (2, 5, 6)
PAIRS = torch.tensor([0, 0, 2]), torch.tensor([3, 1, 4])  # of one class, and of two


def of(held, source=T0):
    return [c for name, _, c in alike(held.ticket, held.weights, held.seen, PAIRS) if name == source]


def simulated(held, nets=120):
    network = held.seen.network
    for seed in range(nets):
        found = correlations(network, initial(INIT, network.shapes, seed), held.seen.x)
        yield [c[PAIRS].numpy() for c in found]


@pytest.mark.parametrize("net", [FC(widths=(300, 420, 360)), Conv(channels=(80, 110, 90), padding="zero")])
def test_nominal_correlations_are_those_of_wide_random_nets(net):
    held = made(net, SHAPE, inputs=5)
    found, theory = np.array(list(simulated(held))), of(held)
    assert len(theory) == 3
    for layer in range(3):
        for pair in range(3):
            c = theory[layer][pair]
            assert_mean(found[:, layer, pair], c, rejects=c + 0.07, bias=0.012)


def test_padding_is_seen():
    """Of pictures that are alike in the middle, zero padding makes another correlation than circular."""
    zero, circular = (
        of(made(Conv(channels=(4, 5, 6), padding=padding), SHAPE, inputs=5)) for padding in ("zero", "circular")
    )
    assert np.abs(zero[2] - circular[2]).max() > 0.01


def test_it_is_the_covariance_map_chained():
    held = made(FC(widths=(9, 14, 6)), density=0.5, inputs=5)
    x = held.seen.x.double().numpy()
    a, b = x[PAIRS[0]], x[PAIRS[1]]
    q1, q2, q12 = (a**2).mean(1), (b**2).mean(1), (a * b).mean(1)
    act = rl.meanfield.activation("tanh")
    for layer, c in enumerate(of(held, T3), start=1):
        w, bias = (held.weights[f"fc{layer}.{kind}"].double() for kind in ("weight", "bias"))
        w2, b2 = (w**2).sum().item() / len(w), (bias**2).mean().item()
        q1, q2, q12 = (w2 * q + b2 for q in (q1, q2, q12))
        assert c == pytest.approx(q12 / np.sqrt(q1 * q2), rel=1e-9)
        q12 = rl.meanfield.covariance_map(q1, q2, q12, 1.0, 0.0)
        q1, q2 = act.V(q1), act.V(q2)
    assert layer == 3


def test_an_input_with_itself_is_alike_in_every_layer():
    held = made(Conv(channels=(4, 5), padding="zero", strides=(2,), readout="flat", widths=(7,)), SHAPE, inputs=4)
    same = torch.arange(4), torch.arange(4)
    rows = list(alike(held.ticket, held.weights, held.seen, same))
    assert {(source, layer) for source, layer, _ in rows} == {(source, layer) for source in SOURCES for layer in (1, 2, 3)}
    for _, _, c in rows:
        assert c == pytest.approx(np.ones(4), rel=1e-9)


def test_it_ends_where_layers_are_pooled_and_has_no_T0_without_a_law():
    held = made(Conv(channels=(3, 4, 5), pools=(1,)), SHAPE, init=Passed(), inputs=5)
    rows = [(source, layer) for source, layer, _ in alike(held.ticket, held.weights, held.seen, PAIRS)]
    assert rows == [(T2, 1), (T3, 1)]


def test_a_dead_layer_makes_inputs_alike_by_its_biases():
    held = made(FC(widths=(9, 14)), inputs=5)
    held.weights["fc2.weight"] = torch.zeros(14, 9)
    assert of(held, T3)[1] == pytest.approx(np.ones(3))


def test_where_nothing_is_left_all_is_finite():
    held = made(FC(widths=(9, 14)), density=0.0, init=Normal(sigma_b=0.0), inputs=5)
    for _, _, c in alike(held.ticket, held.weights, held.seen, PAIRS):
        assert np.all(np.isfinite(c))


def test_deeper_signals_are_not_asked():
    """phi of the net is another function: theory does not see it."""
    held = made(FC(widths=(9, 14, 6)), inputs=5)
    broken = held.seen._replace(network=rl.nets.chain(held.ticket.spec.net, (30,), 3, phi=lambda h: 3 * h + 1))
    assert np.array_equal(of(held), [c for name, _, c in alike(held.ticket, held.weights, broken, PAIRS) if name == T0])
