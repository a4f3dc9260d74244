"""The bar is twice the spread of measured lengths over random nets, at the inputs at hand."""

import numpy as np
import pytest
import torch

from rmtlottery import nets
from rmtlottery.analyze.rungs.bar import bars
from rmtlottery.analyze.rungs.names import T0, T3
from rmtlottery.analyze.rungs.pooled import course, pools
from rmtlottery.meanfield import length_shift, length_variance
from rmtlottery.measure.pairs import SIGNALS
from rmtlottery.measure.signal import hidden_lengths
from rmtlottery.nets.init import initial
from rmtlottery.tickets.parts import FC, Conv
from tests.analyze.rungs.made import INIT, made

WIDTHS = (60, 90, 45, 70)
NET = FC(widths=WIDTHS)
MANY = 400  # random nets: a standard deviation is found to 3.5 %


def spread(held):
    """Standard deviation over inits of q, averaged over the inputs, over the q of theory."""
    network = held.seen.network
    q = [hidden_lengths(network, initial(INIT, network.shapes, seed), held.seen.x) for seed in range(MANY)]
    theory = np.array([step.q for step in course(pools(held.ticket, held.weights)[T0], held.seen)])
    return np.std(q, axis=0) / theory, theory


def half_bar(held, theory):
    """The standard deviation that the bar claims: half of it, less the mean shift."""
    widths = [layer.shape[0] for layer in held.seen.network.layers[:-1]]
    shift = np.abs(length_shift(theory, widths, INIT.sigma_w)) / theory
    return (np.array(bars(pools(held.ticket, held.weights)[T0], held.seen, "tanh")) - shift) / 2


@pytest.mark.parametrize("inputs", [1, 2, 24, 150])
def test_half_of_it_is_the_standard_deviation_over_inits_of_q_averaged_over_inputs(inputs):
    held = made(NET, inputs=inputs)
    found, theory = spread(held)
    claimed = half_bar(held, theory)
    assert claimed == pytest.approx(found, rel=0.13)
    one = np.sqrt(length_variance(theory, WIDTHS, INIT.sigma_w)) / theory
    if inputs > 2:
        assert np.all(one > 1.5 * found), "the bar of one input would be refused"
        assert np.all(one / np.sqrt(inputs) < 0.6 * found), "and so would inputs that averaged it away"


def test_of_wide_convolutions_it_is_of_the_right_size():
    """Windows are not followed, and pixels stand for all: to a third."""
    held = made(Conv(channels=(30, 50, 40), padding="zero"), (2, 6, 7), inputs=10)
    found, theory = spread(held)
    assert half_bar(held, theory) == pytest.approx(found, rel=0.35)


def test_it_shrinks_with_the_width_and_not_with_more_inputs_that_are_alike():
    narrow, wide = (made(FC(widths=(width, width)), inputs=60) for width in (50, 800))
    small, large = (np.array(bars(pools(held.ticket, held.weights)[T0], held.seen, "tanh")) for held in (wide, narrow))
    assert large / small == pytest.approx(4, rel=0.05)
    alike = narrow.seen._replace(x=narrow.seen.x[:1] * torch.linspace(0.95, 1.05, 60)[:, None])
    one = narrow.seen._replace(x=narrow.seen.x[:1])
    layers = pools(narrow.ticket, narrow.weights)[T0]
    assert bars(layers, alike, "tanh") == pytest.approx(bars(layers, one, "tanh"), rel=0.02)


def test_it_is_asked_of_some_of_the_inputs_only():
    held = made(NET, inputs=SIGNALS + 30)
    layers = pools(held.ticket, held.weights)[T0]
    other = torch.cat([held.seen.x[:SIGNALS], 100 * held.seen.x[SIGNALS:]])
    assert bars(layers, held.seen._replace(x=other), "tanh") == bars(layers, held.seen, "tanh")


def test_of_pruned_inits_T3_is_inside():
    """19 times of 20, about, as two standard deviations are; a bar of a fifth would be too short."""
    inside = narrow = 0
    for seed in range(100):
        held = made(NET, seed=seed, density=0.3)
        layers = pools(held.ticket, held.weights)[T3]
        theory = np.array([step.q for step in course(layers, held.seen)])
        off = np.abs(np.array(hidden_lengths(held.seen.network, held.weights, held.seen.x)) / theory - 1)
        bar = np.array(bars(layers, held.seen, "tanh"))
        inside += np.mean(off <= bar) / 100
        narrow += np.mean(off <= bar / 5) / 100
    assert inside > 0.93
    assert narrow < 0.7


def test_behind_pictures_there_is_none():
    """Fully connected layers at a flat readout; those before them have the bar that they have without."""
    flat = made(Conv(channels=(4, 5), padding="zero", readout="flat", widths=(7, 6)), (2, 6, 7))
    got = bars(pools(flat.ticket, flat.weights)[T3], flat.seen, "tanh")
    assert np.isnan(got).tolist() == [False, False, True, True]
    bare = made(Conv(channels=(4, 5), padding="zero"), (2, 6, 7))
    bare.weights.update({name: value for name, value in flat.weights.items() if name.startswith("conv")})
    assert got[:2] == bars(pools(bare.ticket, bare.weights)[T3], bare.seen, "tanh")


@pytest.mark.parametrize("net", [NET, Conv(channels=(4, 5), padding="zero", readout="flat", widths=(7,))])
def test_where_theory_has_no_answer_there_is_none(net):
    held = made(net, (2, 6, 7))
    enormous = {name: value * 1e20 for name, value in held.weights.items()}
    got = bars(pools(held.ticket, enormous)[T3], held.seen, "tanh")
    assert len(got) == len(held.seen.network.layers) - 1
    assert np.all(np.isnan(got))


def test_a_dead_net_has_a_bar():
    held = made(NET, density=0.0, inputs=5)
    for weights in (held.weights, {name: torch.zeros_like(value) for name, value in held.weights.items()}):
        assert np.all(np.isfinite(bars(pools(held.ticket, weights)[T3], held.seen, "tanh")))


def test_the_readout_has_none():
    held = made(NET)
    assert len(bars(pools(held.ticket, held.weights)[T3], held.seen, "tanh")) == len(WIDTHS)
    assert nets.build(NET, (20,), 3).layers[-1].shape == (3, 70)
