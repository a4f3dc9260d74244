"""What a law may not be asked."""

import numpy as np
import pytest

from rmtlottery.spectra.arguments import points, positive, probabilities


def test_what_is_right_comes_back_as_it_is():
    assert points([-np.inf, 0, 2]).tolist() == [-np.inf, 0.0, 2.0]
    assert probabilities([0, 0.5, 1]).tolist() == [0.0, 0.5, 1.0]
    assert positive(3, "order") == 3.0


def test_nan_is_no_point():
    with pytest.raises(ValueError, match="1 of the 3 points x are NaN"):
        points([1, np.nan, 2])


@pytest.mark.parametrize("p", [-1e-9, 1.001, np.nan])
def test_a_probability_lies_between_0_and_1(p):
    with pytest.raises(ValueError, match=f"p = {p} is no probability"):
        probabilities([0.5, p])


@pytest.mark.parametrize("value", [0.0, -1.0, np.inf, np.nan, [1.0, 2.0]])
def test_a_parameter_is_one_positive_number(value):
    with pytest.raises(ValueError, match=r"ratio = .* is not a finite number above 0"):
        positive(value, "ratio")
