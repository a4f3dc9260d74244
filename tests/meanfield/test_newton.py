"""Newton on arrays: each entry rests by itself, and what does not converge raises."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.meanfield.newton import newton, without_rounding


def test_square_roots():
    numbers = np.array([2.0, 9.0, 1e10])
    assert_allclose(newton(lambda x, at: (x + numbers[at] / x) / 2, numbers), np.sqrt(numbers), rtol=1e-15)


def test_no_rest_is_an_error():
    with pytest.raises(ArithmeticError, match="no fixed point found in 200 Newton steps: the last one still moved by 1"):
        newton(lambda x, at: x + 1, np.zeros(2))


def test_only_rounding_is_dropped():
    assert without_rounding(np.array([3e-16, -3e-16, 5e-16]), 1.0).tolist() == [0, 0, 5e-16]
