"""Does a ticket train better the better signals and gradients pass through it before training?

Mehra's slides close on the hypothesis that a winning ticket back-propagates gradients well. Ask it of a run and of what was
trained from its controls together: test accuracy after the last epoch against numbers of the rewound weights. `q` is the
length in the last hidden layer; `chi` the geometric mean over the hidden layers after the first; `jacobian_mean` and
`jacobian_spread` are m1 and m2/m1^2 of the squared singular values of d h^last / d h^first, one a row, means over inputs;
`gradient` is the squared gradient of the loss that was minimised in h^first over that in h^last. A spread of 1 is an
isometry up to scale; it is units over participating directions, which dead units and a mask's zeros leave as they are, where
the standard deviation of log singular values would be that of whatever floor decides which of them are 0.

Regressed are means over seeds, an arm at a density each, in log10, on a density's intercept and on one predictor (alone) or
on the first four (together); slopes are points per standard deviation at equal density, with CR2 intervals over masks. They
are straight lines: an optimum inside the range goes unseen; and arms differ in more than these numbers. Compared are tickets
of one task that keep as many weights, within 5 %, each arm at its own best learning rate by validation (by training where
there is none), and of the seeds that all arms of a density have.
"""

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from rmtlottery.analyze._arms import ITERATED, mask_of, standing
from rmtlottery.analyze._best_rate import best_rates
from rmtlottery.analyze._between_arms import ALONE, ENOUGH, JOINT, PREDICTORS, TOGETHER, balanced, logs, means, regressed
from rmtlottery.analyze._matched import matched, told_apart
from rmtlottery.analyze._products import Span
from rmtlottery.analyze._singular import moments, over_inputs
from rmtlottery.analyze._style import legend_beside, near, percent
from rmtlottery.analyze.jacobian import Spectrum, by_products, sizes, whole
from rmtlottery.measure.jacobian import between, doubled
from rmtlottery.measure.signal import PORTION, Probe, gains, hidden_lengths, probe
from rmtlottery.refusal import Refusal
from rmtlottery.tickets.streams import generator
from rmtlottery.tickets.ticket import Ticket, Weights

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "the net and its data"
NETS = ("fc", "conv")
FORMED = 1024  # units of the shorter side of a Jacobian that is formed
IN_A_COLUMN = 16  # arms in a legend
SIZES = "large: means over seeds\nsmall: tickets\nwhat is far out is cut off"
COLLINEAR = 10.0  # inflation beyond which shares are not told apart
SPLITS = {"test": "accuracy", "validation": "validation", "train": "train"}


def table(ticket: Ticket, *, samples: int = 200, inputs: int = 8) -> "pd.DataFrame":
    """Columns: task, net, rule, arm, weights, lr, accuracy (test), validation, train, epoch, q, chi, jacobian_mean,
    jacobian_spread, anisotropy, isometry, gradient, inputs, source. Jacobians are at the first `inputs` of the samples."""
    import pandas as pd

    if inputs < 1:
        raise Refusal(f"inputs = {inputs} is not at least 1")
    seen = probe(ticket, samples)
    if len(seen.network.layers) < 3:
        raise Refusal(f"{ticket} has one hidden layer, and no Jacobian from its first to its last; take two or more")
    spectra = hidden_spectra(ticket, seen._replace(x=seen.x[:inputs]))
    row = trained(ticket) | signals(ticket.rewound, seen) | spread_of(spectra)
    row |= {"gradient": pulled_back(ticket.rewound, seen), "inputs": f"{seen.words}; Jacobians at the first {len(spectra)}"}
    return pd.DataFrame([row | {"source": "measured"}])


def trained(ticket: Ticket) -> dict[str, Any]:
    whose, last = standing(ticket), ticket.metrics[-1]
    scores = {column: last.get(f"{split}_accuracy", np.nan) for split, column in SPLITS.items()}
    return whose | scores | {"epoch": last["epoch"]}


def signals(weights: Weights, seen: Probe) -> dict[str, float]:
    chi = np.array([chi for chi, _ in gains(seen.network, weights, seen.x)[1:]])
    middle = float(np.exp(np.log(chi).mean())) if chi.all() else 0.0
    return {"q": hidden_lengths(seen.network, weights, seen.x)[-1], "chi": middle}


def hidden_spectra(ticket: Ticket, seen: Probe) -> list[Spectrum]:
    """Of the hidden Jacobian, input by input; one that is too large to form is known by its products at fewer inputs."""
    weights, span = ticket.rewound, Span("hidden", 1, len(seen.network.layers) - 1)
    numbers = generator(ticket.seed or 0, "trainability", ticket.level)
    large = min(sizes(weights, seen, span)) > FORMED
    return by_products(weights, seen, span, numbers) if large else whole(weights, seen, span)


