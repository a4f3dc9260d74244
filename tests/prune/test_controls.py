"""What every control changes and what it keeps, against its parent and against the law it says it draws from."""

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

import rmtlottery as rl
from rmtlottery.nets import build
from rmtlottery.nets.init import initial
from rmtlottery.prune.controls import CONTROLS, controlled
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.tickets.ticket import Ticket
from tests.conftest import TINY, assert_mean

CONV = TINY.but(
    net={"kind": "conv", "channels": "5,3", "padding": "zero", "pools": "1", "readout": "flat", "widths": "7"},
    epochs=1,
    levels=2,
    batch=200,
)
SAME_SHAPES = [name for name in CONTROLS if name != "small_dense"]
DRAWN = {"random_mask", "shuffle_mask", "fresh_init", "keep_signs", "redraw_gaussian", "redraw_law", "shuffle_entries",
         "flip_signs", "small_dense"}  # fmt: skip
OTHER_MASK = {"random_mask", "shuffle_mask", "init_mask"}

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
    "biases": lambda t: [value for name, value in t.start.items() if name not in t.mask],
}  # fmt: skip


@pytest.fixture(scope="session")
def conv_run(tmp_path_factory):
    """A finished run of small convolutions; no test may write into it."""
    return rl.fit(CONV, tmp_path_factory.mktemp("conv"))


@pytest.fixture(params=["fc", "conv"])
def parent(request, tiny_run, conv_run):
    return tiny_run[1, 3] if request.param == "fc" else conv_run[0, 2]


@pytest.fixture(scope="module")
def wide():
    """A ticket that never was trained, of a net wide enough for statistics, its small weights cut."""
    spec = TINY.but(widths="150,90", init={"sigma_w": 1.7, "sigma_b": 0.6})
    start = initial(spec.init, build(spec.net, (64,), 10).shapes, 3)
    mask = {name: value.abs() > value.abs().quantile(0.7) for name, value in start.items() if name.endswith("weight")}
    return handmade(spec, start, mask)


def handmade(spec, start, mask):
    under = {name: torch.where(mask[name], value, 0.0) if name in mask else value for name, value in start.items()}
    record = {
        "sha256": {"weights": "f" * 64},
        "metrics": [],
        "density": 0.3,
        "connectivity": [],
        "chart": {},
        "start_step": 0,
    }
    read = {"init": start, "start": start, "weights": under, "mask": mask, "snapshots": {0: start}}
    return Ticket(spec, 3, 2, None, record, {part: lambda value=value: value for part, value in read.items()})


def same(ours, theirs):
    return len(ours) == len(theirs) and all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def marks(ticket):
    parts = {"start": ticket.start, "weights": ticket.weights, "mask": ticket.mask}
    return {part: fingerprint(held) for part, held in parts.items()} | {"record": dict(ticket.record)}


def kept(ticket):
    """The kept weights of each layer, in order."""
    return [ticket.rewound[name][mask].double().numpy() for name, mask in ticket.mask.items()]


def standardised(ticket, spread):
    """All kept weights, those of each layer over what `spread` makes of the wide parent's."""
    return np.concatenate([values / scale for values, scale in zip(kept(ticket), spread, strict=True)])


def test_there_are_thirteen_controls_and_each_is_tested():
    assert len(CONTROLS) == 13
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
        assert differs == (["mask"] if name in OTHER_MASK else ["start"])


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_two_tickets_under_one_seed_do_not_share_numbers(tiny_run, name):
    """Where start and mask are alike, only the stream can tell the two apart."""
    parent = tiny_run[0, 2]
    twin = Ticket(parent.spec, 1, 2, parent.run, parent.record, parent.read)
    ours, theirs = CONTROLS[name](parent, 5), CONTROLS[name](twin, 5)
    part = "mask" if name in OTHER_MASK else "start"
    assert not any(torch.equal(value, getattr(theirs, part)[layer]) for layer, value in getattr(ours, part).items()
                   if layer in ours.mask and (part == "start" or not value.all()))  # fmt: skip


