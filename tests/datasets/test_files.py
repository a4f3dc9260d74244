"""Where files are looked for, and that no byte is used before it is checked."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from rmtlottery.datasets import cifar, files, mnist
from rmtlottery.datasets.files import intact, place, read, root
from rmtlottery.datasets.published import CIFAR10, MNIST
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.parts import Cifar10, Mnist
from tests.datasets.made import md5, mnist_set

LABELS = "t10k-labels-idx1-ubyte.gz"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setenv("RMTL_DATA", str(tmp_path))
    return tmp_path


def test_data_lie_where_the_user_says_or_in_the_cache(monkeypatch):
    monkeypatch.setenv("RMTL_DATA", "~/pictures")
    assert root() == Path.home() / "pictures"
    for unset in (lambda: monkeypatch.setenv("RMTL_DATA", ""), lambda: monkeypatch.delenv("RMTL_DATA")):
        unset()
        assert root() == Path.home() / ".cache" / "rmtlottery"


@pytest.mark.parametrize("layout", ["mnist", "MNIST/raw"])
def test_our_layout_and_torchvision_s_are_found(here, layout):
    made = mnist_set(here)
    if layout != "mnist":
        (here / "MNIST").mkdir()
        shutil.move(here / "mnist", here / layout)
    assert place(made, LABELS, here) == here / layout / LABELS
    assert read(made, LABELS) == (here / layout / LABELS).read_bytes()


def test_what_is_missing_is_refused_with_the_folder_and_the_command(here):
    words = (
        rf"mnist is not in {here}: mnist/{LABELS} is missing; get it with `python -m rmtlottery\.datasets get mnist`, or set"
    )
    with pytest.raises(Refusal, match=words):
        read(MNIST, LABELS)


def test_a_wrong_md5_is_refused_with_both_and_the_command(here):
    made = mnist_set(here)
    path = here / "mnist" / LABELS
    wanted = md5(path.read_bytes())
    path.write_bytes(path.read_bytes() + b"!")
    words = rf"{path} has MD5 {md5(path.read_bytes())}, the published file {wanted}; replace it with `.* get mnist`"
    with pytest.raises(Refusal, match=words):
        read(made, LABELS)


def test_a_file_is_read_once_so_that_what_is_parsed_is_what_was_checked(here, monkeypatch):
    """A file that changes after its first reading is still the old one to the parser."""
    made = mnist_set(here)
    honest, opened = Path.read_bytes, []

    def swapped(path):
        content = honest(path)
        opened.append(path.name)
        path.write_bytes(b"swapped")
        return content

    monkeypatch.setattr(Path, "read_bytes", swapped)
    assert len(mnist.mnist(Mnist(), made).test) == 12
    assert sorted(opened) == sorted(made.files), "each file is opened once"


@pytest.mark.parametrize(("module", "parser"), [(mnist, "idx"), (cifar, "inert")])
def test_a_flipped_byte_in_a_real_file_is_refused_before_it_is_parsed(real_data, here, monkeypatch, module, parser):
    published, load = (
        (MNIST, lambda: mnist.mnist(Mnist())) if module is mnist else (CIFAR10, lambda: cifar.cifar10(Cifar10()))
    )
    name = next(iter(published.files))
    held = bytearray(place(published, name, real_data).read_bytes())
    held[len(held) // 2] ^= 1
    target = here / published.folders[0] / name
    target.parent.mkdir()
    target.write_bytes(held)
    monkeypatch.setattr(module, parser, lambda *_: pytest.fail("it was parsed"))
    with pytest.raises(Refusal, match=f"{name} has MD5 {md5(held)}, the published file {published.files[name]}"):
        load()


def test_intact_is_there_and_right(here):
    path = here / "x"
    assert not intact(path, md5(b"content"))
    path.write_bytes(b"content")
    assert intact(path, md5(b"content"))
    assert not intact(path, md5(b"Content"))
    assert not intact(here, md5(b""))


def test_an_empty_file_is_no_published_one(here):
    made = replace(mnist_set(here))
    (here / "mnist" / LABELS).write_bytes(b"")
    with pytest.raises(Refusal, match="has MD5 d41d8cd98f00b204e9800998ecf8427e"):
        files.read(made, LABELS)
