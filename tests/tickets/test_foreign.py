"""A Ticket of a checkpoint that nobody here trained."""

import os
import pickle
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.utils import prune

from rmtlottery.refusal import Refusal
from rmtlottery.tickets.foreign import is_checkpoint, load
from rmtlottery.tickets.spec import Spec
from tests.tickets.checkpoints import survey, weights


def kept(shape, seed):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < 0.4


MASKS = {"fc.weight": kept((5, 3), 1), "conv.weight": kept((4, 2, 3, 3), 2)}


def written(path, held):
    (torch.save if path.suffix == ".pt" else save_file)(held, path)
    return path


@pytest.fixture(params=["x.safetensors", "x.pt"])
def path(request, tmp_path):
    return tmp_path / request.param


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64], ids=str)
def test_it_is_a_ticket_without_a_spec(path, dtype):
    held = {name: tensor.to(dtype) for name, tensor in weights().items()}
    ticket = load(written(path, held))
    assert (ticket.spec, ticket.seed, ticket.level, ticket.run, ticket.density) == (None, None, 0, path, 1.0)
    assert (ticket.metrics, ticket.connectivity, ticket.chart) == ([], [], {})
    assert set(ticket.weights) == set(ticket.mask) == set(MASKS)
    assert list(ticket.states) == ["trained"]
    for name, tensor in ticket.states["trained"].items():
        assert tensor.dtype == dtype
        assert torch.equal(tensor, held[name])
        assert ticket.mask[name].all()
        assert ticket.mask[name].shape == tensor.shape


def test_what_is_no_layer_is_said(path):
    held = {"w": torch.ones(2, 3), "b": torch.ones(2), "n": torch.tensor(1.0), "i": torch.ones(2, 2, dtype=torch.int32)}
    held |= {
        "z": torch.ones(0, 2),
        "c": torch.ones(2, 2, dtype=torch.complex64),
        "f": torch.ones(2, 2).to(torch.float8_e5m2),
    }
    why = {row["tensor"]: row["why"] for row in load(written(path, held)).record["skipped"]}
    assert why == {
        "b": "it has one axis",
        "n": "it is a single number",
        "i": "it is int32",
        "z": "it has no entries",
        "c": "it is complex64",
        "f": "it is float8_e5m2",
    }


def test_a_checkpoint_without_a_layer_is_refused(path):
    with pytest.raises(
        Refusal, match=r"x\.\w+ has no layer, which is a floating tensor of two or more axes: b: it has one axis$"
    ):
        load(written(path, {"b": torch.ones(3)}))


def test_masks_of_torch_s_pruning_are_applied(path):
    net = torch.nn.Sequential(torch.nn.Linear(7, 5), torch.nn.Conv2d(2, 3, 3))
    prune.l1_unstructured(net[0], "weight", amount=13)
    prune.random_unstructured(net[1], "weight", amount=0.5)
    prune.l1_unstructured(net[0], "bias", amount=2)
    ticket = load(written(path, net.state_dict()))
    assert set(ticket.weights) == {"0.weight", "1.weight"}
    assert ticket.density == (35 - 13 + 27) / (35 + 54)
    for number in (0, 1):
        assert torch.equal(ticket.weights[f"{number}.weight"], net[number].weight.detach())
        assert torch.equal(ticket.mask[f"{number}.weight"], net[number].weight_mask.bool())


def test_zeros_outside_a_mask_are_exact(path):
    held = {"w_orig": torch.full((2, 3), -1.0), "w_mask": torch.zeros(2, 3)}
    value = load(written(path, held)).weights["w"]
    assert torch.equal(value, torch.zeros(2, 3))
    assert not value.signbit().any()


def test_zeros_are_no_mask(path):
    ticket = load(written(path, {"w": torch.zeros(2, 3), "v_orig": torch.eye(3)}))
    assert ticket.density == 1.0
    assert all(mask.all() for mask in ticket.mask.values())
    assert set(ticket.mask) == {"w", "v_orig"}


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.uint8, torch.int64, torch.float32, torch.bfloat16, torch.float64], ids=str
)
@pytest.mark.parametrize("suffix", ["", "_mask"])
def test_masks_of_another_checkpoint_are_applied(path, dtype, suffix):
    masks = written(path.with_stem("masks"), {name + suffix: mask.to(dtype) for name, mask in MASKS.items()})
    ticket = load(written(path, weights()), mask=masks)
    assert not ticket.record["faults"]
    assert ticket.density == sum(int(m.sum()) for m in MASKS.values()) / (15 + 72)
    for name, mask in MASKS.items():
        assert torch.equal(ticket.mask[name], mask)
        assert torch.equal(ticket.weights[name], torch.where(mask, weights()[name], 0.0))


