"""Whose mask it is, in a word."""

from types import SimpleNamespace

import pytest

import rmtlottery as rl
from rmtlottery.analyze._arms import ITERATED, arm, mask_of, standing, task

SNIP = {"prune": {"kind": "at_init", "criterion": "snip"}}


@pytest.mark.parametrize(
    ("fields", "control", "expected"),
    [
        ({}, "", ITERATED),
        ({"criterion": "large_final"}, "", ITERATED),
        ({"criterion": "random"}, "", "random iterated"),
        ({}, "shuffle_mask,rescale", "shuffle_mask,rescale"),
        ({}, "rewound", ITERATED),
        ({}, "rewound,shuffle_mask", "shuffle_mask"),
        (SNIP, "", "snip at init"),
        (SNIP, "shuffle_mask", "shuffle_mask of snip at init"),
    ],
)
def test_an_arm_is_its_controls_and_whose_tickets_they_changed(fields, control, expected):
    assert arm(SimpleNamespace(spec=rl.preset("first").but(**fields), record={"control": control})) == expected


def test_a_run_and_what_a_control_makes_of_it(tiny_run):
    ticket = tiny_run[0, 1]
    assert arm(ticket) == ITERATED
    assert arm(rl.controls.rescale(rl.controls.shuffle_mask(ticket, 0), 1)) == "shuffle_mask,rescale"


def test_what_is_trained_again_from_a_child_is_of_the_childs_arm(tiny_run, tmp_path):
    shuffled = rl.fit(tiny_run.spec, tmp_path, start=[rl.controls.shuffle_mask(tiny_run[0, 2], 0)])
    again = rl.fit(shuffled.spec.but(lr=0.02, name="again"), tmp_path, start=[rl.controls.rewound(t, 0) for t in shuffled])
    plain = rl.fit(shuffled.spec.but(lr=0.03, name="plain"), tmp_path, start=list(shuffled))
    scaled = rl.fit(shuffled.spec.but(name="scaled"), tmp_path, start=[rl.controls.rescale(t, 0) for t in shuffled])
    assert [arm(run[0, 2]) for run in (again, plain, scaled)] == ["shuffle_mask", "shuffle_mask", "shuffle_mask,rescale"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, ""),
        ({"lr": 0.5, "seeds": (7,), "levels": 2, "widths": (3, 4), "rate": 0.5}, ""),
        ({"batch": 60}, ", batch 60"),
        ({"rewind": 500}, ", rewind 500"),
        ({"schedule": "cosine"}, ", cosine schedule"),
        ({"validation": 0.25, "decay": 1e-4}, ", validation 0.25, decay 0.0001"),
    ],
)
def test_a_task_says_what_is_not_as_usual_and_no_more(fields, words):
    usual = "tanh fc of normal init (1.4, 0.3) on digits, 6 epochs of adam"
    spec = rl.Spec().but(data="digits", init={"kind": "normal", "sigma_w": 1.4, "sigma_b": 0.3})
    assert task(spec.but(**fields), 6) == usual + words


@pytest.mark.parametrize(
    ("name", "mask"),
    [
        ("imp", "imp"),
        ("rescale", "imp"),
        ("shuffle_mask,rescale", "shuffle_mask"),
        ("shuffle_mask,init_mask", "init_mask"),
        ("scatter", "scatter"),
        ("small_dense,fresh_init", "small_dense"),
        ("snip at init", "snip at init"),
        ("rescale of snip at init", "snip at init"),
        ("shuffle_mask of random iterated", "shuffle_mask"),
    ],
)
def test_the_mask_of_an_arm(name, mask):
    assert mask_of(name) == mask


def test_sizes_and_rules_are_said_where_they_are_not_as_usual(tiny_run):
    told = standing(tiny_run[0, 1])
    assert told["net"] == "widths 12,8"
    assert told["rule"] == "as usual"
    other = SimpleNamespace(spec=tiny_run.spec.but(scope="global", rate=0.5, widths="8x256"), record={})
    other.metrics, other.mask = tiny_run[0, 1].metrics, {}
    told = standing(other)
    assert told["net"] == "as usual"
    assert told["rule"] == "rate 0.5, scope global"
    other.spec = other.spec.but(prune={"kind": "at_init", "criterion": "snip"})
    assert standing(other)["rule"] == "none"
