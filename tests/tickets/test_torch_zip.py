"""Files of torch.save: every form that it writes, and every damage."""

import io
import os
import pickle
import struct
import warnings
import zipfile
from argparse import Namespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.foreign import load
from rmtlottery.tickets.torch_zip import entries
from tests.tickets.checkpoints import Bomb, survey, tight, weights

FUZZ = settings(deadline=None, database=None, derandomize=True, max_examples=150)
FLOATS = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def saved(value, **options):
    content = io.BytesIO()
    torch.save(value, content, **options)
    return content.getvalue()


WHOLE = saved(weights())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("zip")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("dtype", [*FLOATS, torch.int64, torch.uint8, torch.bool, torch.uint16, torch.complex64], ids=str)
def test_it_reads_what_torch_wrote(tmp_path, dtype, protocol):
    held = {"a": (torch.randn(3, 5) * 9).to(dtype), "none": torch.zeros(0, 4, dtype=dtype), "one": torch.tensor(1).to(dtype)}
    torch.save(held, tmp_path / "x.pt", pickle_protocol=protocol)
    found, faults = entries(tmp_path / "x.pt")
    assert not faults
    assert list(found) == list(held)
    for name, tensor in held.items():
        assert found[name].read().dtype == dtype
        assert torch.equal(found[name].read(), tensor)


def test_views_of_one_storage_are_read_as_torch_reads_them(tmp_path):
    base = torch.randn(6, 8)
    held = {"base": base, "transposed": base.T, "rows": base[2:5], "strided": base[1::2, 2:7:3], "cube": base.view(2, 3, 8)}
    held |= {"tied": base, "permuted": base.view(2, 3, 8).permute(2, 0, 1), "parameter": torch.nn.Parameter(base[:2])}
    torch.save(held, tmp_path / "x.pt")
    ticket = load(tmp_path / "x.pt")
    assert list(ticket.weights) == list(held)
    for name, tensor in held.items():
        assert torch.equal(ticket.weights[name], tensor)
        assert ticket.weights[name].is_contiguous()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def test_a_net_of_its_own_is_read_as_torch_reads_it(tmp_path, dtype):
    net = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3), torch.nn.LSTM(3, 4), torch.nn.Embedding(7, 2)
    )
    torch.save(net.to(dtype).state_dict(), tmp_path / "x.pt")
    expected = torch.load(tmp_path / "x.pt", weights_only=True)
    found, faults = entries(tmp_path / "x.pt")
    assert not faults
    assert all(torch.equal(found[name].read(), tensor) for name, tensor in expected.items())


def test_plain_data_beside_the_tensors_do_not_matter(tmp_path):
    more = {"args": Namespace(lr=0.1), "best": np.float64(0.3), "curve": np.zeros(40_000), "path": tmp_path, "tags": {"a"}}
    for protocol in (2, 5):
        torch.save(
            {"state_dict": weights(), "device": torch.device("cpu"), "dtype": torch.float16} | more,
            tmp_path / "x.pt",
            pickle_protocol=protocol,
        )
        assert list(load(tmp_path / "x.pt").weights) == ["fc.weight", "conv.weight"]


def test_what_is_no_plain_tensor_is_described(tmp_path):
    held = {"s": torch.eye(3).to_sparse(), "m": torch.ones(2, 2, device="meta"), "w": torch.ones(2, 3)}
    with warnings.catch_warnings(action="ignore"):
        held["q"] = torch.quantize_per_tensor(torch.ones(2, 3), 0.1, 0, torch.qint8)
        torch.save(held, tmp_path / "x.pt")
    ticket = load(tmp_path / "x.pt")
    assert list(ticket.weights) == ["w"]
    why = {row["tensor"]: row["why"] for row in ticket.record["skipped"]}
    assert why == {"s": "it is sparse", "m": "it is without data", "q": "it is quantised"}


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}, {"pickle_protocol": 4}], ids=str)
@pytest.mark.parametrize("suffix", ["pt", "safetensors", "bin"])
@pytest.mark.parametrize("wrap", [lambda bomb: bomb, lambda bomb: weights() | {"x": bomb}], ids=["alone", "beside weights"])
def test_what_asks_for_more_than_tensors_is_refused_and_not_executed(tmp_path, options, suffix, wrap):
    path = tmp_path / f"x.{suffix}"
    torch.save(wrap(Bomb(tmp_path / "executed")), path, **options)
    more = (
        rf"x\.{suffix} holds more than tensors: it asks for posix\.system, and nothing of it was executed; .*state_dict\(\)"
    )
    with pytest.raises(Refusal, match=more):
        load(path)
    assert not (tmp_path / "executed").exists()


