"""MNIST: made files, and the real ones against published numbers."""

import numpy as np
import pytest
import torch

from rmtlottery.datasets.mnist import mnist
from rmtlottery.datasets.published import MNIST
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Mnist
from tests.datasets.made import idx_bytes, lay_out, mnist_set


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("RMTL_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def real(real_data):
    """All of it, nothing held out, so that the order is that of the files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RMTL_DATA", str(real_data))
        return mnist(Mnist(validation=0.0))


def test_made_files_give_their_pictures_and_labels(here):
    found = mnist(Mnist(validation=0.2), mnist_set(here))
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 24, "validation": 6, "test": 12}
    assert (found.shape, found.classes) == ((1, 28, 28), 10)
    assert found.test.y.tolist() == [*range(10), 0, 1]
    assert found.train.x.dtype == torch.float32
    assert found.train.y.dtype == torch.int64


def test_a_label_that_is_no_class_is_refused(here):
    with pytest.raises(Refusal, match=r"train-labels.*holds the label 10, and the 10 classes end at 9"):
        mnist(Mnist(), mnist_set(here, classes=11))


def test_fewer_pictures_than_published_are_refused(here):
    made = mnist_set(here)
    contents = {name: (here / "mnist" / name).read_bytes() for name in made.files}
    contents["t10k-labels-idx1-ubyte.gz"] = idx_bytes(np.zeros(11))
    with pytest.raises(Refusal, match=r"t10k-labels.* declares the shape \(11,\) where \(12,\) was expected"):
        mnist(Mnist(), lay_out(MNIST, here, contents, (30, 12)))


def test_the_real_set_has_the_published_counts(real):
    assert (len(real.train), len(real.validation), len(real.test)) == (60_000, 0, 10_000)
    assert torch.bincount(real.train.y).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert torch.bincount(real.test.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_the_real_set_begins_5_0_4_1_9_and_its_test_part_7_2_1_0_4(real):
    assert real.train.y[:5].tolist() == [5, 0, 4, 1, 9]
    assert real.test.y[:5].tolist() == [7, 2, 1, 0, 4]


def test_the_real_set_is_standardised_by_the_known_mean_and_std(real):
    """.1307 and .3081, over 255; the words give four digits."""
    words = real.preprocessing.replace(",", "").replace(":", "").split()
    assert float(words[2]) / 255 == pytest.approx(0.1307, abs=5e-5)
    assert float(words[4]) / 255 == pytest.approx(0.3081, abs=5e-5)
    assert real.train.x.double().mean().item() == pytest.approx(0, abs=1e-6)
    assert real.train.x.double().std(correction=0).item() == pytest.approx(1, abs=1e-6)


def test_the_first_real_picture_is_the_five_upright(real):
    """Row 5 begins to be inked at column 12 with 3, 18, 18, 18, 126; a transposed picture would have nothing there."""
    black = real.train.x[0, 0]
    five = ((real.train.x[0] - black) * 78.5675).round().reshape(28, 28)
    assert five[5, 12:17].tolist() == [3, 18, 18, 18, 126]
    assert five[:5].sum() == 0
    assert five[5, :12].sum() == 0
    assert five[24, 4:10].tolist() == [136, 253, 253, 253, 212, 135]
