"""An Activation that contradicts itself, or that averages would get wrong, is refused in one sentence."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from rmtlottery.meanfield import Activation, gaussian_mean
from rmtlottery.meanfield.activations import ACTIVATIONS


def hard_sigmoid(h):
    return np.clip(h / 6 + 0.5, 0, 1)


def hard_sigmoid_slope(h):
    return np.where(np.abs(h) < 3, 1 / 6, 0.0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_what_is_vouched_for_would_pass(name):
    act = ACTIVATIONS[name]
    assert dataclasses.replace(act, name="mine", vouched=False).name == "mine"


@pytest.mark.parametrize(("phi", "slope"), [(np.tanh, None), (np.tanh, 1.0), (None, np.cos)])
def test_no_function(phi, slope):
    with pytest.raises(ValueError, match=r"Activation 'mine': (phi|slope) is (None|1.0), not a function"):
        Activation("mine", phi, slope)


def test_a_slope_left_out():
    with pytest.raises(ValueError, match="declare phi and its slope together"):
        Activation("mine", np.tanh)


@pytest.mark.parametrize("slope", [np.tanh, lambda h: 1.001 / np.cosh(h) ** 2, lambda h: np.full_like(h, np.nan)])
def test_a_slope_of_something_else(slope):
    with pytest.raises(ValueError, match=r"'mine': the slope at h = 0.37 is given as \S+, but phi changes by 0.87469 there"):
        Activation("mine", np.tanh, slope)


def test_a_slope_wrong_below_zero_only():
    with pytest.raises(ValueError, match=r"at h = -0.37 is given as 0.3, but phi changes by 0.2 there"):
        Activation("mine", lambda h: np.maximum(h, 0.2 * h), lambda h: np.where(h > 0, 1.0, 0.3))


@pytest.mark.parametrize(
    ("phi", "slope"),
    [
        (hard_sigmoid, hard_sigmoid_slope),
        (lambda h: np.clip(h, 0, 6), lambda h: np.where((h > 0) & (h < 6), 1.0, 0.0)),
        (lambda h: np.sign(h - 1), np.zeros_like),
        (lambda h: np.sin(30 * h), lambda h: 30 * np.cos(30 * h)),
    ],
    ids=["hard sigmoid", "relu6", "step at 1", "fast sine"],
)
def test_a_turn_that_the_rule_does_not_resolve(phi, slope):
    with pytest.raises(ValueError, match=r"right only for a turn or a kink at h = 0.* needs all the closed forms"):
        Activation("mine", phi, slope, bound=6.0)


def forms(act):
    """Averages that are good enough to be taken for closed forms."""
    powers = {
        "square_mean": lambda h: act.phi(h) ** 2,
        "slope_square_mean": lambda h: act.slope(h) ** 2,
        "square_slope": lambda h: act.phi(h) * act.slope(h) * h,
        "fourth_mean": lambda h: act.phi(h) ** 4,
        "slope_fourth_mean": lambda h: act.slope(h) ** 4,
    }
    return {name: (lambda q, f=f: gaussian_mean(f, q)) for name, f in powers.items()}


def test_the_same_with_all_closed_forms():
    held = SimpleNamespace(phi=hard_sigmoid, slope=hard_sigmoid_slope)
    pairs = {
        "pair_mean": lambda q1, q2, c: forms(held)["square_mean"](q1) * c,
        "slope_pair_mean": lambda q1, q2, c: c / 36,
    }
    mine = Activation("mine", hard_sigmoid, hard_sigmoid_slope, 1.0, **forms(held), **pairs)
    assert mine.K(1.0, 0.5) == pytest.approx(mine.V(1.0) / 2)


@pytest.mark.parametrize("name", ["square_mean", "slope_square_mean", "square_slope", "fourth_mean", "slope_fourth_mean"])
def test_a_closed_form_of_something_else(name):
    held = {"phi": np.tanh, "slope": ACTIVATIONS["tanh"].slope}
    right = forms(SimpleNamespace(**held))[name]
    assert Activation("mine", **held, **{name: right}).name == "mine"
    with pytest.raises(ValueError, match=rf"'mine': {name} is .* at q = 1, but the average is"):
        Activation("mine", **held, **{name: lambda q: 1.3 * right(q)})


def test_a_pair_that_is_not_the_square_where_both_are_one():
    with pytest.raises(ValueError, match=r"pair_mean is 0\.5 at q = 1, but the average is 0\.394"):
        Activation("mine", np.tanh, ACTIVATIONS["tanh"].slope, pair_mean=lambda q1, q2, c: c / 2)


def test_one_that_is_not_homogeneous():
    with pytest.raises(ValueError, match=r"declared homogeneous, and phi\(2 h\) is not 2 phi\(h\)"):
        Activation("mine", np.tanh, ACTIVATIONS["tanh"].slope, bound=1.0, homogeneous=True)


def test_what_turns_ever_faster_with_q_needs_a_limit():
    with pytest.raises(ValueError, match="where a limit below q = 100000 does not help"):
        Activation("mine", np.sin, np.cos, bound=1.0, odd=True)
    sine = Activation("mine", np.sin, np.cos, bound=1.0, odd=True, limit=20.0)
    np.testing.assert_allclose(sine.V(20.0), (1 - np.exp(-40)) / 2, rtol=1e-10)
    with pytest.raises(ValueError, match="is beyond 20"):
        sine.V(21.0)


def test_a_bound_that_phi_passes():
    with pytest.raises(ValueError, match=r"the bound is given as 0.5, but \|phi\| is 0.99999 at h = 6.1"):
        Activation("mine", np.tanh, lambda h: 1 / np.cosh(h) ** 2, bound=0.5)


def test_one_that_is_not_odd():
    with pytest.raises(ValueError, match=r"'mine' is declared odd, and phi\(-h\) is not -phi\(h\)"):
        Activation("mine", lambda h: np.tanh(h + 0.1), lambda h: 1 / np.cosh(h + 0.1) ** 2, bound=1.0, odd=True)


def test_an_odd_one_gives_the_same_averages_on_one_side():
    both = Activation("both", np.tanh, ACTIVATIONS["tanh"].slope, bound=1.0)
    for name in ("V", "D", "V4", "D4", "V_slope"):
        found = [getattr(act, name)(np.array([1e-6, 0.3, 1e4])) for act in (both, ACTIVATIONS["tanh"])]
        np.testing.assert_allclose(found[0], found[1], rtol=1e-13)


def test_a_function_of_no_array():
    with pytest.raises(ValueError, match="must give an array as long as the one they get"):
        Activation("mine", np.tanh, lambda h: 1.0)


@pytest.mark.parametrize(
    ("phi", "slope"),
    [(np.sin, np.cos), (lambda h: np.tanh(20 * h), lambda h: 20 / np.cosh(np.clip(20 * h, -300, 300)) ** 2)],
)
def test_smooth_ones_pass(phi, slope):
    assert Activation("mine", phi, slope, bound=1.0, limit=10.0).bound == 1
