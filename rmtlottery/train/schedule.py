"""The learning rate as a function of the step."""

import math

from rmtlottery.tickets.parts import Cosine, Schedule, Steps


def learning_rate(schedule: Schedule, peak: float, step: int, steps_an_epoch: int) -> float:
    """The rate of step 0, 1, ...: warm-up times the schedule's own course."""
    warm = min(1.0, (step + 1) / schedule.warmup) if schedule.warmup else 1.0
    return peak * warm * course(schedule, step, steps_an_epoch)


def course(schedule: Schedule, step: int, steps_an_epoch: int) -> float:
    if isinstance(schedule, Cosine):
        return 0.5 * (1 + math.cos(math.pi * step / (schedule.epochs * steps_an_epoch)))
    if isinstance(schedule, Steps):
        return schedule.factor ** sum(step >= epoch * steps_an_epoch for epoch in schedule.milestones)
    return 1.0
