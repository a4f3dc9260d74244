"""How many random directions does training need: which is the intrinsic dimension?

Asked of runs in subspaces of several sizes (`python -m rmtlottery.train dint PRESET`, or `chart="affine"`). d_int is the
number of coordinates at which mean test accuracy after the last epoch reaches `threshold` or, `local`, that share of what
the same net reaches trained whole (Li et al. 2018). The curve through the means is the best that does not fall, straight in
log d between the sizes that every seed has; its interval is the 95 % t-interval of where each seed crosses. Beside it stand
a logistic curve through the sizes near the crossing, and what the best test epoch of each run would have given, which
flatters: a maximum over test epochs. Seeds that diverged are left out.
"""

from dataclasses import replace
from math import inf, isfinite
from typing import TYPE_CHECKING

from rmtlottery.analyze._arms import task, unusual
from rmtlottery.analyze._published import published
from rmtlottery.analyze._style import legend_beside, percent, plain_log_ticks
from rmtlottery.analyze._threshold import crossing, curve, interval, logistic
from rmtlottery.refusal import Refusal, unknown
from rmtlottery.tickets.parts import Affine, Few, Principal
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "what training recorded"
CHARTS = ("affine", "said", "sum", "principal")
WHOLE = "all weights"
LAST, BEST = "after the last epoch", "at the best epoch"
STARTS = {"after": "from step {}", "toward": "from {} of the way to w*", "around": "from {} times the way beside w*"}
SPLITS = ("train", "validation", "test")


def table(ticket: Ticket, *, threshold: float = 0.9, local: bool = False, split: str = "test") -> "pd.DataFrame":
    """Columns: task, data, projection, dim, ambient, split, when, accuracy, asked, local, of (the split), source."""
    import pandas as pd

    if not 0 < threshold < 1:
        raise Refusal(f"threshold = {threshold:g} is no accuracy, and no share of one, between 0 and 1")
    if split not in SPLITS:
        raise unknown("split", split, SPLITS)
    if not ticket.metrics or ticket.spec is None:
        raise Refusal(f"{ticket} was not trained here, and says nothing of subspaces; train it first")
    if ticket.level:
        return pd.DataFrame()  # dimensions are those of whole nets
    spec, ambient = ticket.spec, sum(ticket.weights[name].numel() for name in ticket.record["parameters"])
    told = [task(spec.but(chart="full"), ticket.metrics[-1]["epoch"]), unusual(spec.net), begun(ticket)]
    whose: dict[str, object] = {
        "task": ", ".join([*filter(None, told), f"lr {spec.optimiser.lr:g}"]),
        "data": named(spec.data.kind, spec.data.shuffled),
    }
    whose |= {"projection": words(spec.chart), "dim": spec.chart.dim if isinstance(spec.chart, Few) else ambient}
    rows = [whose | {"ambient": ambient} | score for score in scores(ticket, split)]
    return pd.DataFrame(rows).assign(asked=threshold, local=local, of=split, source="measured")


def begun(ticket: Ticket) -> str:
    """What was made of the weights before, if they are none of the init."""
    control = str(ticket.record.get("control") or "rewound")
    word, _, number = control.partition(":")
    if word in STARTS and "," not in number:
        return STARTS[word].format(number)
    return {"rewound": "", "trained": "from trained weights"}.get(control, f"after {control}")


def named(kind: str, shuffled: str) -> str:
    return kind if shuffled == "nothing" else f"{kind} {shuffled} shuffled"


def words(chart: object) -> str:
    """The law of P, and what is made of it if not a plain affine chart."""
    if isinstance(chart, Principal):
        return "principal directions"
    if not isinstance(chart, Affine):
        return WHOLE
    odd = unusual(replace(chart, dim=Affine.dim, projection=Affine.projection))
    return ", ".join(filter(None, [chart.kind if chart.kind != "affine" else "", chart.projection, odd]))


def scores(ticket: Ticket, asked: str) -> list[dict[str, object]]:
    last = ticket.metrics[-1]
    splits = [name.removesuffix("_accuracy") for name in last if name.endswith("_accuracy")]
    found = [{"split": split, "when": LAST, "accuracy": last[f"{split}_accuracy"]} for split in splits]
    if asked not in splits:
        raise Refusal(f"{ticket} has no {asked} part")
    best = max(row[f"{asked}_accuracy"] for row in ticket.metrics)
    return [*found, {"split": asked, "when": BEST, "accuracy": best}]


