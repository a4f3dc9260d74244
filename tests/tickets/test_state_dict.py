"""Where in what torch pickled the tensors are."""

import functools
import itertools

import pytest

from rmtlottery.tickets import state_dict
from rmtlottery.tickets.entry import Record
from rmtlottery.tickets.pickles import Call, Name, Outside
from rmtlottery.tickets.state_dict import entries, solid


def made(key="0", shape=(2, 3), strides=(3, 1), offset=0, kind="torch FloatStorage"):
    note = ("storage", Name(kind), key, "cpu", 6)
    return Call("torch._utils _rebuild_tensor_v2", (Outside(note), offset, shape, strides, False, {}))


W, B = made(), made(shape=(2,), strides=(1,))
STATE = {"fc.weight": W, "fc.bias": B}


def tensors(value):
    """Those that are taken."""
    return dict(state_dict.tensors(value)[0])


@pytest.mark.parametrize(
    "value",
    [
        STATE,
        {"state_dict": STATE},
        {"model": STATE, "optimizer": {"state": {0: {"exp_avg": W}}, "param_groups": []}, "epoch": 3, "step": B},
        {"module": {"state_dict": STATE}},
        {"net": STATE, "acc": 0.5},
        {"ema": {"fc.weight": B}, "model_state_dict": STATE},
        {"checkpoint": {"net": {"weights": STATE}}},
        {"fc": {"weight": W, "bias": B}},
        {"fc": {"weight": W, "bias": B}, "act": {}},
    ],
)
def test_the_dictionary_of_the_weights_is_found(value):
    found = tensors(value)
    assert {name.removeprefix("fc."): call for name, call in found.items()} == {"weight": W, "bias": B}


def test_prefixes_of_names_stay():
    assert list(tensors({"state_dict": {"module.model.w": W}})) == ["module.model.w"]
    assert list(tensors({"a": {"w": W}, "b": {"w": W, "c": {"v": B}}})) == ["a.w", "b.w", "b.c.v"]


def test_a_tensor_alone_is_called_tensor():
    assert tensors(W) == {"tensor": W}


@pytest.mark.parametrize("value", [None, 3, [W], {3: W}, {"a": [W]}, {}, Name("torch FloatStorage"), Call("torch Size", ())])
def test_elsewhere_there_is_none(value):
    assert tensors(value) == {}


def test_dictionaries_of_each_other_are_gone_through_once():
    loop = {"w": W}
    loop["loop"] = loop
    assert tensors(loop) == {"w": W}
    doubled = {"w": W}
    for _ in range(60):
        doubled = {"a": doubled, "b": doubled}
    assert len(tensors(doubled)) <= 1
    deep = {"w": W}
    for _ in range(10_000):
        deep = {"a": deep}
    assert tensors(deep) == {}


def test_parameters_and_tensors_with_attributes_are_unwrapped(tmp_path):
    parameter = Call("torch._utils _rebuild_parameter", (W, True, {}))
    typed = Call(
        "torch._tensor _rebuild_from_type_v2", (Name(W.name), Name("torch.nn.parameter Parameter"), W.arguments, {})
    )
    records = {"0": Record(tmp_path, 100, 124)}
    found, faults = entries(tmp_path, {"p": parameter, "t": typed, "w": W}, records)
    assert not faults
    assert {(held.start, held.stop, held.shape, held.dtype) for held in found.values()} == {(100, 124, (2, 3), "float32")}


@pytest.mark.parametrize(
    "call",
    [
        Call(W.name, ()),
        Call("torch._utils _rebuild_parameter", ()),
        Call("torch._utils _rebuild_parameter", (3,)),
        Call("torch._tensor _rebuild_from_type_v2", (3,)),
        Call("torch._tensor _rebuild_from_type_v2", (Name("os system"), None, ("x",), {})),
        Call("torch._tensor _rebuild_from_type_v2", (Name(W.name), None, [1], {})),
        made(kind="torch NoStorage"),
        made(key="9"),
        Call(W.name, (Outside(("storage", 3, "0", "cpu", 6)), 0, (2, 3), (3, 1))),
        Call(W.name, (Outside(("storage", Name("torch FloatStorage"), "0", "cpu", 6, ("0", 3, 3))), 0, (2, 3), (3, 1))),
    ],
)
def test_what_is_no_tensor_is_said(tmp_path, call):
    found, faults = entries(tmp_path / "x", {"w": call}, {"0": Record(tmp_path, 0, 24)})
    assert not found
    assert faults[0].startswith(f"{tmp_path / 'x'}: tensor w: it")


