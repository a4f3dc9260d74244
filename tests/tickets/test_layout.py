"""Paths of a run, there and back, and what is none of its business."""

from rmtlottery.tickets.layout import free_name, nearby, place, sidecars, stem


def test_a_place_is_found_in_its_path():
    assert place(stem(__import__("pathlib").Path("/runs/x"), 12, 103).with_suffix(".json")) == (12, 103)


def test_sidecars_are_in_order_of_number_and_strangers_are_passed_over(tmp_path):
    for name in (
        "seed-10/level-02.json",
        "seed-2/level-100.json",
        "seed-2/level-99.json",
        "seed-x/level-00.json",
        "seed-2/level-foo.json",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [place(path) for path in sidecars(tmp_path)] == [(2, 99), (2, 100), (10, 2)]


def test_a_free_name_is_free(tmp_path):
    (tmp_path / "x-2").mkdir()
    assert free_name(tmp_path, "x") == "x-3"


def test_runs_above_are_nearer_than_runs_beside(tmp_path):
    (tmp_path / "a" / "seed-0").mkdir(parents=True)
    (tmp_path / "a" / "spec.json").touch()
    assert nearby(tmp_path / "a" / "seed-0") == f"; runs around it: {tmp_path / 'a'}"
    assert nearby(tmp_path / "b") == "; runs around it: a"
    assert nearby(tmp_path / "b" / "c" / "d") == ""
