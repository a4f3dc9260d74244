"""The bundled digits: the published counts and the split."""

from pathlib import Path

import numpy as np
import pytest
import torch

from rmtlottery.datasets.digits import digits
from rmtlottery.tickets.parts import Digits

DATA = Path(__file__).parents[2] / "data"
CLASS_COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


@pytest.fixture(scope="module")
def whole():
    return digits(Digits(validation=0.0))


def test_there_are_1797_samples_and_every_fifth_is_for_the_test(whole):
    assert (len(whole.train), len(whole.validation), len(whole.test)) == (1437, 0, 360)
    with np.load(DATA / "digits.npz") as held:
        assert whole.test.y.tolist() == held["y"][::5].tolist()


def test_classes_are_as_many_as_published(whole):
    assert torch.bincount(torch.cat([whole.train.y, whole.test.y])).tolist() == CLASS_COUNTS
    assert whole.classes == 10


def test_the_first_test_picture_is_the_known_zero(whole):
    """Its pixels are 0..16, begin 0 0 5 13 9 1 0 0 and add up to 294, whatever they were standardised by."""
    with np.load(DATA / "digits.npz") as held:
        train = np.delete(held["x"], np.s_[::5], axis=0).astype(float)
    pixels = whole.test.x[0].double().numpy() * train.std() + train.mean()
    np.testing.assert_allclose(pixels[:8], [0, 0, 5, 13, 9, 1, 0, 0], atol=1e-5)
    assert pixels.sum() == pytest.approx(294, abs=1e-3)


def test_a_tenth_of_the_rest_is_for_validation_by_default():
    found = digits(Digits())
    assert (len(found.train), len(found.validation), len(found.test)) == (1293, 144, 360)
