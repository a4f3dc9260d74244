"""The reader of .safetensors: what the library writes, and every way in which a file can lie."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.safetensors import DTYPES, LIMIT, counted, entries
from tests.tickets.checkpoints import claim, raw, survey, tight, weights

WHOLE = save(weights())
HEADER = 8 + int.from_bytes(WHOLE[:8], "little")
TYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int8, torch.int64, torch.uint8, torch.bool]
FUZZ = settings(deadline=None, database=None, derandomize=True, max_examples=150)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("safetensors")


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_it_reads_what_the_library_wrote(tmp_path, dtype):
    held = {"a": (torch.randn(3, 5) * 9).to(dtype), "none": torch.zeros(0, 4, dtype=dtype), "one": torch.tensor(1).to(dtype)}
    save_file(held, tmp_path / "x.safetensors", {"format": "pt"})
    found, faults = entries(tmp_path / "x.safetensors")
    assert not faults
    assert set(found) == set(held)
    for name, tensor in held.items():
        assert found[name].read().dtype == dtype
        assert torch.equal(found[name].read(), tensor)


def test_a_float_of_8_bits_is_described_and_not_a_layer(tmp_path):
    save_file({"w": torch.ones(2, 3).to(torch.float8_e4m3fn), "v": torch.ones(2, 3)}, tmp_path / "x.safetensors")
    found, _ = entries(tmp_path / "x.safetensors")
    assert (found["w"].dtype, found["w"].shape) == ("float8_e4m3fn", (2, 3))
    assert set(survey(tmp_path / "x.safetensors")[0]) == {"v"}


def test_entries_of_less_than_a_byte_are_counted_in_bits(tmp_path):
    path = raw(tmp_path / "x", {"w": claim(0, 3, [2, 3], "F4"), "v": claim(3, 6, [4], "F6_E2M3")}, bytes(6))
    found, faults = entries(path)
    assert not faults
    with pytest.raises(Refusal, match="tensor w: float4 is not read"):
        found["w"].read()


def test_every_type_of_the_library_is_known():
    assert {"BOOL", "U8", "I8", "I16", "U16", "F16", "BF16", "I32", "U32", "F32", "F64", "I64", "U64", "C64"} <= set(DTYPES)


def test_layer_2_comes_before_layer_10(tmp_path):
    names = ["9" * 900, "h.0.w", "h.1.w", "h.2.w", "h.10.w", "h.w"]
    save_file({name: torch.ones(2, 2) for name in reversed(names)}, tmp_path / "x")
    assert list(entries(tmp_path / "x")[0]) == names
    assert counted("h.010.w") == counted("h.10.w")
    assert counted("9" * 5000) < counted("h")


def test_two_names_that_are_shown_alike_are_lost(tmp_path):
    path = raw(tmp_path / "x", {"\n": claim(0, 4, [1]), r"\n": claim(4, 8, [1]), "\ud800": claim(8, 12, [1])}, bytes(12))
    found, faults = entries(path)
    assert [*found] == [held.name for held in found.values()] == [r"\ud800"]
    assert faults == [rf"{path}: tensor \n: 2 tensors have this name, and none is read"]


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (claim(0, 24, [2, 4]), "F32 of shape [2, 4] does not take the 24 bytes that it is given"),
        (claim(0, 24, [2**60]), f"F32 of shape [{2**60}] does not take the 24 bytes"),
        (claim(0, 0, [2**62, 4]), "does not take the 0 bytes"),
        (claim(0, 2**62, [2**60]), f"it ends at byte {2**62 + 408} of a file of 456"),
        (claim(0, 24, [-2, -3]), "its shape is no list of sizes"),
        (claim(0, 24, [2.0, 3.0]), "its shape is no list of sizes"),
        (claim(0, 24, [True, 6]), "its shape is no list of sizes"),
        (claim(0, 24, [1] * 65 + [6]), "its shape is no list of sizes"),
        (claim(0, 24, [2**63]), "its shape is no list of sizes"),
        (claim(0, 24, "6"), "its shape is no list of sizes"),
        (claim(24, 0, [6]), "its offsets are no beginning and end"),
        (claim(-24, 0, [6]), "its offsets are no beginning and end"),
        (claim(0, 24, [6], "F33"), "its dtype F33 is unknown"),
        (claim(0, 24, [6], ["F32"]), "its dtype is no text and is unknown"),
        ({"dtype": "F32", "shape": [6]}, "its entry is not one dtype, one shape and one pair of offsets"),
        ([1, 2], "its entry is not one dtype"),
        (None, "its entry is not one dtype"),
    ],
)
def test_a_damaged_entry_is_named_and_the_others_are_read(tmp_path, bad, why):
    header = json.dumps({"bad": bad, "good": claim(24, 48, [2, 3])}).encode().ljust(400)
    found, faults = entries(raw(tmp_path / "x", header, bytes(48)))
    assert list(found) == ["good"]
    assert len(faults) == 1
    assert faults[0].startswith(f"{tmp_path / 'x'}: tensor bad: ")
    assert why in faults[0]


def test_a_name_that_stands_twice_is_lost_and_the_others_are_read(tmp_path):
    one = json.dumps(claim(0, 24, [2, 3]))
    held = f'{{"w": {one}, "w": {one}, "v": {json.dumps(claim(24, 48, [3, 2]))}}}'
    found, faults = entries(raw(tmp_path / "x", held.encode(), bytes(48)))
    assert list(found) == ["v"]
    assert faults == [f"{tmp_path / 'x'}: tensor w: it is in the header more than once"]
    inner = '{"w": {"dtype": "F32", "shape": [2], "shape": [6], "data_offsets": [0, 24]}}'
    assert not entries(raw(tmp_path / "y", inner.encode(), bytes(24)))[0]


def test_tensors_that_share_bytes_are_lost_and_the_others_are_read(tmp_path):
    claims = {"long": claim(0, 40, [10]), "in": claim(8, 16, [2]), "late": claim(36, 48, [3]), "alone": claim(48, 56, [2])}
    claims |= {"none": claim(4, 4, [0, 7])}
    found, faults = entries(raw(tmp_path / "x", claims, bytes(56)))
    assert list(found) == ["alone", "none"]
    assert [fault.split(": ")[1] for fault in faults] == ["tensor in", "tensor late", "tensor long"]


def test_bytes_of_no_tensor_are_said(tmp_path):
    found, faults = entries(raw(tmp_path / "x", {"w": claim(0, 24, [2, 3])}, bytes(25)))
    assert list(found) == ["w"]
    assert faults == [f"{tmp_path / 'x'}: it holds bytes that belong to no tensor"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "a header of 0 bytes is promised, and the file has 0"),
        ((2**63).to_bytes(8, "little") + b"{}", f"a header of {2**63} bytes is promised"),
        ((LIMIT + 1).to_bytes(8, "little") + b"{}", f"a header of {LIMIT + 1} bytes"),
        (b"\2" + bytes(7) + b"{]", "its header is not JSON"),
        (b"\2" + bytes(7) + b"\xff\xfe", "its header is not JSON"),
        (b"\2" + bytes(7) + b"[]", "its header is not JSON .it is no object"),
        ((10**6).to_bytes(8, "little") + b"[" * 10**6, "its header is not JSON .its brackets are nested too deeply"),
        ((6005).to_bytes(8, "little") + b'{"w":' + b"9" * 5999 + b"}", "its header is not JSON"),
    ],
    ids=["empty", "giant", "long", "broken", "no utf-8", "a list", "deep", "a long number"],
)
def test_a_header_that_is_none_is_refused(tmp_path, content, why):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(Refusal, match=why):
        entries(tmp_path / "x")


def test_a_name_of_any_text_stays_on_one_line(tmp_path):
    names = ["a\nb", "\ud800", "\x1b[2J", "x" * 10**5]
    claims = {name: claim(0, 24, [2, 4]) for name in names} | {"w": claim(0, 24, [2, 3])}
    held, said = survey(raw(tmp_path / "x.safetensors", claims, bytes(24)))
    assert list(held) == ["w"]
    assert len(said) == 4


@FUZZ
@given(st.integers(0, len(WHOLE) - 1))
def test_of_a_file_that_ends_early_the_whole_tensors_are_read(folder, stop):
    path = folder / "short.safetensors"
    path.write_bytes(WHOLE[:stop])
    held, said = survey(path)
    assert said
    assert all(torch.equal(held[name], weights()[name]) for name in held)
    if stop >= HEADER:
        order = sorted(entries(path)[0].values(), key=lambda entry: entry.start)
        assert all(entry.stop <= stop for entry in order)
        assert {"conv.weight", "fc.weight"} - set(held) == {
            n for n in ("conv.weight", "fc.weight") if any(n in s for s in said)
        }


@FUZZ
@given(st.integers(0, 8 * HEADER - 1))
def test_a_flipped_bit_of_the_header_raises_nothing_but_refusals(folder, bit):
    content = bytearray(WHOLE)
    content[bit // 8] ^= 1 << bit % 8
    (folder / "flipped.safetensors").write_bytes(content)
    survey(folder / "flipped.safetensors")


@FUZZ
@given(st.binary(max_size=200), st.binary(max_size=60))
def test_any_bytes_raise_nothing_but_refusals(folder, header, data):
    survey(raw(folder / "any.safetensors", b"{" + header, data))


json_value = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["F32", "BF16", "BOOL"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets"]) | st.text(), inner),
    max_leaves=6,
)
numbers = st.lists(st.integers(-4, 30) | st.sampled_from([2**31, 2**60, 2**63, 2**64]), max_size=4)
near = st.builds(
    lambda dtype, shape, at: {"dtype": dtype, "shape": shape, "data_offsets": at},
    st.sampled_from([*DTYPES]),
    numbers,
    numbers,
)


@FUZZ
@given(st.dictionaries(st.text(max_size=4), near | json_value, max_size=4))
def test_any_claims_raise_nothing_but_refusals(folder, claims):
    survey(raw(folder / "claims.safetensors", claims, bytes(24)))


def test_giant_claims_allocate_nothing(tmp_path):
    claims = {f"w{power}": claim(0, 2**power, [2 ** (power - 2), 1]) for power in range(30, 64)} | {
        "v": claim(0, 24, [2, 3])
    }
    path = raw(tmp_path / "x.safetensors", claims, bytes(24))
    with tight():
        held, said = survey(path)
    assert list(held) == ["v"]
    assert len(said) == 34
