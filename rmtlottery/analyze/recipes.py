"""Which masks found without iterating train as well as the iterated ones, and how much of their lead does each recover?

Asked of several runs together: imp, what was trained from controls of its tickets, and what was found at init. Compared are
tickets of one task that keep as many weights as an iterated one, within 5 %, whatever their levels. Each arm is taken at its
own best learning rate, by mean accuracy on validation (on training where there is none), never on test. Arms are then
compared on test accuracy, seed by seed. The base is `shuffle_mask`, or `random_mask` where that is not there.
Share is (arm - base) / (imp - base), with Fieller's 95 % interval of paired seeds: where imp's lead itself is not told apart
from 0, there is no gap and no share. Better than the base is p < 5 % by a one-sided paired t-test after Holm's correction
over all arms and densities. Better than imp, or not told apart from it, is by the 95 % interval of the difference, which is
uncorrected for the number of arms and may hold 0 for want of seeds. Densities that imp alone has, or that lack the base, are
left out. Accuracies are those after the last epoch or, `stopped`, after the one that is best on validation.
"""

from collections.abc import Iterable
from math import isnan
from typing import TYPE_CHECKING, Any

from rmtlottery.analyze._arms import ITERATED, standing
from rmtlottery.analyze._gap_share import BEHIND, GAP, NO_GAP
from rmtlottery.analyze._matched import SAME, matched
from rmtlottery.analyze._paired import compared, shared
from rmtlottery.analyze._stopping import STOPPED, taken
from rmtlottery.analyze._style import near, percent
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NEEDS = "what training recorded"
PLAIN = {
    "random_mask": "mask by lot over the net",
    "shuffle_mask": "mask shuffled in layers",
    "in_degree_mask": "in-degrees kept",
    "out_degree_mask": "out-degrees kept",
    "degree_mask": "all degrees kept",
    "first_layer_mask": "first layer's mask kept",
    "other_layers_mask": "other layers' masks kept",
    "scatter": "weights in other places",
    "init_mask": "largest at init",
    "one_cut_mask": "trained dense, one cut",
    "snip_mask": "SNIP",
    "grasp_mask": "GraSP",
    "synflow_mask": "SynFlow",
    "aligned_mask": "aligned with activations",
    "local_mask": "local fields",
    "local_init_mask": "local and largest at init",
    "fresh_init": "another init",
    "keep_signs": "sizes redrawn, signs kept",
    "redraw_gaussian": "Gaussian of their size",
    "redraw_law": "redrawn from their law",
    "shuffle_entries": "weights shuffled",
    "flip_signs": "signs by lot",
    "rescale": "rescaled to sigma_w",
    "rescale_units": "unit by unit to sigma_w",
    "equal_lengths": "signals of equal length",
    "small_dense": "narrow dense net",
    "trained": "trained on",
    ITERATED: "iterated",
}
IMP, BASE = "tab:blue", "tab:orange"
ALPHA = 0.05


def table(ticket: Ticket, *, stopped: bool = False) -> "pd.DataFrame":
    """Columns: task, net, rule, arm, weights, lr, split, accuracy, loss, epoch, source."""
    import pandas as pd

    whose = standing(ticket)
    last = taken(ticket, stopped)
    whose["task"] += f", {STOPPED}" if stopped else ""
    splits = [name.removesuffix("_accuracy") for name in last if name.endswith("_accuracy")]
    scores = [{"split": s, "accuracy": last[f"{s}_accuracy"], "loss": last[f"{s}_loss"]} for s in splits]
    return pd.DataFrame([whose | score for score in scores]).assign(epoch=last["epoch"], source="measured")


def plot(table: "pd.DataFrame") -> "Figure":
    """A row a density. Left: test accuracy of each arm, imp and base as bands. Right: the share of imp's lead."""
    import matplotlib.pyplot as plt

    rows = compared(table)
    if rows.empty:
        figure, axes = plt.subplots(figsize=(9, 1.5), layout="constrained")
        axes.axis("off")
        axes.text(0.5, 0.5, alone(table), ha="center", va="center", wrap=True)
        return figure
    parts = densities(rows)
    sizes = [0.45 * len(part) + 1.3 for part in parts]
    look: dict[str, Any] = {"height_ratios": sizes, "width_ratios": [1.3, 1], "layout": "constrained"}
    figure, axes = plt.subplots(len(parts), 2, squeeze=False, figsize=(15, sum(sizes)), **look)
    for part, (left, right) in zip(parts, axes, strict=True):
        arms = candidates(part).sort_values("accuracy", ignore_index=True)
        draw_accuracies(part, arms, left)
        draw_shares(arms, right)
        left.set_title(f"{part['task'].iloc[0]}\ndensity {percent(density(part))}: {gap_words(part)}", loc="left")
    key(figure, set(rows["base"]), f"means of {'-'.join(map(str, sorted(set(rows['seeds']))))} seeds with 95 % intervals")
    return figure


