"""What every control changes and what it keeps, against its parent."""

import numpy as np
import pytest
import torch

import rmtlottery as rl
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.train.controls import CONTROLS, controlled
from tests.conftest import OF_FC
from tests.prune.held import kept, marks, same

SAME_SHAPES = [name for name in CONTROLS if name != "small_dense"]
OTHER_MASK = {"random_mask", "shuffle_mask", "in_degree_mask", "out_degree_mask", "degree_mask", "first_layer_mask",
              "other_layers_mask", "init_mask", "one_cut_mask", "snip_mask", "grasp_mask", "synflow_mask", "aligned_mask",
              "local_mask", "local_init_mask", "scatter"}  # fmt: skip
DRAWN = {"fresh_init", "keep_signs", "redraw_gaussian", "redraw_law", "shuffle_entries", "flip_signs", "small_dense",
         *OTHER_MASK - {"init_mask", "one_cut_mask", "snip_mask", "grasp_mask", "synflow_mask", "aligned_mask"}}  # fmt: skip

# control -> (facts that are the parent's, facts that are not)
FACTS_OF = {
    "rewound": ("total counts mask degrees values magnitudes signs pruned biases", ""),
    "trained": ("total counts mask degrees", "values magnitudes biases"),
    "random_mask": ("total start biases", "counts mask degrees values"),
    "shuffle_mask": ("total counts start biases", "mask degrees values"),
    "init_mask": ("total counts start biases", "mask degrees values"),
    "fresh_init": ("total counts mask degrees", "values magnitudes signs biases"),
    "keep_signs": ("total counts mask degrees signs biases", "values magnitudes"),
    "redraw_gaussian": ("total counts mask degrees pruned biases", "values magnitudes signs"),
    "redraw_law": ("total counts mask degrees pruned biases", "values magnitudes signs"),
    "shuffle_entries": ("total counts mask degrees values pruned biases", "magnitudes signs"),
    "flip_signs": ("total counts mask degrees magnitudes pruned biases", "values signs"),
    "rescale": ("total counts mask degrees signs biases", "values magnitudes"),
    "equal_lengths": ("total counts mask degrees signs biases", ""),
    "rescale_units": ("total counts mask degrees signs biases", "values magnitudes"),
    "in_degree_mask": ("total counts into start biases", "mask out_of values"),
    "out_degree_mask": ("total counts out_of start biases", "mask into values"),
    "degree_mask": ("total counts degrees start biases", "mask values"),
    "first_layer_mask": ("total counts first start biases", "mask others"),
    "other_layers_mask": ("total counts others start biases", "mask first"),
    "scatter": ("total counts values biases", "mask degrees start pruned"),
    "one_cut_mask": ("total counts start biases", ""),
    "snip_mask": ("total start biases", "counts mask values"),
    "grasp_mask": ("total start biases", "counts mask values"),
    "synflow_mask": ("total start biases", "counts mask values"),
    "aligned_mask": ("total counts start biases", "mask degrees values"),
    "local_mask": ("total counts start biases", "mask degrees values"),
    "local_init_mask": ("total counts start biases", "mask degrees values"),
}
FACTS = {
    "total": lambda t: [torch.tensor(sum(int(m.sum()) for m in t.mask.values()))],
    "counts": lambda t: [m.sum() for m in t.mask.values()],
    "mask": lambda t: list(t.mask.values()),
    "degrees": lambda t: [n.flatten(1).sum(1) for m in t.mask.values() for n in (m, m.transpose(0, 1))],
    "values": lambda t: [t.rewound[name][m].sort().values for name, m in t.mask.items()],
    "magnitudes": lambda t: [t.rewound[name].abs() for name in t.mask],
    "signs": lambda t: [t.rewound[name].sign() for name in t.mask],
    "pruned": lambda t: [t.start[name][~m] for name, m in t.mask.items()],
    "start": lambda t: [t.start[name] for name in t.mask],
    "into": lambda t: [m.flatten(1).sum(1) for m in t.mask.values()],
    "out_of": lambda t: [m.flatten(1).sum(0) for m in t.mask.values()],
    "first": lambda t: list(t.mask.values())[:1],
    "others": lambda t: list(t.mask.values())[1:],
    "biases": lambda t: [value for name, value in t.start.items() if name not in t.mask],
}  # fmt: skip


def test_there_are_so_many_controls_and_each_is_tested():
    assert len(CONTROLS) == 28
    assert set(CONTROLS) == {*FACTS_OF, "small_dense"}