def test_small_dense_biases_are_drawn_for_each_ticket_anew(tiny_run):
    ours, theirs = (CONTROLS["small_dense"](tiny_run[seed, 2], 5) for seed in (0, 1))
    assert ours.start["fc3.bias"].shape == theirs.start["fc3.bias"].shape
    assert not torch.equal(ours.start["fc3.bias"], theirs.start["fc3.bias"])


def test_small_dense_biases_are_not_those_of_a_seed_of_the_run(tiny_run):
    """A control's seed 0 is another thing than the run's seed 0."""
    small = CONTROLS["small_dense"](tiny_run[1, 2], 0)
    assert not torch.equal(small.start["fc3.bias"], tiny_run[0, 0].init["fc3.bias"])


def test_rewound_is_the_parent_before_training(parent):
    ticket = CONTROLS["rewound"](parent, 5)
    assert fingerprint(ticket.rewound) == fingerprint(parent.rewound)


def test_trained_starts_where_the_parent_ended(parent):
    ticket = CONTROLS["trained"](parent, 5)
    assert fingerprint(ticket.start) == fingerprint(ticket.rewound) == fingerprint(parent.weights)


def test_random_mask_has_equal_densities_but_for_chance(tiny_run):
    """Averaged over draws the last layer keeps the net's density, not its own higher one."""
    parent = tiny_run[0, 3]
    last = list(parent.mask)[-1]
    own = parent.mask[last].float().mean().item()
    found = [CONTROLS["random_mask"](parent, seed).mask[last].float().mean().item() for seed in range(60)]
    assert_mean(found, parent.density, rejects=own)


def test_shuffle_mask_moves_weights_between_rows(tiny_run):
    parent = tiny_run[0, 3]
    mask = parent.mask["fc1.weight"]
    row = int(mask.sum(1).argmax())
    found = [CONTROLS["shuffle_mask"](parent, seed).mask["fc1.weight"][row].sum().item() for seed in range(60)]
    assert_mean(found, mask.sum().item() / len(mask), rejects=mask[row].sum().item())


def test_layers_of_one_shape_are_shuffled_differently():
    spec = TINY.but(widths="64,64")
    start = initial(spec.init, build(spec.net, (64,), 10).shapes, 3)
    half = {name: (torch.arange(v.numel()) % 2 == 0).reshape(v.shape) for name, v in start.items() if v.dim() > 1}
    mask = CONTROLS["shuffle_mask"](handmade(spec, start, half), 5).mask
    agree = (mask["fc1.weight"] == mask["fc2.weight"]).double().flatten().numpy()
    assert_mean(agree, 0.5, rejects=0.6)


def test_init_mask_keeps_the_largest_of_the_start(parent):
    ticket = CONTROLS["init_mask"](parent, 5)
    for name, mask in ticket.mask.items():
        size = ticket.start[name].abs()
        assert size[mask].min() >= size[~mask].max()


def test_fresh_init_is_another_draw_of_the_same_law(wide):
    sigma_w, sigma_b = 1.7, 0.6
    drawn = [CONTROLS["fresh_init"](wide, seed).start for seed in range(3)]
    for name, mask in wide.mask.items():
        scaled = np.concatenate([start[name].double().flatten() for start in drawn]) * mask.shape[1] ** 0.5 / sigma_w
        assert_mean(scaled**2, 1.0, rejects=1.25)
        beside = scaled[: mask.numel()] * wide.start[name].double().flatten().numpy() * mask.shape[1] ** 0.5 / sigma_w
        assert_mean(beside, 0.0, rejects=0.25)
    biases = [CONTROLS["fresh_init"](wide, seed).start["fc1.bias"].double() for seed in range(12)]
    assert_mean(np.concatenate(biases) ** 2, sigma_b**2, rejects=1.3 * sigma_b**2)


def test_fresh_init_is_one_theta_at_every_level(tiny_run):
    ours, theirs = (CONTROLS["fresh_init"](tiny_run[1, level], 5) for level in (1, 3))
    assert fingerprint(ours.start) == fingerprint(theirs.start)


