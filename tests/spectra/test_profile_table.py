"""A cdf kept at nodes, against laws in closed form."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from rmtlottery.spectra.marchenko_pastur import MarchenkoPastur
from rmtlottery.spectra.profile_table import ProfileTable


@pytest.mark.parametrize("ratio", [0.4, 0.97, 1.0, 2.5])
def test_between_nodes_it_is_the_law(ratio):
    law = MarchenkoPastur(ratio, 1.3)
    table = ProfileTable(lambda x: (law.cdf(x), law.pdf(x)), law.edges, law.atom)
    x = np.linspace(*law.edges, 4001)
    assert_allclose(table(x), law.cdf(x), atol=1e-6)
    assert len(table.t) < (80 if ratio == 1 else 200)


def test_a_gap_and_its_edges_are_found():
    """Two semicircles on the x axis, half of the mass each."""

    def halves(x):
        parts = [np.clip(x - centre, -1, 1) for centre in (1.0, 6.0)]
        cdf = sum(0.5 + (u * np.sqrt(1 - u**2) + np.arcsin(u)) / np.pi for u in parts) / 2
        return cdf, sum(np.sqrt(1 - u**2) for u in parts) / np.pi

    table = ProfileTable(halves, (0.0, 7.0), 0.0)
    x = np.linspace(0, 7, 5001)
    assert_allclose(table(x), halves(x)[0], atol=3e-6)
    assert_allclose(table(np.array([3.0, 4.9])), 0.5, atol=1e-9)


def test_place_and_call_are_inverse():
    law = MarchenkoPastur(0.4)
    table = ProfileTable(lambda x: (law.cdf(x), law.pdf(x)), law.edges, 0.0)
    t = np.array([0.0, 0.2, 0.7, 1.0])
    assert_allclose(table(table.place(t)), table.at(t), atol=1e-12)
    assert_allclose(table.place(t[[0, -1]]), law.edges)