@pytest.mark.parametrize(("name", "fact"), [(name, fact) for name, (stay, _) in FACTS_OF.items() for fact in stay.split()])
def test_what_a_control_keeps_is_the_parents(parent, name, fact):
    assert same(FACTS[fact](CONTROLS[name](parent, 5)), FACTS[fact](parent))


@pytest.mark.parametrize(("name", "fact"), [(name, fact) for name, (_, go) in FACTS_OF.items() for fact in go.split()])
def test_what_a_control_changes_is_no_longer_the_parents(parent, name, fact):
    ours, theirs = FACTS[fact](CONTROLS[name](parent, 5)), FACTS[fact](parent)
    assert not same(ours, theirs)
    if fact in ("magnitudes", "signs", "values", "biases") and name not in OTHER_MASK:
        assert not any(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True)), "one layer was left as it was"


@pytest.mark.parametrize("name", SAME_SHAPES)
def test_a_controls_ticket_has_exact_zeros_outside_its_mask_and_was_not_trained(parent, name):
    ticket = CONTROLS[name](parent, 5)
    assert ticket.metrics == []
    assert list(ticket.states) == ["rewound"]
    for layer, mask in ticket.mask.items():
        assert mask.dtype == torch.bool
        assert (ticket.rewound[layer][~mask] == 0).all()
        assert torch.equal(ticket.weights[layer], ticket.rewound[layer])
        assert torch.equal(ticket.rewound[layer][mask], ticket.start[layer][mask])
        assert ticket.start[layer].dtype == parent.start[layer].dtype
        assert ticket.start[layer].shape == parent.start[layer].shape
    assert list(ticket.start) == list(parent.start)


@pytest.mark.parametrize("name", SAME_SHAPES)
def test_a_control_is_recorded_with_its_parent_and_seed(parent, name):
    ticket = CONTROLS[name](parent, 5)
    record = ticket.record
    assert record["parent"] == parent.record["sha256"]["weights"]
    assert (record["control"], record["control_seeds"]) == (name, [5])
    assert record["kept"] == {n: [int(mask.sum()), mask.numel()] for n, mask in ticket.mask.items()}
    assert record["density"] == pytest.approx(parent.density, rel=1e-12)
    assert [row["kept"] for row in record["connectivity"]] == [int(mask.sum()) for mask in ticket.mask.values()]
    assert (ticket.seed, ticket.level, ticket.spec) == (parent.seed, parent.level, parent.spec)


@pytest.mark.parametrize("name", CONTROLS)
def test_the_parent_is_left_as_it_was(tiny_run, name):
    parent = tiny_run[1, 2]
    before, held = marks(parent), {n: value.clone() for n, value in parent.start.items()}
    CONTROLS[name](parent, 5)
    assert marks(parent) == before
    assert all(torch.equal(parent.start[n], value) for n, value in held.items())


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_a_function_of_its_seed(tiny_run, name):
    parent = tiny_run[0, 2]
    first, again, other = (marks(CONTROLS[name](parent, seed)) for seed in (5, 5, 6))
    assert first == again
    differs = [part for part in ("start", "mask") if first[part] != other[part]]
    assert bool(differs) == (name in DRAWN)
    if name in DRAWN:
        assert differs == (["start", "mask"] if name == "scatter" else ["mask"] if name in OTHER_MASK else ["start"])


@pytest.mark.parametrize("name", sorted(DRAWN - {"first_layer_mask", "other_layers_mask", "local_init_mask"}))
def test_two_tickets_under_one_seed_do_not_share_numbers(tiny_run, name):
    """Where start and mask are alike, only the stream can tell the two apart."""
    parent = tiny_run[0, 2]
    twin = Ticket(parent.spec, 1, 2, parent.run, parent.record, parent.read)
    ours, theirs = CONTROLS[name](parent, 5), CONTROLS[name](twin, 5)
    part = "mask" if name in OTHER_MASK else "start"
    assert not any(torch.equal(value, getattr(theirs, part)[layer]) for layer, value in getattr(ours, part).items()
                   if layer in ours.mask and (part == "start" or not value.all()))  # fmt: skip


