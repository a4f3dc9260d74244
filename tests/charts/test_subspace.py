"""Any module along few directions: what is trained, what is saved, what is refused."""

import io

import pytest
import torch
from torch import nn

import rmtlottery as rl
from rmtlottery.charts import Subspace, projection
from rmtlottery.charts.projections import KINDS


def module(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.BatchNorm1d(5), nn.Linear(5, 3))


X, Y = torch.randn(20, 6, generator=torch.Generator().manual_seed(1)), torch.arange(20) % 3
SIZE = 6 * 5 + 5 + 10 + 5 * 3 + 3


def saved(subspace):
    held = io.BytesIO()
    torch.save(subspace.state_dict(), held)
    return held


def loaded(held):
    held.seek(0)
    return torch.load(held, weights_only=True)


@pytest.mark.parametrize("kind", KINDS)
def test_it_starts_as_the_module_is(kind):
    net = module()
    net.train()
    torch.testing.assert_close(Subspace(net, 9, kind)(X), net(X))


@pytest.mark.parametrize("factors", [False, True])
def test_its_gradient_is_that_through_the_matrix(factors):
    net, stream = module(), torch.Generator().manual_seed(3)
    subspace = Subspace(net, 9, seed=2, factors=factors)
    lambdas, theta = torch.rand(3, generator=stream) + 0.5, torch.randn(len(subspace.theta), generator=stream)
    with torch.no_grad():
        subspace.theta.copy_(theta)
        if factors:
            subspace.factors.copy_(lambdas)
    nn.functional.cross_entropy(subspace(X), Y).backward()
    matrix = projection("fastfood", SIZE, len(theta), 2).apply(torch.eye(len(theta))).T
    sizes = torch.tensor([35, 10, 18])
    theta, lambdas = theta.requires_grad_(), lambdas.requires_grad_()
    start = torch.cat([value.detach().flatten() for value in net.parameters()])
    scale = lambdas.repeat_interleave(sizes) if factors else 1.0
    flat, shapes = start + scale * (matrix @ theta), [value.shape for value in net.parameters()]
    pieces = [p.view(s) for p, s in zip(flat.split([s.numel() for s in shapes]), shapes, strict=True)]
    weights = dict(zip(dict(net.named_parameters()), pieces, strict=True))
    nn.functional.cross_entropy(torch.func.functional_call(net.train(), weights, (X,)), Y).backward()
    torch.testing.assert_close(subspace.theta.grad, theta.grad, rtol=1e-4, atol=1e-6)
    if factors:
        torch.testing.assert_close(subspace.factors.grad, lambdas.grad, rtol=1e-4, atol=1e-6)


def test_it_has_the_coordinates_for_parameters_and_trains():
    subspace = Subspace(module(), 12, factors=True)
    assert {name: value.numel() for name, value in subspace.named_parameters()} == {"theta": 9, "factors": 3}
    before = nn.functional.cross_entropy(subspace(X), Y).item()
    optimiser = torch.optim.Adam(subspace.parameters(), 0.1)
    for _ in range(30):
        optimiser.zero_grad()
        nn.functional.cross_entropy(subspace(X), Y).backward()
        optimiser.step()
    assert nn.functional.cross_entropy(subspace(X), Y).item() < before - 0.1


def test_a_checkpoint_is_small_and_brings_all_back():
    large = nn.Sequential(nn.Linear(300, 200), nn.BatchNorm1d(200), nn.Linear(200, 3))
    subspace = Subspace(large, 50, seed=4)
    with torch.no_grad():
        subspace.theta.normal_()
    x = torch.randn(30, 300)
    subspace.train()(x)
    held = saved(subspace)
    assert held.getbuffer().nbytes < 10_000, "62,000 weights would be 248,000 bytes"
    again = Subspace(large, 50, seed=4)
    again.load_state_dict(loaded(held))
    assert torch.equal(again.eval()(x), subspace.eval()(x)), "running statistics too"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: Subspace(module(), 9, seed=1), "another seed: it says seed = 0"),
        (lambda: Subspace(module(), 9, "dense"), "another projection"),
        (lambda: Subspace(module(7), 9), "another w_0"),
    ],
)
def test_a_checkpoint_of_another_subspace_is_refused(other, words):
    with pytest.raises(rl.Refusal, match=words):
        other().load_state_dict(loaded(saved(Subspace(module(), 9))))


def test_a_checkpoint_whose_seed_now_gives_another_p_is_refused():
    state = Subspace(module(), 9).state_dict()
    state["_extra_state"]["projection"] = "0123456789abcdef"
    with pytest.raises(rl.Refusal, match="another P: it says projection = 0123456789abcdef"):
        Subspace(module(), 9).load_state_dict(state)


def test_what_is_merged_is_the_module_itself():
    subspace = Subspace(module(), 9).eval()
    with torch.no_grad():
        subspace.theta.normal_()
    merged = subspace.merged()
    assert type(merged) is nn.Sequential
    torch.testing.assert_close(merged(X), subspace(X))


