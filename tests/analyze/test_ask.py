"""The folder is the registry: questions and options are read from the source."""

import gc
import subprocess
import sys
import weakref

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

import rmtlottery as rl
from rmtlottery.analyze import _ask, _questions


def test_every_file_of_the_folder_is_a_question():
    assert {"accuracy", "qmap"} <= set(_questions.questions())
    assert all(question.endswith("?") for question in _questions.questions().values())


def test_listing_questions_and_options_imports_nothing_heavy():
    code = (
        "import sys; from rmtlottery.analyze import _questions; _questions.questions(); _questions.options('qmap')\n"
        "print([name for name in ('torch', 'pandas', 'seaborn') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


def test_options_are_keyword_only_parameters_with_type_and_default():
    field = _questions.options("qmap")["samples"]
    assert (field.kind, field.default) == (int, 1000)
    assert _questions.options("weights") == {}


def test_a_table_starts_with_where_it_is_from_and_covers_every_ticket(tiny_run):
    table = rl.tabulate("accuracy", tiny_run)
    assert list(table.columns[:4]) == ["run", "seed", "level", "density"]
    assert table.groupby(["seed", "level"]).ngroups == 8
    assert set(table["run"]) == {tiny_run.path.name}


def test_tickets_are_let_go_one_by_one(tiny_run):
    """Else the weights of a whole study would lie in memory at once."""
    asked = []

    def tickets():
        for ticket in tiny_run:
            asked.append(weakref.ref(ticket))
            yield ticket
            del ticket
            gc.collect()
            assert not [old for old in asked[:-1] if old()]

    assert len(rl.tabulate("qmap", tickets(), samples=5)) == 8 * 56
    assert len(asked) == 8


def test_runs_of_one_name_are_told_apart_by_their_folders(tiny, tmp_path):
    for folder in ("a", "b"):
        rl.fit(tiny.but(name="same", levels=0), tmp_path / folder)
    both = [ticket for folder in "ab" for ticket in rl.Run(tmp_path / folder / "same")]
    assert set(rl.tabulate("accuracy", both)["run"]) == {"a/same", "b/same"}
    assert set(rl.tabulate("accuracy", tmp_path / "a" / "same")["run"]) == {"same"}


def test_an_analysis_may_make_its_table_of_that_of_all_tickets(tiny_run, monkeypatch):
    from rmtlottery.analyze import accuracy

    plain, seen = rl.tabulate("accuracy", tiny_run), []

    def pooled(table):
        seen.append(table)
        return table.groupby(["run", "level"], as_index=False)["accuracy"].mean()

    monkeypatch.setattr(accuracy, "pooled", pooled, raising=False)
    means = rl.tabulate("accuracy", tiny_run)
    pd.testing.assert_frame_equal(seen[0], plain)
    assert list(means.columns) == ["run", "level", "accuracy"]
    assert len(rl.tabulate("accuracy", tiny_run[1, 2])) == 1


def all_at_once(monkeypatch, table):
    """`accuracy`, as one that is asked of several tickets at once."""
    from rmtlottery.analyze import accuracy

    monkeypatch.setattr(accuracy, "OF_SUBNETS", True, raising=False)
    monkeypatch.setattr(accuracy, "table", table)


def places(tickets):
    return [(ticket.seed, ticket.level) for ticket in tickets]


def test_an_analysis_may_be_asked_of_all_tickets_of_a_seed_at_once(tiny_run, monkeypatch):
    asked = []

    def table(tickets):
        asked.append(tickets)
        return pd.DataFrame({"tickets": [len(tickets)] * 2})

    all_at_once(monkeypatch, table)
    turned = [tiny_run[seed, level] for level in (2, 0) for seed in (1, 0)]
    found = rl.tabulate("accuracy", turned)
    assert [places(held) for held in asked] == [[(1, 2), (1, 0)], [(0, 2), (0, 0)]]
    assert found["tickets"].tolist() == [2] * 4
    first = found.drop_duplicates("seed")
    assert list(zip(first["seed"], first["level"], first["density"], strict=True)) == [
        (held.seed, 2, held.density) for held in turned[:2]
    ], "a row stands with the first of its tickets"
    assert len(rl.tabulate("accuracy", tiny_run[1, 2])) == 2
    assert places(asked[-1]) == [(1, 2)]


@pytest.mark.parametrize("error", [rl.Refusal("no pair"), ValueError("no pair")])
def test_a_seed_that_cannot_be_asked_at_once_is_one_fault(tiny_run, monkeypatch, error):
    def table(tickets):
        if tickets[0].seed == 0:
            raise error
        return pd.DataFrame({"tickets": [len(tickets)]})

    all_at_once(monkeypatch, table)
    found, faults = _ask.gather("accuracy", tiny_run, {})
    assert found["seed"].tolist() == [1]
    assert found["tickets"].tolist() == [4]
    failed = f"{tiny_run.path}: accuracy of seed 0, level 0 failed: no pair"
    assert faults == ["no pair" if isinstance(error, rl.Refusal) else failed]


def test_what_is_asked_at_once_needs_a_ticket(monkeypatch):
    all_at_once(monkeypatch, lambda tickets: pytest.fail("asked of none"))
    with pytest.raises(rl.Refusal, match="accuracy has no ticket to ask; train first"):
        rl.tabulate("accuracy", [])


@pytest.mark.parametrize("name", ["subnets", "angles"])
def test_a_checkpoint_that_nobody_here_trained_is_no_subnet(name, tmp_path):
    save_file({"one.weight": torch.ones(4, 7).tril()}, tmp_path / "net.safetensors")
    with pytest.raises(rl.Refusal, match=r"net.safetensors.* was not trained here, and is no subnet; train it first"):
        rl.tabulate(name, rl.load(tmp_path / "net.safetensors"))


def test_one_ticket_or_some_may_be_asked(tiny_run):
    one = rl.tabulate("accuracy", tiny_run[1, 2])
    assert set(zip(one["seed"], one["level"], strict=True)) == {(1, 2)}
    some = rl.tabulate("accuracy", tiny_run.at(density=1.0))
    assert set(some["level"]) == {0}
    whole = rl.tabulate("accuracy", tiny_run)
    pd.testing.assert_frame_equal(one, whole.query("seed == 1 and level == 2").reset_index(drop=True))


@pytest.mark.parametrize(
    ("name", "options", "match"),
    [
        ("qmpa", {}, "unknown analysis 'qmpa': did you mean 'qmap'"),
        ("qmap", {"sample": 3}, "unknown option of qmap 'sample': did you mean 'samples'"),
        ("qmap", {"samples": "many"}, "samples = 'many' is not a whole number"),
    ],
)
def test_bad_questions_are_refused(tiny_run, name, options, match):
    with pytest.raises(rl.Refusal, match=match):
        rl.tabulate(name, tiny_run, **options)


def test_an_empty_run_is_refused(tiny, tmp_path):
    from rmtlottery.tickets.run import Run

    with pytest.raises(rl.Refusal, match="accuracy has no ticket to ask; train first"):
        rl.tabulate("accuracy", Run.open(tmp_path, tiny))


def test_analyses_of_several_runs_are_those_that_say_so():
    assert {name for name in _questions.questions() if _questions.of_subnets(name)} == {"angles", "subnets"}
