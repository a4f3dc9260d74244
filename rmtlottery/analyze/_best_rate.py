"""Each arm at its own best learning rate, which the test set has no say in."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NO_CHOICE = "the only rate"


def best_rates(table: "pd.DataFrame") -> "pd.DataFrame":
    """The rows of one rate for each (level, arm), and `judge`: the split that chose it."""
    import pandas as pd

    return pd.concat([at_best(part) for _, part in table.groupby(["level", "arm"])], ignore_index=True)


def at_best(part: "pd.DataFrame") -> "pd.DataFrame":
    """Best is the mean accuracy over seeds; of equals, the smaller rate.

    Only rates with as many seeds as any compete: a sweep over one seed, of which the best was trained on with more, has
    chosen already, and a lucky seed alone is no rival to a mean.
    """
    if part["lr"].nunique() == 1:
        return part.assign(judge=NO_CHOICE)
    judge = "validation" if "validation" in set(part["split"]) else "train"
    of_seeds = part[part["split"] == judge].groupby(["lr", "seed"])["accuracy"].mean()
    means = of_seeds.groupby("lr").agg(["size", "mean"])
    rivals = means.loc[means["size"] == means["size"].max(), "mean"]
    return part[part["lr"] == rivals.idxmax()].assign(judge=judge)
