"""Spec: variants, refusals, JSON there and back, identity."""

import json
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmtlottery.refusal import Refusal
from rmtlottery.tickets import parts
from rmtlottery.tickets.presets import label, preset
from rmtlottery.tickets.spec import GROUPS, Spec, differences, every_field

ADAM = parts.Adam(lr=0.5)
POSITIVE = st.floats(min_value=0, exclude_min=True, max_value=1e30)
VARIANTS = st.fixed_dictionaries(
    {},
    optional={
        "widths": st.lists(st.integers(1, 999), min_size=1, max_size=5),
        "phi": st.sampled_from(["tanh", "erf", "relu"]),
        "optimiser": st.sampled_from(["sgd", "adam", {"kind": "sgd", "momentum": 0.5, "nesterov": True}]),
        "lr": POSITIVE,
        "schedule": st.sampled_from(["constant", "cosine", "steps"]),
        "data": st.sampled_from(["digits", "teacher"]),
        "validation": st.floats(0, 1, exclude_max=True),
        "rate": st.floats(0, 1, exclude_max=True),
        "snapshots": st.lists(st.integers(1, 99), max_size=3),
        "seeds": st.lists(st.integers(0, 9), min_size=1),
        "preset": st.sampled_from(["", "digits", "first"]),
        "name": st.sampled_from(["", "mine", "a b"]),
    },
)


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(VARIANTS)
def test_json_there_and_back_is_the_same_spec(changes):
    spec = Spec().but(**changes)
    again = Spec.from_json(spec.to_json())
    assert again == spec
    assert (label(again), again.to_json()) == (label(spec), spec.to_json())


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_another_format_version_is_refused(version):
    held = json.loads(Spec().to_json()) | {"version": version}
    with pytest.raises(Refusal, match=f"format version {version}, this rmtlottery reads version 1"):
        Spec.from_json(json.dumps(held))


def test_a_field_that_an_older_spec_does_not_name_takes_its_default():
    held = json.loads(Spec().to_json())
    del held["prune"]["rewind"]
    assert Spec.from_json(json.dumps(held)) == Spec()


@pytest.mark.parametrize("held", [{}, [], 5, None, {"version": 1}, {"version": 1, "seeds": [0]}])
def test_what_is_no_whole_spec_is_refused(held):
    with pytest.raises(Refusal, match=r"the spec (is of format version None|lacks, or has beyond what a spec has)"):
        Spec.from_json(json.dumps(held))


def test_an_unknown_part_is_refused():
    with pytest.raises(Refusal, match=r"lacks, or has beyond what a spec has, lr$"):
        Spec.from_json(json.dumps(json.loads(Spec().to_json()) | {"lr": 3}))


@pytest.mark.parametrize(
    ("change", "kept", "new"),
    [
        ({"schedule": "cosine"}, ("schedule", {"epochs": 8, "batch": 64}), ("schedule", {"kind": "cosine"})),
        ({"optimiser": "sgd"}, ("optimiser", {"decay": 0.1}), ("optimiser", {"lr": 0.05, "momentum": 0.9})),
        ({"optimiser": {"kind": "sgd", "decay": 0.2}}, ("optimiser", {"decay": 0.2}), ("optimiser", {"lr": 0.05})),
    ],
)
def test_a_part_that_changes_its_kind_keeps_what_means_the_same_in_both(change, kept, new):
    spec = preset("first").but(decay=0.1, lr=0.7).but(**change)
    for group, values in (kept, new):
        assert {name: getattr(getattr(spec, group), name) for name in values} == values


def test_a_field_that_nobody_knows_is_not_dropped_when_read():
    held = json.loads(Spec().to_json())
    held["net"]["width"] = 3
    with pytest.raises(Refusal, match="unknown field of net 'fc' 'width': did you mean 'widths'"):
        Spec.from_json(json.dumps(held))


@pytest.mark.parametrize(
    "changes",
    [{"lr": "0.5", "phi": "erf"}, {"optimiser": {"lr": 0.5}, "net": {"phi": "erf"}}, {"optimiser": ADAM, "phi": "erf"}],
    ids=["leaves", "dicts", "part"],
)
def test_leaf_dict_and_part_say_the_same(changes):
    spec = Spec().but(widths="5").but(**changes)
    assert (spec.optimiser, spec.net) == (ADAM, parts.FC(widths=(5,), phi="erf"))


def test_a_new_kind_takes_its_own_defaults_and_what_is_named_beside_it():
    assert Spec().but(lr=0.5).but(optimiser="sgd").optimiser == parts.SGD()
    assert Spec().but(optimiser="sgd", momentum=0.3).optimiser == parts.SGD(momentum=0.3)
    assert Spec().but(optimiser={"kind": "sgd", "lr": 2}).optimiser == parts.SGD(lr=2.0)


def test_a_variant_leaves_its_origin_alone():
    spec = Spec()
    spec.but(lr=0.5, seeds="1,2")
    assert spec == Spec()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"width": 3}, "unknown Spec field 'width': did you mean 'widths'"),
        ({"qqqqq": 3}, "unknown Spec field 'qqqqq': choose from batch, beta1, .*widths"),
        ({"optimiser": "adm"}, "unknown optimiser 'adm': did you mean 'adam'"),
        ({"optimiser": {"kind": "sgd", "eps": 1}}, "unknown field of optimiser 'sgd' 'eps': choose from decay, .*nesterov"),
        ({"momentum": 0}, "momentum is a field of optimiser 'sgd', and this spec has optimiser 'adam': change optimiser"),
        ({"samples": 99}, "samples is a field of data 'teacher' or 'recall', and this spec has data 'digits'"),
        ({"net": parts.SGD()}, r"net = SGD\(.*\) is not one of fc"),
        ({"rewind": 5, "levels": 0}, "rewind = 5 has no level to rewind for: levels is 0"),
        ({"name": "a/b"}, "name = 'a/b' is not a plain folder name"),
        ({"name": ".."}, r"name = '\.\.' is not a plain folder name"),
        ({"name": 5}, "name = 5 is not text"),
        ({"optimiser": parts.Optimiser()}, "optimiser = .* is not one of adam, sgd"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(changes, words):
    with pytest.raises(Refusal, match=words):
        Spec().but(**changes)


def test_a_fields_name_has_one_meaning():
    homes = {}
    for group, _, field in every_field():
        homes.setdefault(field.name, set()).add(group)
    assert {name: groups for name, groups in homes.items() if len(groups) > 1} == {}
    assert not set(homes) & {*GROUPS, "seeds", "name", "preset", "kind", "version"}


def test_seeds_are_held_once_in_the_order_given():
    assert Spec(seeds=(3, 1, 3, 0, 1)).seeds == (3, 1, 0)


@pytest.mark.parametrize("labels", [{"seeds": (4, 5)}, {"name": "mine"}, {"preset": "first"}])
def test_labels_are_no_part_of_identity(labels):
    assert Spec().but(**labels).identity() == Spec().identity()


def test_differences_name_the_field_and_both_values():
    assert differences(Spec().but(lr=0.5), Spec()) == ["optimiser.lr is 0.001 there and 0.5 here"]


def test_a_spec_is_frozen():
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'seeds'"):
        Spec().seeds = (1,)
