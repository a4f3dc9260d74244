"""Files that torch.save wrote before 1.6."""

import io
import pickle
from collections import OrderedDict

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.foreign import load
from rmtlottery.tickets.torch_legacy import MAGIC, entries
from tests.tickets.checkpoints import survey, tight, weights

FUZZ = settings(deadline=None, database=None, derandomize=True, max_examples=150)
BASE = torch.randn(6, 8, generator=torch.Generator().manual_seed(0))


def saved(value, **options):
    content = io.BytesIO()
    torch.save(value, content, _use_new_zipfile_serialization=False, **options)
    return content.getvalue()


WHOLE = saved(weights())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("legacy")


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.bool], ids=str
)
def test_it_reads_what_torch_wrote(tmp_path, dtype, protocol):
    base = (BASE * 9).to(dtype)
    held = {"base": base, "transposed": base.T, "rows": base[2:5], "other": base.clone()[:1], "none": base[:0].clone()}
    (tmp_path / "x.pt").write_bytes(saved(held, pickle_protocol=protocol))
    found, faults = entries(tmp_path / "x.pt")
    assert not faults
    for name, tensor in held.items():
        assert found[name].read().dtype == dtype
        assert torch.equal(found[name].read(), tensor)


def test_storages_of_several_types_follow_each_other(tmp_path):
    held = {
        str(n): (BASE[: n + 1] * 9).to(kind)
        for n, kind in enumerate([torch.int8, torch.float64, torch.float16, torch.float32])
    }
    net = {"optimizer": {"state": {0: {"m": BASE}}}, "state_dict": OrderedDict(held), "epoch": 3}
    (tmp_path / "x.pt").write_bytes(saved(net))
    found, faults = entries(tmp_path / "x.pt")
    assert not faults
    assert all(torch.equal(found[name].read(), tensor) for name, tensor in held.items())


@FUZZ
@given(st.integers(2, len(WHOLE) - 1))
def test_of_a_file_that_ends_early_the_whole_tensors_are_read(folder, stop):
    (folder / "x.pt").write_bytes(WHOLE[:stop])
    held, said = survey(folder / "x.pt")
    assert said
    assert all(torch.equal(held[name], weights()[name]) for name in held)


def test_the_last_storage_that_ends_early_is_named_alone(tmp_path):
    (tmp_path / "x.pt").write_bytes(WHOLE[:-1])
    assert sum("is missing or damaged" in fault for fault in entries(tmp_path / "x.pt")[1]) == 1


@FUZZ
@given(st.integers(0, 8 * len(WHOLE) - 1))
def test_a_flipped_bit_raises_nothing_but_refusals(folder, bit):
    content = bytearray(WHOLE)
    content[bit // 8] ^= 1 << bit % 8
    (folder / "x.pt").write_bytes(content)
    survey(folder / "x.pt")


def forged(*values):
    return b"".join(pickle.dumps(value, protocol=2) for value in (MAGIC, 1001, {"little_endian": True}, *values))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (pickle.dumps({"w": 1}, protocol=2), "is damaged: it begins with a pickle that torch.save did not write"),
        (pickle.dumps(MAGIC, protocol=2), "is damaged: 1 bytes of a pickle are promised"),
        (forged({}).replace(b"\x88", b"\x89") + forged([]), "was written with the most significant byte first"),
        (forged({}, 3), "is damaged: its list of storages is none"),
        (forged({}, [3]), "is damaged: its list of storages is none"),
        (forged({}, []), "has no layer, which is .*: it holds no tensor"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, content, why):
    (tmp_path / "x.pt").write_bytes(content)
    with pytest.raises(Refusal, match=rf"x\.pt {why}"):
        load(tmp_path / "x.pt")


def test_a_giant_storage_is_not_allocated(tmp_path):
    count = (48).to_bytes(8, "little")
    content = saved({"w": BASE})
    (tmp_path / "x.pt").write_bytes(content.replace(count, (2**62).to_bytes(8, "little")))
    with tight():
        assert "is missing or damaged" in survey(tmp_path / "x.pt")[1][0]
