"""Each arm at its own best learning rate, which the test set has no say in."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NO_CHOICE = "the only rate"


def best_rates(table: "pd.DataFrame") -> "pd.DataFrame":
    """Of each arm that keeps as many weights the rows of one of its `rates`, and `judge`: the split that chose it."""
    import pandas as pd

    parts = table.reset_index(drop=True).groupby(["task", "kept", "arm"])
    return pd.concat([at_best(part) for _, part in parts], ignore_index=True)


def at_best(part: "pd.DataFrame") -> "pd.DataFrame":
    """Best is the mean accuracy over seeds; of equals, the smaller rate.

    Only rates with as many seeds as any compete: a sweep over one seed, of which the best was trained on with more, has
    chosen already, and a lucky seed alone is no rival to a mean.
    """
    if part["lr"].nunique() == 1:
        return part.assign(judge=NO_CHOICE, rates=1)
    judge = "validation" if accuracies(part, "validation").notna().any() else "train"
    of_seeds = accuracies(part, judge).groupby([part["lr"], part["seed"]]).mean()
    means = of_seeds.groupby("lr").agg(["count", "mean"])
    rivals = means.loc[means["count"] == means["count"].max(), "mean"]
    return part[part["lr"] == rivals.idxmax()].assign(judge=judge, rates=len(rivals))


def accuracies(part: "pd.DataFrame", split: str) -> "pd.Series":
    """On a split that has rows of its own, or else a column."""
    return part.loc[part["split"] == split, "accuracy"] if "split" in part else part[split]
