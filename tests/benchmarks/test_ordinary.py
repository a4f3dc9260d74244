"""The other side really trains: it learns what ours learns, and its masks hold in every forward pass."""

import pytest
import torch
from torch.nn.functional import cross_entropy

import rmtlottery as rl
from benchmarks import _ordinary, ensemble, fcnet, prune, sparse
from rmtlottery import datasets
from rmtlottery.prune.cut import counts

SPEC = rl.preset("digits").but(widths="40,24", epochs=4, levels=2, rate=0.3, last_rate=0.1, seeds=(0, 1, 2))
DATA = datasets.dataset(SPEC.data)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return _ordinary.network(SPEC, DATA)


def test_its_accuracy_is_ours(tmp_path):
    ours = [ticket.record["metrics"][-1]["test_accuracy"] for ticket in rl.fit(SPEC, tmp_path) if ticket.level == 2]
    theirs = []
    for seed in SPEC.seeds:
        torch.manual_seed(seed)
        theirs.append(_ordinary.train_levels(_ordinary.network(SPEC, DATA), SPEC, DATA)[-1]["test"]["accuracy"])
    assert min(theirs) > 0.8
    assert sum(theirs) / 3 == pytest.approx(sum(ours) / 3, abs=0.04)


@pytest.mark.parametrize("batches", [_ordinary.loaded, _ordinary.indexed])
def test_an_epoch_shows_every_sample_once(batches):
    shown = list(batches(DATA.test, 50))
    assert [len(y) for _, y in shown[:-1]] == [50] * (len(shown) - 1)
    seen = torch.cat([x for x, _ in shown])
    torch.testing.assert_close(seen.sum(1).sort().values, DATA.test.x.sum(1).sort().values, rtol=0, atol=0)


def test_bfloat16_rounds_its_products_and_still_learns(net):
    rows = _ordinary.train(net, SPEC, DATA, "bf16")
    assert rows[-1]["train"]["loss"] < rows[0]["train"]["loss"] / 2
    assert all(value.dtype == torch.float32 for value in net.parameters())


def test_a_masked_weight_is_not_heard_and_does_not_learn(net):
    for layer in _ordinary.layers(net):
        layer.mask = (torch.rand_like(layer.weight) < 0.5).float()
    before = net(DATA.test.x)
    with torch.no_grad():
        for layer in _ordinary.layers(net):
            layer.weight += 1e3 * (1 - layer.mask)
    torch.testing.assert_close(net(DATA.test.x), before)
    held = [layer.weight.detach().clone() for layer in _ordinary.layers(net)]
    _ordinary.train(net, SPEC.but(epochs=1), DATA)
    for layer, weight in zip(_ordinary.layers(net), held, strict=True):
        moved = layer.weight.detach() != weight
        assert not moved[layer.mask == 0].any()
        assert moved[layer.mask == 1].any()


def test_a_cut_leaves_the_largest_and_as_many_as_ours_leaves(net):
    first = _ordinary.layers(net)[0]
    _ordinary.cut_by_magnitude(_ordinary.layers(net), SPEC.prune)
    size = first.weight.abs()
    assert size[first.mask == 0].max() < size[first.mask == 1].min()
    _ordinary.cut_by_magnitude(_ordinary.layers(net), SPEC.prune)
    kept = [int(layer.mask.sum()) for layer in _ordinary.layers(net)]
    assert kept == [counts(64 * 40, 0.3, 2)[-1], counts(40 * 24, 0.3, 2)[-1], counts(24 * 10, 0.1, 2)[-1]]


def test_it_is_rewound(net):
    start = {name: value.detach().clone() for name, value in net.named_parameters()}
    _ordinary.train(net, SPEC.but(epochs=1), DATA)
    assert not torch.equal(net[0].weight, start["0.weight"])
    _ordinary.rewind(net, start)
    assert all(torch.equal(value, start[name]) for name, value in net.named_parameters())


def test_a_ticket_starts_the_same_net(tiny_run):
    ticket = tiny_run[1, 2]
    data = datasets.dataset(tiny_run.spec.data)
    net = _ordinary.from_ticket(ticket, tiny_run.spec, data)
    weights = {name: (w * ticket.mask[name] if name in ticket.mask else w) for name, w in ticket.start.items()}
    x = data.test.x
    for number in (1, 2, 3):
        x = x @ weights[f"fc{number}.weight"].T + weights[f"fc{number}.bias"]
        x = torch.tanh(x) if number < 3 else x
    torch.testing.assert_close(net(data.test.x), x)


def test_torch_prunes_as_many_as_we_do(monkeypatch):
    monkeypatch.setattr(prune, "SPEC", prune.SPEC.but(epochs=1))
    chain = _ordinary.layers(prune.other())
    kept = [int(layer.weight_mask.sum()) for layer in chain]
    sizes, rates = _ordinary.weights(prune.SPEC, prune.DATA), _ordinary.rates(chain, prune.SPEC.prune)
    assert kept == [counts(size, rate, 3)[-1] for size, rate in zip(sizes, rates, strict=True)]
    assert all(layer.weight[layer.weight_mask == 0].abs().max() == 0 for layer in chain)


def test_the_first_step_of_the_stacked_ensemble_is_that_of_each_net_alone():
    torch.manual_seed(0)
    nets = [_ordinary.network(ensemble.SPEC, ensemble.DATA, torch.nn.Linear) for _ in range(3)]
    stacked, _ = torch.func.stack_module_state(nets)
    x, y = torch.randn(3, 16, 64), torch.randint(10, (3, 16))
    ensemble.step(nets[0], stacked, torch.optim.Adam(stacked.values(), lr=0.01), x, y)
    for place, net in enumerate(nets):
        optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
        cross_entropy(net(x[place]), y[place]).backward()
        optimiser.step()
        for name, value in net.named_parameters():
            # Adam's first step is lr times the sign of a gradient, whose least ones differ by rounding.
            assert ((stacked[name][place] - value).abs() < 1e-5).float().mean() > 0.99


def test_every_seed_of_the_stacked_ensemble_learns():
    assert ensemble.other()[1].min() > 0.8


def test_the_samples_of_the_fcnet_have_the_shape_of_cifar10():
    x, y, test_x, test_y = fcnet.samples(30, 10, 12)
    assert (x.shape, test_x.shape, len(y), len(test_y)) == ((30, 12), (10, 12), 30, 10)
    assert set(y.tolist()) == set(range(10))
    assert fcnet.FEATURES == 3 * 32 * 32


def test_the_sparse_net_has_the_density_that_it_says():
    weights = [3072 * 256] + [256 * 256] * 7 + [2560]
    assert sum(sparse.kept(weights)) / sum(weights) == pytest.approx(0.04, abs=0.001)
