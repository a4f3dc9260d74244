"""The sentence of a verdict: of each quantity, which theory falls first, where and how far, and which stands longest."""

from typing import TYPE_CHECKING

import numpy as np

from rmtlottery.analyze._style import percent
from rmtlottery.analyze.rungs.names import LADDER

if TYPE_CHECKING:
    import pandas as pd


def summary(part: "pd.DataFrame") -> str:
    """Of the rows of one run and state."""
    return "; ".join(f"{name}: {of_quantity(held)}" for name, held in part.groupby("quantity", sort=False))


def of_quantity(held: "pd.DataFrame") -> str:
    refused = held[held["refused"]]
    if refused.empty:
        return f"no theory is refused down to {percent(held['density'].min())}"
    stood = {source: stands(rows) for source, rows in held.groupby("source", sort=False)}
    longest = min(filter(None, stood.values()), default=0.0)
    if not longest:
        return f"every theory is refused from {percent(held['density'].max())} on ({fallen(refused)}){closest(held)}"
    best = [source for source, density in stood.items() if density == longest]
    return (
        f"first refused is {fallen(refused)}; down to {percent(longest)} stands {together(best, len(stood))}{closest(held)}"
    )


def together(best: list[str], number: int) -> str:
    """Rungs by their number."""
    names = [source.split()[0] if source in LADDER else source for source in best]
    return ", ".join(names) if len(best) < number else "every theory"


def stands(rows: "pd.DataFrame") -> float:
    """The density down to which no layer refuses a theory; 0 if the densest does."""
    levels = rows.groupby("level").agg(density=("density", "first"), refused=("refused", "any"))
    before = levels[~levels["refused"].cummax()]
    return float(before["density"].iloc[-1]) if len(before) else 0.0


def fallen(refused: "pd.DataFrame") -> str:
    """What is farthest off at the densest level where anything is refused."""
    there = refused[refused["level"] == refused["level"].min()]
    far = there.loc[np.abs(np.log(there["ratio"])).idxmax()]
    interval = f"[{far['low']:.3g}, {far['high']:.3g}]"
    return f"{far['source']} at {percent(far['density'])} (layer {far['layer']}: {far['ratio']:.3g} {interval})"


def closest(held: "pd.DataFrame") -> str:
    """The theory that is least off where it is farthest off, at any density and in any layer, refused or not."""
    off = np.exp(np.abs(np.log(held["ratio"]))).groupby(held["source"]).max()
    return f"; never off by more than a factor of {off.min():.3g} is {off.idxmin()}"
