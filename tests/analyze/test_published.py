"""What is published stands as it is printed, and beside its own threshold only."""

from rmtlottery.analyze._published import published


def test_it_is_named_by_data_and_number_of_weights():
    assert published("mnist", 199_210, 0.9, False) == "Li et al. 2018 750, Gargiulo 2023 600"
    assert published("mnist", 199_210, 0.9, True) == "Li et al. 2018 525"
    assert published("mnist pixels shuffled", 44_426, 0.9, False) == "Li et al. 2018 1400"


def test_a_threshold_beside_the_one_asked_is_said():
    told = "Li et al. 2018 1000, Gargiulo 2023 600 at 46%, Gargiulo 2023 by FastJL 1250 at 46%"
    assert published("cifar10", 62_006, 0.45, False) == told
    assert published("mnist", 44_426, 0.892, False) == "Li et al. 2018 290 at 90%, Gargiulo 2023 170 at 90%"


def test_what_nobody_published_is_nothing():
    assert published("digits", 2410, 0.9, False) == ""
    assert published("mnist", 199_210, 0.85, False) == ""
    assert published("cifar10", 62_006, 0.9, False) == ""
