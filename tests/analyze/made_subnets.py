"""Tables of subnets made up."""

import numpy as np
import pandas as pd

from rmtlottery.analyze.subnets import MEASURED


def made(accuracies, readout="sum", arm="t", seed=0, start=0.0):
    numbers = 2 ** np.arange(len(accuracies))
    rows = {"subnets": numbers, "accuracy": accuracies, "load": numbers * 10 / 100, "loss": 1.0, "noise": numbers - 1.0}
    rows |= {"alone": accuracies[0], "start": start}
    whose = {"readout": readout, "arm": arm, "seed": seed, "dim": 10, "ambient": 100, "share": 0.9, "source": MEASURED}
    return pd.DataFrame(rows).assign(**whose)
