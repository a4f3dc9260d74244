"""What is minimised: loss, right answers and gradient against autograd through torch's own."""

import pytest
import torch
from torch.nn.functional import cross_entropy as torch_cross_entropy
from torch.nn.functional import mse_loss

from rmtlottery.nets.losses import LOSSES, MEANS
from tests.nets.test_backprop import drawn, labels

cross_entropy = LOSSES["cross_entropy"]


def ones_at(y, classes):
    return (y.unsqueeze(-1) == torch.arange(classes)).double()


def torchs_squared(logits, y):
    """Half the sum over classes, which is half of torch's mean times their number."""
    return mse_loss(logits, ones_at(y, logits.shape[-1]), reduction="none").mean((1, 2)) * logits.shape[-1] / 2


def torchs_entropy(logits, y):
    return torch_cross_entropy(logits.mT, y, reduction="none").mean(1)


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize(("name", "torchs"), [("cross_entropy", torchs_entropy), ("squared", torchs_squared)])
def test_a_loss_is_torchs_even_where_a_class_is_hopeless(name, torchs, scale):
    logits, y = (scale * drawn(2, 6, 4)).requires_grad_(), labels(2, samples=6)
    (loss, hits), delta = LOSSES[name](logits.detach(), y)
    theirs = torchs(logits, y)
    torch.testing.assert_close(loss, theirs.detach(), rtol=1e-13, atol=0)
    torch.testing.assert_close(delta, torch.autograd.grad(theirs.sum(), logits)[0], rtol=1e-12, atol=1e-16)
    assert torch.equal(hits, (logits.argmax(2) == y).sum(1))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_loss_of_bf16_logits_is_taken_in_fp32(name):
    logits, y = drawn(1, 64, 4).bfloat16(), labels(1, samples=64)
    (loss, _), delta = LOSSES[name](logits, y)
    assert (loss.dtype, delta.dtype) == (torch.float32, torch.float32)
    assert loss.item() == pytest.approx(LOSSES[name](logits.double(), y)[0][0].item(), rel=1e-6)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_leaves_the_logits_as_they_are(name):
    logits = drawn(2, 6, 4)
    LOSSES[name](logits, labels(2, samples=6))
    assert torch.equal(logits, drawn(2, 6, 4))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_mean_for_autograd_is_the_loss_of_one_seed(name):
    logits, y = drawn(1, 6, 4), labels(1, samples=6)
    assert MEANS[name](logits[0], y[0]).item() == pytest.approx(LOSSES[name](logits, y)[0][0].item(), rel=1e-13)


def test_every_loss_has_a_mean():
    assert set(MEANS) == set(LOSSES)
