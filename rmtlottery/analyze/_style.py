"""What the figures share: intervals, and axes a reader has seen before."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def interval(values: Any) -> tuple[float, float]:
    """The 95 % t-interval of a mean over seeds; a single seed has none and gets no band."""
    from statsmodels.stats.weightstats import DescrStatsW

    if len(values) < 2:
        return float(values.iloc[0]), float(values.iloc[0])
    low, high = DescrStatsW(values).tconfint_mean()
    return float(low), float(high)


def density_axis(axes: "Axes") -> None:
    """Density on a log axis from dense to sparse, in percent."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set_xscale("log")
    axes.invert_xaxis()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda density, _: f"{100 * density:g} %"))
    axes.set_xlabel("density: weights kept")


def spread(values: Any, most: int) -> list[Any]:
    """At most `most` of the values, the first and the last among them."""
    import numpy as np

    return [values[place] for place in np.unique(np.linspace(0, len(values) - 1, most).round().astype(int))]
