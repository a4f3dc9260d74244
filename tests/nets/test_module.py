"""Any torch module as a network, against copies of that module run one at a time in plain torch."""

from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from rmtlottery.nets.module import Modular, described, modular
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Module

SHAPE, CLASSES, SEEDS = (2, 6, 5), 4, 3


def normed(momentum=0.1):
    """Convolution, normalisation, linear layer: unequal everywhere."""
    torch.manual_seed(1)
    norm = nn.BatchNorm2d(7, momentum=momentum)
    nn.init.uniform_(norm.weight)
    nn.init.uniform_(norm.bias)
    return nn.Sequential(nn.Conv2d(2, 7, 3), norm, nn.ReLU(), nn.Flatten(), nn.Linear(7 * 4 * 3, CLASSES))


def dropped():
    torch.manual_seed(2)
    return nn.Sequential(nn.Flatten(), nn.Linear(60, 40), nn.Tanh(), nn.Dropout(0.4), nn.Linear(40, CLASSES))


def both():
    """Statistics and chance at once."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Flatten(), nn.Linear(60, 40), nn.BatchNorm1d(40), nn.Dropout(0.4), nn.Linear(40, CLASSES))


MODULES = {"normed": normed, "dropped": dropped, "both": both}


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(60, 60), nn.Linear(60, 60)
        self.second.weight = self.first.weight
        self.out = nn.Linear(60, CLASSES)

    def forward(self, x):
        return self.out(self.second(self.first(x.flatten(1))))


class Shaped(nn.Module):
    """Gives what it is told to, whatever comes in."""

    def __init__(self, answer):
        super().__init__()
        self.weight, self.answer = nn.Parameter(torch.ones(3, 2)), answer

    def forward(self, x):
        return self.answer(x) * self.weight.sum() if callable(self.answer) else self.answer


@pytest.fixture(autouse=True)
def _global_state_of_its_own():
    with torch.random.fork_rng([]):
        yield


def inputs(*leading, seed=5):
    return torch.randn(*leading, 60, generator=torch.Generator().manual_seed(seed))


def replicated(network, seeds=SEEDS):
    """Weights and buffers with a leading axis, the weights of every seed its own."""
    stream = torch.Generator().manual_seed(9)
    weights = {n: torch.randn(seeds, *s, generator=stream) * 0.3 for n, s in network.shapes.items()}
    return weights, {n: torch.stack([b] * seeds) for n, b in network.buffers.items()}


def plain(module, weights, buffers, place):
    """A copy of the module that holds one replicate's tensors."""
    copy = deepcopy(module)
    copy.load_state_dict({n: value[place] for n, value in (weights | buffers).items()})
    return copy


def at_once(key):
    return lambda place: key + place


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_shapes_prunable_and_buffers_are_the_modules(make):
    module = make()
    network = modular(module, SHAPE, CLASSES)
    assert isinstance(network, Modular)
    assert network.shapes == {n: tuple(p.shape) for n, p in module.named_parameters()}
    assert network.prunable == [n for n, p in module.named_parameters() if p.dim() >= 2]
    assert set(network.buffers) == {n for n, _ in module.named_buffers()}
    assert all(torch.equal(network.buffers[n], b) for n, b in module.named_buffers())


