"""Which rate each layer has, what is left at each level, and plans that are refused before they begin."""

import pytest

from rmtlottery.prune.rates import check_survivors, kept_at, rates
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import AtInit, Prune

NAMES = ["conv1.weight", "fc1.weight", "fc2.weight"]
SIZES = {"conv1.weight": 72, "fc1.weight": 1000, "fc2.weight": 50}


def test_only_the_last_layer_has_its_own_rate():
    assert rates(Prune(rate=0.2, last_rate=0.1), NAMES) == {"conv1.weight": 0.2, "fc1.weight": 0.2, "fc2.weight": 0.1}


def test_a_net_of_one_layer_is_cut_at_the_last_rate():
    assert rates(Prune(rate=0.2, last_rate=0.1), ["fc1.weight"]) == {"fc1.weight": 0.1}


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("conv*=0.05", [0.05, 0.2, 0.1]),
        ("conv*=0.05,fc1=0.3", [0.05, 0.3, 0.1]),
        ("fc*=0.3", [0.2, 0.3, 0.3]),
        ("fc2=0.4", [0.2, 0.2, 0.4]),
        ("*=0.5,fc1=0", [0.5, 0.0, 0.5]),
        ("fc1=0,*=0.5", [0.5, 0.5, 0.5]),
    ],
)
def test_patterns_override_in_the_order_they_are_written(patterns, expected):
    found = rates(Prune(rate=0.2, last_rate=0.1, layer_rates=patterns), NAMES)
    assert found == dict(zip(NAMES, expected, strict=True))
    assert list(found) == NAMES


def test_a_pattern_that_names_no_layer_is_refused_with_the_nearest():
    with pytest.raises(Refusal, match=r"unknown layer 'cnv1': did you mean 'conv1'\?"):
        rates(Prune(layer_rates="fc1=0.1,cnv1=0.1"), NAMES)


@pytest.mark.parametrize("part", [Prune, AtInit])
@pytest.mark.parametrize(
    "options", [{"rate": 0.2, "last_rate": 0.1}, {"rate": 0.2, "last_rate": 0.2, "layer_rates": "fc1=.3"}]
)
def test_one_ranking_with_different_rates_is_refused(part, options):
    with pytest.raises(Refusal, match=r"one ranking|ranks all layers"):
        rates(part(scope="global", **options), NAMES)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"last_rate": 0.2}, [0.2, 0.2, 0.2]),
        ({"last_rate": 0}, [0.2, 0.2, 0.0]),
        ({"last_rate": 0, "layer_rates": "conv*=0"}, [0.0, 0.2, 0.0]),
        ({"last_rate": 0.1, "layer_rates": "fc2=0.2"}, [0.2, 0.2, 0.2]),
    ],
)
def test_one_ranking_may_leave_layers_out(options, expected):
    assert list(rates(Prune(scope="global", rate=0.2, **options), NAMES).values()) == expected


def test_layers_by_themselves_are_counted_one_by_one():
    """72, 58, 46 and 1000, 800, 640 and 50, 45, 41 (4.5 goes to the even 4)."""
    assert kept_at(Prune(rate=0.2, last_rate=0.1, levels=2), SIZES) == [1122, 58 + 800 + 45, 46 + 640 + 41]


def test_one_ranking_is_counted_as_one_layer_beside_what_is_left_out():
    """1072 of 1122 are ranked: 1072, 858 (214 gone), 686 (172 gone); 50 stay."""
    assert kept_at(Prune(scope="global", rate=0.2, last_rate=0, levels=2), SIZES) == [1122, 858 + 50, 686 + 50]
    assert kept_at(Prune(scope="global", rate=0.2, last_rate=0.2, levels=1), SIZES) == [1122, 898]


def test_no_cut_keeps_all():
    assert kept_at(Prune(levels=0), SIZES) == [1122]
    assert kept_at(Prune(scope="global", rate=0, last_rate=0, levels=2), SIZES) == [1122] * 3


def test_a_plan_that_empties_a_layer_is_refused_with_its_level():
    with pytest.raises(Refusal, match=r"density 0 in fc2\.weight: 0\.6 a cut leaves none of its 3 weights at level 2"):
        check_survivors(Prune(rate=0.2, last_rate=0.6, levels=5), {"fc1.weight": 1000, "fc2.weight": 3})


def test_one_level_less_is_not_refused():
    check_survivors(Prune(rate=0.2, last_rate=0.6, levels=1), {"fc1.weight": 1000, "fc2.weight": 3})


def test_half_to_even_leaves_the_last_weight():
    check_survivors(Prune(rate=0.5, last_rate=0.5, levels=50), {"fc1.weight": 3, "fc2.weight": 7})


def test_of_several_emptied_layers_the_first_to_go_is_named():
    with pytest.raises(Refusal, match=r"density 0 in fc2\.weight: .* its 1 weights at level 1; take levels below 1"):
        check_survivors(Prune(rate=0.6, last_rate=0.6, levels=5), {"fc1.weight": 3, "fc2.weight": 1})


def test_a_layer_emptied_by_its_own_pattern_is_named():
    with pytest.raises(Refusal, match=r"density 0 in conv1\.weight: 0\.9 a cut"):
        check_survivors(Prune(rate=0.2, last_rate=0.1, layer_rates="conv*=0.9", levels=2), SIZES | {"conv1.weight": 4})


def test_one_ranking_may_leave_one_weight_a_layer_and_not_less():
    """Ten weights of three layers: 3 are left by 0.7, 2 by 0.8."""
    sizes = {"fc1.weight": 5, "fc2.weight": 3, "fc3.weight": 2}
    check_survivors(Prune(scope="global", rate=0.7, last_rate=0.7, levels=1), sizes)
    with pytest.raises(Refusal, match="2 weights for 3 layers are left at level 1; take fewer levels"):
        check_survivors(Prune(scope="global", rate=0.8, last_rate=0.8, levels=1), sizes)


def test_layers_left_out_of_the_ranking_do_not_vouch_for_those_in_it():
    """Eight ranked weights of two layers: 0.9 leaves one of them, whatever the third layer keeps."""
    sizes = {"fc1.weight": 4, "fc2.weight": 4, "fc3.weight": 100}
    check_survivors(Prune(scope="global", rate=0.75, last_rate=0, levels=1), sizes)
    with pytest.raises(Refusal, match="are left at level 1"):
        check_survivors(Prune(scope="global", rate=0.9, last_rate=0, levels=1), sizes)
