"""What each control of values draws, against the law it says it draws from."""

import numpy as np
import pytest
import torch
from scipy.stats import ks_2samp

import rmtlottery as rl
from rmtlottery.nets import build
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.disk import fingerprint
from rmtlottery.tickets.ticket import Ticket
from rmtlottery.train.controls import CONTROLS, named
from tests.conftest import TINY, assert_mean
from tests.prune.held import handmade, kept, standardised


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


def test_rescale_units_gives_every_row_its_mean_square_back(parent):
    ticket = CONTROLS["rescale_units"](parent, 5)
    for name, mask in ticket.mask.items():
        power = ticket.rewound[name].double().flatten(1).square().sum(1)
        alive = mask.flatten(1).any(1)
        assert power[alive].numpy() == pytest.approx(1.4**2, rel=1e-6)
        assert (power[~alive] == 0).all()


def test_rescale_units_leaves_a_unit_without_weights_alone(wide):
    mask = {name: value.clone() for name, value in wide.mask.items()}
    mask["fc2.weight"][3] = False
    ticket = CONTROLS["rescale_units"](handmade(wide.spec, wide.start, mask), 5)
    assert (ticket.rewound["fc2.weight"][3] == 0).all()
    assert all(value.isfinite().all() for value in ticket.start.values())


def moved(ticket, control):
    """Displacements from the trained weights: of theta_k, and of where the control starts."""
    found = named(control)(ticket, 5)
    ends = [
        torch.cat([(held[name] - ticket.weights[name]).double().flatten() for name in ticket.weights])
        for held in (ticket.rewound, found.weights)
    ]
    return *ends, found


@pytest.mark.parametrize("share", [0.5, -0.25, 1.0])
def test_toward_starts_on_the_way_to_the_trained_weights(parent, share):
    whole, rest, found = moved(parent, f"toward:{share}")
    assert (rest - (1 - share) * whole).norm() < 1e-5 * whole.norm()
    assert found.record["control"] == f"toward:{share:g}"


def test_a_start_that_was_rewound_to_is_where_the_way_begins(tmp_path):
    late = rl.fit(TINY.but(levels=1, rewind=4, seeds=(0,), name="late"), tmp_path, threads=1)[0, 0]
    far = {share: moved(late, f"{share}")[1].norm() for share in ("toward:0.25", "around:0.75")}
    whole = moved(late, "rewound")[0].norm()
    assert float(far["toward:0.25"]) == pytest.approx(0.75 * float(whole), rel=1e-4)
    assert float(far["around:0.75"]) == pytest.approx(0.75 * float(whole), rel=1e-4)


def test_around_starts_as_far_as_asked_in_a_random_direction(parent):
    whole, rest, found = moved(parent, "around:0.3")
    assert float(rest.norm()) == pytest.approx(0.3 * float(whole.norm()), rel=1e-5)
    assert abs(whole @ rest) < 5 * whole.norm() * rest.norm() / len(whole) ** 0.5
    other = named("around:0.3")(parent, 6)
    assert fingerprint(other.start) != fingerprint(found.start)
    for name, mask in parent.mask.items():
        assert not found.weights[name][~mask].any()
        spread = (found.weights[name] - parent.weights[name])[mask].double()
        share = float(spread.square().sum() / rest.square().sum()) / (len(spread) / int(rest.count_nonzero()))
        assert abs(share - 1) < 5 * (2 / len(spread)) ** 0.5  # of no layer more than of another


@pytest.mark.parametrize(
    "word", ["toward:far", "around:nan", "toward:", "after:soon", "after:0.9", "after:-3", "around:-1", "beside:2"]
)
def test_a_control_whose_number_is_none_is_refused(word):
    with pytest.raises(Refusal, match=f"{word}|did you mean"):
        named(word)