def densities(rows: "pd.DataFrame") -> "list[pd.DataFrame]":
    """What is compared with each other: a part for each task and number of weights."""
    return [part for _, part in rows.groupby(["task", "kept"], sort=False)]


def candidates(part: "pd.DataFrame") -> "pd.DataFrame":
    return part[~part["arm"].isin([ITERATED, part["base"].iloc[0]])]


def key(figure: "Figure", bases: set[str], title: str) -> None:
    from matplotlib.lines import Line2D

    bars = {ITERATED: IMP} | {base: BASE for base in sorted(bases) if base}
    lines = [Line2D([], [], color=colour, label=name_of(name)) for name, colour in bars.items()]
    words = {True: "better than the base (Holm)", False: "not told to be better"}
    dots = [Line2D([], [], **dot(told), linestyle="none", label=label) for told, label in words.items()]
    figure.legend(handles=lines + dots, title=title, loc="outside lower center", ncols=4, frameon=False)


def dot(told: bool) -> dict[str, Any]:
    """Filled where the arm is better than the base after correction."""
    return {"marker": "o", "color": "black", "markerfacecolor": "black" if told else "white"}


def draw_accuracies(part: "pd.DataFrame", arms: "pd.DataFrame", axes: "Axes") -> None:
    for name, colour in ((ITERATED, IMP), (part["base"].iloc[0], BASE)):
        for _, row in part[part["arm"] == name].iterrows():
            axes.axvspan(row["accuracy_low"], row["accuracy_high"], color=colour, alpha=0.2, linewidth=0)
            axes.axvline(row["accuracy"], color=colour)
    dots(arms, "accuracy", axes)
    axes.set(xlabel="test accuracy")
    if (lowest := near(arms["accuracy"]).min()) > arms["accuracy"].min():
        axes.set_xlim(left=lowest - 0.05 * (axes.get_xlim()[1] - lowest))
    axes.set_yticks(range(len(arms)), [tick(row, density(part), axes.get_xlim()[0]) for _, row in arms.iterrows()])


def draw_shares(arms: "pd.DataFrame", axes: "Axes") -> None:
    """Cut at -1 and 2, with the numbers beside."""
    for place, colour in ((0, BASE), (1, IMP)):
        axes.axvline(place, color=colour)
    dots(arms, "share", axes)
    axes.set(xlim=(-1, 2), xlabel="share of imp's lead over the base")
    axes.set_yticks(range(len(arms)), [share_words(row) for _, row in arms.iterrows()])
    axes.yaxis.tick_right()


def dots(arms: "pd.DataFrame", y: str, axes: "Axes") -> None:
    for place, row in arms.iterrows():
        axes.plot([row[f"{y}_low"], row[f"{y}_high"]], [place, place], color="black", linewidth=1)
        axes.plot(row[y], place, **dot(row["p_holm"] < ALPHA))
    axes.set_ylim(-0.6, len(arms) - 0.4)
    axes.grid(alpha=0.3, axis="x")


def tick(row: "pd.Series", usual: float, least: float) -> str:
    """What an arm is, and how accurate where that is left of the frame."""
    odd = abs(row["density"] / usual - 1) > SAME
    tried = f" (best of {row['rates']})" if row["rates"] > 1 else ""
    kept = f", density {percent(row['density'])}" if odd else ""
    beyond = f": {row['accuracy']:.1%}" if row["accuracy"] < least else ""
    return f"{name_of(row['arm'])}, lr {row['lr']:g}{tried}{kept}{beyond}"


def name_of(arm: str) -> str:
    """Plain words where all of it has them, with what the control is called."""
    words = [PLAIN.get(name, "") for name in arm.split(",")]
    return f"{', '.join(words)} ({arm})" if all(words) else arm


def density(part: "pd.DataFrame") -> float:
    """Of imp, or the median of the arms where it is not there."""
    held = part.loc[part["arm"] == ITERATED, "density"]
    return float(held.iloc[0] if len(held) else part["density"].median())


def share_words(row: "pd.Series") -> str:
    return f"{row['share']:z.0%} [{row['share_low']:z.0%}, {row['share_high']:z.0%}]" if row["gap"] == GAP else row["gap"]


