"""The one loop: masks hold at every step, seeds do not see each other, and a seed that diverges is stopped alone."""

import pytest
import torch

from rmtlottery.charts.flat import unflatten
from rmtlottery.train.level import begin
from rmtlottery.train.loop import train
from tests.train.making import SPEC, evaluate, level_of


@pytest.mark.parametrize(
    "optimiser", [{"optimiser": "adam"}, {"optimiser": "sgd"}, {"optimiser": {"kind": "sgd", "nesterov": True}}]
)
@pytest.mark.parametrize("decay", [{}, {"decay": 0.1}, {"decay": 0.1, "decay_target": "coordinates"}])
def test_pruned_weights_and_their_memory_are_exactly_zero_after_every_step(optimiser, decay):
    level, mask = level_of(SPEC.but(**optimiser).but(**decay), [0, 1], number=1)
    seen = []

    def check(state):
        tensors = {name: state.tensors[name] for name in state.tensors if name == "coordinates" or name.startswith("slot/")}
        assert len(tensors) >= 2
        for name, tensor in tensors.items():
            assert torch.all(tensor[~mask] == 0), f"{name} leaks at step {state.step}"
            assert torch.any(tensor[mask] != 0)
        seen.append(state.step)

    train(level, begin(level, [0, 1]), check)
    assert seen == list(range(1, 27))


def test_a_kept_weight_that_is_zero_may_move():
    level, mask = level_of(SPEC, [0], number=1)
    place = int(mask[0].nonzero()[0])
    level.chart.start[0, place] = 0.0
    state = train(level, begin(level, [0]), lambda state: None)
    assert state.tensors["coordinates"][0, place] != 0


def test_decay_shrinks_its_target():
    ends = []
    for decay in (0.0, 1.0):
        level, _ = level_of(SPEC.but(decay=decay, epochs=1), [0])
        ends.append(train(level, begin(level, [0]), lambda state: None).tensors["coordinates"].norm())
    assert ends[1] < 0.98 * ends[0]


def test_decay_enters_the_gradient_as_decay_times_the_weight():
    """With SGD without momentum one step differs by exactly lr decay theta."""
    ends = []
    for decay in (0.0, 0.5):
        spec = SPEC.but(optimiser={"kind": "sgd", "momentum": 0, "lr": 0.1, "decay": decay}, epochs=1, batch=2000)
        level, _ = level_of(spec, [0])
        ends.append(train(level, begin(level, [0]), lambda state: None).tensors["coordinates"])
    torch.testing.assert_close(ends[0] - ends[1], 0.1 * 0.5 * level.chart.start, rtol=1e-4, atol=1e-7)


def test_a_seed_does_not_depend_on_its_neighbours():
    """After a few steps a seed alone and the same seed among others differ by rounding only."""
    spec = SPEC.but(epochs=1)
    alone, _ = level_of(spec, [7])
    among, _ = level_of(spec, [3, 7, 5])
    one = train(alone, begin(alone, [7]), lambda state: None)
    three = train(among, begin(among, [3, 7, 5]), lambda state: None)
    torch.testing.assert_close(one.tensors["coordinates"][0], three.tensors["coordinates"][1], rtol=1e-3, atol=1e-5)
    assert one.rows[0][0]["train_loss"] == pytest.approx(three.rows[1][0]["train_loss"], rel=1e-4)


def test_one_step_is_that_of_plain_torch():
    """A step of SGD against nn.Sequential, autograd and torch.optim on the very same samples."""
    from rmtlottery.train.order import epoch_order

    spec = SPEC.but(optimiser={"kind": "sgd", "lr": 0.1, "momentum": 0}, epochs=1, batch=2000)
    level, _ = level_of(spec, [4])
    net = torch.nn.Sequential(
        torch.nn.Linear(64, 12), torch.nn.Tanh(), torch.nn.Linear(12, 8), torch.nn.Tanh(), torch.nn.Linear(8, 10)
    )
    start = unflatten(level.chart.start[0], level.network.shapes)
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), start.values(), strict=True):
            parameter.copy_(value)
    order = epoch_order(4, 0, 0, len(level.data.train))
    loss = torch.nn.CrossEntropyLoss()(net(level.data.train.x[order]), level.data.train.y[order])
    loss.backward()
    torch.optim.SGD(net.parameters(), lr=0.1).step()
    state = train(level, begin(level, [4]), lambda state: None)
    ours = unflatten(state.tensors["coordinates"][0], level.network.shapes)
    for parameter, value in zip(net.parameters(), ours.values(), strict=True):
        torch.testing.assert_close(value, parameter.detach(), rtol=1e-4, atol=1e-6)
    assert state.rows[0][0]["train_loss"] == pytest.approx(loss.item(), rel=1e-5)


