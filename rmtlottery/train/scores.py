"""What is written at the end of an epoch: each seed's row of scores, and which seeds stop there."""

from collections.abc import Callable

import torch

from rmtlottery.datasets.dataset import Split
from rmtlottery.nets.losses import Loss
from rmtlottery.nets.network import portion
from rmtlottery.train.level import Level
from rmtlottery.train.state import State

Logits = Callable[[torch.Tensor], torch.Tensor]


def end_epoch(level: Level, state: State, logits: Logits, epoch: int) -> None:
    """Write each seed's row; a seed whose loss or weights are no numbers stops here, and the others go on."""
    stop_diverged(level, state, epoch)
    scores = {name: values.tolist() for name, values in epoch_scores(level, state, logits, epoch).items()}
    for place in state.training:
        facts = {"epoch": epoch + 1, "step": state.step, "lr": level.lr(state.step - 1)}
        state.rows[place].append(facts | {name: values[place] for name, values in scores.items()})
    for name in ("losses", "hits"):
        state.tensors[name].zero_()


def stop_diverged(level: Level, state: State, epoch: int) -> None:
    """Record the first step whose loss is no number, or the last if only what it left is none, and clear the seed."""
    broken = ~state.tensors["losses"].isfinite()
    left = ~state.tensors["coordinates"].isfinite().all(1)
    for place in (broken.any(1) | left).nonzero().squeeze(1).tolist():
        within = int(broken[place].int().argmax()) if broken[place].any() else level.steps_an_epoch - 1
        state.diverged.setdefault(place, epoch * level.steps_an_epoch + within)
        for tensor in state.tensors.values():
            tensor[place] = 0


def epoch_scores(level: Level, state: State, logits: Logits, epoch: int) -> dict[str, torch.Tensor]:
    """Training scores are running means over the epoch, taken before each step; the others are after its last."""
    sizes = step_sizes(level, epoch).to(state.tensors["losses"])
    losses, hits = state.tensors["losses"] @ sizes, state.tensors["hits"]
    scores = {"train_loss": losses / sizes.sum(), "train_accuracy": hits / sizes.sum()}
    for name, split in level.data.splits.items():
        if name != "train":
            numbers = level.network.widest * len(state.seeds)
            scores[f"{name}_loss"], scores[f"{name}_accuracy"] = scored(logits, level.loss, split, numbers)
    return scores


def step_sizes(level: Level, epoch: int) -> torch.Tensor:
    """Samples in each step of an epoch; none before the level's first step."""
    sizes = torch.tensor([level.samples(place) for place in range(level.steps_an_epoch)])
    sizes[: max(0, level.first_step - epoch * level.steps_an_epoch)] = 0
    return sizes


@torch.no_grad()
def scored(logits: Logits, loss: Loss, split: Split, numbers: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean loss and accuracy of each seed on a whole split, by its logits (seeds, samples, classes), in fp32.

    A portion of the samples at a time, of which one makes so many `numbers` of a layer.
    """
    lost, hits = torch.zeros(2, 1, device=split.x.device)
    batch = portion(numbers, split.x.device.type)
    for x, y in zip(split.x.split(batch), split.y.split(batch), strict=True):
        found = logits(x.unsqueeze(0))
        (mean, right), _ = loss(found, y.expand(len(found), -1))
        lost, hits = lost + mean * len(y), hits + right
    return lost / len(split), hits / len(split)