def test_what_vmap_takes_is_batched_and_nothing_is_said(capsys):
    assert modular(normed(), SHAPE, CLASSES).batched
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("make", [dropped, both])
def test_what_is_random_goes_seed_by_seed_and_a_note_says_so(make, capsys):
    assert not modular(make(), SHAPE, CLASSES).batched
    err = capsys.readouterr().err
    assert err.startswith("note: torch.nn.modules.container.Sequential is trained seed by seed")
    assert err.count("\n") == 1


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_learning_is_each_copy_in_training_mode(make):
    """Logits and statistics over several steps on other samples; torch is seeded by key before each copy's call."""
    module = make()
    network = modular(module, SHAPE, CLASSES)
    weights, buffers = replicated(network)
    copies = [plain(module, weights, buffers, place).train() for place in range(SEEDS)]
    for step in range(4):
        x = inputs(SEEDS, 8, seed=step) + torch.arange(SEEDS)[:, None, None]
        logits, buffers = network.learn(weights, buffers, x, at_once(100 * step))
        assert logits.shape == (SEEDS, 8, CLASSES)
        for place, copy in enumerate(copies):
            torch.manual_seed(100 * step + place)
            torch.testing.assert_close(logits[place], copy(x[place].unflatten(-1, SHAPE)), rtol=1e-4, atol=1e-5)
    for place, copy in enumerate(copies):
        for name, value in copy.named_buffers():
            torch.testing.assert_close(buffers[name][place], value, rtol=1e-5, atol=1e-6)
            assert buffers[name].dtype == value.dtype
    if make is normed:
        assert buffers["1.num_batches_tracked"].tolist() == [4] * SEEDS
        assert not torch.equal(buffers["1.running_mean"][0], buffers["1.running_mean"][2])


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_logits_are_each_copy_in_eval_mode(make):
    module = make()
    network = modular(module, SHAPE, CLASSES)
    weights, buffers = replicated(network)
    _, buffers = network.learn(weights, buffers, inputs(SEEDS, 8), at_once(0))
    x = inputs(SEEDS, 9, seed=6)
    logits = network.logits(weights | buffers, x)
    for place in range(SEEDS):
        copy = plain(module, weights, buffers, place).eval()
        torch.testing.assert_close(logits[place], copy(x[place].unflatten(-1, SHAPE)), rtol=1e-4, atol=1e-5)
    assert torch.equal(network.logits(weights | buffers, x), logits)


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_one_replicate_without_its_axis_is_the_same(make):
    network = modular(make(), SHAPE, CLASSES)
    weights, buffers = replicated(network)
    x = inputs(9)
    together = network.logits(weights | buffers, x.expand(SEEDS, 9, 60))
    shared = network.logits(weights | buffers, x[None])
    for place in range(SEEDS):
        alone = network.logits({n: value[place] for n, value in (weights | buffers).items()}, x)
        torch.testing.assert_close(alone, together[place], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(alone, shared[place], rtol=1e-4, atol=1e-5)


def test_asking_for_logits_leaves_statistics_alone_and_training_mode_comes_back():
    network = modular(normed(), SHAPE, CLASSES)
    weights, buffers = replicated(network)
    x = inputs(SEEDS, 8)
    before = {n: value.clone() for n, value in buffers.items()}
    first, after = network.learn(weights, buffers, x, at_once(0))
    network.logits(weights | buffers, x)
    assert all(torch.equal(buffers[n], value) for n, value in before.items()), "learn wrote into what it was given"
    again, after_again = network.learn(weights, buffers, x, at_once(0))
    assert torch.equal(first, again)
    assert all(torch.equal(after[n], value) for n, value in after_again.items())


def test_dropout_is_a_function_of_the_key():
    network = modular(dropped(), SHAPE, CLASSES)
    weights, buffers = replicated(network)
    weights = {n: value[:1].expand(SEEDS, *value.shape[1:]) for n, value in weights.items()}
    x = inputs(1, 8)
    first, again, later = (network.learn(weights, buffers, x, at_once(key))[0] for key in (7, 7, 20))
    assert torch.equal(first, again)
    assert not any(torch.equal(a, b) for a, b in zip(first, later, strict=True))
    assert not torch.equal(first[0], first[1])
    assert torch.equal(first[1], network.learn(weights, buffers, x, at_once(8))[0][0])
    told = []
    network.learn(weights, buffers, x, lambda place: told.append(place) or 0)
    assert told == list(range(SEEDS))


def test_dropout_drops_its_part_in_training_and_nothing_in_eval():
    module = nn.Sequential(nn.Flatten(), nn.Linear(60, 2000), nn.Dropout(0.4))
    network = modular(module, SHAPE, 2000)
    weights = {"1.weight": torch.zeros(1, 2000, 60), "1.bias": torch.ones(1, 2000)}
    logits = network.learn(weights, {}, torch.zeros(1, 1, 60), at_once(3))[0]
    assert logits.unique().tolist() == [0.0, pytest.approx(1 / 0.6)]
    assert 0.33 < (logits == 0).float().mean() < 0.47
    assert (network.logits(weights, torch.zeros(1, 1, 60)) == 1).all()


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_the_gradient_is_plain_torchs(make):
    module = make()
    network = modular(module, SHAPE, CLASSES)
    weights, buffers = replicated(network)
    weights = {n: value.requires_grad_() for n, value in weights.items()}
    x, y = inputs(SEEDS, 8), torch.arange(8) % CLASSES
    logits, _ = network.learn(weights, buffers, x, at_once(50))
    loss = sum(cross_entropy(logits[place], y) for place in range(SEEDS))
    found = dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))
    for place in range(SEEDS):
        copy = plain(module, {n: value.detach() for n, value in weights.items()}, buffers, place).train()
        torch.manual_seed(50 + place)
        cross_entropy(copy(x[place].unflatten(-1, SHAPE)), y).backward()
        for name, parameter in copy.named_parameters():
            torch.testing.assert_close(found[name][place], parameter.grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_the_module_that_was_passed_is_never_changed(make):
    module = make().double().eval()
    before = {n: value.clone() for n, value in module.state_dict().items()}
    network = modular(module, SHAPE, CLASSES)
    weights, buffers = replicated(network)
    network.learn(weights, buffers, inputs(SEEDS, 8), at_once(0))
    network.logits(weights | buffers, inputs(SEEDS, 8))
    network.own(3)
    assert not module.training
    for name, value in module.state_dict().items():
        assert value.dtype == before[name].dtype
        assert torch.equal(value, before[name])
    assert all(p.grad is None and p.requires_grad for p in module.parameters())


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_learning_leaves_the_networks_buffers_alone(make):
    network = modular(make(), SHAPE, CLASSES)
    before = {n: value.clone() for n, value in network.buffers.items()}
    weights, buffers = replicated(network)
    network.learn(weights, buffers, inputs(SEEDS, 8), at_once(0))
    assert all(torch.equal(network.buffers[n], value) for n, value in before.items())


def test_the_networks_own_copy_does_not_follow_the_module():
    module = normed()
    network = modular(module, SHAPE, CLASSES)
    weights, buffers = replicated(network)
    before = network.logits(weights | buffers, inputs(SEEDS, 8))
    with torch.no_grad():
        for value in [*module.parameters(), *module.buffers()]:
            value.zero_()
    assert torch.equal(network.logits(weights | buffers, inputs(SEEDS, 8)), before)


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_torchs_global_generator_is_where_it_was(make):
    module = make()
    before = torch.random.get_rng_state()
    network = modular(module, SHAPE, CLASSES)
    assert torch.equal(torch.random.get_rng_state(), before), "modular"
    weights, buffers = replicated(network)
    network.learn(weights, buffers, inputs(SEEDS, 8), at_once(0))
    assert torch.equal(torch.random.get_rng_state(), before), "learn"
    network.logits(weights | buffers, inputs(SEEDS, 8))
    assert torch.equal(torch.random.get_rng_state(), before), "logits"
    network.own(3)
    assert torch.equal(torch.random.get_rng_state(), before), "own"


def frozen():
    module = normed()
    module[0].weight.requires_grad_(False)
    module[1].bias.requires_grad_(False)
    return module


def test_what_is_frozen_stays_as_it_is_and_is_no_parameter(capsys):
    module = frozen()
    network = modular(module, SHAPE, CLASSES)
    err = capsys.readouterr().err
    assert err.startswith("note: 2 frozen parameters (0.weight, 1.bias")
    assert set(network.shapes) == {"0.bias", "1.weight", "4.weight", "4.bias"}
    assert network.prunable == ["4.weight"]
    assert {"0.weight", "1.bias"} < set(network.buffers)
    weights, buffers = replicated(network)
    x = inputs(SEEDS, 8)
    logits, after = network.learn(weights, buffers, x, at_once(0))
    for place in range(SEEDS):
        copy = plain(module, weights, buffers, place).train()
        torch.testing.assert_close(logits[place], copy(x[place].unflatten(-1, SHAPE)), rtol=1e-4, atol=1e-5)
        assert torch.equal(after["0.weight"][place], module[0].weight)
    assert "0.weight" not in network.own(3)
    alone = network.logits({n: value[0] for n, value in (weights | after).items()}, x[0])
    torch.testing.assert_close(alone, network.logits(weights | after, x)[0], rtol=1e-4, atol=1e-5)


def test_tied_weights_are_refused_by_both_names():
    with pytest.raises(Refusal, match=r"first\.weight and second\.weight of .*Tied are one tied tensor"):
        modular(Tied(), SHAPE, CLASSES)


def test_a_module_with_nothing_to_train_is_refused():
    module = dropped().requires_grad_(False)
    with pytest.raises(Refusal, match="no weight to train and prune: none of its trained parameters"):
        modular(module, SHAPE, CLASSES)


def test_a_module_with_nothing_to_prune_is_refused():
    with pytest.raises(Refusal, match="no weight to train and prune"):
        modular(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(60)), SHAPE, 60)


