"""Parts: frozen, complete, coerced however they are made, and all of them implemented somewhere."""

from dataclasses import FrozenInstanceError, replace
from typing import get_args

import pytest

from rmtlottery import datasets
from rmtlottery.refusal import Refusal
from rmtlottery.tickets import parts
from rmtlottery.tickets.fields import accept
from rmtlottery.tickets.spec import GROUPS, every_field, kinds

EVERY_KIND = [(group, kind) for group in GROUPS for kind in kinds(group)]
EVERY_FIELD = [pytest.param(group, kind, field, id=f"{kind}.{field.name}") for group, kind, field in every_field()]


def test_groups_have_these_kinds():
    assert {group: sorted(kinds(group)) for group in GROUPS} == {
        "net": ["conv", "fc", "lenet", "module", "resnet", "resnet18", "skip", "transformer"],
        "data": ["cifar10", "cifar100", "digits", "given", "mnist", "recall", "teacher", "text"],
        "init": ["delta_orthogonal", "divided_bias", "glorot", "he", "normal", "orthogonal", "own", "passed"],
        "optimiser": ["adam", "sgd"], "schedule": ["constant", "cosine", "steps"], "prune": ["at_init", "imp"],
        "chart": ["affine", "full", "principal", "said", "sum"], "record": ["record"], "origin": ["cuts", "taken"],
    }  # fmt: skip


@pytest.mark.parametrize(("group", "kind"), EVERY_KIND)
def test_a_part_survives_its_dict(group, kind):
    part = kinds(group)[kind]()
    held = part.to_dict()
    assert held.pop("kind") == kind
    assert type(part)(**held) == part


@pytest.mark.parametrize(("group", "kind", "field"), EVERY_FIELD)
def test_a_default_is_inside_its_own_bounds_and_has_a_help_text(group, kind, field):
    assert accept(field, field.default) == field.default
    assert type(accept(field, field.default)) is type(field.default)
    assert field.help


@pytest.mark.parametrize(("group", "kind", "field"), EVERY_FIELD)
def test_a_part_is_frozen(group, kind, field):
    with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{field.name}'"):
        setattr(kinds(group)[kind](), field.name, field.default)


def test_a_part_is_coerced_when_made_and_when_replaced():
    assert parts.FC(widths="2x5").widths == (5, 5)
    assert replace(parts.Adam(), lr="0.5").lr == 0.5


def test_a_part_is_checked_when_made_and_when_replaced():
    with pytest.raises(Refusal, match="momentum = 1 is not at least 0 and below 1"):
        parts.SGD(momentum=1)
    with pytest.raises(Refusal, match="epochs = 0 is not at least 1"):
        replace(parts.Constant(), epochs=0)


def test_a_dict_is_plain_data():
    assert parts.FC(widths="2x5", phi="erf").to_dict() == {"kind": "fc", "phi": "erf", "widths": [5, 5]}


def test_kinds_with_equal_fields_are_not_equal():
    assert parts.Constant() != parts.Cosine()


def test_defaults_are_the_published_protocol():
    prune = parts.Prune()
    assert (prune.levels, prune.rate, prune.last_rate, prune.rewind) == (15, 0.2, 0.1, 0)
    adam = parts.Adam()
    assert (adam.beta1, adam.beta2, adam.eps) == (0.9, 0.999, 1e-8)


def test_every_kind_of_data_is_implemented():
    assert set(datasets.KINDS) == set(kinds("data"))


def test_every_choice_is_distinct():
    assert sorted(get_args(parts.Phi)) == ["erf", "gelu", "hard_tanh", "leaky_relu", "linear", "relu", "silu", "tanh"]
    assert sorted(get_args(parts.Target)) == ["coordinates", "weights"]


def test_a_part_reads_as_its_kind_and_fields():
    assert str(parts.FC(widths="2x9,4")) == "fc: phi tanh, widths 2x9,4"
    assert str(parts.Record()) == "record: snapshots none"
    assert str(parts.Chart()) == "full"
