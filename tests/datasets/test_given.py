"""A user's own tensors: the forms they come in, what is refused, and the fingerprint."""

import numpy as np
import pytest
import torch
from torch.utils.data import TensorDataset

from rmtlottery import datasets
from rmtlottery.datasets.given import given
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Given

STREAM = np.random.default_rng(0)
X, X_TEST = (STREAM.standard_normal((size, 6)).astype(np.float32) for size in (40, 15))
Y, Y_TEST = np.arange(40) % 3, np.arange(15) % 3
PICTURES, MORE_PICTURES = (STREAM.integers(0, 256, (size, 2, 4, 5)).astype(np.uint8) for size in (40, 15))
FOUR = (X, Y, X_TEST, Y_TEST)


def but(**changes):
    """The four arrays, some of them changed."""
    names = ("x", "y", "x_test", "y_test")
    return tuple(changes.get(name, held) for name, held in zip(names, FOUR, strict=True))


class Listed:
    """A torch data set as its users write it."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, index):
        return self.x[index], self.y[index]


def test_the_part_names_the_tensors_and_the_data_set_holds_them():
    part, found = given(FOUR, 0.25)
    assert (part.kind, part.validation, len(part.fingerprint)) == ("given", 0.25, 16)
    assert {name: len(split) for name, split in found.splits.items()} == {"train": 30, "validation": 10, "test": 15}
    assert (found.shape, found.classes) == ((6,), 3)
    assert found.test.y.tolist() == Y_TEST.tolist()


def test_pictures_are_flattened_and_their_shape_is_kept():
    _, found = given((PICTURES, Y, MORE_PICTURES, Y_TEST), validation=0.0)
    assert found.shape == (2, 4, 5)
    raw = PICTURES.reshape(40, 40).astype(float)
    np.testing.assert_allclose(found.train.x.numpy(), (raw - raw.mean()) / raw.std(), atol=1e-5)


def tensors():
    return tuple(map(torch.from_numpy, FOUR))


FORMS = {
    "tensors": tensors(),
    "list": list(FOUR),
    "pairs": ((X, Y), (X_TEST, Y_TEST)),
    "lists": [[X, Y], [X_TEST, Y_TEST]],
    "TensorDataset": (TensorDataset(*tensors()[:2]), TensorDataset(*tensors()[2:])),
    "data sets of numbers": (Listed(X, Y.tolist()), Listed(X_TEST, Y_TEST.tolist())),
    "a data set and a pair": (Listed(X, Y), (X_TEST, Y_TEST)),
    "float64": but(x=X.astype(np.float64)),
    "big-endian": but(x=X.astype(">f4"), y=Y.astype(">i2")),
    "reversed twice": but(x=X[::-1].copy()[::-1]),
    "columns first": but(x=np.asfortranarray(X)),
    "labels as bytes": but(y=Y.astype(np.uint8)),
    "labels as wide unsigned numbers": but(y=Y.astype(np.uint64), y_test=Y_TEST.astype(np.uint16)),
    "longer floats": but(x=X.astype(np.longdouble)),
    "labels as floats": but(y=Y.astype(np.float32)),
    "with gradient": but(x=torch.from_numpy(X).requires_grad_()),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_same_numbers_in_any_form_are_the_same_data(form):
    part, found = given(FORMS[form])
    wanted, data = given(FOUR)
    assert part == wanted
    assert torch.equal(found.train.x, data.train.x)
    assert torch.equal(found.train.y, data.train.y)
    assert found.train.y.dtype == torch.int64


def test_bytes_and_floats_of_the_same_pictures_are_the_same_data():
    bytes_part, _ = given((PICTURES, Y, MORE_PICTURES, Y_TEST))
    assert bytes_part == given((PICTURES.astype(float), Y, MORE_PICTURES, Y_TEST))[0]


@pytest.mark.parametrize("index", range(4))
def test_one_other_number_anywhere_is_another_fingerprint(index):
    changed = [array.copy() for array in FOUR]
    changed[index][3] = (changed[index][3] + 1) % 3
    assert given(changed)[0].fingerprint != given(FOUR)[0].fingerprint


def test_another_shape_of_the_same_numbers_is_another_fingerprint():
    turned = (PICTURES.reshape(40, 4, 2, 5), Y, MORE_PICTURES.reshape(15, 4, 2, 5), Y_TEST)
    assert given(turned)[0].fingerprint != given((PICTURES, Y, MORE_PICTURES, Y_TEST))[0].fingerprint


def test_read_only_arrays_are_taken_and_the_user_s_memory_is_neither_changed_nor_kept():
    mine = [array.copy() for array in FOUR]
    for array in mine:
        array.flags.writeable = False
    _, found = given(mine)
    labels = tensors()[3].clone()
    _, kept = given(but(y_test=labels))
    labels.zero_()
    assert kept.test.y.tolist() == Y_TEST.tolist()
    assert all(np.array_equal(array, held) for array, held in zip(mine, FOUR, strict=True))
    assert torch.equal(found.test.x, kept.test.x)


def test_what_was_given_is_found_again_by_its_part_and_by_nothing_else():
    part, found = given(FOUR)
    assert datasets.dataset(part) is found
    other = Given(fingerprint="0" * 16)
    with pytest.raises(
        Refusal, match=r"the data of SHA-256 0000000000000000\.\.\., validation 0\.1, are tensors that only you"
    ):
        datasets.dataset(other)


def test_a_label_that_only_the_test_has_counts_as_a_class():
    assert given(but(y_test=np.arange(15) % 5))[1].classes == 5


@pytest.mark.parametrize(
    ("tensors", "match"),
    [
        (X, r"data is a ndarray of float32; pass \(x, y, x_test, y_test\), or two pairs"),
        (FOUR[:3], "data is a tuple of 3; pass"),
        ((X, X_TEST), "half of data is|does not give pairs"),
        ((3, 4), "half of data is a int; pass"),
        (((X, Y, X), (X_TEST, Y_TEST)), "half of data is a tuple of 3; pass"),
        ((Listed([], []), (X_TEST, Y_TEST)), r"a Listed of 0 samples does not give pairs \(x, y\)"),
        ((TensorDataset(torch.zeros(3, 2)), (X_TEST, Y_TEST)), "a TensorDataset of 3 samples does not give pairs"),
        ((Listed([X[0], X[1, :3]], [0, 1]), (X_TEST, Y_TEST)), "gives inputs of several shapes"),
        ((Listed(X, np.stack([Y, Y], 1)), (X_TEST, Y_TEST)), "labels that are no single number"),
        ((Listed(["a", "b"], [0, 1]), (X_TEST, Y_TEST)), "an input of a data set is a str; give a numpy array"),
        ((Listed(X, ["a"] * 40), (X_TEST, Y_TEST)), "a label of a data set is a str"),
        (but(x=X.astype(object)), "x is a ndarray of object; give a numpy array or torch tensor of real numbers"),
        (but(x=X + 1j), "x is a ndarray of complex64"),
        (but(x=torch.from_numpy(X) + 1j), r"x is a Tensor of torch\.complex64"),
        (but(x=X.tolist()), "x is a list of 40; give a numpy array"),
        (but(x=X[:, 0]), r"x has the shape \(40,\); give \(samples, features\) or \(samples, channels, height, width\)"),
        (but(x=PICTURES[:, 0]), r"x has the shape \(40, 4, 5\); give"),
        (but(x=X[:0], y=Y[:0]), r"x has the shape \(0, 6\); give"),
        (but(x_test=X_TEST[:0], y_test=Y_TEST[:0]), r"x_test has the shape \(0, 6\); give"),
        (but(x_test=X_TEST[:, :5]), r"x has inputs of the shape \(6,\) and x_test of \(5,\)"),
        (but(x_test=MORE_PICTURES), r"x has inputs of the shape \(6,\) and x_test of \(2, 4, 5\)"),
        (but(y=Y[:39]), r"y has the shape \(39,\) for 40 inputs; give one label an input: \(40,\)"),
        (but(y_test=Y_TEST[:, None]), r"y_test has the shape \(15, 1\) for 15 inputs"),
        (but(y=Y - 1), "y holds the label -1; number the classes 0, 1, 2"),
        (but(y=Y + 0.5), r"y holds the label 0\.5; number the classes"),
        (but(y=Y * np.nan), "y holds the label nan; number the classes"),
        (but(y_test=np.where(Y_TEST == 2, np.inf, Y_TEST)), "y_test holds the label inf"),
        (but(y=Y * 0), "y holds the label 0 alone; give at least two classes"),
        (but(y=Y + 1000), "labels go up to 1002 with 55 samples; number the classes 0, 1, 2"),
        (but(x=np.where(X > 1.5, np.nan, X)), rf"x holds {(X > 1.5).sum()} numbers that are NaN or infinite"),
        (but(x_test=np.where(X_TEST > 1.5, -np.inf, X_TEST)), rf"x_test holds {(X_TEST > 1.5).sum()} numbers that are NaN"),
        (but(x=X.astype(float) * 1e60), "x holds 240 numbers that are NaN or infinite in float32"),
        (but(x=X * 0 + 7), "the training inputs are all 7: nothing to standardise by"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_with_its_values(tensors, match):
    with pytest.raises(Refusal, match=match):
        given(tensors)


def test_validation_out_of_range_is_refused():
    with pytest.raises(Refusal, match="validation = 1 is not at least 0 and below 1"):
        given(FOUR, validation=1.0)