def test_a_view_s_bytes_are_those_from_its_first_entry_to_its_last(tmp_path):
    view = made(shape=(2, 2), strides=(1, 4), offset=2, kind="torch DoubleStorage")
    found, _ = entries(tmp_path, {"w": view}, {"0": Record(tmp_path, 100, 200)})
    assert (found["w"].start, found["w"].stop, found["w"].strides) == (116, 164, (1, 4))


def test_what_lies_in_one_piece():
    torch = pytest.importorskip("torch")
    base = torch.zeros(240)
    for shape in [(2, 3), (1, 4), (3, 1, 2), (5,), (), (2, 1)]:
        for order in itertools.permutations(range(len(shape))):
            count = torch.Size(shape).numel()
            tensor = base[:count].view(shape).permute(order)
            assert solid(tuple(tensor.shape), tensor.stride()) == tensor.is_contiguous()


def calling(name, *arguments):
    """A call whose arguments are a list that ends with the call itself, as a pickle can make it."""
    held = list(arguments)
    held.append(Call(name, held))
    return held[-1]


@pytest.mark.parametrize(
    "call",
    [
        calling("torch._utils _rebuild_parameter"),
        Call("torch._tensor _rebuild_from_type_v2", (Name("torch._utils _rebuild_parameter"), None, [W])),
        functools.reduce(lambda inner, _: Call("torch._utils _rebuild_parameter", (inner,)), range(10_000), W),
    ],
    ids=["itself", "a list", "deep"],
)
def test_what_wraps_itself_or_is_wrapped_without_end_is_no_tensor(tmp_path, call):
    found, faults = entries(tmp_path / "x", {"w": call}, {"0": Record(tmp_path, 0, 24)})
    assert (found, faults) == ({}, [f"{tmp_path / 'x'}: tensor w: it is no tensor that torch writes"])


@pytest.mark.parametrize(
    ("value", "taken", "left"),
    [
        ({"model": {"w": W}, "ema": {"w": B}}, ["w"], {"ema.w": "in 'ema', beside 'model' that was taken"}),
        ({"model": {"w": W}, "step": B}, ["w"], {"step": "beside 'model' that was taken"}),
        ({"layers": [W, W], "head": B}, ["head"], {"layers": "in a list"}),
        ({"layers": [{"w": W}, {"w": W}], "v": B}, ["v"], {"layers.0.w": "in a list", "layers.1.w": "in a list"}),
        ([W], [], {"list": "in a list"}),
        (STATE, ["fc.weight", "fc.bias"], {}),
    ],
)
def test_what_is_left_is_said_with_its_place(tmp_path, value, taken, left):
    found, faults = entries(tmp_path, value, {"0": Record(tmp_path, 0, 24)})
    assert not faults
    assert {name: held.dtype for name, held in found.items()} == dict.fromkeys(taken, "float32") | left


@pytest.mark.parametrize(
    ("value", "name"), [({"a.b": W, "a": {"b": B}, "c": B}, "a.b"), ({"\x1b": W, r"\x1b": W, "c": B}, r"\x1b")]
)
def test_two_tensors_of_one_name_are_both_lost_and_said(tmp_path, value, name):
    found, faults = entries(tmp_path / "x", value, {"0": Record(tmp_path, 0, 24)})
    assert list(found) == ["c"]
    assert faults == [f"{tmp_path / 'x'}: tensor {name}: 2 tensors have this name, and none is read"]


def test_what_is_left_does_not_displace_what_is_taken(tmp_path):
    value = {"model": {"ema.w": W}, "ema": {"w": B}}
    found, faults = entries(tmp_path / "x", value, {"0": Record(tmp_path, 0, 24)})
    assert found["ema.w"].shape == (2, 3)
    place = "in 'ema', beside 'model' that was taken"
    assert faults == [f"{tmp_path / 'x'}: tensor ema.w: another one of this name is {place}"]


def test_names_are_made_fit_to_be_shown(tmp_path):
    found, _ = entries(tmp_path, {"x\nfault: forged": W, "é": W}, {"0": Record(tmp_path, 0, 24)})
    assert [*found] == [held.name for held in found.values()] == [r"x\nfault: forged", "é"]


def test_long_names_are_cut():
    (name,) = tensors({"a" * 900: {"b" * 10**5: W}, "c": {"d": [], "v": W}}).keys() - {"c.v"}
    assert len(name) < 1100