def spread_of(spectra: list[Spectrum]) -> dict[str, float]:
    told = over_inputs([moments(*one) for one in spectra])
    held = {"jacobian_mean": told["mean"], "jacobian_spread": 1 + told["variance"]}
    return held | {name: told[name] for name in ("anisotropy", "isometry")}


def pulled_back(weights: Weights, seen: Probe) -> float:
    """Sums over inputs of |dL/dh^first|^2 over those of |dL/dh^last|^2, L the loss of one input."""
    assert seen.y is not None
    assert seen.minimised is not None
    exact, layers = doubled(weights, seen.x), len(seen.network.layers)
    ends = ((0, 1), (1, layers - 1), (layers - 1, layers))
    enter, through, leave = (between(seen.network, exact, *span) for span in ends)
    sums = torch.zeros(2, dtype=torch.float64)
    for x, y in zip(seen.x.split(PORTION), seen.y.split(PORTION), strict=True):
        first = enter(x.double()).detach().requires_grad_()
        last = through(first)
        loss = len(y) * seen.minimised(leave(last), y)
        sums += torch.stack([slope.square().sum() for slope in torch.autograd.grad(loss, (first, last))]).cpu()
    return float(sums[0] / sums[1])


def plot(table: "pd.DataFrame") -> "Figure":
    """Six panels a task: accuracy against each predictor, both less their density's mean; and slopes with intervals."""
    import matplotlib.pyplot as plt

    tasks = list(told_apart(table).groupby("task"))
    columns = 1 + table["arm"].nunique() // IN_A_COLUMN
    size = (12 + 4 * columns, 8.4 * len(tasks))
    figure, axes = plt.subplots(2 * len(tasks), 3, figsize=size, squeeze=False, layout="constrained")
    for place, (task, part) in enumerate(tasks):
        rows, panels = logs(part), axes[2 * place : 2 * place + 2].ravel()
        found = means(rows)
        told = regressed(found)
        for name, panel in zip(PREDICTORS, panels, strict=False):
            draw_scatter(found, rows, name, panel)
        if len(found):
            legend_beside(panels[2], SIZES, columns=columns)
        draw_slopes(told, panels[5])
        panels[0].set_title(str(task), loc="left")
        panels[5].set_title(fill(worth(told) or too_few(found), 56))
    return figure


def draw_scatter(found: "pd.DataFrame", rows: "pd.DataFrame", name: str, axes: "Axes") -> None:
    """Every arm a colour, the iterated one black; every density a marker."""
    import seaborn as sns

    if found.empty:
        return axes.set_axis_off()
    arms = sorted(found["arm"].unique(), key=lambda held: (held != ITERATED, held))
    pairs = sns.color_palette("tab20")
    hues = [*pairs[::2], *pairs[1::2]] if len(arms) <= len(pairs) else sns.color_palette("husl", len(arms))
    colours = dict(zip(arms, hues, strict=False)) | {ITERATED: (0.0, 0.0, 0.0)}
    usual = found.groupby("kept")[[name, "points"]].mean()
    small, large = (part[part["kept"].isin(usual.index)] for part in (rows, found))
    large = large.assign(density=large.groupby("kept")["density"].transform("median").map(percent))
    look = {"x": name, "y": "points", "hue": "arm", "hue_order": arms, "palette": colours, "ax": axes}
    sns.scatterplot(less(small, usual), s=12, alpha=0.4, legend=False, **look)
    sns.scatterplot(places := less(large, usual), s=70, style="density", **look)
    for column, limits in ((name, axes.set_xlim), ("points", axes.set_ylim)):
        if len(shown := near(places[column])) < len(places):
            room = 0.1 * (shown.max() - shown.min())
            limits(shown.min() - room, shown.max() + room)
    axes.legend().remove()
    axes.grid(alpha=0.3)
    axes.set(xlabel=f"{PREDICTORS[name]}, less its density's mean", ylabel="test accuracy, points,\nless its density's mean")


def less(rows: "pd.DataFrame", usual: "pd.DataFrame") -> "pd.DataFrame":
    return rows.assign(**{name: rows[name] - rows["kept"].map(usual[name]) for name in usual})


