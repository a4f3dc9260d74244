"""The one training loop: several seeds of one level as one batched program, whatever the chart."""

from collections.abc import Callable

from rmtlottery.train.level import Level
from rmtlottery.train.replay import advancing
from rmtlottery.train.scores import end_epoch
from rmtlottery.train.state import State
from rmtlottery.train.step import Step


def train(level: Level, state: State, tick: Callable[[State], None]) -> State:
    """Train from where `state` stands to the end of the level; `tick` is called between steps, on a CPU after each."""
    while state.step < level.last_step and state.training:
        step = Step(level, state)
        epochs_alike(level, state, step, tick)
    return state


def epochs_alike(level: Level, state: State, step: Step, tick: Callable[[State], None]) -> None:
    """Train until the level ends or a seed stops, after which a step is another one."""
    advance, stopped = advancing(step), len(state.diverged)
    while state.step < level.last_step and len(state.diverged) == stopped:
        epoch, place = divmod(state.step, level.steps_an_epoch)
        step.enter(epoch, place)
        while place < level.steps_an_epoch:
            done = advance(place, level.stop(state.step) - state.step)
            place, state.step = place + done, state.step + done
            keep_snapshot(level, state)
            if place == level.steps_an_epoch:
                end_epoch(level, state, step.slope.logits, epoch)
            tick(state)


def keep_snapshot(level: Level, state: State) -> None:
    if state.step in level.stops:
        taken = level.weights(state).items()
        state.tensors |= {f"snapshot/{state.step}/{name}": value.clone() for name, value in taken}
