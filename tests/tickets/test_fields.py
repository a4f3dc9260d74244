"""Fields: what text becomes, and the sentence that refuses the rest."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.fields import accept, declared, shown
from rmtlottery.tickets.parts import Steps
from rmtlottery.tickets.spec import NAME, SEEDS, every_field

FIELDS = {field.name: field for _, _, field in reversed(list(every_field()))} | {"seeds": SEEDS, "name": NAME}
quick = settings(max_examples=50, deadline=None, database=None, derandomize=True)


@pytest.mark.parametrize(
    ("name", "given", "held"),
    [
        ("widths", "8x256,64", (256,) * 8 + (64,)),
        ("widths", "64,2x3,64", (64, 3, 3, 64)),
        ("widths", "300,100,", (300, 100)),
        ("widths", [12, 8], (12, 8)),
        ("widths", 7, (7,)),
        ("widths", [4.0, "5"], (4, 5)),
        ("snapshots", "", ()),
        ("epochs", "3", 3),
        ("epochs", 3.0, 3),
        ("lr", "1e-2", 0.01),
        ("lr", 1, 1.0),
        ("nesterov", "true", True),
        ("nesterov", "false", False),
        ("phi", "erf", "erf"),
    ],
)
def test_text_and_lists_become_the_fields_type(name, given, held):
    found = accept(FIELDS[name], given)
    assert found == held
    assert type(found) is type(held)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("epochs", "2.5", "epochs = '2.5' is not a whole number"),
        ("epochs", 2.5, r"epochs = 2\.5 is not a whole number"),
        ("epochs", True, "epochs = True is not a whole number"),
        ("epochs", None, "epochs = None is not a whole number"),
        ("epochs", math.inf, "epochs = inf is not a whole number"),
        ("lr", "fast", "lr = 'fast' is not a finite number"),
        ("lr", math.nan, "lr = nan is not a finite number"),
        ("lr", "inf", "lr = 'inf' is not a finite number"),
        ("lr", False, "lr = False is not a finite number"),
        ("nesterov", "yes", "nesterov = 'yes' is not true or false"),
        ("nesterov", 1, "nesterov = 1 is not true or false"),
        ("widths", "8y256", "widths = '8y256' is not a list of whole numbers such as 0,1,2 or 8x256,64"),
        ("widths", [2.5], r"widths = \[2\.5\] is not a list of whole numbers"),
        ("widths", True, "widths = True is not a list of whole numbers"),
        ("name", 5, "name = 5 is not text"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name_value_and_want(name, given, words):
    with pytest.raises(Refusal, match=words):
        accept(FIELDS[name], given)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("lr", 0, "lr = 0 is not above 0"),
        ("decay", -1e-4, r"decay = -0\.0001 is not at least 0"),
        ("rate", 1, "rate = 1 is not at least 0 and below 1"),
        ("rate", -0.1, r"rate = -0\.1 is not at least 0 and below 1"),
        ("epochs", "0", "epochs = 0 is not at least 1"),
        ("widths", "", "widths =  is not at least one number"),
        ("widths", "8x16,0", "widths = 8x16,0 is not made of whole numbers of at least 1"),
        ("seeds", "0,-1", "seeds = 0,-1 is not made of whole numbers of at least 0"),
        ("classes", 1, "classes = 1 is not at least 2"),
    ],
)
def test_bounds_speak(name, given, words):
    with pytest.raises(Refusal, match=words):
        accept(FIELDS[name], given)


@pytest.mark.parametrize(("name", "edge"), [("rate", 0.0), ("levels", 0), ("batch", 1), ("sigma_b", 0.0), ("classes", 2)])
def test_the_edge_of_a_bound_is_inside(name, edge):
    assert accept(FIELDS[name], edge) == edge


@pytest.mark.parametrize(
    ("given", "words"),
    [("tahn", "did you mean 'tanh'"), ("cubic", "choose from erf, gelu, hard_tanh, leaky_relu, linear, relu")],
)
def test_an_unknown_choice_is_told_the_known_ones(given, words):
    with pytest.raises(Refusal, match=words):
        accept(FIELDS["phi"], given)


def test_the_refusal_of_a_choice_names_its_field():
    with pytest.raises(Refusal, match=r"phi.*tahn|tahn.*phi"):
        accept(FIELDS["phi"], "tahn")


def test_a_number_beyond_any_float_is_refused():
    with pytest.raises(Refusal, match=r"lr = .* is not a finite number"):
        accept(FIELDS["lr"], 10**400)


def test_a_part_of_a_number_in_single_precision_is_not_dropped():
    with pytest.raises(Refusal, match=r"batch = .* is not a whole number"):
        accept(FIELDS["batch"], np.float32(2.5))


def test_a_negative_repeat_is_not_dropped():
    with pytest.raises(Refusal, match="widths = "):
        accept(FIELDS["widths"], "-2x256,64")


@pytest.mark.parametrize(
    ("value", "text"),
    [((256,) * 8 + (64,), "8x256,64"), ((3, 4, 3), "3,4,3"), (True, "true"), (0.001, "0.001"), (1e-8, "1e-08"), (2.0, "2"),
     (0.123456789, "0.123456789"), (7, "7"), ("tanh", "tanh")],
)  # fmt: skip
def test_values_are_shown_as_they_are_typed(value, text):
    assert shown(value) == text


@quick
@given(st.lists(st.integers(1, 5), min_size=1, max_size=9).map(tuple))
def test_what_is_shown_of_a_list_reads_back(value):
    assert accept(FIELDS["widths"], shown(value)) == value


@quick
@given(st.floats(min_value=0, exclude_min=True, max_value=1e30))
def test_what_is_shown_of_a_number_reads_back_exactly(value):
    assert accept(FIELDS["lr"], shown(value)) == value


def test_a_declaration_holds_type_help_bounds_and_default():
    field = declared(Steps)["factor"]
    assert (field.name, field.kind, field.help, field.default) == ("factor", float, "what it is multiplied by there", 0.1)
    assert [bound.words for bound in field.bounds] == ["above 0"]


def test_a_declaration_is_read_once_and_nobody_alters_it():
    assert declared(Steps) is declared(Steps)
    with pytest.raises(TypeError, match="does not support item assignment"):
        declared(Steps)["factor"] = None
