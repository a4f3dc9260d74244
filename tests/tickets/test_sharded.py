"""Checkpoints in several files, and folders."""

import json
import os

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.sharded import chosen, entries
from tests.tickets.checkpoints import survey, weights

FUZZ = settings(deadline=None, database=None, derandomize=True)
ONE, TWO = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


def index(folder, names, file="model.safetensors.index.json"):
    content = names if isinstance(names, str) else json.dumps({"metadata": {"total_size": 1}, "weight_map": names})
    (folder / file).write_text(content)
    return folder / file


@pytest.fixture
def shards(tmp_path):
    """Two shards of two layers each; the index is to be written."""
    for file, names in ((ONE, ("h.2.w", "h.10.w")), (TWO, ("g.w", "g.v"))):
        save_file({name: torch.full((2, 3), float(len(name))) for name in names}, tmp_path / file)
    return tmp_path


WHOLE = {"h.2.w": ONE, "h.10.w": ONE, "g.w": TWO, "g.v": TWO}


def test_every_shard_is_read_and_the_first_one_comes_first(shards):
    index(shards, WHOLE)
    held, said = survey(shards)
    assert not said
    assert list(held) == ["h.2.w", "h.10.w", "g.v", "g.w"]


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}], ids=["zip", "legacy"])
def test_shards_of_torch_are_read(tmp_path, options):
    for number, (name, tensor) in enumerate(weights().items()):
        torch.save({name: tensor}, tmp_path / f"pytorch_model-{number}.bin", **options)
    index(tmp_path, {name: f"pytorch_model-{n}.bin" for n, name in enumerate(weights())}, "pytorch_model.bin.index.json")
    found, faults = entries(tmp_path)
    assert not faults
    assert all(torch.equal(found[name].read(), tensor) for name, tensor in weights().items())


def test_a_missing_shard_loses_its_own_tensors_alone(shards):
    (shards / ONE).unlink()
    assert survey(index(shards, WHOLE)) == ({"g.v": ANY, "g.w": ANY}, [f"{shards / ONE} is not there"])


class Any:
    def __eq__(self, other):
        return True

    __hash__ = None


ANY = Any()


@pytest.mark.parametrize(
    "file", ["../outside/x.safetensors", "/etc/passwd", "link/x.safetensors", "direct", "sub/../../outside/x.safetensors"]
)
def test_a_shard_outside_the_folder_is_not_opened(shards, tmp_path_factory, file):
    (shards / "in").mkdir()
    outside = shards / "outside"
    outside.mkdir()
    save_file({"h.2.w": torch.ones(2, 3)}, outside / "x.safetensors")
    (shards / "in" / "link").symlink_to(outside)
    (shards / "in" / "sub").mkdir()
    (shards / "in" / "direct").symlink_to(outside / "x.safetensors")
    (shards / TWO).rename(shards / "in" / TWO)
    path = index(shards / "in", WHOLE | {"h.2.w": file, "h.10.w": TWO})
    found, faults = entries(path)
    assert set(found) == {"g.v", "g.w"}
    assert f"{path}: its file {file} lies outside {path.parent} and is not read" in faults


def test_links_into_the_store_of_a_hub_are_followed(shards):
    snapshot = shards / "models--a--b" / "snapshots" / "0123"
    snapshot.mkdir(parents=True)
    (shards / "models--a--b" / "blobs").mkdir()
    for number, file in enumerate((ONE, TWO)):
        (shards / file).rename(shards / "models--a--b" / "blobs" / str(number))
        (snapshot / file).symlink_to(f"../../blobs/{number}")
    index(snapshot, WHOLE)
    assert len(survey(snapshot)[0]) == 4
    (snapshot / TWO).unlink()
    (snapshot / TWO).symlink_to("../../../blobs/1")
    assert f"its file {TWO} lies outside" in survey(snapshot)[1][0]


@pytest.mark.parametrize("file", ["a\0b", "\ud800", "", ".", "x" * 5000])
def test_a_shard_whose_name_is_none_is_said(shards, file):
    held, said = survey(index(shards, WHOLE | {"h.2.w": file}))
    assert set(held) == {"h.10.w", "g.v", "g.w"}
    assert len(said) == 2


