"""What a criterion scores, and that a Spec can name exactly the criteria there are."""

from typing import get_args

import pytest
import torch

from rmtlottery.prune.criteria import CRITERIA
from rmtlottery.prune.cut import cut
from rmtlottery.tickets.parts import Prune
from rmtlottery.tickets.spec import declared


def test_a_spec_can_name_every_criterion_and_no_other():
    assert set(get_args(declared(Prune)["criterion"].kind)) == set(CRITERIA)


def test_magnitude_is_blind_to_sign():
    weight = torch.tensor([[-3.0, 2.0, -0.5], [0.0, 1.0, -4.0]])
    scores = CRITERIA["magnitude"](weight, torch.ones(2, 3, dtype=torch.bool))
    assert scores.tolist() == [[3.0, 2.0, 0.5], [0.0, 1.0, 4.0]]


def test_a_large_negative_weight_outlives_a_small_positive_one():
    weight, mask = torch.tensor([-5.0, 0.1, -0.2, 4.0]), torch.ones(4, dtype=torch.bool)
    assert cut(CRITERIA["magnitude"](weight, mask), mask, 0.5).tolist() == [True, False, False, True]


@pytest.mark.parametrize("name", CRITERIA)
def test_scoring_changes_neither_weight_nor_mask(name):
    weight, mask = torch.randn(4, 3, generator=torch.Generator().manual_seed(0)), torch.ones(4, 3, dtype=torch.bool)
    held = weight.clone()
    CRITERIA[name](weight, mask)
    assert torch.equal(weight, held)
    assert mask.all()