def test_a_lazy_module_is_refused():
    with pytest.raises(Refusal, match="has no shape yet"):
        modular(nn.Sequential(nn.Flatten(), nn.LazyLinear(CLASSES)), SHAPE, CLASSES)


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (lambda x: x.flatten(1)[:, :5], r"\(4, 5\)"),
        (lambda x: x.flatten(1)[:, :4].mean(0), r"\(4,\)"),
        (lambda x: x.flatten(2)[..., :4], r"\(4, 2, 4\)"),
        ("words", "str"),
    ],
)
def test_a_wrong_output_is_refused_with_its_shape(answer, found):
    with pytest.raises(Refusal, match=rf"Shaped gives {found} for 4 inputs in eval mode, not logits of shape \(4, 4\)"):
        modular(Shaped(answer), SHAPE, CLASSES)


@pytest.mark.parametrize("shape", [(3, 6, 5), (2, 9, 9), (60,), (2, 2, 2)])
def test_inputs_that_the_module_does_not_take_are_refused(shape):
    with pytest.raises(Refusal, match=r"Sequential does not take inputs of shape \(4, "):
        modular(normed(), shape, CLASSES)


def test_preactivations_of_a_module_are_refused():
    with pytest.raises(Refusal, match="pre-activations are not known; take fc or conv"):
        modular(normed(), SHAPE, CLASSES).preactivations({}, inputs(1, 2))


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_a_modules_own_init_is_a_function_of_the_seed(make):
    network = modular(make(), SHAPE, CLASSES)
    first, other, again = (network.own(seed) for seed in (3, 4, 3))
    assert {n: tuple(value.shape) for n, value in first.items()} == network.shapes
    assert all(torch.equal(first[n], again[n]) for n in first)
    assert not any(value.requires_grad for value in first.values())
    for name in network.prunable:
        assert not torch.equal(first[name], other[name])
        assert not torch.equal(first[name], dict(make().named_parameters())[name])


