"""What is trained: built from the Spec, or handed over; a net and data of one's own go all the way."""

import numpy as np
import pytest
import torch
from torch import nn

import rmtlottery as rl
from rmtlottery.tickets.run import Run
from rmtlottery.train.fit import planned
from rmtlottery.train.levels import Levels
from rmtlottery.train.material import material
from rmtlottery.work.unit import Unit


def data(samples=300, shape=(3, 6, 5), classes=4, seed=0):
    """Pictures whose class is seen in one channel's mean."""
    stream = np.random.default_rng(seed)
    y = stream.integers(classes, size=samples)
    x = stream.standard_normal((samples, *shape)).astype(np.float32)
    x[:, 0] += y[:, None, None]
    return x, y


def given():
    return (*data(), *data(100, seed=1))


def convnet(dropout=False):
    layers = [nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Linear(150, 4)]
    return nn.Sequential(*layers[:4], nn.Dropout(0.3), layers[4]) if dropout else nn.Sequential(*layers)


@pytest.fixture
def spec():
    return rl.Spec().but(init="own", levels=2, epochs=3, batch=50, lr=1e-2, seeds=(0, 1), name="own")


def test_the_linear_net_is_the_net_without_phi():
    held = material(rl.preset("first"))
    theta, x = held.theta(0), held.data.test.x[:5]
    h = x
    for layer in range(1, 5):
        h = h @ theta[f"fc{layer}.weight"].T + theta[f"fc{layer}.bias"]
    torch.testing.assert_close(held.linear.logits(theta, x), h)


@pytest.mark.parametrize("dropout", [False, True], ids=["at once", "seed by seed"])
def test_a_module_and_data_of_ones_own_are_trained_pruned_and_resumed(spec, tmp_path, dropout, capsys):
    torch.manual_seed(0)
    module, tensors = convnet(dropout), given()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    run = rl.fit(spec, tmp_path, net=module, data=tensors)
    assert ("seed by seed" in capsys.readouterr().err) is dropout
    assert run.spec.net.module == "torch.nn.modules.container.Sequential"
    assert all(torch.equal(module.state_dict()[name], value) for name, value in before.items()), "the module is not touched"
    last = run[1, 2]
    assert last.metrics[-1]["test_accuracy"] > 0.5
    assert {name: int(mask.sum()) for name, mask in last.mask.items()} == {
        "0.weight": 86, ("5" if dropout else "4") + ".weight": 486,
    }  # fmt: skip
    held = {ticket.level: ticket.record["sha256"] for ticket in run if ticket.seed == 1}
    for path in run.path.glob("seed-*/level-01.*"):
        path.unlink()
    again = rl.fit(spec, tmp_path, net=module, data=tensors)
    assert {ticket.level: ticket.record["sha256"] for ticket in again if ticket.seed == 1} == held


def test_a_ticket_is_a_state_dict_and_scores_as_recorded(spec, tmp_path):
    tensors = given()
    run = rl.fit(spec.but(levels=1, rewind=3), tmp_path, net=convnet(), data=tensors)
    ticket, module = run[0, 1], convnet().eval()
    module.load_state_dict(ticket.weights)
    learn, held = tensors[0], material(run.spec, module, None).data
    assert len(learn) == len(held.train) + len(held.validation)
    with torch.no_grad():
        hits = module(held.test.x.unflatten(1, (3, 6, 5))).argmax(1) == held.test.y
    assert hits.float().mean().item() == pytest.approx(ticket.metrics[-1]["test_accuracy"], abs=1e-6)
    assert int(run[0, 0].snapshots[3]["1.num_batches_tracked"]) == 3
    assert int(ticket.start["1.num_batches_tracked"]) == 3, "running statistics are rewound too"
    assert int(ticket.weights["1.num_batches_tracked"]) == 18


def test_a_seed_of_a_module_does_not_depend_on_its_neighbours(spec, tmp_path):
    spec = spec.but(optimiser="sgd")  # Adam makes steps of the rounding error of a bias that a normalisation takes away
    for dropout in (False, True):
        module, tensors = convnet(dropout), given()
        pair = rl.fit(spec.but(levels=0, name="pair"), tmp_path / str(dropout), net=module, data=tensors)
        alone = rl.fit(spec.but(levels=0, seeds=1, name="alone"), tmp_path / str(dropout), net=module, data=tensors)
        for name, value in alone[1, 0].weights.items():
            torch.testing.assert_close(pair[1, 0].weights[name], value, rtol=1e-4, atol=1e-5)


def test_a_run_of_a_module_wants_it_again(spec, tmp_path):
    run = rl.fit(spec.but(levels=0), tmp_path, net=convnet(), data=given())
    with pytest.raises(
        rl.Refusal,
        match=r"Sequential, a module of yours, which no run holds: pass it to rl.fit as net=",
    ):
        rl.fit(run.spec, tmp_path, data=given())
    with pytest.raises(rl.Refusal, match="holds another spec"):
        rl.fit(run.spec, tmp_path, net=convnet(dropout=True), data=given())
    with pytest.raises(rl.Refusal, match="precision = bf16 is for nets of fc and conv"):
        rl.fit(run.spec.but(name="half"), tmp_path, net=convnet(), data=given(), precision="bf16")


def test_an_init_of_a_modules_own_needs_a_module(tmp_path):
    with pytest.raises(rl.Refusal, match="init = 'own' is a module's own, which has no law known here"):
        rl.fit(rl.preset("first").but(init="own"), tmp_path)


def test_another_init_draws_weights_and_leaves_normalisation_alone(spec):
    held = material(spec.but(init="he", data="digits", net={"kind": "resnet", "depth": 8, "stem": 4}))
    theta = held.theta(3)
    assert torch.equal(theta["norm.weight"], torch.ones(4))
    assert torch.equal(theta["norm.bias"], torch.zeros(4))
    assert theta["blocks.2.conv2.weight"].square().mean().item() == pytest.approx(2 / (16 * 9), rel=0.2)


def test_a_last_batch_of_one_sample_is_refused_where_it_cannot_be_normalised(spec, tmp_path):
    flat = nn.Sequential(nn.Flatten(), nn.Linear(90, 6), nn.BatchNorm1d(6), nn.Linear(6, 4))
    x, y = data(312)
    match = (
        "samples in batches of 40 leave a last one of 1, and Expected more than 1 value per channel .*: take another batch"
    )
    odd = (x, y, *data(100, seed=1))  # 281 to train on
    with pytest.raises(rl.Refusal, match=match):
        rl.fit(spec.but(batch=40), tmp_path, net=flat, data=odd)
    rl.fit(spec.but(batch=40, epochs=1, levels=0), tmp_path, net=convnet(), data=odd)


class Noting(nn.Module):
    """It draws from torch's generator and keeps what it drew."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(90, 4)
        self.drawn = []

    def forward(self, x):
        if self.training:
            self.drawn.append(torch.rand(()).item())
        return self.linear(x.flatten(1))


def test_what_a_module_draws_is_new_for_every_seed_level_and_step_and_the_same_again(spec, tmp_path):
    def drawn(name):
        plan = planned(spec.but(name=name, levels=1, epochs=1), None, Noting(), given())
        run = Run.open(tmp_path, plan.spec)
        plan.network.module.drawn.clear()
        Levels(run, Unit((0, 1)), lambda level, state: None, plan).go()
        return list(plan.network.module.drawn)

    first = drawn("first")
    assert len(first) == 2 * 2 * 6
    assert len(set(first)) == len(first)
    assert drawn("second") == first
