"""Jacobians by autograd of the net as `nets` builds it, distances by a polar factor, and laws where they are known."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.linalg import polar
from scipy.optimize import minimize_scalar
from torch.autograd.functional import jacobian

import rmtlottery as rl
from rmtlottery import datasets, nets
from rmtlottery.analyze._products import MASKED, NOMINAL, SIZES, SPECTRA, Span, theories
from rmtlottery.analyze._singular import log_bins
from rmtlottery.analyze.jacobian import MEASURED, headline
from rmtlottery.measure.signal import probe
from rmtlottery.tickets.parts import Conv, Digits, Normal, Orthogonal, Own
from tests.analyze.drawn import drawn, fc

THEORIES = [NOMINAL, SIZES, MASKED, SPECTRA]
NUMBERS = ["mean", "variance", "edge", "zeros", "isometry", "anisotropy"]


def numbers(table, **where):
    """The one row of these, without its bins."""
    cells = table[table["bin"] == 0]
    for column, value in where.items():
        cells = cells[cells[column] == value]
    (row,) = cells.to_dict("records")
    return row


def by_autograd(ticket, samples, state="rewound"):
    """The Jacobians of the logits in the inputs."""
    data = datasets.dataset(ticket.spec.data)
    network = nets.build(ticket.spec.net, data.shape, data.classes)
    weights = {name: value.double() for name, value in ticket.states[state].items()}
    found = []
    for x in data.test.x[:samples].double():
        made = jacobian(lambda one: network.logits(weights, one), x[None])
        found.append(made.reshape(data.classes, -1).numpy())
    return found


def facts(matrix):
    """The numbers of one Jacobian that has no more rows than columns."""
    gram, (nearest, _) = matrix @ matrix.T, polar(matrix)
    mean, norm = np.trace(gram) / len(gram), np.linalg.norm(matrix)
    away = minimize_scalar(lambda c: np.linalg.norm(matrix - c * nearest) ** 2).fun
    return {
        "mean": mean,
        "variance": np.trace(gram @ gram) / len(gram) / mean**2 - 1,
        "edge": np.linalg.norm(matrix, 2) ** 2,
        "zeros": 1 - np.linalg.matrix_rank(matrix) / len(matrix),
        "isometry": np.linalg.norm(matrix - nearest) / np.sqrt(len(matrix)),
        "anisotropy": np.sqrt(away) / norm,
    }


def agrees(row, matrices):
    told = pd.DataFrame([facts(matrix) for matrix in matrices])
    for name in NUMBERS:
        assert row[name] == pytest.approx(told[name].mean(), rel=1e-7, abs=1e-12)
        assert row[f"{name}_low"] == pytest.approx(told[name].quantile(0.05), rel=1e-7, abs=1e-12)
        assert row[f"{name}_high"] == pytest.approx(told[name].quantile(0.95), rel=1e-7, abs=1e-12)


@pytest.fixture(scope="module")
def table(tiny_run):
    return rl.tabulate("jacobian", [tiny_run[seed, level] for seed in (0, 1) for level in (0, 3)], samples=4, bins=10)


@pytest.mark.parametrize("state", ["rewound", "trained"])
def test_the_whole_jacobian_is_that_of_autograd(table, tiny_run, state):
    row = numbers(table, seed=1, level=3, state=state, span="whole", source=MEASURED)
    agrees(row, by_autograd(tiny_run[1, 3], 4, state))


def test_the_hidden_jacobian_is_that_of_autograd():
    ticket = drawn(fc(8, 5, 7), density=0.7)
    data = datasets.dataset(ticket.spec.data)
    network = nets.build(ticket.spec.net, data.shape, data.classes)
    weights = {name: value.double() for name, value in ticket.rewound.items()}
    first, second, third, _ = network.layers
    follow = lambda h: third(weights, network.phi(second(weights, network.phi(h))))  # noqa: E731
    squares = []
    for x in data.test.x[:6].double():
        made = jacobian(follow, first(weights, x[None])).reshape(7, 8).numpy()
        squares.append(np.linalg.eigvalsh(made @ made.T)[-5:])
    found = numbers(rl.tabulate("jacobian", ticket, samples=6), span="hidden", source=MEASURED)
    assert found["edge"] == pytest.approx(np.mean([one[-1] for one in squares]))
    assert found["mean"] == pytest.approx(np.mean([one.sum() / 7 for one in squares]))
    assert found["variance"] == pytest.approx(np.mean([7 * np.sum(one**2) / one.sum() ** 2 - 1 for one in squares]))
    assert found["zeros"] == pytest.approx(2 / 7)
    isometry = [np.sqrt(np.sum((np.sqrt(one) - 1) ** 2) / 7 + 2 / 7) for one in squares]
    assert found["isometry"] == pytest.approx(np.mean(isometry))


def test_shares_are_of_all_inputs_together(table, tiny_run):
    logs = np.log10([np.linalg.svd(one, compute_uv=False) ** 2 for one in by_autograd(tiny_run[1, 0], 4)])
    here = table.query("seed == 1 and level == 0 and state == 'rewound' and span == 'whole' and source == 'measured'")
    counts, edges = np.histogram(logs, log_bins(10))
    assert here["share"].to_list() == pytest.approx(counts / 40 / np.diff(edges))
    assert here["log10"].to_list() == pytest.approx((edges[1:] + edges[:-1]) / 2)


def test_a_convolutional_net_is_measured_only():
    ticket = drawn(Conv(channels=(2, 3), padding="circular", widths=(12,)), data=Digits())
    table = rl.tabulate("jacobian", ticket, samples=3)
    assert set(table["source"]) == {MEASURED}
    assert list(table["span"].unique()) == ["whole", "hidden"]
    agrees(numbers(table, span="whole"), by_autograd(ticket, 3))
    assert headline(table).count("at density") == 1
    assert "relative variance" not in headline(table)
    assert len(rl.plot("jacobian", table).axes) == 3


@pytest.mark.parametrize("span", [Span("whole", 0, 4), Span("hidden", 1, 3)])
def test_every_law_has_a_row_of_its_numbers(span):
    ticket = drawn(fc(8, 5, 7), density=0.7)
    table = rl.tabulate("jacobian", ticket, samples=8, bins=30)
    laws = dict(theories(ticket, ticket.rewound, probe(ticket, 8), span))
    assert set(table["source"]) == {MEASURED, *laws}
    mean, variance = laws.pop(MASKED)
    told = table[(table["source"] == MASKED) & (table["span"] == span.name)]
    assert told[["bin", "mean", "variance"]].to_numpy().tolist() == [[0, mean, variance]]
    assert told[["share", "edge", "zeros", "isometry", "mean_low"]].isna().to_numpy().all()
    edges = log_bins(30)
    for source, law in laws.items():
        row = numbers(table, source=source, span=span.name)
        found = law.mean, law.variance, law.edge, law.atom
        assert [row[name] for name in NUMBERS[:4]] == pytest.approx(found)
        shares = table[(table["source"] == source) & (table["span"] == span.name)]["share"].to_numpy()
        assert shares @ np.diff(edges) == pytest.approx(law.cdf(10 ** edges[-1]) - law.cdf(10 ** edges[0]), abs=1e-9)


def test_a_wide_random_net_is_as_every_theory_says():
    """Three hidden layers of 100: all to sampling, which chi^3 multiplies."""
    ticket = drawn(fc(100, 100, 100), Normal(sigma_w=1.2, sigma_b=0.2), density=1.0)
    table = rl.tabulate("jacobian", ticket, samples=8)
    found = numbers(table, span="hidden", source=MEASURED)
    for source in THEORIES:
        told = numbers(table, span="hidden", source=source)
        assert told["mean"] == pytest.approx(found["mean"], rel=0.15)
        assert told["variance"] == pytest.approx(found["variance"], rel=0.15)
    for source in (NOMINAL, SIZES, SPECTRA):
        told = numbers(table, span="hidden", source=source)
        assert told["isometry"] == pytest.approx(found["isometry"], rel=0.05)
        assert told["anisotropy"] == pytest.approx(found["anisotropy"], rel=0.03)
        assert 0.85 < found["edge"] / told["edge"] < 1.05


def test_orthogonal_linear_layers_are_as_far_from_an_isometry_as_their_scale():
    """Two of 1.5 on the hidden span: singular values 2.25, and none other; no warning of a spread of 0 on a log axis."""
    table = rl.tabulate("jacobian", drawn(fc(9, 9, 9, phi="linear"), Orthogonal(sigma_w=1.5)), samples=2)
    for source in (MEASURED, NOMINAL, SPECTRA):
        row = numbers(table, span="hidden", source=source)
        assert row["isometry"] == pytest.approx(1.25, abs=1e-3)
        assert row["anisotropy"] == pytest.approx(0, abs=2e-3)
        assert row["variance"] == pytest.approx(0, abs=1e-9)
    assert "the hidden Jacobian is 1.25 from an isometry, 0.00 from any multiple of one" in headline(table)
    assert len(rl.plot("jacobian", table).axes) == 3


def test_nothing_but_the_init_says_whether_there_is_a_nominal_law():
    with_sigmas, without = (set(rl.tabulate("jacobian", drawn(fc(8), init))["source"]) for init in (Normal(), Own()))
    assert with_sigmas == {MEASURED, *THEORIES}
    assert without == {MEASURED, *THEORIES} - {NOMINAL}


@pytest.mark.parametrize(("widths", "spans"), [((8,), ["whole"]), ((8, 5), ["whole", "hidden"])])
def test_shallow_nets_have_a_table_a_headline_and_a_figure(widths, spans):
    table = rl.tabulate("jacobian", drawn(fc(*widths)), samples=3, bins=10)
    assert list(table["span"].unique()) == spans
    assert f"the {spans[-1]} Jacobian is" in headline(table)
    assert rl.plot("jacobian", table).axes[0].get_title().startswith(f"rewound: {spans[-1]}, density")


@pytest.mark.parametrize("net", [fc(60, 50, 70), fc(70, 50, 60)])
def test_lanczos_quadrature_agrees_with_the_jacobian_itself(net):
    """At four inputs, four probes each: the mean to 5 standard errors, sqrt(2 var / side)/4, a third at most."""
    ticket = drawn(net, Orthogonal(sigma_w=1.0), density=0.9)
    exact, quadrature = (rl.tabulate("jacobian", ticket, samples=4, largest=n) for n in (1024, 0))
    one, other = (numbers(table, span="hidden", source=MEASURED) for table in (exact, quadrature))
    error = np.sqrt(2 * one["variance"] / 50) / 4
    assert 5 * error < 0.35
    assert other["mean"] == pytest.approx(one["mean"], rel=5 * error)
    assert other["edge"] == pytest.approx(one["edge"], rel=1e-6)
    assert other["edge_low"] == pytest.approx(one["edge_low"], rel=1e-6)
    assert other["zeros"] == pytest.approx(one["zeros"], abs=0.05)
    assert other["isometry"] == pytest.approx(one["isometry"], rel=0.1)
    upper = "span == 'hidden' and source == 'measured' and log10 > -1"
    shares = [table.query(upper)["share"].sum() for table in (exact, quadrature)]
    assert shares[1] == pytest.approx(shares[0], rel=0.15)


def test_the_shorter_side_decides_between_the_jacobian_and_its_products():
    ticket = drawn(fc(8, 5, 7))
    exact, at, below = (rl.tabulate("jacobian", ticket, samples=5, largest=n) for n in (1024, 7, 6))
    pd.testing.assert_frame_equal(at, exact)
    rows = [numbers(table, span="hidden", source=MEASURED)["mean_low"] for table in (exact, below)]
    assert rows[0] != rows[1], "7 x 8"
    whole = [numbers(table, span="whole", source=MEASURED)["mean_low"] for table in (exact, below)]
    assert whole[0] == whole[1], "4 x 9"


def emptied(weights, mask):
    mask["fc2.weight"][:] = False


def test_a_jacobian_of_zeros_is_measured_and_has_no_theory():
    table = rl.tabulate("jacobian", drawn(fc(8, 5, 7), change=emptied), samples=3)
    assert set(table["source"]) == {MEASURED}
    assert numbers(table, span="whole")["zeros"] == 1
    assert numbers(table, span="whole")["isometry"] == 1
    assert "the hidden Jacobian is 1.00 from an isometry, nan from any multiple" in headline(table)
    assert len(rl.plot("jacobian", table).axes) == 3


def test_a_control_is_rewound_alone(tiny_run):
    table = rl.tabulate("jacobian", rl.controls.shuffle_entries(tiny_run[0, 1], 0), samples=3, bins=10)
    assert list(table["state"].unique()) == ["rewound"]
    assert set(table["inputs"]) == {probe(tiny_run[0, 1], 3).words}


@pytest.mark.parametrize(("option", "words"), [({"bins": 1}, "bins = 1 is not"), ({"samples": 0}, "samples = 0 is not")])
def test_wrong_options_are_refused(option, words):
    with pytest.raises(rl.Refusal, match=words):
        rl.tabulate("jacobian", drawn(fc(8, 5)), **option)


def test_a_checkpoint_is_refused(tmp_path):
    torch.save({"weight": torch.ones(3, 4)}, tmp_path / "net.pt")
    with pytest.raises(rl.Refusal, match="jacobian needs the net and its data, which a checkpoint alone does not hold"):
        rl.tabulate("jacobian", rl.load(tmp_path / "net.pt"))


def test_the_headline_has_the_means_over_seeds_of_both_ends(table):
    cells = table.query("bin == 0 and state == 'trained' and span == 'hidden'")
    for level in (0, 3):
        here = cells[cells["level"] == level]
        means = here.groupby("source")[["isometry", "anisotropy", "variance"]].mean()
        found = means.loc[MEASURED]
        off = [f"{s} x{means.loc[s, 'variance'] / found['variance']:.2g}" for s in (NOMINAL, SIZES, SPECTRA, MASKED)]
        assert (
            f"{found['isometry']:.2f} from an isometry, {found['anisotropy']:.2f} from any multiple of one, relative "
            f"variance {found['variance']:.3g} ({', '.join(off)}) at density {here['density'].mean():.1%}"
        ) in headline(table)


@pytest.mark.parametrize("which", ["level == level", "seed == 0", "level == 3", "seed == 1 and level == 0"])
def test_the_figure_has_labels_and_names_every_source(table, which):
    here = table.query(which)
    figure, shown = rl.plot("jacobian", here), min(here["level"].nunique(), 2)
    assert len(figure.axes) == 2 * (shown + 2)
    for axes in figure.axes:
        assert axes.get_title().startswith(("rewound: ", "trained: "))
        assert axes.get_xlabel()
        assert axes.get_ylabel()
    spread, far = figure.axes[shown : shown + 2]
    assert [text.get_text() for text in spread.get_legend().get_texts()] == [MEASURED, NOMINAL, SIZES, SPECTRA, MASKED]
    assert spread.get_yscale() == "log"
    words = [text.get_text() for text in far.get_legend().get_texts()]
    assert {"whole", "hidden", "from an isometry", "from any multiple of one"} <= set(words)


def test_the_figure_of_two_runs_names_them(table):
    one = table.query("seed == 0 and level == 3")
    figure = rl.plot("jacobian", pd.concat([one, one.assign(run="other")]))
    assert len(figure.axes) == 12
    assert figure.axes[-1].get_title().startswith("other\ntrained")
