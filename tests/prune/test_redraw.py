"""The makings of controls: streams apart, laws kept, and a record of descent."""

import numpy as np
import pytest
import torch
from scipy.stats import ks_1samp, uniform

import rmtlottery as rl
from rmtlottery.prune.redraw import fresh, from_law, made, narrower, redrawn, shuffled, spec_of, stream
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.tickets.parts import Own
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.train.controls import CONTROLS
from tests.conftest import assert_mean


def numbers(seed=0):
    return np.random.default_rng(seed)


def as_if(ticket, **changes):
    return Ticket(**({"spec": ticket.spec, "seed": ticket.seed, "level": ticket.level, "run": ticket.run,
                      "record": ticket.record, "read": ticket.read} | changes))  # fmt: skip


def test_made_with_nothing_changed_is_the_parent_rewound(tiny_run):
    parent = tiny_run[0, 2]
    ticket = made(parent, 9, "idle")
    assert fingerprint(ticket.weights) == fingerprint(parent.rewound)
    assert fingerprint(ticket.mask) == fingerprint(parent.mask)
    assert "sha256" not in ticket.record
    assert ticket.record["metrics"] == []


def test_made_of_made_keeps_the_first_parent_and_lists_both(tiny_run):
    parent = tiny_run[0, 2]
    record = made(made(parent, 9, "one"), 4, "other").record
    assert record["parent"] == parent.record["sha256"]["weights"]
    assert (record["control"], record["control_seeds"]) == ("one,other", [9, 4])


def test_made_under_another_mask_counts_it_anew(tiny_run):
    parent = tiny_run[0, 2]
    mask = {name: torch.zeros_like(value) for name, value in parent.mask.items()}
    mask["fc2.weight"][3, 1:5] = True
    ticket = made(parent, 9, "one", mask=mask)
    assert ticket.record["kept"] == {"fc1.weight": [0, 768], "fc2.weight": [4, 96], "fc3.weight": [0, 80]}
    assert ticket.density == pytest.approx(4 / 944, rel=1e-12)
    row = ticket.connectivity[1]
    assert (row["kept"], row["in_degree_max"], row["in_degree_mean"]) == (4, 4, 0.5)
    assert (ticket.weights["fc2.weight"] != 0).sum() == 4


def test_every_stream_is_another(tiny_run):
    first = tiny_run[0, 2]
    streams = [
        stream(first, 1, "a", "x"), stream(first, 2, "a", "x"), stream(first, 1, "b", "x"), stream(first, 1, "a", "y"),
        stream(tiny_run[1, 2], 1, "a", "x"), stream(tiny_run[0, 3], 1, "a", "x"),
    ]  # fmt: skip
    assert len({found.random() for found in streams}) == len(streams)
    assert stream(first, 1, "a", "x").random() == stream(tiny_run[0, 2], 1, "a", "x").random()


def test_redrawn_hands_over_kept_weights_only_and_leaves_the_rest(tiny_run):
    parent, seen = tiny_run[0, 2], []

    def draw(kept, drawn):
        seen.append(kept.clone())
        return torch.full_like(kept, 7.0)

    start = redrawn(parent, 1, "any", draw)
    for (name, mask), kept in zip(parent.mask.items(), seen, strict=True):
        assert torch.equal(kept, parent.start[name][mask])
        assert torch.equal(start[name], torch.where(mask, 7.0, parent.start[name]))
    assert all(torch.equal(start[name], value) for name, value in parent.start.items() if name not in parent.mask)


def test_shuffled_is_a_permutation_in_the_same_shape():
    values = torch.arange(15.0).reshape(5, 3)
    found = shuffled(values, numbers())
    assert found.shape == (5, 3)
    assert found.flatten().sort().values.tolist() == list(range(15))
    assert not torch.equal(found, values)


def test_shuffled_is_uniform():
    """Where entry 0 of 5 lands has the mean 2 of a die of 0..4; without its own place it would be 2.5."""
    places = [int((shuffled(torch.arange(5), numbers(seed)) == 0).nonzero()) for seed in range(1000)]
    assert_mean(places, 2.0, rejects=2.5)


def test_from_law_is_linear_between_neighbours():
    """Of 0, 1, 4 the inverse distribution function is 2u up to u = 1/2, and 1 + 6(u - 1/2) after it."""
    u = numbers(3).random(2000)
    found = from_law(torch.tensor([4.0, 0.0, 1.0]), numbers(3), 2000).numpy()
    np.testing.assert_allclose(found, np.where(u < 0.5, 2 * u, 1 + 6 * (u - 0.5)), rtol=1e-12, atol=1e-12)


def test_from_law_of_a_uniform_grid_is_uniform():
    drawn = from_law(torch.linspace(0, 1, 31, dtype=torch.float64), numbers(), 4000).numpy()
    assert ks_1samp(drawn, uniform.cdf).pvalue > 1e-4