def gap_words(part: "pd.DataFrame") -> str:
    """imp's lead, and why there is no share of it if there is none."""
    imp, base = part[part["arm"] == ITERATED], part["base"].iloc[0]
    if imp.empty or not base:
        return "no share: no imp at this density" if imp.empty else "no share: neither shuffle_mask nor random_mask is here"
    row = imp.iloc[0]
    lead = f"imp's lead over {base} is {points(row, 'to_base')}"
    reasons = {GAP: "", NO_GAP: ": no gap to recover", BEHIND: ": imp is behind"}
    return lead + reasons.get(row["gap"], ": too few seeds for an interval")


def points(row: "pd.Series", y: str) -> str:
    mean, low, high = (f"{100 * row[y + end]:z.1f}" for end in ("", "_low", "_high"))
    return f"{mean} points" if isnan(row[f"{y}_low"]) else f"{mean} [{low}, {high}] points"


def headline(table: "pd.DataFrame") -> str:
    """At each density the highest arm, its share, and which arms are better than the base and better than imp or like it."""
    rows = compared(table)
    if rows.empty:
        return alone(table)
    found = "; ".join(f"{task}: {'; '.join(map(summary, densities(part)))}" for task, part in rows.groupby("task"))
    tests, chosen = int(rows["p_holm"].notna().sum()), tuned(rows)
    seeds = sorted(table["seed"].unique().tolist())
    return f"{found} (seeds {seeds}, 95 % intervals, Holm over {tests} tests, {chosen}){left_out(table, rows)}."


def tuned(rows: "pd.DataFrame") -> str:
    """Who had a choice of rates."""
    some = rows[rows["rates"] > 1]
    if some.empty:
        return "one rate each"
    least, most = some["rates"].min(), some["rates"].max()
    number = f"{least}" if least == most else f"{least} to {most}"
    left = f", {len(rows) - len(some)} had one" if len(some) < len(rows) else ""
    return f"rates of {len(some)} chosen from {number} by {some['judge'].iloc[0]}{left}"


def summary(part: "pd.DataFrame") -> str:
    arms = candidates(part)
    words = f"at density {percent(density(part))} {gap_words(part)}"
    if arms.empty:
        return words
    above = arms.loc[arms["p_holm"] < ALPHA, "arm"]
    level, ahead = arms[(arms["to_imp_low"] <= 0) & (arms["to_imp_high"] >= 0)], arms[arms["to_imp_low"] > 0]
    equal, better = ([f"{row['arm']} ({points(row, 'to_imp')})" for _, row in part.iterrows()] for part in (level, ahead))
    to_imp = arms["to_imp_low"]
    return (
        f"{words}; {highest(arms)}; better than the base: {listed(above, arms['p'])}"
        f"; better than imp: {listed(better, to_imp)}; not told apart from imp: {listed(equal, to_imp)}"
    )


def highest(arms: "pd.DataFrame") -> str:
    """On test, among those of as many seeds as any; without an interval, as it was picked for being highest."""
    rivals = arms[arms["seeds"] == arms["seeds"].max()]
    best = rivals.loc[rivals["accuracy"].idxmax()]
    share = f", {best['share']:z.0%} of the lead" if best["gap"] == GAP else ""
    which = "the only other arm" if len(rivals) == 1 else f"highest of {len(rivals)} arms"
    return f"{which} is {name_of(best['arm'])} with {best['accuracy']:.1%}{share}"


def listed(names: Iterable[str], told: "pd.Series") -> str:
    """Of arms, unless nothing could be told of any."""
    return ", ".join(names) or "none" if told.notna().any() else "cannot be told"


def left_out(table: "pd.DataFrame", rows: "pd.DataFrame") -> str:
    """How many tickets keep numbers of weights that nothing is compared at, and which tasks have nothing to compare."""
    tests = table[table["split"] == "test"]
    number, idle = len(tests) - len(shared(tests)), set(matched(tests)["task"]) - set(rows["task"])
    tickets = f"; {number} tickets that keep numbers of weights that nothing is compared at are left out" if number else ""
    return tickets + "".join(f"; nothing to compare in {task}" for task in sorted(idle))


def alone(table: "pd.DataFrame") -> str:
    arms = "; ".join(f"{', '.join(sorted(set(part['arm'])))} of {task}" for task, part in table.groupby("task"))
    return f"Nothing to compare: only {arms} here; ask imp together with what was trained from its controls in the same way."
