"""Maps of several replicates: written out where they are small, made where they are large, the same either way."""

import pytest
import torch

import rmtlottery as rl
from rmtlottery.charts import maps as room
from rmtlottery.charts.maps import Maps, shared
from rmtlottery.charts.projections import KINDS, projection

D = 70


def drawn(kind, layout):
    """A projection for each letter, and as many neighbours with it as there are letters in a row; sizes by letter."""
    made = {letter: projection(kind, D, 5 + ord(letter) - ord("a"), ord(letter)) for letter in set(layout)}
    return [made[letter] for letter in layout]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layout", ["a", "ab", "aabb", "aab", "aba"])
def test_written_out_or_not_they_map_alike(kind, layout, monkeypatch):
    held, stream = drawn(kind, layout), torch.Generator().manual_seed(0)
    theta = torch.randn(len(held), D, generator=stream)
    x, g = torch.randn(len(held), max(p.dim for p in held), generator=stream), torch.randn(len(held), D, generator=stream)
    written = Maps(theta, held)
    monkeypatch.setattr(room, "SMALL", 0)
    made = Maps(theta, held)
    assert (written.matrices is None) == (layout in ("aab",))
    assert made.matrices is None
    torch.testing.assert_close(written.apply(x), made.apply(x), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(written.adjoint(g), made.adjoint(g), rtol=1e-4, atol=1e-5)
    for row, each in enumerate(held):
        torch.testing.assert_close(made.apply(x)[row], each.apply(x[row, : each.dim]), rtol=1e-4, atol=1e-5)
        assert not made.adjoint(g)[row, each.dim :].any()


def test_what_is_large_is_not_written_out():
    """The limit of one matrix is in numbers: 2^19."""
    wide = torch.zeros(1, 2**13)
    assert Maps(wide, [projection("fastfood", 2**13, 64, 0)]).matrices is not None
    assert Maps(wide, [projection("fastfood", 2**13, 65, 0)]).matrices is None


def test_many_small_ones_have_a_limit_together(monkeypatch):
    monkeypatch.setattr(room, "IN_ALL", 3 * D * 5)
    held = [projection("dense", D, 5, seed) for seed in range(4)]
    assert Maps(torch.zeros(3, D), held[:3]).matrices is not None
    assert Maps(torch.zeros(4, D), held).matrices is None


def test_neighbours_share_and_others_do_not():
    a, b = drawn("dense", "ab")
    assert [(each is a, rows) for each, rows in shared([a, a, b, a])] == [
        (True, slice(0, 2)), (False, slice(2, 3)), (True, slice(3, 4))
    ]  # fmt: skip


def test_maps_that_do_not_fit_are_refused():
    a = projection("dense", D, 5, 0)
    with pytest.raises(rl.Refusal, match="1 projections are given for 2 replicates"):
        Maps(torch.zeros(2, D), [a])
    with pytest.raises(rl.Refusal, match="moves 70 weights, and there are 71"):
        Maps(torch.zeros(1, D + 1), [a])