def test_from_law_draws_as_many_as_there_were_unless_told():
    assert len(from_law(torch.arange(7.0), numbers())) == 7
    assert len(from_law(torch.arange(7.0), numbers(), 0)) == 0
    assert from_law(torch.tensor([2.5]), numbers(), 3).tolist() == [2.5] * 3


def test_a_layer_that_keeps_nothing_is_redrawn_as_nothing():
    assert len(from_law(torch.tensor([]), numbers())) == 0


def test_from_law_of_nothing_is_refused():
    with pytest.raises(Refusal, match="no law to draw from"):
        from_law(torch.empty(0), numbers(), 5)


def test_fresh_has_every_tensor_anew(tiny_run):
    parent = tiny_run[0, 2]
    drawn = fresh(parent, 5)
    assert {name: value.shape for name, value in drawn.items()} == {n: value.shape for n, value in parent.start.items()}
    assert not any(torch.equal(drawn[name], value) for name, value in parent.start.items())


def test_fresh_keeps_scales_shifts_and_buffers_of_theta_0(tiny_run):
    """Of two axes too, such as a frozen matrix; integers stay integers."""
    init = {"conv.weight": torch.zeros(4, 3, 3, 3), "norm.weight": torch.full((4,), 2.0), "norm.bias": torch.full((4,), 0.5),
            "norm.running_mean": torch.full((4,), 3.0), "norm.num_batches_tracked": torch.tensor(6),
            "frozen.weight": torch.eye(4), "numbers": torch.arange(6).view(2, 3), "position": torch.zeros(1, 4)}  # fmt: skip
    start = {name: value + 1 for name, value in init.items()}
    mask = {"conv.weight": torch.ones(4, 3, 3, 3, dtype=torch.bool)}
    read = {"init": lambda: init, "start": lambda: start, "mask": lambda: mask, "weights": lambda: start}
    record = dict(tiny_run[0, 2].record) | {"parameters": ["conv.weight", "norm.weight", "norm.bias", "position"]}
    drawn = fresh(as_if(tiny_run[0, 2], read=read, record=record), 5)
    assert list(drawn) == list(init)
    assert (drawn["conv.weight"] != 0).all()
    for name in set(init) - {"conv.weight"}:
        assert torch.equal(drawn[name], init[name]), name
        assert drawn[name].dtype == init[name].dtype


def test_an_init_of_a_modules_own_is_refused(tiny_run):
    ticket = tiny_run[0, 2]
    with pytest.raises(Refusal, match="init = 'own' is a module's own, which has no law"):
        fresh(as_if(ticket, spec=ticket.spec.but(init=Own())), 5)


def test_a_ticket_without_a_spec_has_no_init(tiny_run):
    with pytest.raises(Refusal, match="no Spec, so no init"):
        spec_of(as_if(tiny_run[0, 2], spec=None))


def test_narrower_of_a_dense_ticket_is_its_own_size(tiny_run):
    spec, shapes = narrower(tiny_run[0, 0])
    assert spec.net.widths == tiny_run.spec.net.widths
    assert shapes == {name: tuple(value.shape) for name, value in tiny_run[0, 0].start.items()}


def test_narrower_is_the_nearest_of_all_proportional_widths(tiny_run):
    """By trying every scale: no other rounding of (12, 8) times a factor has a number nearer to what is kept."""
    ticket = tiny_run[0, 3]
    wanted = sum(int(mask.sum()) for mask in ticket.mask.values())
    tried = {(max(1, round(12 * s / 997)), max(1, round(8 * s / 997))) for s in range(1, 998)}
    best = min(abs(64 * a + a * b + b * 10 - wanted) for a, b in tried)
    a, b = narrower(ticket)[0].net.widths
    assert abs(64 * a + a * b + b * 10 - wanted) == best


@pytest.mark.parametrize("name", ["flip_signs", "shuffle_mask", "redraw_law", "fresh_init"])
def test_a_control_of_its_own_child_draws_other_numbers(name, tiny, tiny_run, tmp_path):
    """Twice in a row, and of the run that was trained under it, with the one seed that commands take by default."""
    control = CONTROLS[name]
    once = control(tiny_run[0, 2], 0)
    child = rl.fit(tiny.but(epochs=1), tmp_path, start=once)
    again = control(child[0, 2], 0)
    third = control(rl.fit(tiny.but(epochs=1), tmp_path / "deeper", start=again)[0, 2], 0)
    held = [once, control(once, 0), again, third]
    marks = [fingerprint(ticket.start | {f"{n} mask": m for n, m in ticket.mask.items()}) for ticket in held]
    assert len(set(marks)) == 4
    plain = tiny_run[0, 2]
    assert fingerprint(plain.start | {f"{n} mask": m for n, m in plain.mask.items()}) not in marks
