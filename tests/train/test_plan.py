"""A plan that cannot be carried out is refused before anything is trained."""

import pytest

import rmtlottery as rl
from rmtlottery.train.material import material
from rmtlottery.train.plan import check_plan, steps_a_level


def test_steps_count_the_last_smaller_batch(tiny):
    assert steps_a_level(tiny, material(tiny).data) == 2 * 13


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (
            {"rate": 0.9, "levels": 6},
            r"density 0 in fc2\.weight: 0\.9 a cut leaves none of its 96 weights at level 3; take levels below 3",
        ),
        ({"rewind": 26}, "rewind = 26 is not below the 26 steps of a level"),
        ({"snapshots": "3,27"}, "snapshots = 27 lies beyond the 26 steps of a level"),
    ],
)
def test_what_cannot_be_done_is_refused(tiny, tmp_path, change, match):
    with pytest.raises(rl.Refusal, match=match):
        rl.fit(tiny.but(**change), tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_limits_themselves_are_allowed(tiny):
    check_plan(material(tiny.but(rewind=25, snapshots=26)))
