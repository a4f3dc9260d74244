"""Our optimisers against torch's, and what must not move."""

import pytest
import torch

from rmtlottery.tickets.parts import SGD, Adam
from rmtlottery.tickets.spec import kinds
from rmtlottery.train.optimise import UPDATES, memory

RATES = [0.1, 0.02, 0.3]
RULES = {
    "sgd-plain": (SGD(momentum=0.0), torch.optim.SGD, {}),
    "sgd-momentum": (SGD(momentum=0.8), torch.optim.SGD, {"momentum": 0.8}),
    "sgd-nesterov": (SGD(momentum=0.7, nesterov=True), torch.optim.SGD, {"momentum": 0.7, "nesterov": True}),
    "adam": (Adam(), torch.optim.Adam, {"betas": (0.9, 0.999), "eps": 1e-8}),
    "adam-large-eps": (Adam(beta1=0.6, beta2=0.8, eps=0.1), torch.optim.Adam, {"betas": (0.6, 0.8), "eps": 0.1}),
    "adam-no-memory": (Adam(beta1=0.0, beta2=0.0), torch.optim.Adam, {"betas": (0.0, 0.0)}),
}


def gradients():
    stream = torch.Generator().manual_seed(0)
    return [torch.randn(3, 5, generator=stream, dtype=torch.float64) * 10 ** (step % 3 - 1) for step in range(20)]


def start():
    return torch.linspace(-1, 1, 15, dtype=torch.float64).view(3, 5)


def update(rule, coordinates, gradient, slots, lr, count):
    lr, count = torch.tensor(lr, dtype=torch.float64), torch.tensor(float(count))
    UPDATES[rule.kind](rule, coordinates, gradient, slots, lr, count)


def ours(rule, counts=range(1, 21), begin=None, grads=None):
    coordinates = start() if begin is None else begin.clone()
    slots = {name: torch.zeros_like(coordinates) for name in memory(rule)}
    for step, (gradient, count) in enumerate(zip(grads or gradients(), counts, strict=True)):
        update(rule, coordinates, gradient, slots, RATES[step % 3], count)
    return coordinates, slots


def theirs(kind, options):
    parameter = start().requires_grad_()
    optimiser = kind([parameter], lr=1.0, **options)
    for step, gradient in enumerate(gradients()):
        parameter.grad, optimiser.param_groups[0]["lr"] = gradient, RATES[step % 3]
        optimiser.step()
    return parameter.detach()


@pytest.mark.parametrize("name", RULES)
def test_twenty_steps_are_those_of_torch(name):
    rule, kind, options = RULES[name]
    torch.testing.assert_close(ours(rule)[0], theirs(kind, options), rtol=0, atol=1e-12)


def test_the_comparison_refuses_a_bias_correction_that_does_not_count_steps():
    rule, kind, options = RULES["adam"]
    assert (ours(rule, counts=[1] * 20)[0] - theirs(kind, options)).abs().max() > 1e-3


@pytest.mark.parametrize("name", RULES)
def test_a_coordinate_without_gradient_and_at_zero_stays_at_zero_with_its_slots(name):
    still = torch.zeros(3, 5, dtype=torch.bool)
    still[0, 1] = still[2, 3] = True
    grads = [gradient.masked_fill(still, 0) for gradient in gradients()]
    found, slots = ours(RULES[name][0], begin=start().masked_fill(still, 0), grads=grads)
    assert (found[still] == 0).all()
    assert all((slot[still] == 0).all() for slot in slots.values())
    assert (found[~still] != 0).all()


@pytest.mark.parametrize("name", RULES)
def test_replicates_do_not_see_each_other(name):
    together = ours(RULES[name][0])[0]
    alone = ours(RULES[name][0], begin=start()[1], grads=[g[1] for g in gradients()])[0]
    torch.testing.assert_close(together[1], alone, rtol=0, atol=1e-15)


def test_the_first_step_of_adam_is_the_rate_whatever_the_size_of_the_gradient():
    coordinates = torch.zeros(2, dtype=torch.float64)
    slots = {name: torch.zeros_like(coordinates) for name in memory(Adam())}
    update(Adam(), coordinates, torch.tensor([1e4, -1e-2], dtype=torch.float64), slots, 0.25, 1)
    assert coordinates.tolist() == pytest.approx([-0.25, 0.25], rel=1e-5)


def test_three_steps_of_momentum_by_hand():
    coordinates, slots = torch.zeros(1), {"momentum": torch.zeros(1)}
    for count in (1, 2, 3):
        update(SGD(momentum=0.5), coordinates, torch.ones(1), slots, 1.0, count)
    assert (coordinates.item(), slots["momentum"].item()) == (-(1 + 1.5 + 1.75), 1.75)


def test_the_gradient_is_left_as_it_was():
    gradient = gradients()[0]
    ours(SGD(momentum=0.5), counts=[1], grads=[gradient])
    ours(Adam(), counts=[1], grads=[gradient])
    assert torch.equal(gradient, gradients()[0])


def test_every_kind_of_optimiser_has_an_update_and_a_memory():
    assert set(UPDATES) == set(kinds("optimiser"))
    assert all(memory(kind()) for kind in kinds("optimiser").values())
