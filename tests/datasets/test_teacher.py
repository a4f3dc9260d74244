"""The synthetic teacher: a function of its fields, with every class in it."""

from contextlib import suppress

import pytest
import torch

from rmtlottery.datasets.teacher import teacher
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Teacher
from tests.conftest import assert_mean

SMALL = {"inputs": 8, "classes": 4, "samples": 500}


def made(**fields):
    return teacher(Teacher(**(SMALL | fields)))


def labels(found):
    return torch.cat([split.y for split in found.splits.values()])


def test_the_same_fields_give_the_same_data_whatever_the_global_seed():
    first = made()
    torch.manual_seed(5)
    again = made()
    assert torch.equal(first.train.x, again.train.x)
    assert torch.equal(first.train.y, again.train.y)


@pytest.mark.parametrize("field", [{"teacher_seed": 1}, {"inputs": 9}, {"classes": 5}])
def test_another_seed_or_shape_is_another_teacher(field):
    assert not torch.equal(made(**field).train.y, made().train.y)


def test_the_global_generator_is_left_alone():
    before = torch.random.get_rng_state()
    made()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_shapes_and_split_are_what_was_asked_for():
    found = made(validation=0.25)
    assert (found.shape, found.classes) == ((8,), 4)
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 300, "validation": 100, "test": 100}


@pytest.mark.parametrize("seed", range(5))
def test_every_class_is_in_training_and_test(seed):
    found = teacher(Teacher(teacher_seed=seed))
    for split in (found.train, found.test):
        assert torch.bincount(split.y, minlength=10).min() > 0
    assert torch.bincount(labels(found), minlength=10).max() < 4000 / 2


@pytest.mark.parametrize(
    "fields",
    [{"inputs": 1, "classes": 3, "samples": 4000}, {"inputs": 64, "classes": 10, "samples": 50, "teacher_seed": 14}],
    ids=["one input", "fewest samples"],
)
def test_a_teacher_that_would_leave_a_class_empty_is_refused_or_fills_it(fields):
    with suppress(Refusal):
        assert torch.bincount(labels(made(**fields)), minlength=fields["classes"]).min() > 0


def test_inputs_are_gaussian():
    x = made(samples=4000).train.x.double().flatten().numpy()
    assert_mean(x**4, 3.0, rejects=2.5)


def test_a_label_is_a_function_of_the_input_that_a_linear_fit_can_guess_at():
    """Better than the most frequent class: the labels are not noise."""
    found = made(samples=4000, validation=0.0)
    targets = torch.nn.functional.one_hot(found.train.y, 4).float()
    fit = torch.linalg.lstsq(found.train.x, targets).solution
    accuracy = ((found.test.x @ fit).argmax(1) == found.test.y).float().mean()
    assert accuracy > torch.bincount(found.test.y).max() / len(found.test) + 0.2


def test_a_class_that_stays_empty_is_refused_with_what_would_do():
    with pytest.raises(Refusal, match=r"fills \d of 10 classes with 15 samples of 8 inputs; take more samples"):
        made(classes=10, samples=15)
