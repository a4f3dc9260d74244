"""The comparison of thresholds, in few dimensions."""

import numpy as np
import pytest

from benchmarks import wells
from rmtlottery import width


def test_a_row_tells_every_prediction_of_one_well():
    numbers = np.random.default_rng(0)
    h, u = np.geomspace(1, 0.01, 60), numbers.standard_normal(60)
    reached = width.least_losses(h, u, 80, numbers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wells, "AMBIENT", 60)
        row = wells.compared(h, u, 0.1 * reached[0, 0], reached, numbers)
    assert row["mean_field"] == pytest.approx(row["simulated"], abs=3)
    assert row["distance_squared"] == pytest.approx(row["simulated"], abs=5)
    assert row["larsen"] > row["mean_field"]
    assert 0.5 <= row["gordon"] <= 1


def test_the_summary_is_the_root_mean_square_of_what_is_missed():
    rows = [
        {"simulated": 10.0, "mean_field": 13.0, "larsen": 20.0, "distance_squared": 10.0, "gordon": 1.0},
        {"simulated": 20.0, "mean_field": 16.0, "larsen": 30.0, "distance_squared": 20.0, "gordon": 0.8},
    ]
    found = wells.summary(rows)
    assert found["mean_field"] == pytest.approx(np.sqrt((9 + 16) / 2))
    assert (found["larsen"], found["distance_squared"], found["gordon"]) == (10, 0, 0.8)


def test_there_are_thirty_cases():
    assert len(wells.SPECTRA) * len(wells.DISPLACEMENTS) * len(wells.SHARES) == 30
