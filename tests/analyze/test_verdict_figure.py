"""Colours, strip by strip, of a made table."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from rmtlottery.analyze._verdict_figure import COLOURS, draw_cells, of_chance, painted, theories

STANDS, UNTOLD = len(COLOURS), len(COLOURS) + 1


def row(quantity, source, level, layer, ratio, refused=True):
    return {
        "quantity": quantity,
        "source": source,
        "level": level,
        "density": 0.5**level,
        "layer": layer,
        "ratio": ratio,
        "chance_ratio": 1.04,
        "refused": refused,
    }


@pytest.fixture
def made():
    return pd.DataFrame(
        [
            row("q", "A", 0, 1, 0.4),
            row("q", "A", 0, 2, 0.7),
            row("chi", "A", 0, 1, 0.9),
            row("chi", "A", 2, 3, 1.1),
            row("q", "B", 2, 2, 1.6),
            row("q", "B", 2, 3, 2.1, refused=False),
            row("edge", "C", 2, 3, 2.1),
        ]
    )


def test_quantities_stay_together(made):
    assert theories(made) == [("q", "A"), ("q", "B"), ("chi", "A"), ("edge", "C")]


def test_each_strip_has_the_colour_of_its_ratio(made):
    found = painted(made, theories(made), [0, 2], 3)
    expected = np.full((4, 6), UNTOLD)
    expected[0, :2] = 0, 1
    expected[1, 4:] = 4, STANDS
    expected[2, [0, 5]] = 2, 3
    expected[3, 3:] = 5
    assert np.array_equal(found, expected)


def test_random_nets_are_shown_where_theory_is_off_on_them(made):
    far = made.assign(chance_ratio=[1.04, 1.06, 0.96, 0.94, 1, 1, 1])
    assert of_chance(far)["refused"].to_list() == [False, True, False, True, False, False, False]
    assert of_chance(far)["ratio"].to_list() == far["chance_ratio"].to_list()


def test_axes_name_theories_and_densities(made):
    axes = plt.subplots()[1]
    draw_cells(made, made[made["level"] == 2], axes)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["q: A", "q: B", "chi: A", "edge: C"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["100 %", "25 %"]
    assert "layers 1 to 3" in axes.get_xlabel()
    assert axes.get_ylim() == (4, 0)