def test_the_density_is_that_of_the_layers_with_a_mask(path):
    masks = written(path.with_stem("masks"), {"fc.weight": MASKS["fc.weight"]})
    ticket = load(written(path, weights()), mask=masks)
    assert ticket.density == MASKS["fc.weight"].float().mean()
    assert ticket.mask["conv.weight"].all()


@pytest.mark.parametrize(
    ("mask", "why"),
    [
        (
            {"fc.weight": torch.full((5, 3), 0.5)},
            "tensor fc.weight: 15 of its 15 entries are neither 0 nor 1, so it is no mask",
        ),
        ({"fc.weight": torch.full((5, 3), torch.nan)}, "tensor fc.weight: 15 of its 15 entries are neither"),
        ({"fc.weight": torch.full((5, 3), 2)}, "tensor fc.weight: 15 of its 15 entries are neither"),
        ({"fc.weight": torch.ones(3, 5)}, "tensor fc.weight: a mask of shape (3, 5) is given for weights of shape (5, 3)"),
        ({"fc.weight": torch.ones(5, 3, dtype=torch.complex64)}, "tensor fc.weight: it is complex64, and a mask is of"),
    ],
)
def test_a_layer_with_a_mask_that_is_none_is_left_out(path, mask, why):
    masks = written(path.with_stem("masks"), mask)
    ticket = load(written(path, weights()), mask=masks)
    assert set(ticket.mask) == set(ticket.weights) == {"conv.weight"}
    assert len(ticket.record["faults"]) == 1
    assert ticket.record["faults"][0].startswith(f"{masks}: {why}")


def test_bytes_that_are_no_booleans_are_no_mask(path):
    masks = written(
        path.with_name("m.safetensors"), {"fc.weight": torch.full((5, 3), 2, dtype=torch.uint8).view(torch.bool)}
    )
    assert "neither 0 nor 1" in load(written(path, weights()), mask=masks).record["faults"][0]


def test_masks_of_nothing_and_second_masks_are_said(path):
    masks = written(path.with_stem("masks"), {"x": torch.ones(2, 2), "w": torch.zeros(2, 2), "w_mask": torch.ones(2, 2)})
    held = {"w_orig": torch.ones(2, 2), "w_mask": torch.eye(2), "b": torch.ones(2)}
    ticket = load(written(path, held), mask=masks)
    assert torch.equal(ticket.weights["w"], torch.eye(2))
    assert sorted(ticket.record["faults"]) == [
        f"{masks}: tensor w: what it masks has another mask already, and that is taken",
        f"{masks}: tensor w_mask: what it masks has another mask already, and that is taken",
        f"{masks}: tensor x: the checkpoint has no tensor of this name to mask",
    ]