def pooled(table: "pd.DataFrame") -> "pd.DataFrame":
    """The threshold of each task: as asked, or that share of what the whole net of the seed reaches."""
    import pandas as pd

    parts = []
    for name, part in table.groupby("task", sort=False):
        whole = part.query("projection == @WHOLE and split == of and when == @LAST")
        direct = whole.groupby("seed")["accuracy"].mean()
        if part["local"].any() and direct.empty:
            raise Refusal(f"a local threshold is a share of direct accuracy: give a run of all weights too, of {name}")
        share = part["seed"].map(direct).fillna(direct.mean()) if part["local"].any() else 1.0
        parts.append(part.assign(threshold=part["asked"] * share))
    return pd.concat(parts)


def plot(table: "pd.DataFrame") -> "Figure":
    """Accuracy of every seed against d, the curve through their means, and the interval of where it crosses."""
    import matplotlib.pyplot as plt

    parts = list(table.query("split == of and when == @LAST").groupby("task", sort=False))
    figure, axes = plt.subplots(len(parts), 1, figsize=(10, 4.4 * len(parts)), squeeze=False, layout="constrained")
    for (name, part), place in zip(parts, axes.flat, strict=True):
        draw(part, place)
        place.set_title(str(name), loc="left", fontsize="medium", wrap=True)
    return figure


def draw(part: "pd.DataFrame", axes: "Axes") -> None:
    import seaborn as sns

    threshold, few = part["threshold"].mean(), part[part["projection"] != WHOLE]
    colours = dict(zip(few["projection"].unique(), sns.color_palette(n_colors=few["projection"].nunique()), strict=True))
    for place, (kind, rows) in enumerate(few.groupby("projection", sort=False)):
        axes.plot(rows["dim"], rows["accuracy"], "o", color=colours[kind], markersize=4, alpha=0.5)
        axes.plot(*curve(rows), color=colours[kind], label=f"{kind}: {estimate(rows)}")
        low, high = interval(rows)
        if 0 < low <= high < inf:
            height, below = [0.03 + 0.03 * place] * 2, axes.get_xaxis_transform()
            axes.plot([low, high], height, color=colours[kind], linewidth=5, alpha=0.5, transform=below)
    whole = part.loc[part["projection"] == WHOLE, "accuracy"]
    if len(whole):
        axes.axhline(whole.mean(), color="0.4", linestyle="--", label=f"{WHOLE}: {whole.mean():.1%}")
    axes.axhline(threshold, color="0.4", linestyle=":", label=f"threshold {percent(threshold)}")
    axes.set(xscale="log", xlabel="coordinates d", ylabel=f"{part['of'].iloc[0]} accuracy\n{LAST}")
    plain_log_ticks(axes.xaxis)
    axes.grid(alpha=0.3)
    legend_beside(axes, "a point a seed, the best rising curve\nthrough means, d_int [95 % over seeds:\nthe bars below]")


def headline(table: "pd.DataFrame") -> str:
    """d_int of each task and projection, with its interval, beside what is published."""
    found = []
    tests = table[(table["split"] == table["of"]) & (table["projection"] != WHOLE)]
    for name, part in tests.groupby("task", sort=False):
        last, best = part[part["when"] == LAST], part[part["when"] == BEST]
        each = [f"{kind} {summary(rows, best)}" for kind, rows in last.groupby("projection", sort=False)]
        first = part.iloc[0]
        place = first["data"], int(first["ambient"]), float(first["asked"]), bool(first["local"])
        known = published(*place) if first["of"] == "test" else ""
        asked = f"{percent(part['threshold'].mean())} {first['of']} accuracy"
        whose = f"{name} ({first['ambient']:,} weights): d at {asked} is {'; '.join(each)}"
        found.append(whose + (f"; published: {known}" if known else ""))
    return ". ".join(found) + "." if found else "no run in a subspace is among these."


def summary(rows: "pd.DataFrame", best: "pd.DataFrame") -> str:
    """The estimate, the logistic one, and that of the best test epochs."""
    threshold, same = rows["threshold"].mean(), best[best["projection"] == rows["projection"].iloc[0]]
    others = {"logistic": logistic(rows, threshold), "best epochs": crossing(same, threshold)}
    told = ", ".join(f"{name} {value:.0f}" for name, value in others.items() if isfinite(value) and value)
    number = rows["seed"].nunique()
    return f"{estimate(rows)}{f' ({told})' if told else ''} of {f'{number} seeds' if number > 1 else 'one seed'}"


def estimate(rows: "pd.DataFrame") -> str:
    """d_int with its interval, if every seed crosses, or on which side of the sizes it lies."""
    threshold, dims = rows["threshold"].mean(), rows["dim"]
    value = crossing(rows, threshold)
    if not 0 < value < inf:
        return f"above {dims.max()}" if value else f"below {dims.min()}"
    low, high = interval(rows)
    return f"{value:.0f} [{low:.0f}, {high:.0f}]" if 0 < low <= high < inf else f"{value:.0f}, no interval"
