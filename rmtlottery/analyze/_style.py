"""What the figures share: intervals, and axes a reader has seen before."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

TICKS = 16


def interval(values: Any) -> tuple[float, float]:
    """The 95 % t-interval of a mean over seeds; a single seed has none and gets no band."""
    from statsmodels.stats.weightstats import DescrStatsW

    if len(values) < 2 or values.nunique() == 1:
        return float(values.mean()), float(values.mean())
    low, high = DescrStatsW(values).tconfint_mean()
    return float(low), float(high)


def share_interval(values: Any) -> tuple[float, float]:
    """The same for what lies between 0 and 1, cut there."""
    low, high = interval(values)
    return max(low, 0.0), min(high, 1.0)


def mean_words(values: Any, digits: str, ends: Any = interval) -> str:
    """The mean with its interval, or the number of a single seed."""
    words = f"{values.mean():{digits}}"
    return f"{words} [{', '.join(f'{end:{digits}}' for end in ends(values))}]" if len(values) > 1 else words


def over_seeds(table: Any) -> str:
    """What numbers are means of, run by run where runs have other seeds."""
    runs: dict[tuple[int, ...], list[str]] = {}
    for run, part in table.groupby("run"):
        runs.setdefault(tuple(sorted(part["seed"].unique().tolist())), []).append(str(run))
    of = {seeds: f", of {', '.join(names)}" if len(runs) > 1 else "" for seeds, names in runs.items()}
    several = [f"mean and 95 % interval over seeds {[*seeds]}{of[seeds]}" for seeds in runs if len(seeds) > 1]
    return "; ".join(several + [f"seed {seeds[0]} alone, no interval{of[seeds]}" for seeds in runs if len(seeds) == 1])


def density_axis(axes: "Axes") -> None:
    """Density on a log axis from dense to sparse, in percent."""
    axes.set_xscale("log")
    axes.invert_xaxis()
    plain_log_ticks(axes.xaxis, lambda density: f"{100 * density:g} %")
    axes.set_xlabel("density (weights kept)")


def plain_log_ticks(axis: "Axis", words: Any = "{:g}".format) -> None:
    """Ticks at 1, 2, 5, 10, ... written as numbers rather than powers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: words(value)))


def log_height(axes: "Axes", values: Any, low: float, high: float) -> None:
    """A logarithmic y for the values, and for `low` to `high` so that there are ticks to read; intervals may be cut off."""
    positive = values[values > 0]
    bottom, top = (positive.min() / 1.1, positive.max() * 1.1) if len(positive) else (low, high)
    axes.set(yscale="log", ylim=(min(low, bottom), max(high, top)))
    plain_log_ticks(axes.yaxis)


def legend_beside(axes: "Axes", title: str, *entries: Any, columns: int = 1) -> None:
    """The legend to the right of its axes, where it hides nothing; entries are lines and words, if not those drawn."""
    axes.legend(*entries, title=title, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, ncols=columns)


def seeds_words(number: int, least: int | None = None) -> str:
    """What a line and its band are, or lines that have from `least` to `number` seeds."""
    if number == 1:
        return "one seed, no interval"
    return f"mean of {f'{least} to ' if least and least < number else ''}{number} seeds\nwith 95 % interval"


def mean_density(table: Any) -> Any:
    """The table with each level's density the mean over its seeds, so that the level is one point of an axis."""
    return table.assign(density=table.groupby(["run", "level"])["density"].transform("mean"))


def near(values: Any) -> Any:
    """Those within Tukey's outer fences, three ranges of the middle half beyond it: others would leave them no room."""
    low, high = values.quantile(0.25), values.quantile(0.75)
    return values[values.between(low - 3 * (high - low), high + 3 * (high - low))]


def spread(values: Any, most: int) -> list[Any]:
    """At most `most` of the values, the first and the last among them."""
    import numpy as np

    return [values[place] for place in np.unique(np.linspace(0, len(values) - 1, most).round().astype(int))]


def layer_lines(rows: Any, axes: "Axes", y: str, most: int = 6, dashed: Any = None) -> None:
    """`y` against layer at some of the levels, one colour a density, with intervals over seeds as bars.

    Rows to be `dashed` are drawn as means, in the same colours.
    """
    import seaborn as sns

    shown = rows[rows["level"].isin(spread(sorted(rows["level"].unique()), most))]
    look = {"hue": "level", "palette": "viridis", "legend": "full", "marker": "o", "errorbar": interval, "err_style": "bars"}
    sns.lineplot(shown, x="layer", y=y, ax=axes, **look)
    for level in shown["level"].unique() if dashed is not None else ():
        means = dashed[dashed["level"] == level].groupby("layer")[y].mean()
        axes.plot(means.index, means, "--", color=level_colour(level, shown["level"]), linewidth=1)
    layer_ticks(axes, shown["layer"])
    axes.grid(alpha=0.3)
    density = shown.groupby("level")["density"].first()
    lines, levels = axes.get_legend_handles_labels()
    legend_beside(axes, "density", lines, [percent(density[int(level)]) for level in levels])


def hidden(part: Any) -> Any:
    """The layers before the last one of each run; that one too where it is alone."""
    layers = part.groupby("run")["layer"]
    first, last = layers.transform("min"), layers.transform("max")
    return part[(part["layer"] < last) | (first == last)]


def layer_ticks(axes: "Axes", layers: Any) -> None:
    """A tick a layer, or some of them where there are many."""
    axes.set_xticks(spread(sorted(layers.unique()), TICKS))


def level_colour(level: int, levels: Any) -> Any:
    """The colour that `layer_lines` gives a level when it draws the first and the last of `levels`."""
    from matplotlib import colormaps

    first, last = min(levels), max(levels)
    return colormaps["viridis"]((level - first) / max(last - first, 1))


def percent(density: float) -> str:
    return f"{100 * density:.3g} %"


def panel_name(rows: Any, run: object, state: object) -> str:
    """The state, with its run where there are several."""
    return f"{run}\n{state}" if rows["run"].nunique() > 1 else str(state)
