"""Sentences whose numbers are those of a made table."""

import pandas as pd

from rmtlottery.analyze._verdict_words import stands, summary
from rmtlottery.analyze.rungs.names import T0, T3, T9


def rows(quantity, source, refused, ratio=2.0):
    """`refused` says of each level in which of two layers a theory is."""
    return [
        {
            "quantity": quantity,
            "source": source,
            "level": level,
            "density": 0.5**level,
            "layer": layer,
            "refused": layer in layers,
            "ratio": ratio ** (layer if layer in layers else 0.01),
            "low": 1.5,
            "high": 4.5678,
        }
        for level, layers in enumerate(refused)
        for layer in (1, 2)
    ]


def words(*parts):
    return summary(pd.DataFrame([row for part in parts for row in part]))


def test_it_names_what_falls_first_and_how_far_and_what_stands_longest():
    found = words(
        rows("q", T0, [(), (1, 2), (1,)], ratio=0.5), rows("q", T3, [(), (1,), ()], ratio=1.5), rows("q", T9, [(), (), (2,)])
    )
    assert f"q: first refused is {T0} at 50 % (layer 2: 0.25 [1.5, 4.57]); down to 50 % stands T9; " in found
    assert found.endswith(f"never off by more than a factor of 1.5 is {T3}")


def test_quantities_have_a_clause_each():
    found = words(rows("q", T0, [(), ()]), rows("jacobian edge", "own sizes", [(1,), ()]))
    assert found == (
        "q: no theory is refused down to 50 %; "
        "jacobian edge: every theory is refused from 100 % on (own sizes at 100 % (layer 1: 2 [1.5, 4.57])); "
        "never off by more than a factor of 2 is own sizes"
    )


def test_all_that_stand_alike_are_every_theory():
    assert words(rows("q", T0, [(), (1,)]), rows("q", T3, [(), (2,)])).count("down to 100 % stands every theory; ") == 1


def test_a_theory_that_falls_and_is_not_refused_again_later_has_fallen():
    assert stands(pd.DataFrame(rows("q", T0, [(), (2,), ()]))) == 1.0
    assert stands(pd.DataFrame(rows("q", T0, [(2,), (), ()]))) == 0
