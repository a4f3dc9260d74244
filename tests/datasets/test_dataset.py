"""Data sets: split without overlap, standardised by the training part alone."""

import numpy as np
import pytest
import torch

from rmtlottery.datasets import dataset
from rmtlottery.datasets.dataset import ROWS, Split, assemble, every_fifth, moments
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Digits, Teacher

SIZE = 60


def raw():
    """(learn, test): shifted against each other; a label is the sample's own number, so that it can be traced."""
    stream = torch.Generator().manual_seed(0)
    learn = Split(torch.randn(SIZE, 4, generator=stream) * 3 + 7, torch.arange(SIZE))
    return learn, Split(torch.randn(20, 4, generator=stream) * 5 - 1, torch.arange(20))


def made(validation=0.25):
    return assemble(*raw(), shape=(4,), classes=SIZE, validation=validation)


def test_the_training_part_has_mean_0_and_std_1():
    x = made().train.x.double()
    assert x.mean().item() == pytest.approx(0, abs=1e-6)
    assert x.std(correction=0).item() == pytest.approx(1, abs=1e-6)


def test_the_test_part_is_not_standardised_by_itself():
    x = made().test.x.double()
    assert abs(x.mean().item()) > 1
    assert abs(x.std(correction=0).item() - 1) > 0.2


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_every_split_is_standardised_by_the_training_part(split):
    (learn, test), found = raw(), made()
    train = learn.x.numpy().astype(float)[found.train.y.numpy()]
    source = (test if split == "test" else learn).x.numpy().astype(float)
    part = found.splits[split]
    np.testing.assert_allclose(part.x.numpy(), (source[part.y.numpy()] - train.mean()) / train.std(), atol=2e-6)


@pytest.mark.parametrize(("validation", "held"), [(0.0, 0), (0.1, 6), (0.25, 15), (0.9, 54)])
def test_validation_and_training_share_nothing_and_are_all_there_is(validation, held):
    found = made(validation)
    assert len(found.validation) == held
    assert sorted(found.train.y.tolist() + found.validation.y.tolist()) == list(range(SIZE))


def test_no_validation_is_an_empty_split_that_is_not_listed():
    found = made(0.0)
    assert found.validation.x.shape == (0, 4)
    assert list(found.splits) == ["train", "test"]
    assert list(made().splits) == ["train", "validation", "test"]


def test_validation_is_always_the_same_samples_and_not_simply_the_first():
    assert torch.equal(made().validation.y, made().validation.y)
    assert made().validation.y.sort().values.tolist() not in (list(range(15)), list(range(45, 60)))


def test_the_test_part_keeps_every_sample_in_its_order():
    assert made().test.y.tolist() == list(range(20))


def test_validation_that_leaves_nothing_to_train_on_is_refused():
    with pytest.raises(Refusal, match=r"validation = 0\.999 leaves none of 60 samples to train on"):
        made(0.999)


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3])
def test_constant_inputs_are_refused(value):
    learn, test = raw()
    constant = Split(torch.full_like(learn.x, value), learn.y)
    with pytest.raises(Refusal, match=f"the training inputs are all {value:g}: nothing to standardise by"):
        assemble(constant, test, shape=(4,), classes=SIZE, validation=0.1)


def test_every_fifth_sample_is_kept_for_the_test_and_the_first_is_among_them():
    learn, test = every_fifth(torch.arange(12.0).unsqueeze(1), torch.arange(12))
    assert (test.y.tolist(), learn.y.tolist()) == ([0, 5, 10], [1, 2, 3, 4, 6, 7, 8, 9, 11])
    assert torch.equal(learn.x[:, 0].long(), learn.y)


@pytest.mark.parametrize("data", [Digits(), Teacher(samples=900, inputs=7, classes=3)])
def test_a_data_set_is_built_once_and_says_the_shape_of_an_input(data):
    assert dataset(data) is dataset(data)
    assert dataset(data).shape == {"digits": (1, 8, 8), "teacher": (7,)}[data.kind]
    assert dataset(data).train.x.dtype == torch.float32


def test_moving_keeps_every_split():
    found = made().to("cpu")
    assert (found.classes, found.preprocessing) == (SIZE, made().preprocessing)
    assert all(torch.equal(part.x, made().splits[name].x) for name, part in found.splits.items())


def test_moments_of_many_rows_are_those_of_a_float64_copy():
    """More rows than are taken at a time, far from 0, where a sum of squares would cancel."""
    x = torch.randn(3 * ROWS + 7, 5, generator=torch.Generator().manual_seed(1)) * 0.1 + 3000
    mean, std = moments(x)
    assert mean == pytest.approx(x.numpy().astype(float).mean(), rel=1e-12)
    assert std == pytest.approx(x.numpy().astype(float).std(), rel=1e-7)


def test_bytes_and_the_same_numbers_as_floats_are_the_same_data():
    pixels = torch.randint(0, 256, (ROWS + 50, 6), generator=torch.Generator().manual_seed(2), dtype=torch.uint8)
    labels = torch.arange(len(pixels))
    ours = assemble(Split(pixels, labels), Split(pixels[:9], labels[:9]), (6,), SIZE, 0.1)
    floats = assemble(Split(pixels.float(), labels), Split(pixels[:9].float(), labels[:9]), (6,), SIZE, 0.1)
    for name, split in ours.splits.items():
        assert split.x.dtype == torch.float32
        assert torch.equal(split.x, floats.splits[name].x)


@pytest.mark.parametrize("validation", [0.0, 0.25])
def test_the_caller_s_tensors_are_left_as_they_are(validation):
    learn, test = raw()
    kept = learn.x.clone(), test.x.clone()
    assemble(learn, test, (4,), SIZE, validation)
    assert torch.equal(learn.x, kept[0])
    assert torch.equal(test.x, kept[1])
