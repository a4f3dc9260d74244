"""Text: samples as one would write them out by hand, and none of the test among those to learn from."""

from pathlib import Path

import pytest
import torch

import rmtlottery as rl
from rmtlottery.datasets import dataset, text
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Text

RAW = (Path(__file__).parents[2] / "data" / "gpl-3.txt").read_bytes().decode("ascii")
LENGTH, SYMBOLS, TEST = 34283, 50, 6856


def made(**fields):
    return text.text(Text(**({"places": 5, "validation": 0.0} | fields)))


def by_hand(places, every):
    """(what is shown, what comes next) of the samples to learn from, then of those of the test."""
    words, space = "", True
    for character in RAW:
        words += "" if space and character.isspace() else " " if character.isspace() else character.lower()
        space = character.isspace()
    words = words.strip()
    cut = len(words) - len(words) // 5
    learn, test = words[:cut], words[cut:]
    return [
        [(part[start : start + places], part[start + places]) for start in range(0, len(part) - places, every)]
        for part in (learn, test)
    ]


def read(split, places=5):
    """The same, of one-hots as they are once standardised."""
    symbols = "".join(sorted(set(" ".join(RAW.lower().split()))))
    hot = split.x.reshape(len(split), places, SYMBOLS) > 0
    assert (hot.sum(2) == 1).all()
    shown = ["".join(symbols[place] for place in sample) for sample in hot.int().argmax(2).tolist()]
    return list(zip(shown, [symbols[answer] for answer in split.y.tolist()], strict=True))


@pytest.mark.parametrize(("places", "every"), [(5, 1), (1, 1), (3, 7), (12, 5)])
def test_samples_are_those_that_a_loop_over_the_text_finds(places, every):
    found = made(places=places, every=every)
    learn, test = by_hand(places, every)
    assert read(found.train, places) == learn
    assert read(found.test, places) == test


def test_a_known_sample_stands_at_either_end():
    found = made(places=14)
    assert read(found.train, 14)[0] == ("gnu general pu", "b")
    assert read(found.test, 14)[-1] == ("not-lgpl.html>", ".")


def test_shapes_and_symbols_are_what_the_text_has():
    found = made()
    assert (found.shape, found.classes) == ((5, SYMBOLS), SYMBOLS)
    assert {name: tuple(split.x.shape) for name, split in found.splits.items()} == {
        "train": (LENGTH - TEST - 5, 250), "test": (TEST - 5, 250),
    }  # fmt: skip
    assert dataset(Text()).shape == (16, SYMBOLS)


def test_no_character_of_the_test_stands_in_a_sample_to_learn_from(monkeypatch):
    """A text whose last fifth has symbols of its own."""
    monkeypatch.setattr(text, "plain", lambda words: "abcd" * 20 + "xyz" * 6 + "xy")
    found = made(places=4)
    train, test = found.train.x.reshape(-1, 4, 7) > 0, found.test.x.reshape(-1, 4, 7) > 0
    assert (train[..., :4].any(2).all(), train[..., 4:].any(), found.train.y.max()) == (True, False, 3)
    assert (test[..., 4:].any(2).all(), test[..., :4].any(), found.test.y.min()) == (True, False, 4)
    assert (len(train), len(test)) == (76, 16)


def test_part_of_what_is_to_learn_from_is_held_out_and_the_test_is_not_touched():
    plain, held = made(every=10), made(every=10, validation=0.25)
    assert sorted(read(held.train) + read(held.validation)) == sorted(read(plain.train))
    assert (len(held.validation), len(held.train)) == (686, 2057)
    assert read(held.test) == read(plain.test)


def test_overlaps_are_bytes_and_held_once_until_they_are_standardised():
    split = text.samples(torch.arange(50).repeat(20), Text(places=16), 50)
    assert split.x.dtype == torch.uint8
    assert split.x.untyped_storage().nbytes() == 999 * 50
    assert split.x.shape == (984, 800)


@pytest.mark.parametrize(
    ("raw", "words"), [("  A\n\n b\tC \r\n", "a b c"), ("GNU  GENERAL\x0cPUBLIC", "gnu general public"), ("", "")]
)
def test_case_and_kinds_of_white_space_are_taken_away(raw, words):
    assert text.plain(raw) == words


@pytest.mark.parametrize(("places", "every"), [(6855, 1), (TEST, 1), (10**20, 1), (5, 6851), (5, 10**20)])
def test_more_than_the_text_has_is_refused(places, every):
    words = f"places = {places} and every = {every} leave fewer than two samples in the test part, the last 6856 of 34283"
    with pytest.raises(Refusal, match=words):
        made(places=places, every=every)


def test_two_samples_are_enough():
    assert len(made(every=6850).test) == 2


@pytest.mark.parametrize("field", [{"places": 0}, {"every": 0}])
def test_fields_begin_at_1(field):
    with pytest.raises(Refusal, match="= 0 is not at least 1"):
        Text(**field)


@pytest.mark.parametrize("net", [{"kind": "fc", "widths": (24,)}, {"kind": "transformer", "units": 8}])
def test_it_is_learnt(net, tmp_path):
    """The most frequent character, a space, is a sixth of it."""
    data = {"kind": "text", "places": 3, "every": 4}
    init = "own" if net["kind"] == "transformer" else "he"
    run = rl.fit(rl.Spec().but(net=net, data=data, init=init, levels=0, epochs=2, lr=1e-2, batch=64, seeds=(0,)), tmp_path)
    assert run[0, 0].metrics[-1]["test_accuracy"] > 0.21
    assert rl.Spec.from_json(run.spec.to_json()).data == Text(places=3, every=4)
