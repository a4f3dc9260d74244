"""Flags, help, sentences and exit codes, the same for every command."""

import errno

import pytest

from rmtlottery import console
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.fields import Field

FIELDS = [
    Field("lr", float, "rate", (), 0.1),
    Field("dry_run", bool, "look only", (), False),
    Field("seeds", tuple, "", (), (0, 1)),
]
PAGE = console.Page("prog NAME", "About it.", "prog x", {"all": FIELDS})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["x", "--lr", "0.5"], (["x"], {"lr": 0.5})),
        (["--lr=0.5", "x"], (["x"], {"lr": 0.5})),
        (["--dry-run", "x"], (["x"], {"dry_run": True})),
        (["--dry_run", "false", "x"], (["x"], {"dry_run": False})),
        (["x", "--dry-run", "--lr", "1e-3"], (["x"], {"dry_run": True, "lr": 0.001})),
    ],
)
def test_flags_and_places(words, expected):
    assert console.parse(words, PAGE) == expected


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--dry-rnu"], "unknown option '--dry-rnu': did you mean '--dry-run'"),
        (["--lr"], "--lr is given no value"),
        (["--lr", "--dry-run"], "--lr is given no value"),
        (["--lr", "fast"], "lr = 'fast' is not a finite number"),
    ],
)
def test_bad_words_are_refused(words, match):
    with pytest.raises(Refusal, match=match):
        console.parse(words, PAGE)


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_shows_usage_example_options_and_defaults(word, capsys):
    with pytest.raises(SystemExit, match="0"):
        console.parse(["x", word], PAGE)
    out = capsys.readouterr().out
    assert "usage: prog NAME" in out
    assert "example:\n  prog x" in out
    assert "--lr               rate [0.1]" in out
    assert "--dry-run" in out


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (Refusal("no such thing"), 2, "rmtlottery: no such thing"),
        (KeyboardInterrupt(), 130, "rmtlottery: stopped; to go on: again"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/x"),
            2,
            "cannot go on: /x: No space left on device; what was finished is kept",
        ),
        (OSError(errno.EIO, "Input/output error"), 2, "cannot go on: Input/output error; what"),
        (MemoryError(), 2, "this does not fit into memory"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), 2, "cannot go on: /x: Permission denied"),
    ],
)
def test_an_error_is_one_sentence_and_a_code(error, code, sentence, capsys):
    def command(words):
        raise error

    with pytest.raises(SystemExit, match=str(code)):
        console.run(command, "again")
    err = capsys.readouterr().err
    assert sentence in err
    assert err.count("\n") == 1


def test_a_defect_of_ours_keeps_its_traceback():
    def command(words):
        raise ZeroDivisionError("ours")

    with pytest.raises(ZeroDivisionError, match="ours"):
        console.run(command)


def test_the_code_of_the_command_is_the_exit_code():
    with pytest.raises(SystemExit, match="3"):
        console.run(lambda words: console.PARTIAL)
