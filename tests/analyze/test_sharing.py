"""How many subnets keep a share of what they gained, on tables made up; which tickets are subnets is with their analysis."""

import numpy as np
import pandas as pd
import pytest

from rmtlottery.analyze._sharing import capacity
from tests.analyze.made_subnets import made


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        ([0.8, 0.8, 0.8, 0.64], 2**2.5),
        ([1.0, 0.9, 0.8], 2),
        ([1.0, 0.6], 2**0.25),
        ([1.0, 0.95, 0.91], np.inf),
        ([0.5], np.inf),
        ([1.0, 0.8, 1.0], 2**0.5),
    ],
)
def test_capacity_is_where_the_share_is_first_lost(accuracies, expected):
    assert capacity(made(accuracies), 0.9) == pytest.approx(expected)


def test_capacity_is_of_what_is_gained_over_the_start():
    assert capacity(made([0.9, 0.85, 0.79], start=0.7), 0.5) == pytest.approx(2 ** (1 + 0.25 / 0.3))
    assert capacity(made([0.7, 0.7], start=0.7), 0.9) == 0
    assert capacity(made([0.07, 0.05, 0.02], start=0.08), 0.9) == 0


def test_each_number_is_set_against_the_same_subnets_alone():
    assert capacity(made([0.9, 0.6]).assign(alone=[0.9, 0.6]), 0.9) == np.inf


def test_capacity_is_that_of_the_mean_over_seeds():
    rows = pd.concat([made([1.0, 1.0, 0.6]), made([1.0, 0.9, 0.7], seed=1)])
    assert capacity(rows, 0.9) == pytest.approx(2 ** (1 + 0.05 / 0.3))