def test_the_module_that_was_passed_stays_as_it_was():
    net = module()
    before = [value.clone() for value in net.state_dict().values()]
    subspace = Subspace(net, 9)
    with torch.no_grad():
        subspace.theta.normal_()
    subspace(X)
    assert all(torch.equal(a, b) for a, b in zip(before, net.state_dict().values(), strict=True))


def test_frozen_weights_stay_and_are_not_counted():
    net = module()
    net[0].weight.requires_grad_(False)
    subspace = Subspace(net, 9)
    assert subspace.projection.ambient == SIZE - 30
    assert "0.weight" not in subspace.weights()


def test_tied_weights_move_as_one():
    net = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    net[1].weight = net[0].weight
    subspace = Subspace(net, 5)
    with torch.no_grad():
        subspace.theta.normal_()
    assert subspace.projection.ambient == 16
    weight, x = subspace.weights()["0.weight"], torch.randn(2, 4)
    torch.testing.assert_close(subspace(x), x @ weight.T @ weight.T)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_theta_stays_of_float32_where_the_module_is_rounded(dtype):
    subspace = Subspace(module().eval(), 9).to(dtype).eval()
    assert subspace.theta.dtype == torch.float32
    assert subspace(X.to(dtype)).dtype == dtype
    assert subspace.weights()["0.weight"].dtype == dtype
    of_half = Subspace(module().to(dtype).eval(), 9).eval()
    assert of_half(X.to(dtype)).dtype == dtype
    of_half(X.to(dtype)).float().square().sum().backward()
    assert of_half.theta.grad.dtype == torch.float32


def test_training_and_eval_reach_the_module():
    subspace = Subspace(module(), 9)
    assert not subspace.eval().around[0].training
    assert subspace.train().around[0].training


def test_a_refused_checkpoint_leaves_all_as_it_was():
    subspace = Subspace(module(), 9)
    state = Subspace(module(), 9, seed=1).state_dict() | {"theta": torch.full((9,), 7.0)}
    with pytest.raises(rl.Refusal, match="another seed"):
        subspace.load_state_dict(state)
    assert not subspace.theta.any()


def test_other_frozen_weights_are_another_subspace():
    nets = []
    for value in (0.0, 1.0):
        net = module()
        net[0].weight.requires_grad_(False).fill_(value)
        nets.append(Subspace(net, 9))
    with pytest.raises(rl.Refusal, match="another set of frozen weights"):
        nets[1].load_state_dict(nets[0].state_dict())


def test_rounding_the_module_leaves_the_bits_of_theta_and_its_gradient():
    subspace = Subspace(module().eval(), 9)
    with torch.no_grad():
        subspace.theta.fill_(1.0001)
    subspace(X).square().sum().backward()
    before = subspace.theta.grad.clone()
    subspace.bfloat16()
    assert subspace.theta[0].item() == pytest.approx(1.0001, abs=1e-7)
    assert torch.equal(subspace.theta.grad, before)


@pytest.mark.parametrize("kind", KINDS)
def test_autocast_rounds_nothing_of_the_directions(kind):
    subspace = Subspace(module().eval(), 9, kind)
    with torch.no_grad():
        subspace.theta.normal_()
    exact = subspace.weights()["0.weight"]
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(subspace.weights()["0.weight"], exact)


def test_functional_transforms_reach_theta():
    subspace = Subspace(module().eval(), 9)

    def loss(theta):
        held = {"theta": theta}
        return nn.functional.cross_entropy(torch.func.functional_call(subspace, held, (X,)), Y)

    theta = subspace.theta.detach()
    nn.functional.cross_entropy(subspace(X), Y).backward()
    torch.testing.assert_close(torch.func.grad(loss)(theta), subspace.theta.grad)


def test_it_is_in_the_mode_of_its_module():
    assert not Subspace(module().eval(), 9).training
    assert Subspace(module().train(), 9).training


def frozen():
    return module().requires_grad_(False)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda: Subspace(module(), 0), "d = 0 coordinates are not between 1 and the 63 weights"),
        (lambda: Subspace(module(), 64), "d = 64 coordinates are not between 1 and the 63 weights"),
        (lambda: Subspace(module(), 3, factors=True), "leaves nothing beside the 3 factors"),
        (lambda: Subspace(frozen(), 3), "Sequential has no weight that requires a gradient"),
        (lambda: Subspace(nn.Tanh(), 3), "Tanh has no weight that requires a gradient"),
        (lambda: Subspace(nn.Linear, 3), "is no torch.nn.Module"),
        (lambda: Subspace(nn.LazyLinear(4), 3), "has no shape yet"),
        (lambda: Subspace(nn.Linear(2, 2, dtype=torch.complex64), 3), "is complex"),
        (lambda: Subspace(module(), 3, "fastfod"), "fastfood"),
    ],
)
def test_what_cannot_be_is_refused(made, words):
    with pytest.raises(rl.Refusal, match=words):
        made()
