"""The names of the rungs: in order, told apart by their first word."""

from rmtlottery.analyze.rungs import names


def test_rungs_are_in_order_and_told_apart_by_their_first_word():
    first = [name.split()[0] for name in names.LADDER]
    assert first == ["T0", "T2", "T3", "T4", "T5", "T5b", "T6", "T7", "T8", "T9", "T9b"]
    assert len({name.split()[0] for name in names.SOURCES}) == len(names.SOURCES)


def test_sources_are_the_rungs_and_what_is_none():
    assert set(names.SOURCES) - set(names.LADDER) == {names.MEASURED, names.T1, names.T3H, names.PROBES}
    assert names.NONE not in names.SOURCES


def test_every_rung_drops_something_of_its_own():
    assert len(set(names.DROPPED.values())) == len(names.DROPPED)
    assert names.DROPPED[names.T0] == "nothing"
