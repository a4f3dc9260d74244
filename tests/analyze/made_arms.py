"""Tables of arms whose accuracies follow known slopes, as `trainability` would give them."""

import numpy as np
import pandas as pd

from rmtlottery.analyze._between_arms import PREDICTORS

TASK = "tanh fc of normal init (1.4, 0.3) on digits, 2 epochs of adam, batch 100"
NAMES = ["imp", *(f"{name}_mask" for name in ("shuffle", "random", "init", "local", "snip", "grasp", "synflow", "degree"))]


def arms(slopes, *, arms=9, levels=3, seeds=2, noise=0.1, seed=0, drop=3.0):
    """Accuracy in points falls by `drop` a level and moves by `slopes` per decade; predictors fall with level too.

    They vary by arm, by level in an arm, and a little by seed; `noise` is by arm, and half as much by row.
    """
    numbers = np.random.default_rng(seed)
    base = numbers.standard_normal((arms, len(PREDICTORS)))
    own, rows = noise * numbers.standard_normal(arms), []
    for arm, level in np.ndindex(arms, levels):
        here = base[arm] + 0.4 * numbers.standard_normal(len(PREDICTORS)) - 1.5 * level
        for one in range(seeds):
            logs = dict(zip(PREDICTORS, here + 0.05 * numbers.standard_normal(len(here)), strict=True))
            points = 60 - drop * level + own[arm] + noise / 2 * numbers.standard_normal()
            points += sum(slope * (logs[name] + 1.5 * level) for name, slope in slopes.items())
            rows.append({"arm": NAMES[arm], "level": level, "seed": one, "accuracy": points / 100} | to_powers(logs))
    found = pd.DataFrame(rows).assign(
        run="r", task=TASK, net="n", rule="r", source="measured", lr=0.01, train=0.9, validation=np.nan
    )
    return found.assign(density=0.8 ** found["level"], weights=(10_000 * 0.8 ** found["level"]).astype(int))


def to_powers(logs):
    return {name: 10.0**value for name, value in logs.items()}
