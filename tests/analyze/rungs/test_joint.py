"""T7 to T9: told h^1 of the training inputs, and no signal of any deeper layer."""

import numpy as np
import pytest
import torch

from rmtlottery.analyze.rungs import joint
from rmtlottery.analyze.rungs.joint import by_class, joint_courses, matrices, no_classes, parted, why_not
from rmtlottery.analyze.rungs.names import T7, T8, T9, T9B
from rmtlottery.datasets.dataset import Split
from rmtlottery.meanfield.mixture import Mixture, mixture_course
from rmtlottery.measure.signal import hidden_lengths
from rmtlottery.tickets.parts import FC, Conv
from tests.analyze.rungs.made import made

NET = FC(widths=(13, 30, 8))


@pytest.fixture(scope="module")
def held():
    return made(NET, density=0.7, inputs=40, train=300)


def courses(held, parts=1, **changed):
    found = joint_courses(held.weights, held.seen._replace(**changed), "tanh", parts)
    return {source: list(steps) for source, steps in found}


def by_hand(held, groups, terms=7):
    """Groups of training inputs, each a Gaussian at h^1."""
    w, b = (held.weights[f"fc1.{kind}"].double().numpy() for kind in ("weight", "bias"))
    h = [held.seen.train.x[group].double().numpy() @ w.T + b for group in groups]
    law = Mixture(
        np.array([len(part) for part in h]) / sum(len(part) for part in h),
        np.array([part.mean(0) for part in h]),
        np.array([(part - part.mean(0)).T @ (part - part.mean(0)) / len(part) for part in h]),
    )
    return list(mixture_course(matrices(held.weights, held.seen), law, "tanh", terms))


def test_they_are_courses_of_the_training_inputs_as_one_gaussian_and_class_by_class(held):
    found, labels = courses(held), held.seen.train.y
    assert list(found) == [T7, T8, T9]
    everything = torch.ones(300, dtype=torch.bool)
    assert np.allclose(found[T7], by_hand(held, [everything], terms=1), rtol=1e-5)
    assert np.allclose(found[T8], by_hand(held, [everything]), rtol=1e-5)
    assert np.allclose(found[T9], by_hand(held, [labels == k for k in range(3)]), rtol=1e-5)
    assert found[T8][1].q != pytest.approx(found[T7][1].q, rel=1e-4)
    assert found[T9][1].q != pytest.approx(found[T8][1].q, rel=1e-3)


def test_of_layer_1_all_know_the_length_over_training_inputs(held):
    q = hidden_lengths(held.seen.network, held.weights, held.seen.train.x)[0]
    for steps in courses(held, parts=2).values():
        assert steps[0].q == pytest.approx(q, rel=1e-5)


def test_on_classes_that_are_narrow_T9_is_near_and_T8_is_not():
    held = made(FC(widths=(80, 120, 70)))
    numbers = torch.Generator().manual_seed(1)
    y = torch.arange(600) % 3
    x = 2 * torch.randn(3, 20, generator=numbers)[y] + 0.1 * torch.randn(600, 20, generator=numbers)
    found = courses(held, train=Split(x, y))
    q = hidden_lengths(held.seen.network, held.weights, x)
    assert [step.q for step in found[T9]] == pytest.approx(q, rel=0.01)
    assert abs(found[T8][2].q / q[2] - 1) > 0.02


def test_test_inputs_are_not_asked(held):
    noise = torch.randn(40, 20, generator=torch.Generator().manual_seed(5)) * 9
    assert courses(held, 2) == courses(held, 2, x=noise, y=None)


def test_parts_add_a_rung_of_smaller_groups():
    """Equal parts of every class along a direction; layer 1 knows no difference, deeper ones do."""
    found = courses(made(NET, density=0.7, train=1800), parts=3)
    assert list(found) == [T7, T8, T9, T9B]
    assert found[T9B][0].q == pytest.approx(found[T9][0].q, rel=1e-9)
    assert found[T9B][2].q != pytest.approx(found[T9][2].q, rel=1e-6)


