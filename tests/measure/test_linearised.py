"""The least-squares problem of the linearised net against its Jacobian written out."""

import numpy as np
import pytest
import torch

from rmtlottery.charts.projections import projection
from rmtlottery.measure.linearised import least_squares
from tests.measure import landscapes
from tests.measure.landscapes import CLASSES, SAMPLES


@pytest.mark.parametrize("kept", [None, 0.5])
def test_its_rows_are_those_of_the_jacobian_along_the_directions(kept):
    held = landscapes.landscape("squared", kept)
    P = projection("dense", len(held.whole(held.at)), 9, 0)
    matrix, rest = (np.concatenate(parts) for parts in zip(*least_squares(held, "dense", 9, 0), strict=True))
    columns = P.apply(torch.eye(9)).double()[:, held.places]
    J = landscapes.jacobian(held).reshape(SAMPLES * CLASSES, -1)
    np.testing.assert_allclose(matrix, (J @ columns.T).numpy() / SAMPLES**0.5, rtol=1e-9, atol=1e-12)
    assert rest @ rest / 2 == pytest.approx(held.value(held.at), rel=1e-12)


def test_a_small_step_has_the_loss_of_the_net_to_first_order():
    held = landscapes.landscape("squared")
    P = projection("dense", len(held.at), 5, 1)
    x = np.array([1.0, -2.0, 0.5, 0.0, 1.0])
    for size, near in ((1e-3, 1e-4), (1e-5, 1e-8)):
        told = sum(np.square(matrix @ (size * x) + rest).sum() / 2 for matrix, rest in least_squares(held, "dense", 5, 1))
        there = held.value(held.at + size * P.apply(torch.from_numpy(x).float()).double())
        assert told == pytest.approx(there, abs=near)