def test_training_scores_are_means_over_the_whole_epoch_every_epoch():
    """With a learning rate that moves nothing they are those of the whole training set."""
    level, _ = level_of(SPEC.but(lr=1e-30, epochs=3), [0, 1])
    state = train(level, begin(level, [0, 1]), lambda state: None)
    weights = unflatten(level.chart.start, level.network.shapes)
    loss, accuracy = evaluate(level.network, weights, level.data.train)
    for place, rows in enumerate(state.rows):
        for row in rows:
            assert row["train_loss"] == pytest.approx(loss[place].item(), rel=1e-5)
            assert row["train_accuracy"] == pytest.approx(accuracy[place].item(), rel=1e-6)


def kept_place(mask, seed):
    """The last weight that the mask of a seed keeps: a bias of the read-out, which every loss sees."""
    return -1 if mask is None else int(mask[seed].nonzero()[-1])


@pytest.mark.parametrize("number", [0, 1], ids=["dense", "masked"])
@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_seed_whose_loss_is_no_number_stops_alone(number, broken):
    """Its neighbours end with the very bits they have beside a healthy one, under their own masks."""
    level, mask = level_of(SPEC, [0, 1, 2], number)
    expected = train(level, begin(level, [0, 1, 2]), lambda state: None).tensors["coordinates"]
    level.chart.start[broken, kept_place(mask, broken)] = float("nan")
    state = train(level, begin(level, [0, 1, 2]), lambda state: None)
    others = [seed for seed in (0, 1, 2) if seed != broken]
    assert (state.training, state.diverged) == (others, {broken: 0})
    assert [len(state.rows[seed]) for seed in (0, 1, 2)] == [0 if seed == broken else 2 for seed in (0, 1, 2)]
    assert torch.equal(state.tensors["coordinates"][others], expected[others])
    for name in ("coordinates", "slot/mean", "slot/square"):
        assert torch.all(state.tensors[name][broken] == 0), "what stopped does not move, nor remember"
    assert number == 0 or torch.all(state.tensors["coordinates"][others][~mask[others]] == 0)


@pytest.mark.parametrize("at", [5, 17, 25])
def test_the_step_of_divergence_is_recorded_in_whatever_epoch_it_falls(at):
    level, mask = level_of(SPEC, [0, 1], number=1)

    def poison(state):
        if state.step == at:
            state.tensors["coordinates"][0, kept_place(mask, 0)] = float("nan")

    state = train(level, begin(level, [0, 1]), poison)
    assert state.diverged == {0: at}
    assert len(state.rows[1]) == 2


def test_weights_that_end_as_no_numbers_are_no_ticket():
    """The last step's loss is taken before it, so only what it left tells: lr times decay overflows in the one step."""
    rule = {"kind": "sgd", "lr": 1e30, "decay": 1e10, "momentum": 0}
    level, _ = level_of(SPEC.but(epochs=1, batch=2000, optimiser=rule), [0])
    state = begin(level, [0])
    train(level, state, lambda state: None)
    assert level.last_step == 1
    assert state.diverged == {0: 0}


def test_a_level_ends_early_when_every_seed_diverged():
    level, _ = level_of(SPEC, [0, 1])
    level.chart.start[:] = float("inf")
    state = train(level, begin(level, [0, 1]), lambda state: None)
    assert (state.training, state.diverged) == ([], {0: 0, 1: 0})
    assert state.step == level.steps_an_epoch


@pytest.mark.parametrize("seeds", [[0], [0, 1]])
def test_the_state_can_be_saved_after_any_step(seeds, tmp_path):
    from rmtlottery.tickets.progress import Progress

    level, _ = level_of(SPEC, seeds)
    progress = Progress(tmp_path, "unit")
    train(level, begin(level, seeds), lambda state: progress.save(0, state.facts(), state.tensors))
    assert progress.load(0)[0]["step"] == 26


def test_the_masters_are_fp32_when_the_products_are_bf16():
    exact, _ = level_of(SPEC.but(epochs=6), [0])
    rough, _ = level_of(SPEC.but(epochs=6), [0], compute=torch.bfloat16)
    fine, coarse = (train(level, begin(level, [0]), lambda state: None) for level in (exact, rough))
    masters = coarse.tensors["coordinates"]
    assert masters.dtype == torch.float32
    assert not torch.equal(masters, masters.bfloat16().float())
    assert not torch.equal(masters, fine.tensors["coordinates"])
    assert coarse.rows[0][-1]["train_loss"] == pytest.approx(fine.rows[0][-1]["train_loss"], rel=0.05)