def test_weights_whose_own_mask_is_damaged_are_left_out(tmp_path):
    path = written(tmp_path / "x.safetensors", {"w_orig": torch.ones(2, 3), "w_mask": torch.eye(3), "v": torch.ones(2, 2)})
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"w_mask":{"dtype":"F32"', b'"w_mask":{"dtype":"F35"'))
    ticket = load(path)
    assert list(ticket.mask) == ["v"]
    assert "w_mask: its dtype F35 is unknown" in ticket.record["faults"][0]
    assert {"tensor": "w_orig", "why": "its mask is damaged"} in ticket.record["skipped"]


@pytest.mark.parametrize("strange", [torch.nan, torch.inf, -torch.inf])
def test_what_is_not_finite_is_refused_when_it_is_read_and_the_others_are_read(path, strange):
    bad = torch.ones(1000, 300)
    bad[3, 4] = bad[999, 299] = strange
    held, said = survey(written(path, {"bad": bad, "good": torch.ones(2, 3)}))
    assert list(held) == ["good"]
    assert said == [f"{path}: tensor bad: 2 of its 300000 entries are NaN or infinite"]


@pytest.mark.parametrize("part", ["start", "init", "snapshots", "rewound"])
def test_there_is_no_start(path, part):
    ticket = load(written(path, weights()))
    with pytest.raises(
        Refusal, match=r"x\.\w+ has no (start|init|snapshots) here: a foreign checkpoint has weights and a mask alone"
    ):
        getattr(ticket, part)


def test_a_layer_alone_travels_and_reads_itself(path):
    ticket = load(written(path, weights())).only("fc.weight")
    assert len(pickle.dumps(ticket)) < 2500
    away = pickle.loads(pickle.dumps(ticket))
    assert list(away.mask) == list(away.weights) == list(away.states["trained"]) == ["fc.weight"]
    assert torch.equal(away.weights["fc.weight"], weights()["fc.weight"])
    with pytest.raises(Refusal, match=r"unknown layer 'fc\.wait': did you mean 'fc\.weight'"):
        ticket.only("fc.wait")


def test_nothing_is_read_before_it_is_asked_for_and_nothing_is_kept(path, monkeypatch):
    read = []
    plain = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *args, **more: read.append(args) or plain(*args, **more))
    ticket = load(written(path, weights()))
    assert (ticket.density, len(ticket.weights), len(ticket.mask), read) == (1.0, 2, 2, [])
    ticket.weights["fc.weight"], ticket.weights["fc.weight"]
    assert read == [(15,), (15,)]


ASKED = """
import sys, psutil
from rmtlottery.tickets.foreign import load
def resident():
    return psutil.Process().memory_info().rss
weights = load(sys.argv[1]).weights
first = next(iter(weights.values()))
before = resident() - first.nbytes
del first
print(max(resident() - before for tensor in weights.values() if tensor[0, 0] == 1))
"""


@pytest.mark.slow
def test_resident_memory_is_that_of_one_tensor(path):
    """6 tensors of 40 MiB each, in a process of its own: what is smaller than 32 MiB the allocator keeps as it likes."""
    written(path, {f"w{number}": torch.ones(1024, 10240) for number in range(6)})
    assert int(subprocess.check_output([sys.executable, "-c", ASKED, path])) < 60 << 20


def test_runs_are_told_from_checkpoints(tmp_path, path):
    assert not is_checkpoint(tmp_path)
    assert not is_checkpoint(path)
    written(path, weights())
    assert is_checkpoint(path)
    assert is_checkpoint(str(tmp_path))
    (tmp_path / "spec.json").write_text(Spec().to_json())
    assert not is_checkpoint(tmp_path)
    assert not is_checkpoint(path)


@pytest.mark.parametrize("content", ["", "[", '{"openapi": 3}', "[1]", "\ud800"])
def test_a_spec_of_others_is_no_run(tmp_path, content):
    (tmp_path / "seed-0").mkdir()
    held = written(tmp_path / "seed-0" / "x.pt", weights())
    (tmp_path / "spec.json").write_bytes(content.encode(errors="surrogatepass"))
    assert is_checkpoint(held)
    (held.parent / "level-00.json").touch()
    assert not is_checkpoint(held)


def test_a_file_that_was_written_again_is_not_read(path):
    ticket = load(written(path, weights()))
    written(path, {name: tensor + 1 for name, tensor in weights().items()})
    os.utime(path, ns=(1, 1))
    with pytest.raises(Refusal, match=r"tensor fc\.weight: the file was changed after it was loaded"):
        ticket.weights["fc.weight"]


def test_names_reach_no_terminal_as_they_are(tmp_path):
    held = {"w": torch.ones(2, 3), "x\x1b[31m\nfault: forged": torch.ones(3), "y\n": torch.ones(2, 3)}
    ticket = load(written(tmp_path / "x.safetensors", held))
    assert list(ticket.weights) == list(ticket.mask) == ["w", r"y\n"]
    assert [row["tensor"] for row in ticket.record["skipped"]] == [r"x\x1b[31m\nfault: forged"]


def test_tensors_beside_the_state_dict_are_skipped(tmp_path):
    state = {"model": {"w": torch.ones(2, 3)}, "ema": {"w": torch.ones(2, 3)}}
    ticket = load(written(tmp_path / "x.pt", state))
    assert list(ticket.weights) == ["w"]
    assert ticket.record["skipped"] == [{"tensor": "ema.w", "why": "it is in 'ema', beside 'model' that was taken"}]