def test_classes_too_small_for_two_parts_are_whole(held):
    """Parts of few samples would know the inputs themselves."""
    found = courses(held, parts=50)
    assert np.allclose(found[T9B], found[T9], rtol=1e-9)


def test_layers_beyond_all_bounds_end_a_rung_and_what_came_before_is_told(held):
    """farthest asks all layers before it tells the first."""
    weights = held.weights | {"fc2.weight": held.weights["fc2.weight"] * 1e20}
    for source, steps in joint_courses(weights, held.seen, "tanh", 2):
        if source != T9B:
            assert next(steps) == courses(held)[source][0]
        with pytest.raises(ValueError, match="variances from 0"):
            next(steps)


def test_without_labels_there_is_no_T9_and_the_reason_is_said(held):
    train = Split(held.seen.train.x, None)
    assert list(courses(held, 4, train=train)) == [T7, T8]
    assert no_classes(held.seen._replace(train=train)) == "T9 takes classes, and the training inputs have no labels"
    assert no_classes(held.seen) == no_classes(held.seen._replace(train=None)) == ""


def test_what_they_do_not_take_is_said(held, monkeypatch):
    assert why_not(held.seen) == ""
    assert why_not(held.seen._replace(train=None)) == "T7 to T9 take training inputs, and there are 0"
    conv = made(Conv(channels=(3, 4), padding="zero"), (2, 6, 7))
    assert why_not(conv.seen) == "T7 to T9 take fully connected layers, and conv1 is none"
    monkeypatch.setattr(joint, "WIDEST", 30)
    assert why_not(held.seen) == ""
    monkeypatch.setattr(joint, "WIDEST", 29)
    assert why_not(held.seen) == "T7 to T9 take layers of at most 29 units, and one has 30"


def test_classes_seen_once_are_left_out():
    h = np.arange(12.0).reshape(6, 2)
    groups = by_class(h, np.array([4, 0, 4, 7, 0, 4]))
    assert [group.tolist() for group in groups] == [h[[1, 4]].tolist(), h[[0, 2, 5]].tolist()]


@pytest.mark.parametrize(("number", "labels"), [(1, [0]), (3, [0, 1, 2])])
def test_training_inputs_too_few_for_a_covariance_are_no_reason_to_fall(held, number, labels):
    """One input, or one of each class: what can be told is told."""
    train = Split(held.seen.train.x[:number], torch.tensor(labels))
    seen = held.seen._replace(train=train)
    found = {} if why_not(seen) else courses(held, train=train)
    assert T9 not in found


def test_parts_are_equal_and_in_order_along_the_direction():
    group = np.random.default_rng(0).standard_normal((850, 3))
    way = np.array([1.0, -2, 0.5])
    parts = parted(group, way, 4)
    assert [len(part) for part in parts] == [213, 213, 212, 212]
    assert np.all(np.diff(np.concatenate(parts) @ way) >= 0)
    assert [len(part) for part in parted(group, way, 3)] == [284, 283, 283]
    assert [len(part) for part in parted(group[:501], way, 4)] == [251, 250], "no part of less than 200 samples"
    assert [len(part) for part in parted(group[:400], way, 4)] == [200, 200]
    assert [len(part) for part in parted(group[:399], way, 4)] == [399]
    assert [len(part) for part in parted(group[:2], way, 4)] == [2]


def test_layers_of_512_units_are_taken_and_none_that_is_wider():
    assert why_not(made(FC(widths=(512, 3))).seen) == ""
    assert why_not(made(FC(widths=(3, 513))).seen) == "T7 to T9 take layers of at most 512 units, and one has 513"


def test_layers_are_handed_over_in_float64_with_their_biases(held):
    for number, (w, b) in enumerate(matrices(held.weights, held.seen), start=1):
        assert w.dtype == b.dtype == np.float64
        assert np.array_equal(w, held.weights[f"fc{number}.weight"].numpy())
        assert np.array_equal(b, held.weights[f"fc{number}.bias"].numpy())
    assert number == 3