def test_own_does_not_depend_on_the_weights_that_were_passed():
    module = normed()
    first = modular(module, SHAPE, CLASSES).own(3)
    with torch.no_grad():
        for value in module.parameters():
            value.add_(1)
    assert all(torch.equal(first[n], value) for n, value in modular(module, SHAPE, CLASSES).own(3).items())


def test_own_is_torchs_law():
    """A Linear is uniform up to 1/sqrt(fan_in), a normalisation's scale is 1 and its shift 0."""
    own = modular(normed(), SHAPE, CLASSES).own(3)
    assert 0.97 / 84**0.5 < own["4.weight"].abs().max() <= 1 / 84**0.5
    assert (own["1.weight"] == 1).all()
    assert (own["1.bias"] == 0).all()


def test_a_parameter_that_nothing_resets_stays_as_it_was_passed():
    class Scaled(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Flatten(), nn.Linear(60, CLASSES))
            self.scale = nn.Parameter(torch.full((CLASSES,), 2.5))

        def forward(self, x):
            return super().forward(x) * self.scale

    own = modular(Scaled(), SHAPE, CLASSES).own(3)
    assert (own["scale"] == 2.5).all()


def described_as(module, passed=False):
    return described(modular(module, SHAPE, CLASSES), passed)


def test_a_module_is_described_by_its_class_and_build():
    part = described_as(normed())
    assert isinstance(part, Module)
    assert part.module == "torch.nn.modules.container.Sequential"
    assert len(part.architecture) == 16
    assert described_as(normed(momentum=0.2)).architecture != part.architecture
    assert described_as(dropped()).architecture != part.architecture


