"""What a criterion scores, and that a Spec can name exactly the criteria there are."""

from typing import get_args

import pytest
import torch

from rmtlottery.prune.criteria import CRITERIA, evidence_for
from rmtlottery.tickets.parts import AtInit, Prune
from rmtlottery.tickets.spec import declared
from tests.prune.rankings import cut

WEIGHT = [[-3.0, 2.0, -0.5], [0.0, 1.0, -4.0]]
EVIDENCE = {
    "start": [[-1.0, -2.5, -0.75], [0.5, 1.0, 4.5]],
    "noise": [[0.6, 0.1, 0.9], [0.3, 0.2, 0.8]],
    "gradient": [[0.5, -1.0, -2.0], [7.0, 0.0, 0.25]],
    "curvature": [[2.0, -0.5, 4.0], [9.0, -3.0, -0.125]],
    "flow": [[1.5, 0.25, 2.0], [8.0, 3.0, 0.5]],
    "moments": [[2.0, 1.0, 0.0], [1.0, 4.0, -1.0], [0.0, -1.0, 1.0]],
}
SCORES = {
    "magnitude": [[3.0, 2.0, 0.5], [0.0, 1.0, 4.0]],
    "large_final": [[3.0, 2.0, 0.5], [0.0, 1.0, 4.0]],
    "large_final_same_sign": [[3.0, -2.0, 0.5], [0.0, 1.0, -4.0]],
    "magnitude_increase": [[2.0, -0.5, -0.25], [-0.5, 0.0, -0.5]],
    "movement": [[2.0, 4.5, 0.25], [0.5, 0.0, 8.5]],
    "large_init": [[1.0, 2.5, 0.75], [0.5, 1.0, 4.5]],
    "random": [[0.6, 0.1, 0.9], [0.3, 0.2, 0.8]],
    "snip": [[1.5, 2.0, 1.0], [0.0, 0.0, 1.0]],
    "grasp": [[-6.0, -1.0, -2.0], [0.0, -3.0, 0.5]],
    "synflow": [[4.5, 0.5, 1.0], [0.0, 3.0, 2.0]],
    "alignment": [[12.0, 11.0, 1.25], [0.0, 8.0, 20.0]],
}


def held(name):
    return {keyword: torch.tensor(EVIDENCE[keyword]) for keyword in evidence_for(name)}


def ones(*shape):
    return torch.ones(shape, dtype=torch.bool)


def test_a_spec_can_name_every_criterion_and_no_other():
    named = {part: set(get_args(declared(part)["criterion"].kind)) for part in (Prune, AtInit)}
    assert named[Prune] | named[AtInit] == set(CRITERIA) == set(SCORES)


def test_before_training_nothing_that_needs_training_can_be_named():
    after = {"large_final", "large_final_same_sign", "magnitude_increase", "movement", "large_init"}
    assert not after & set(get_args(declared(AtInit)["criterion"].kind))


@pytest.mark.parametrize("name", CRITERIA)
def test_scores_are_those_written_by_hand(name):
    assert CRITERIA[name](torch.tensor(WEIGHT), ones(2, 3), **held(name)).tolist() == torch.tensor(SCORES[name]).tolist()


def test_a_large_negative_weight_outlives_a_small_positive_one():
    weight, mask = torch.tensor([-5.0, 0.1, -0.2, 4.0]), ones(4)
    assert cut(CRITERIA["magnitude"](weight, mask), mask, 0.5).tolist() == [True, False, False, True]


def test_a_weight_that_went_far_to_the_other_sign_goes_before_one_that_is_near_nothing():
    """Under large_final_same_sign; by magnitude alone it is the other way about."""
    weight, start, mask = torch.tensor([-5.0, 0.1, 3.0]), torch.tensor([1.0, 0.2, 2.0]), ones(3)
    signed = CRITERIA["large_final_same_sign"](weight, mask, start=start)
    assert cut(signed, mask, 0.34).tolist() == [False, True, True]
    assert cut(CRITERIA["magnitude"](weight, mask), mask, 0.34).tolist() == [True, False, True]


def test_grasp_takes_first_what_raises_gradient_flow_by_going():
    """dS = -w (H g) when w goes, so the lowest w (H g), which is negative, raises the flow most."""
    scores = CRITERIA["grasp"](torch.tensor([1.0, -1.0, 1.0]), ones(3), curvature=torch.tensor([5.0, 5.0, -1.0]))
    assert cut(scores, ones(3), 0.34).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("magnitude", []), ("movement", ["start"]), ("random", ["noise"]), ("snip", ["gradient"]), ("grasp", ["curvature"]),
     ("synflow", ["flow"])],
)  # fmt: skip
def test_a_criterion_names_what_it_needs(name, wanted):
    assert evidence_for(name) == wanted


@pytest.mark.parametrize("name", CRITERIA)
def test_scoring_changes_neither_weight_nor_mask_nor_evidence(name):
    weight, mask, evidence = torch.tensor(WEIGHT), ones(2, 3), held(name)
    CRITERIA[name](weight, mask, **evidence)
    assert weight.tolist() == WEIGHT
    assert mask.all()
    assert all(torch.equal(value, torch.tensor(EVIDENCE[keyword])) for keyword, value in evidence.items())


def test_alignment_adds_up_to_the_length_of_the_signal():
    """Over a row, and less the bias: the mean of (W x)^2, x not centred, on unequal sides."""
    stream = torch.Generator().manual_seed(0)
    weight = torch.randn(3, 5, dtype=torch.float64, generator=stream)
    x = torch.randn(200, 5, dtype=torch.float64, generator=stream) + 1
    found = CRITERIA["alignment"](weight, ones(3, 5), moments=x.T @ x / 200).sum(1)
    assert torch.allclose(found, (x @ weight.T).square().mean(0), rtol=1e-12)