def test_controls_compose_and_the_record_names_both(tiny_run):
    parent = tiny_run[0, 3]
    ticket = controlled(parent, "trained,shuffle_entries", 4)
    by_hand = CONTROLS["shuffle_entries"](CONTROLS["trained"](parent, 0), 4)
    assert fingerprint(ticket.start) == fingerprint(by_hand.start)
    assert (ticket.record["control"], ticket.record["control_seeds"]) == ("trained,shuffle_entries", [4, 4])
    assert by_hand.record["control_seeds"] == [0, 4]
    assert ticket.record["parent"] == by_hand.record["parent"] == parent.record["sha256"]["weights"]
    for ours, theirs in zip(kept(ticket), (parent.weights[n][m] for n, m in parent.mask.items()), strict=True):
        assert np.array_equal(np.sort(ours), np.sort(theirs.double().numpy()))
        assert not np.array_equal(ours, theirs.double().numpy())


def test_one_name_alone_is_that_control(tiny_run):
    ours, theirs = controlled(tiny_run[0, 2], "flip_signs", 4), CONTROLS["flip_signs"](tiny_run[0, 2], 4)
    assert marks(ours) == marks(theirs)


@pytest.mark.parametrize("names", ["shufle_mask", "trained,shufle_mask"])
def test_an_unknown_control_is_refused_with_the_nearest_one(tiny_run, names):
    with pytest.raises(Refusal, match=r"unknown control 'shufle_mask': did you mean 'shuffle_mask'\?"):
        controlled(tiny_run[0, 2], names, 4)


def test_a_child_run_trains_one_control(tiny_run, tmp_path):
    start = CONTROLS["shuffle_mask"](tiny_run[0, 2], 5)
    child = rl.fit(tiny_run.spec, tmp_path, start=start)
    assert list(child.records()) == [(0, 2)]
    record = child[0, 2].record
    assert record["parent"] == tiny_run[0, 2].record["sha256"]["weights"]
    assert (record["control"], record["control_seeds"]) == ("shuffle_mask", [5])
    assert fingerprint(child[0, 2].mask) == fingerprint(start.mask)
    assert fingerprint(child[0, 2].start) == fingerprint(start.start)
    assert fingerprint(child[0, 2].rewound) == fingerprint(start.rewound)
    for name, mask in start.mask.items():
        assert (child[0, 2].weights[name][~mask] == 0).all()
        assert not torch.equal(child[0, 2].weights[name], start.weights[name])
    assert len(child[0, 2].metrics) == tiny_run.spec.schedule.epochs
    assert child.faults() == []


def test_a_child_run_trains_each_control_at_its_own_place(tiny_run, tmp_path):
    starts = [CONTROLS["redraw_law"](ticket, 7) for ticket in tiny_run if ticket.level in (1, 3)]
    child = rl.fit(tiny_run.spec, tmp_path, start=starts)
    assert sorted(child.records()) == [(0, 1), (0, 3), (1, 1), (1, 3)]
    for start in starts:
        ticket = child[start.seed, start.level]
        assert ticket.record["parent"] == tiny_run[start.seed, start.level].record["sha256"]["weights"]
        assert ticket.record["control_seeds"] == [7]
        assert fingerprint(ticket.rewound) == fingerprint(start.rewound)
        assert ticket.density == pytest.approx(tiny_run[start.seed, start.level].density, rel=1e-12)


def test_rewound_trained_again_gives_the_parents_bits(tiny_run, tmp_path):
    """The order of the data is a function of (seed, level, epoch), so the control of doing nothing is exact."""
    starts = [CONTROLS["rewound"](tiny_run[seed, 2], 0) for seed in (0, 1)]
    child = rl.fit(tiny_run.spec, tmp_path, start=starts)
    for seed in (0, 1):
        assert fingerprint(child[seed, 2].weights) == fingerprint(tiny_run[seed, 2].weights)


def test_a_child_of_a_small_net_is_trained_under_its_own_spec(tiny_run, tmp_path):
    small = CONTROLS["small_dense"](tiny_run[0, 3], 5)
    ticket = rl.fit(small.spec, tmp_path, start=small)[0, 3]
    assert ticket.spec.net.widths == small.spec.net.widths
    assert ticket.density == 1.0
    other = rl.fit(tiny_run.spec, tmp_path / "by the parent's spec", start=small)
    assert other.spec.net == small.spec.net


@pytest.mark.parametrize("name", sorted(OF_FC))
def test_what_is_of_fully_connected_nets_refuses_others(conv_run, name):
    with pytest.raises(Refusal, match="fully connected"):
        CONTROLS[name](conv_run[0, 2], 5)