def test_fresh_init_is_no_theta_of_the_run(tiny_run):
    """Seed 1 of a control is another stream than seed 1 of a run, or the control would be another ticket's start."""
    fresh = CONTROLS["fresh_init"](tiny_run[0, 2], 1).start
    assert not any(torch.equal(fresh["fc1.weight"], tiny_run[seed, 0].init["fc1.weight"]) for seed in (0, 1))


def test_keep_signs_draws_magnitudes_from_the_law_of_theta_0(wide):
    """|w| of the whole law, not of the large weights that the mask has selected."""
    scale = [1.7 / mask.shape[1] ** 0.5 for mask in wide.mask.values()]
    squares = standardised(CONTROLS["keep_signs"](wide, 5), scale) ** 2
    assert_mean(squares, 1.0, rejects=np.mean(standardised(wide, scale) ** 2))


def test_redraw_gaussian_has_each_layers_root_mean_square_and_a_gaussians_shape(wide):
    spread = [np.sqrt((values**2).mean()) for values in kept(wide)]
    drawn = np.concatenate([standardised(CONTROLS["redraw_gaussian"](wide, seed), spread) for seed in range(3)])
    assert_mean(drawn, 0.0, rejects=0.05)
    assert_mean(drawn**2, 1.0, rejects=1.1)
    assert_mean(drawn**4, 3.0, rejects=np.mean(standardised(wide, spread) ** 4))
    for values, scale in zip(kept(CONTROLS["redraw_gaussian"](wide, 5)), spread, strict=True):
        assert_mean((values / scale) ** 2, 1.0, rejects=2.0)


def test_redraw_law_is_bimodal_as_the_kept_weights_are(wide):
    gaussian = kept(CONTROLS["redraw_gaussian"](wide, 5))
    for theirs, drawn, bell in zip(kept(wide), kept(CONTROLS["redraw_law"](wide, 5)), gaussian, strict=True):
        assert theirs.min() <= drawn.min() <= drawn.max() <= theirs.max()
        gap = np.abs(theirs).min()
        assert np.mean(np.abs(drawn) < 0.99 * gap) <= 4 / len(theirs) < np.mean(np.abs(bell) < 0.99 * gap)
        assert ks_2samp(theirs, drawn).pvalue > 1e-4
        assert ks_2samp(theirs, bell).pvalue < 1e-4


def test_redraw_law_draws_and_does_not_shuffle(wide):
    theirs, drawn = kept(wide)[0], kept(CONTROLS["redraw_law"](wide, 5))[0]
    assert len(np.intersect1d(theirs, drawn)) < 0.05 * len(theirs)
    assert abs(np.corrcoef(theirs, drawn)[0, 1]) < 0.2


@pytest.mark.parametrize("name", ["redraw_gaussian", "redraw_law", "shuffle_entries", "flip_signs"])
def test_a_redrawn_weight_forgets_its_place(wide, name):
    """Uncorrelated with what stood there."""
    spread = [values.std() for values in kept(wide)]
    ours = np.concatenate([standardised(CONTROLS[name](wide, seed), spread) for seed in range(3)])
    theirs = np.tile(standardised(wide, spread), 3)
    assert_mean(ours * theirs, 0.0, rejects=0.1)


def test_every_sign_is_flipped_by_a_coin_of_its_own(wide):
    flips = np.concatenate([np.sign(a * b) for a, b in zip(kept(CONTROLS["flip_signs"](wide, 5)), kept(wide), strict=True)])
    assert set(flips) == {-1.0, 1.0}
    assert_mean(flips, 0.0, rejects=0.1)
    assert_mean(flips[1:] * flips[:-1], 0.0, rejects=0.1)


