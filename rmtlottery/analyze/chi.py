"""Is chi near 1 in each layer of a pruned net, and does theory give it?

chi is the factor by which a layer stretches small changes of the signal: |D W|_F^2 / N with the slopes D of phi, averaged
over test inputs. Below 1 gradients vanish with depth, above 1 they explode. T0 takes the nominal sigmas, T1 the survivors'
std times sqrt(dense fan-in), which is the wrong normalisation, T2 density times the survivors' second moment; each theory
follows the inputs through the length map and takes sigma_w^2 times the mean of phi'^2 there. Theory ends where layers are
pooled. `state` is rewound (theta_k under the mask) or trained.
"""

from typing import TYPE_CHECKING

from rmtlottery.analyze._compare import of_each_run, panels, rows, theory_over_measured
from rmtlottery.measure.signal import gains, probe
from rmtlottery.tickets.ticket import Ticket

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def table(ticket: Ticket, *, samples: int = 1000) -> "pd.DataFrame":
    """Columns: state, layer, chi, source, inputs (which, how many, preprocessing)."""
    seen = probe(ticket, samples)
    return rows(ticket, seen, gains, "chi").assign(inputs=seen.words)


def plot(table: "pd.DataFrame") -> "Figure":
    return panels(table, "chi", "chi", heights=(0.2, 2.2), line=1.0)


def headline(table: "pd.DataFrame") -> str:
    """chi of the rewound net at both ends, and how far each theory is off at the sparse one."""
    return of_each_run(table, summary)


def summary(deep: "pd.DataFrame") -> str:
    chi, density = deep[deep["source"] == "measured"].groupby("level")["chi"].mean(), deep.groupby("level")["density"].mean()
    first, last = density.index[0], density.index[-1]
    ends = f"{chi[first]:.3g} densest (density {density[first]:.1%}), {chi[last]:.3g} sparsest (density {density[last]:.1%})"
    return f"chi of the rewound net is {ends}; {theory_over_measured(deep[deep['level'] == last], 'chi')}"
