"""Halving against functions with a known inverse, some of them with an end of infinite or zero slope."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.spectra.inverse import inverse

KNOWN = {"line": lambda x: 3 * x, "steep": np.sqrt, "flat": lambda x: x**3, "bend": np.sinh}


@pytest.mark.parametrize("name", KNOWN)
def test_it_undoes(name):
    x = np.random.default_rng(0).uniform(0.01, 2, (3, 5))
    assert_allclose(inverse(KNOWN[name], KNOWN[name](x), 0.0, 2.0), x, rtol=1e-11)


def test_a_bracket_that_shrinks_keeps_the_digits():
    value = np.geomspace(1e-200, 1, 20)
    assert_allclose(inverse(np.tan, value, 0.0, value), np.arctan(value), rtol=1e-14)


def test_a_value_that_is_never_taken_gives_the_nearer_end():
    assert_allclose(inverse(lambda x: x, np.array([-1.0, 5.0]), 0.0, 2.0), [0.0, 2.0], atol=1e-15)