def test_values_that_seeds_draw_do_not_describe_a_module_and_others_do():
    part = described_as(normed())
    changed = normed()
    with torch.no_grad():
        changed[0].weight.add_(1)
    assert described_as(changed) == part, "reset_parameters draws it anew"
    assert described_as(changed, passed=True) != described_as(normed(), passed=True), "nothing is drawn"
    statistics, frozen = normed(), normed()
    next(value for name, value in statistics.named_buffers() if name.endswith("running_mean")).add_(1)
    frozen[0].weight.requires_grad_(False)
    assert described_as(statistics) != part
    assert described_as(frozen) != part


class Backwards(torch.nn.Module):
    """Its read-out is made before its body, and it has a position embedding that no init may draw."""

    def __init__(self):
        super().__init__()
        self.position = torch.nn.Parameter(torch.zeros(1, SIZE))
        self.head = torch.nn.Linear(7, CLASSES)
        self.body = torch.nn.Linear(SIZE, 7)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x.flatten(1) + self.position)))


SIZE = torch.Size(SHAPE).numel()


def test_layers_are_in_the_order_in_which_they_are_used_and_only_weights_can_be_cut():
    network = modular(Backwards(), SHAPE, CLASSES)
    assert network.prunable == ["body.weight", "head.weight"]
    assert set(network.shapes) == {"position", "head.weight", "head.bias", "body.weight", "body.bias"}


class Counting(torch.nn.Module):
    """It counts its calls, in eval mode too."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(SIZE, CLASSES)
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return self.linear(x.flatten(1))


def test_evaluation_leaves_the_buffers_of_training_alone():
    network = modular(Counting(), SHAPE, CLASSES)
    held = network.own(0) | {name: value.clone() for name, value in network.buffers.items()}
    network.logits(held, torch.zeros(3, SIZE))
    network.logits({name: value[None] for name, value in held.items()}, torch.zeros(1, 3, SIZE))
    assert held["calls"] == 0


@pytest.mark.parametrize("what", [lambda x: x, torch.nn.Linear, "resnet"])
def test_what_is_no_module_is_refused(what):
    with pytest.raises(Refusal, match=r"is no torch\.nn\.Module; pass one that is made, not its class or a function"):
        modular(what, SHAPE, CLASSES)


class TupleInTraining(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(SIZE, CLASSES)

    def forward(self, x):
        out = self.linear(x.flatten(1))
        return (out, out) if self.training else out


def test_a_wrong_output_in_training_mode_is_refused_before_training():
    with pytest.raises(Refusal, match=r"gives tuple for 4 inputs in training mode"):
        modular(TupleInTraining(), SHAPE, CLASSES)


class Nameless(torch.nn.Module):
    """Its only matrix is called neither weight nor anything like it."""

    def __init__(self):
        super().__init__()
        self.matrix = torch.nn.Parameter(torch.zeros(SIZE, CLASSES))

    def forward(self, x):
        return x.flatten(1) @ self.matrix


def test_a_module_without_anything_called_a_weight_is_refused_and_told_why():
    with pytest.raises(Refusal, match="none of its trained parameters has two axes and a name with 'weight' in it"):
        modular(Nameless(), SHAPE, CLASSES)
