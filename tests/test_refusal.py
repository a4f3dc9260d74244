"""A name nobody knows is answered with the nearest one, or with all there are."""

from rmtlottery.refusal import unknown


def test_a_near_name_is_suggested():
    assert str(unknown("preset", "digts", ["digits", "teacher"])) == "unknown preset 'digts': did you mean 'digits'?"


def test_a_far_name_is_answered_with_all():
    assert str(unknown("preset", "xyz", ["b", "a"])) == "unknown preset 'xyz': choose from a, b"


def test_where_there_is_nothing_that_is_said():
    assert "nothing: none is there" in str(unknown("study", "x", []))