def test_a_bare_pickle_is_refused_and_not_executed(tmp_path):
    for protocol in range(6):
        (tmp_path / "x.safetensors").write_bytes(pickle.dumps(Bomb(tmp_path / "executed"), protocol=protocol))
        held, said = survey(tmp_path / "x.safetensors")
        assert (held, len(said)) == ({}, 1)
    assert not (tmp_path / "executed").exists()


def test_a_whole_net_is_refused_with_what_to_write_instead(tmp_path):
    torch.save(torch.nn.Linear(2, 3), tmp_path / "x.pt")
    with pytest.raises(
        Refusal, match=r"it asks for torch\.nn\.modules\.linear\.Linear.*torch\.save\(model\.state_dict\(\), \.\.\.\)"
    ):
        load(tmp_path / "x.pt")


class Crafted:
    """A call of torch's that is asked for with any arguments."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __reduce__(self):
        return torch._utils._rebuild_tensor_v2, self.arguments


@pytest.mark.parametrize(
    ("offset", "shape", "strides", "why"),
    [
        (0, (2**30, 2**30), (2**30, 1), f"it takes {2**60} entries of a storage that has 6"),
        (0, (2**30, 2**30), (0, 0), f"it takes {2**60} entries of a storage that has 6"),
        (0, (3, 3), (0, 1), "it takes 9 entries of a storage that has 6"),
        (0, (2, 3), (2**62, 1), f"it takes {2**62 + 3} entries of a storage that has 6"),
        (1, (2, 3), (3, 1), "it takes 7 entries of a storage that has 6"),
        (7, (0, 3), (3, 1), "it takes 7 entries of a storage that has 6"),
        (-1, (2, 3), (3, 1), "its offset, shape and strides are no sizes"),
        (0, (2, 3), (-3, 1), "its offset, shape and strides are no sizes"),
        (0, (2, 3), (1,), "its offset, shape and strides are no sizes"),
        (0, (2.0, 3), (3, 1), "its offset, shape and strides are no sizes"),
        (0, [[]], None, "its offset, shape and strides are no sizes"),
    ],
)
def test_a_crafted_tensor_allocates_nothing_and_the_others_are_read(tmp_path, offset, shape, strides, why):
    with warnings.catch_warnings(action="ignore"):
        crafted = Crafted(torch.ones(6).storage(), offset, shape, strides)
        torch.save({"bad": crafted, "good": torch.ones(2, 3)}, tmp_path / "x.pt")
    with tight():
        held, said = survey(tmp_path / "x.pt")
    assert list(held) == ["good"]
    assert said == [f"{tmp_path / 'x.pt'}: tensor bad: {why}"]


@pytest.mark.parametrize("arguments", [(), (1, 2, 3, 4), (None, 0, (2,), (1,)), (("storage",), 0, (2,), (1,))])
def test_a_crafted_call_is_named(tmp_path, arguments):
    torch.save({"bad": Crafted(*arguments), "good": torch.ones(2, 3)}, tmp_path / "x.pt")
    held, said = survey(tmp_path / "x.pt")
    assert list(held) == ["good"]
    assert said[0].startswith(f"{tmp_path / 'x.pt'}: tensor bad: it")


def place(content, name):
    """Where a record's bytes begin."""
    info = zipfile.ZipFile(io.BytesIO(content)).getinfo(name)
    return info.header_offset + 30 + sum(struct.unpack_from("<2H", content, info.header_offset + 26))


def test_a_flipped_bit_of_the_data_is_found_and_the_other_layers_are_read(tmp_path):
    content = bytearray(WHOLE)
    content[place(WHOLE, "archive/data/0") + 5] ^= 4
    (tmp_path / "x.pt").write_bytes(content)
    held, said = survey(tmp_path / "x.pt")
    assert list(held) == ["conv.weight"]
    assert said == [
        f"{tmp_path / 'x.pt'}: tensor fc.weight: its bytes have another checksum than the one they were written with"
    ]


