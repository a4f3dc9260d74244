"""`python -m rmtlottery.datasets` as a user types it."""

import subprocess
import sys

import pytest

from rmtlottery.datasets import __main__ as command_module
from rmtlottery.datasets.__main__ import main
from rmtlottery.refusal import Refusal
from tests.commands import command
from tests.datasets.made import mnist_set
from tests.datasets.server import honest, serving


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A small set under the name of mnist, laid out in tmp_path/source, which no mirror but our own serves."""
    published = mnist_set(tmp_path / "source")
    monkeypatch.setattr(command_module, "PUBLISHED", {"mnist": published})
    monkeypatch.setenv("RMTL_DATA", str(tmp_path / "here"))
    with serving(honest({path.name: path.read_bytes() for path in (tmp_path / "source" / "mnist").iterdir()})) as server:
        yield server


@pytest.mark.parametrize("words", [[], ["list"]])
def test_it_tells_what_is_missing_and_how_to_get_it(words, made, tmp_path, capsys):
    assert main(words) == 0
    where = tmp_path / "here" / "mnist"
    expected = f"mnist      4 of 4 files missing or damaged in {where}: python -m rmtlottery.datasets get mnist\n"
    assert capsys.readouterr().out == expected


def test_it_gets_a_set_from_the_user_s_mirror_and_then_lists_it(made, tmp_path, capsys):
    assert main(["get", "mnist", "--mirror", made.address]) == 0
    assert capsys.readouterr().out == f"mnist: 4 of 4 files fetched, all of them checked, in {tmp_path / 'here' / 'mnist'}\n"
    assert main(["get", "mnist"]) == 0
    assert "mnist: 0 of 4 files fetched" in capsys.readouterr().out
    assert main([]) == 0
    assert capsys.readouterr().out == f"mnist      in {tmp_path / 'here' / 'mnist'}, checked\n"
    (tmp_path / "here" / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    main([])
    assert "1 of 4 files missing or damaged" in capsys.readouterr().out


def test_another_folder_is_used_and_the_user_is_told_how_to_name_it(made, tmp_path, capsys):
    elsewhere = tmp_path / "else where"
    assert main(["get", "mnist", "--mirror", made.address, "--root", str(elsewhere)]) == 0
    assert f"to use it: export RMTL_DATA='{elsewhere}'" in capsys.readouterr().out
    assert main(["list", "--root", str(elsewhere)]) == 0
    assert f"mnist      in {elsewhere}/mnist, checked" in capsys.readouterr().out
    assert not (tmp_path / "here").exists()


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["get"], r"'get' is neither list nor get and a set \(mnist, cifar10, cifar100\): .* get mnist"),
        (["fetch", "mnist"], "'fetch mnist' is neither"),
        (["list", "mnist"], "'list mnist' is neither"),
        (["get", "cifar"], "unknown data set 'cifar': did you mean 'cifar10'"),
        (["get", "mnist", "cifar1000"], "unknown data set 'cifar1000': did you mean 'cifar100'"),
        (["get", "mnist", "--miror", "x"], "unknown option '--miror': did you mean '--mirror'"),
        (["get", "mnist", "--mirror", "x.org"], "the mirror 'x.org' is no address"),
    ],
)
def test_bad_words_are_refused_before_anything_is_fetched(words, match, tmp_path, monkeypatch):
    monkeypatch.setenv("RMTL_DATA", str(tmp_path))
    with pytest.raises(Refusal, match=match):
        main(words)
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_is_one_line_and_code_2(tmp_path):
    code, out, err = command("datasets", "get", "minst", env={"RMTL_DATA": str(tmp_path)})
    assert (code, out) == (2, "")
    assert err == "rmtlottery: unknown data set 'minst': did you mean 'mnist'?\n"


def test_it_lists_without_torch(tmp_path):
    code, out, _ = command("datasets", env={"RMTL_DATA": str(tmp_path)})
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["mnist", "cifar10", "cifar100"]
    watched = (
        "import sys, runpy\nsys.argv = ['x', 'list']\n"
        "try:\n    runpy.run_module('rmtlottery.datasets', run_name='__main__')\n"
        "except SystemExit as end:\n    assert not end.code\n"
        "assert not {'torch', 'numpy', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", watched], check=True, capture_output=True)