@pytest.mark.parametrize(
    ("init", "sigma_squared"), [({}, 1.4**2), ({"sigma_w": 0.8}, 0.64), ("he", 2.0), ("orthogonal", 1.96)]
)
def test_rescale_gives_rows_their_mean_square_back(tiny_run, init, sigma_squared):
    held = tiny_run[1, 3]
    parent = Ticket(held.spec.but(init=init), 1, 3, held.run, held.record, held.read)
    ticket = CONTROLS["rescale"](parent, 5)
    for name in ticket.mask:
        matrix = ticket.rewound[name].double()
        assert (matrix**2).sum().item() / len(matrix) == pytest.approx(sigma_squared, rel=1e-6)


def test_rescale_under_glorot_gives_its_variance_back(conv_run):
    """2 / (fan_in + fan_out) for each of fan_in entries of a row."""
    held = conv_run[0, 2]
    ticket = CONTROLS["rescale"](Ticket(held.spec.but(init="glorot"), 0, 2, held.run, held.record, held.read), 5)
    fans = {"conv1.weight": (9, 45), "conv2.weight": (45, 27), "fc1.weight": (48, 7), "fc2.weight": (7, 10)}
    for name, (fan_in, fan_out) in fans.items():
        power = (ticket.rewound[name].double() ** 2).sum().item() / len(ticket.mask[name])
        assert power == pytest.approx(2 * fan_in / (fan_in + fan_out), rel=1e-6)


def test_rescale_of_convolutions_counts_the_whole_row(conv_run):
    ticket = CONTROLS["rescale"](conv_run[0, 2], 5)
    for name, mask in ticket.mask.items():
        assert (ticket.rewound[name].double() ** 2).sum().item() / len(mask) == pytest.approx(1.4**2, rel=1e-6)


def test_rescale_under_a_modules_own_init_has_no_sigma_and_is_refused(tiny_run):
    held = tiny_run[1, 3]
    with pytest.raises(Refusal, match="own"):
        CONTROLS["rescale"](Ticket(held.spec.but(init="own"), 1, 3, held.run, held.record, held.read), 5)


def test_rescale_takes_one_positive_factor_a_layer(parent):
    for ours, theirs in zip(kept(CONTROLS["rescale"](parent, 5)), kept(parent), strict=True):
        factor = ours / theirs
        assert factor.min() > 0
        assert factor.max() / factor.min() == pytest.approx(1, rel=1e-5)


def test_small_dense_is_whole_narrower_and_about_as_large(wide):
    ticket = CONTROLS["small_dense"](wide, 5)
    assert all(mask.all() for mask in ticket.mask.values())
    assert ticket.density == 1.0
    number, wanted = (sum(int(mask.sum()) for mask in t.mask.values()) for t in (ticket, wide))
    assert number == pytest.approx(wanted, rel=0.03)
    assert all(a < b for a, b in zip(ticket.spec.net.widths, wide.spec.net.widths, strict=True))
    assert ticket.spec.net.widths[0] / ticket.spec.net.widths[1] == pytest.approx(150 / 90, rel=0.1)
    shapes = build(ticket.spec.net, (64,), 10).shapes
    assert {name: tuple(value.shape) for name, value in ticket.start.items()} == shapes
    assert {name: tuple(value.shape) for name, value in ticket.weights.items()} == shapes
    assert ticket.record["parent"] == "f" * 64
    assert (ticket.record["control"], ticket.record["control_seeds"]) == ("small_dense", [5])


def test_small_dense_is_drawn_from_the_law_of_each_layers_kept_weights(wide):
    gaussian = kept(CONTROLS["redraw_gaussian"](wide, 5))
    for theirs, drawn, bell in zip(kept(wide), kept(CONTROLS["small_dense"](wide, 5)), gaussian, strict=True):
        assert theirs.min() <= drawn.min() <= drawn.max() <= theirs.max()
        assert ks_2samp(theirs, drawn).pvalue > 1e-4
        assert ks_2samp(theirs, bell).pvalue < 1e-4


def test_small_dense_of_convolutions_is_refused(conv_run):
    with pytest.raises(Refusal, match=r"narrower net .* kind conv"):
        CONTROLS["small_dense"](conv_run[0, 2], 5)


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
