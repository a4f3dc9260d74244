"""What is published stands as it is printed."""

from rmtlottery.analyze._published import published


def test_it_is_named_by_data_and_number_of_weights():
    assert published("mnist", 199_210, False) == "Li et al. 2018 750, Gargiulo 2023 600"
    assert published("mnist", 199_210, True) == "Li et al. 2018 525"
    assert published("mnist pixels shuffled", 44_426, False) == "Li et al. 2018 1400"
    assert published("cifar10", 1_051_930, False) == "Gargiulo 2023 5000"


def test_what_nobody_published_is_nothing():
    assert published("digits", 2410, False) == ""