def test_a_file_that_was_written_without_checksums_is_read(tmp_path):
    before = torch.serialization.get_crc32_options()
    torch.serialization.set_crc32_options(False)
    torch.save(weights(), tmp_path / "x.pt")
    torch.serialization.set_crc32_options(before)
    assert all(torch.equal(tensor, weights()[name]) for name, tensor in load(tmp_path / "x.pt").weights.items())


def rewritten(path, change, compression=zipfile.ZIP_STORED):
    """A zip whose records are what `change` makes of them; None leaves one out."""
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as old, zipfile.ZipFile(path, "w", compression) as new:
        for name in old.namelist():
            if (content := change(name, old.read(name))) is not None:
                new.writestr(name, content)
    return path


@pytest.mark.parametrize("content", [None, b"", b"123"], ids=["missing", "empty", "short"])
def test_a_record_that_is_not_whole_loses_its_tensor_alone(tmp_path, content):
    path = rewritten(tmp_path / "x.pt", lambda name, old: content if name.endswith("data/0") else old)
    held, said = survey(path)
    assert list(held) == ["conv.weight"]
    assert said[0].startswith(f"{path}: tensor fc.weight: it")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            lambda name, old: None if name.endswith("pkl") else old,
            "is a zip that torch.save did not write: it holds 0 pickles",
        ),
        (lambda name, old: b"" if name.endswith("pkl") else old, "is damaged: 1 bytes of a pickle are promised"),
        (
            lambda name, old: b"big" if name.endswith("byteorder") else old,
            "was written with the most significant byte first",
        ),
    ],
)
def test_a_zip_without_its_parts_is_refused(tmp_path, change, why):
    with pytest.raises(Refusal, match=why):
        load(rewritten(tmp_path / "x.pt", change))


def test_compressed_records_are_not_read(tmp_path):
    path = rewritten(tmp_path / "x.pt", lambda name, old: old, zipfile.ZIP_DEFLATED)
    with pytest.raises(Refusal, match=r"data\.pkl is not what was written"):
        load(path)


def test_no_storage_is_looked_for_by_a_key_that_is_a_path(tmp_path):
    path = rewritten(
        tmp_path / "x.pt", lambda name, old: old.replace(b"\x01\0\0\x000", b"\x01\0\0\0/") if name.endswith("pkl") else old
    )
    assert "its storage / is missing or damaged" in survey(path)[1][0]


@FUZZ
@given(st.integers(4, len(WHOLE) - 1))
def test_a_file_that_ends_early_is_refused(folder, stop):
    (folder / "x.pt").write_bytes(WHOLE[:stop])
    assert survey(folder / "x.pt")[0] == {}


def damaged(folder, bit):
    content = bytearray(WHOLE)
    content[bit // 8] ^= 1 << bit % 8
    (folder / "flipped.pt").write_bytes(content)
    os.utime(folder / "flipped.pt", ns=(bit, bit))
    held, said = survey(folder / "flipped.pt")
    wrong = [name for name in held if name not in weights() or not torch.equal(held[name], weights()[name])]
    assert not wrong
    return said


@FUZZ
@given(st.integers(0, 8 * len(WHOLE) - 1))
def test_a_flipped_bit_never_changes_a_weight_that_is_read(folder, bit):
    damaged(folder, bit)


@FUZZ
@given(st.integers(8 * (WHOLE.index(b"PK\1\2") - 100), 8 * len(WHOLE) - 1))
def test_a_flipped_bit_of_the_directory_never_changes_a_weight_that_is_read(folder, bit):
    damaged(folder, bit)


@FUZZ
@given(st.binary(max_size=300))
def test_any_pickle_raises_nothing_but_refusals(folder, content):
    content = b"\x80\x02" + content + b"."
    survey(rewritten(folder / "any.pt", lambda name, old: content if name.endswith("pkl") else old))


def test_names_of_no_use_stay_on_one_line(tmp_path):
    torch.save({"a\nb": Crafted(1, 2, 3, 4), "w": torch.ones(2, 2)}, tmp_path / "x.pt")
    assert survey(tmp_path / "x.pt")[1] == [f"{tmp_path / 'x.pt'}: tensor a\\nb: its storage is none that torch writes"]