def test_names_and_shards_that_disagree_are_said(shards):
    path = index(shards, {"h.2.w": ONE, "h.10.w": TWO, "g.w": TWO, "absent": TWO, "strange": 3})
    found, faults = entries(path)
    assert set(found) == {"h.2.w", "g.w"}
    assert faults == [
        f"{path}: tensor strange: its file is no name",
        f"{shards / ONE}: tensor h.10.w: it is also here, and the index says {TWO}",
        f"{shards / TWO}: tensor absent: the index names it and the file lacks it",
        f"{shards / TWO}: tensor h.10.w: the index names it and the file lacks it",
    ]


def test_a_name_that_the_index_has_twice_is_lost(shards):
    path = index(shards, f'{{"weight_map": {{"g.w": "{ONE}", "g.v": "{TWO}", "g.w": "{TWO}"}}}}')
    assert set(entries(path)[0]) == {"g.v"}
    assert "tensor g.w: the index names it more than once" in entries(path)[1][0]


def test_a_damaged_tensor_is_said_once_and_the_others_are_read(shards):
    content = (shards / TWO).read_bytes()
    (shards / TWO).write_bytes(content[:-1])
    held, said = survey(index(shards, WHOLE))
    assert set(held) == {"h.2.w", "h.10.w", "g.v"}
    assert said == [f"{shards / TWO}: tensor g.w: it ends at byte {len(content)} of a file of {len(content) - 1}"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "is damaged: it is not JSON"),
        ("[" * 10**5, "is damaged: it is not JSON .its brackets are nested too deeply"),
        ("{}", "is no index: it has no weight_map from names to files"),
        ('{"weight_map": []}', "is no index: it has no weight_map"),
    ],
    ids=["broken", "deep", "empty", "a list"],
)
def test_what_is_no_index_is_refused(tmp_path, content, why):
    with pytest.raises(Refusal, match=rf"x\.index\.json {why}"):
        entries(index(tmp_path, content, "x.index.json"))


def test_a_long_index_is_not_read(tmp_path):
    with open(tmp_path / "x.index.json", "wb") as file:
        file.truncate(2 * 10**8)
    with pytest.raises(Refusal, match="is no index: it is longer than 20000000 bytes"):
        entries(tmp_path / "x.index.json")


def test_an_index_that_is_no_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.index.json")
    (tmp_path / "zeros.index.json").symlink_to("/dev/zero")
    for name in ("pipe", "zeros"):
        with pytest.raises(Refusal, match=rf"{name}\.index\.json is no file"):
            entries(tmp_path / f"{name}.index.json")


def test_names_of_an_index_are_those_of_its_shards(tmp_path):
    save_file({"a\nb": torch.ones(2, 3)}, tmp_path / ONE)
    assert survey(index(tmp_path, {"a\nb": ONE})) == ({r"a\nb": ANY}, [])


@pytest.mark.parametrize(
    ("there", "taken"),
    [
        (["model.safetensors", "model.safetensors.index.json", "other.pt"], "model.safetensors"),
        (["model.safetensors.index.json", "pytorch_model.bin", "a.safetensors"], "model.safetensors.index.json"),
        (["pytorch_model.bin", "training_args.bin"], "pytorch_model.bin"),
        (["x.index.json", "x-1.bin", "x-2.bin"], "x.index.json"),
        (["best.pth", "config.json", "README"], "best.pth"),
        (["last.ckpt"], "last.ckpt"),
    ],
)
def test_the_checkpoint_of_a_folder(tmp_path, there, taken):
    for name in there:
        (tmp_path / name).touch()
    assert chosen(tmp_path) == tmp_path / taken


def test_a_folder_of_several_or_none_is_listed(tmp_path):
    with pytest.raises(Refusal, match=r"holds 0 checkpoints, not one: name one of what is there \(nothing\)"):
        chosen(tmp_path)
    for number in range(12):
        (tmp_path / f"{number:02}.pt").touch()
    with pytest.raises(Refusal, match=r"holds 12 checkpoints.* \(00\.pt, .*, 09\.pt and 2 more\)"):
        chosen(tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sharded")
    save_file(weights(), folder / ONE)
    return folder


@FUZZ
@given(
    st.dictionaries(
        st.sampled_from([*weights(), "x"]) | st.text(),
        st.sampled_from([ONE, TWO, "..", "/"]) | st.text() | st.none(),
        max_size=5,
    )
)
def test_any_index_raises_nothing_but_refusals(folder, names):
    survey(index(folder, names))


@FUZZ
@given(st.binary(max_size=60))
def test_any_bytes_of_an_index_raise_nothing_but_refusals(folder, content):
    (folder / "any.index.json").write_bytes(b'{"weight_map":' + content)
    survey(folder / "any.index.json")
