"""Whose mask it is, in a word."""

from types import SimpleNamespace

import pytest

import rmtlottery as rl
from rmtlottery.analyze._arms import ITERATED, arm

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