def draw_slopes(told: "pd.DataFrame", axes: "Axes") -> None:
    """With 95 % intervals, the joint ones below those of one predictor; those that leave the frame are cut."""
    if told.empty:
        return axes.set_axis_off()
    for model, shift, colour in ((ALONE, -0.12, "tab:blue"), (TOGETHER, 0.12, "tab:orange")):
        here = told[told["model"] == model]
        places = [list(PREDICTORS).index(name) + shift for name in here["predictor"]]
        reach = (here["slope"] - here["low"], here["high"] - here["slope"])
        axes.errorbar(here["slope"], places, xerr=reach, fmt="o", color=colour, capsize=3, label=model)
    ends = told.loc[told["model"] == ALONE, ["low", "high"]].abs().clip(upper=told["slope"].abs().max() * 10).to_numpy()
    widest = 1.5 * max(np.median(ends), told["slope"].abs().max()) or 1.0
    axes.set_yticks(range(len(PREDICTORS)), [*PREDICTORS.values()])
    axes.set(xlabel="test accuracy, points per standard deviation", xlim=(-widest, widest))
    axes.set_ylim(len(PREDICTORS) - 0.5, -0.5)
    axes.axvline(0, color="black", linewidth=1)
    axes.grid(alpha=0.3)
    legend_beside(axes, "95 % intervals\nover masks")


def headline(table: "pd.DataFrame") -> str:
    return f"{'; '.join(f'{task}: {summary(part)}' for task, part in told_apart(table).groupby('task'))}."


def summary(part: "pd.DataFrame") -> str:
    """What each predictor does by itself, what all do together, and of how many arms and masks."""
    rows = logs(part)
    found, dropped = means(rows), len(best_rates(matched(part))) - len(rows)
    told = regressed(found)
    lone = len(rows) - len(balanced(rows))
    why = {"without a signal at the end": dropped, "of seeds that another arm lacks": lone}
    words = ", ".join(f"{number} {words}" for words, number in why.items() if number)
    left = f"; tickets left out: {words}" if words else ""
    if told.empty:
        return f"{too_few(found)}{left}"
    alone = told[told["model"] == ALONE]
    seeds = "-".join(map(str, sorted(set(found["seeds"]))))
    masks = found["arm"].map(mask_of).nunique()
    size = f"{found['arm'].nunique()} arms of {masks} masks at {found['kept'].nunique()} densities, {seeds} seeds each"
    return f"{verdict(alone)}; {worth(told)} ({size}, 95 % intervals over masks, uncorrected for their number){left}"


def verdict(alone: "pd.DataFrame") -> str:
    """Those whose interval leaves 0 out come first."""
    sure = (alone["low"] > 0) | (alone["high"] < 0)
    parts = {"moves with": alone[sure], "cannot be told from 0 for": alone[~sure]}
    said = [f"{words} {', '.join(map(slope_words, here.itertuples()))}" for words, here in parts.items() if len(here)]
    return f"at equal density test accuracy, in points per standard deviation, {', and '.join(said)}"


def slope_words(row: Any) -> str:
    return f"{PREDICTORS[row.predictor]} {row.slope:+.2g} [{row.low:+.2g}, {row.high:+.2g}]"


def worth(told: "pd.DataFrame") -> str:
    """Of the joint model, or of the best single one where there is none."""
    if told.empty:
        return ""
    model = told[told["model"] == TOGETHER]
    if model.empty:
        model = told.loc[[told["foretold"].fillna(-np.inf).idxmax()]]
    row, names = model.iloc[0], " and ".join(PREDICTORS[name] for name in model["predictor"])
    one = f"{names}, the best of {len(told)}, by itself" if len(model) == 1 else names
    who = "together q, chi and Jacobian" if len(model) == len(JOINT) else one
    found = (
        f"{who} explain {row['explained']:.0%} of what density leaves and foretell {row['foretold']:.0%} of a mask left out"
    )
    wide = model["inflation"].max()
    return f"{found}{f', too collinear to be told apart (variance inflation {wide:.0f})' if wide > COLLINEAR else ''}"


def too_few(found: "pd.DataFrame") -> str:
    masks = sorted(found["arm"].map(mask_of).unique())
    if not masks:
        return "nothing lets signals through in a seed that all arms of a density have"
    if len(masks) >= ENOUGH:
        return "whether it does at equal density cannot be told: no two arms of a density differ in what they do to signals"
    return (
        f"whether it does at equal density takes {ENOUGH} masks to tell, and here are {len(masks)} ({', '.join(masks)}); "
        "train controls with rl.fit(spec, start=[control(t, 0) for t in run]) and ask their runs together"
    )
