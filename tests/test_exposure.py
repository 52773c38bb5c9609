"""Exposure response: spells against plain Python, definitions by brute force, coverage, and error rates of the verdict."""

import itertools
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_observed import arcs_of, kernels_log, kernels_out, random_graph, random_log

import diffusion as dif
from diffusion.errors import InputError, NotFoundError
from diffusion.graph.follower_graph import Probabilities
from diffusion.inference import ActionLog, exposure_response, hazard_ratio, read_cascades, simulate_log
from diffusion.kernels import exposure as kernels
from diffusion.kernels.exposure import Marks, Spells, find_spells

P = 0.1
GRAPH = dif.generate_platform(300, rng=1).with_probabilities("constant", p=P)
FAN = dif.FollowerGraph.from_arrays(list("abcd"), list("xxxx"), edges_mean="influences", directed=True)


def with_users(probability):
    """The graph where each user is convinced with a probability of its own."""
    values = np.asarray(probability)[GRAPH.csr.indices].astype(np.float32)
    return replace(GRAPH, probabilities=Probabilities(values, "given", {}))


def keen(rng=1):
    return np.where(np.random.default_rng(rng).random(GRAPH.n_nodes) < 0.2, 0.4, 0.03)


def parts(log, size):
    """Logs of so many items each."""
    for i in range(log.n_items // size):
        yield log.select(np.arange(i * size, (i + 1) * size))


# -- spells ------------------------------------------------------------------------------------------------------------


def naive_spells(log, out, most):
    """Twin of `find_spells`: what a user has met at every time, by definition  ->  rows by item, and how many are beyond."""
    found, beyond = [], 0
    for item in range(log.indptr.size - 1):
        rows = range(log.indptr[item], log.indptr[item + 1])
        when = {int(log.node[r]): log.time[r] for r in rows}
        arcs = {(u, int(v)) for u in when for v in out.indices[out.indptr[u] : out.indptr[u + 1]]}
        for v in sorted({v for _, v in arcs}):
            end = when.get(v, math.inf)
            met = sorted(when[u] for u, w in arcs if w == v and when[u] < end)
            for t, same in itertools.groupby(met):
                level, jump = sum(s <= t for s in met), len(list(same))
                if level > most:
                    beyond += 1
                else:
                    found.append((item, v, level, jump, t, v in when and max(met) == t))
    return sorted(found), beyond


@pytest.mark.parametrize("most", [2, 2**31 - 1])
def test_kernel_equals_its_twin(most):
    for trial in range(6):
        rng = np.random.default_rng(trial)
        graph = random_graph(rng)
        log = random_log(rng, graph).on(graph)
        rows, out = kernels_log(log, graph), kernels_out(graph)
        counts = np.zeros(log.n_items, np.int64)
        for write in (False, True):
            size = int(counts.sum()) if write else 0
            held = Spells(*(np.empty(size, np.int32) for _ in range(3)), np.empty(size), np.empty(size, np.bool_))
            marks = Marks(*(np.full(graph.n_nodes, -1, np.int64) for _ in Marks._fields))
            beyond = find_spells(rows, out, most, write, marks, counts, held)
        item = np.repeat(np.arange(log.n_items), counts)
        order = np.lexsort((held.begin, item))
        assert (order == np.arange(size)).all()
        found = sorted(zip(item, held.node, held.level, held.jump, held.begin, held.adopted, strict=True))
        assert (found, beyond) == naive_spells(rows, out, most)
    assert all(len(k.signatures) <= 1 for k in vars(kernels).values() if hasattr(k, "signatures"))


def test_a_jump_counts_at_no_number_between():
    """Items 0 and 1: a, then b and c at one time, then x; d too late. Item 2: nobody before x."""
    log = ActionLog.from_arrays(
        [0] * 4 + [1] * 5 + [2] * 2, list("abcx") + list("abcxd") + list("xa"), [0, 1, 1, 2, 0, 1, 1, 2, 2, 0, 0]
    )
    table = exposure_response(FAN, log, most=4).table
    assert table["exposed"].tolist() == [2, 0, 2, 0]
    assert table["adopted"].tolist() == [0, 0, 2, 0]
    jumps = ActionLog.from_arrays(
        [0] * 3 + [1] * 2 + [2] * 2, list("abx") + list("ax") + list("ab"), [0, 0, 1, 0, 1, 0, 1]
    )
    found = exposure_response(FAN, jumps, most=2).table  # at 1: items 1 (adopts) and 2; at 2: item 0 by a jump, item 2
    assert found["exposed"].tolist() == [2, 2]
    assert found["probability"].tolist() == [0.5, 0.5]
    assert found["independent"].tolist() == [0.5, (0.75 + 0.5) / 2]


@pytest.mark.parametrize("times", [None, (1, 3)])
def test_snapshots_by_definition(times):
    rng = np.random.default_rng(4)
    graph = random_graph(rng)
    log = random_log(rng, graph, items=20)
    rows, arcs = log.on(graph).to_pandas(), arcs_of(graph)
    first, second = times or (rows["time"].median(), rows["time"].max())
    exposed, adopted = Counter(), Counter()
    for _, group in rows.groupby("item"):
        when = dict(zip(group["user"], group["time"], strict=True))
        for v in graph.nodes:
            k = sum(when.get(u, math.inf) <= first for u in graph.nodes if (u, v) in arcs)
            if k and when.get(v, math.inf) > first:
                exposed[k] += 1
                adopted[k] += when.get(v, math.inf) <= second
    found = exposure_response(graph, log, kind="snapshot", snapshots=times, most=3)
    assert found.table["exposed"].tolist() == [exposed[k] for k in (1, 2, 3)]
    assert found.table["adopted"].tolist() == [adopted[k] for k in (1, 2, 3)]
    assert found.beyond == sum(n for k, n in exposed.items() if k > 3)
    assert found.table["independent"].tolist() == pytest.approx(
        [1 - (1 - found.table.loc[1, "probability"]) ** k for k in (1, 2, 3)]
    )
    assert found.verdict == "undecided"
    assert math.isnan(found.ratio.value)


# -- the ratio ---------------------------------------------------------------------------------------------------------


def test_the_regression_solves_its_equations():
    """At the maximum of a Poisson likelihood every factor meets its total; without effects the ratio is that of the shares."""
    rng = np.random.default_rng(2)
    user, period = rng.integers(20, size=900), rng.integers(15, size=900)
    further, y = rng.random(900) < 0.4, rng.random(900) < 0.3
    ratio, mean = hazard_ratio.poisson_means(user, period, further, y)
    for effect in (user, period, further.astype(int)):
        assert np.bincount(effect, weights=mean) == pytest.approx(np.bincount(effect, weights=y), rel=1e-4)
    a, b = np.log(mean / np.where(further, ratio, 1)).reshape(1, -1), np.zeros((900, 35))
    b[np.arange(900), user], b[np.arange(900), 20 + period] = 1, 1
    assert np.abs(b @ np.linalg.lstsq(b, a[0], rcond=None)[0] - a[0]).max() < 1e-6  # a_user + b_period
    none = np.zeros(900, np.int64)
    assert hazard_ratio.poisson_means(none, none, further, y)[0] == pytest.approx(
        y[further].mean() / y[~further].mean()
    )


def test_the_standard_error_is_that_of_all_effects_at_once():
    """The sandwich of the regression with a column for every effect, clustered by item."""
    rng = np.random.default_rng(3)
    n = 1200
    item, node = rng.integers(12, size=n), rng.integers(25, size=n).astype(np.int32)
    level = (1 + (rng.random(n) < 0.2 + 0.02 * node)).astype(np.int32)
    y = rng.random(n) < 0.05 + 0.01 * node
    spells = hazard_ratio.UserSpells(item, node, level, level, rng.integers(3, size=n) * 1.0, y)
    value, se, clusters = hazard_ratio.regression(spells, True)
    columns = pd.get_dummies(pd.DataFrame({"user": node, "period": hazard_ratio.periods(spells)}).astype("category"))
    x = np.column_stack([level > 1, columns.to_numpy(float)])
    keep = hazard_ratio.informative(y, (node.astype(int), hazard_ratio.periods(spells)))
    x, y, item = x[keep], y[keep], item[keep]
    beta = np.zeros(x.shape[1])
    for _ in range(60):
        mean = np.exp(x @ beta)
        bread = np.linalg.pinv((x.T * mean) @ x)
        beta += bread @ x.T @ (y - mean)
    scores = pd.DataFrame(x * (y - mean)[:, None]).groupby(item).sum().to_numpy()
    variance = bread @ scores.T @ scores @ bread * clusters / (clusters - 1)
    assert clusters == 12
    assert (value, se) == pytest.approx((beta[0], math.sqrt(variance[0, 0])), rel=1e-3)


def test_periods_keep_times_apart_and_group_many():
    item = np.array([0, 0, 0, 1, 1, 1])
    spells = hazard_ratio.UserSpells(
        item, *(np.zeros(6, np.int32) for _ in range(3)), np.array([2.0, 0, 2, 5, 1, 1]), item > 0
    )
    assert hazard_ratio.periods(spells).tolist() == [1, 0, 1, 11, 10, 10]
    n = 57
    spells = hazard_ratio.UserSpells(
        *(np.zeros(n, np.int32) for _ in range(4)), np.arange(n)[::-1] * 1.0, np.ones(n, bool)
    )
    counts = np.bincount(hazard_ratio.periods(spells))
    assert (counts.size, counts.min(), counts.max()) == (10, 5, 6)
    assert (np.diff(hazard_ratio.periods(spells)) <= 0).all()


def test_error_rates_of_the_verdict_for_simple_contagion():
    """Equal probabilities: of 60 logs about one in twenty is called complex or saturating; intervals cover."""
    log = simulate_log(GRAPH, items=60 * 60, seeds=3, rng=5)
    found = [exposure_response(GRAPH, part, most=3) for part in parts(log, 60)]
    verdicts = Counter(each.verdict for each in found)
    assert verdicts["complex"] + verdicts["saturating"] <= 3 + 4 * math.sqrt(60 * 0.05 * 0.95)
    assert verdicts["simple"] >= 30
    ratios = np.log([each.ratio.value for each in found])
    assert abs(ratios.mean()) < 4 * ratios.std() / math.sqrt(60)
    for inside in (
        [e.ratio.low < 1 < e.ratio.high for e in found],
        [e.table.loc[1, "low"] < P < e.table.loc[1, "high"] for e in found],
    ):
        assert np.mean(inside) >= 0.95 - 4 * math.sqrt(0.05 * 0.95 / 60)
    independent = np.mean([e.table["probability"] - e.table["independent"] for e in found], axis=0)
    assert np.abs(independent).max() < 0.005


def test_keen_users_bend_the_curve_down_and_the_ratio_within_users_does_not():
    graph = with_users(keen())
    found = [
        exposure_response(graph, part, most=5) for part in parts(simulate_log(graph, items=40 * 60, seeds=3, rng=5), 60)
    ]
    assert max(each.pooled_ratio.high for each in found) < 1.05  # selection
    assert all(each.table["probability"].iloc[-1] < each.table["probability"].iloc[0] for each in found)
    verdicts = Counter(each.verdict for each in found)
    assert verdicts["complex"] + verdicts["saturating"] <= 2 + 4 * math.sqrt(40 * 0.05 * 0.95)
    ratios = np.log([each.ratio.value for each in found])
    assert abs(ratios.mean()) < 4 * ratios.std() / math.sqrt(40)


def test_items_of_unequal_appeal_bend_the_curve_up_and_the_ratio_within_items_does_not():
    rows = []
    for kind, p in enumerate((0.03, 0.2)):
        log = simulate_log(with_users(np.full(GRAPH.n_nodes, p)), items=150, seeds=3, rng=kind)
        rows.append(log.to_pandas().assign(item=lambda t, kind=kind: 2 * t["item"] + kind))
    found = exposure_response(GRAPH, ActionLog.from_pandas(pd.concat(rows)))
    assert found.pooled_ratio.low > 1
    assert found.verdict == "simple"


@pytest.mark.parametrize(
    ("model", "theta"),
    [(dif.Threshold(count=2, noise=0.01), 2), (dif.SIPS(0.3, identify=dif.models.Complex(2)), 2), (dif.SIPS(0.5, identify=dif.models.Complex(3)), 3)],
    ids=["threshold", "sips", "sips 3"],
)  # fmt: skip
def test_complex_contagion_rises_at_its_threshold(model, theta):
    log = simulate_log(GRAPH, items=8 * 15, seeds=20, model=model, rng=3)
    for part in parts(log, 15):
        found = exposure_response(GRAPH, part, level=theta, most=5)
        p = found.table["probability"]
        assert found.verdict == "complex"
        assert p[theta] > 2 * p[theta - 1]
    if theta == 3:
        assert exposure_response(GRAPH, log).verdict == "undecided"  # nobody adopts at one or two
        assert math.isnan(exposure_response(GRAPH, log).ratio.value)


def test_a_second_neighbour_that_convinces_half_as_much_is_called_saturating():
    """Each user adopts with .3 at its first active neighbour and .15 at any further one, in rounds."""
    rng = np.random.default_rng(6)
    rows = []
    for item in range(300):
        rows += [(item, source, t) for t, source in enumerate("ab")]
        adopted = [t + 0.5 for t, p in enumerate((0.3, 0.15)) if rng.random() < p][:1]
        rows += [(item, "x", t) for t in adopted]
    found = exposure_response(FAN, ActionLog.from_arrays(*zip(*rows, strict=True)), most=2)
    assert found.pooled_ratio.low < 0.5 < found.pooled_ratio.high
    assert found.verdict == "saturating"


def test_slow_answers_look_complex_and_are_told():
    """Independent contagion with delays between one and two steps, in time that is not cut into steps."""
    rng = np.random.default_rng(1)
    rows = []
    for item in range(150):
        events, done = [(0.0, int(s)) for s in rng.choice(300, 3, replace=False)], {}
        while events:
            t, u = min(events)
            events.remove((t, u))
            if u not in done:
                done[u] = t
                followers = GRAPH.csr.indices[GRAPH.csr.indptr[u] : GRAPH.csr.indptr[u + 1]]
                events += [(t + 1 + rng.random(), int(v)) for v in followers if rng.random() < P]
        rows += [(item, u, t) for u, t in done.items()]
    item, user, when = zip(*rows, strict=True)
    found = exposure_response(GRAPH, ActionLog.from_arrays(item, GRAPH.index.labels_of(np.array(user)), when))
    assert found.ratio.low > 1
    assert found.overtaken > 0.05
    assert found.verdict == "undecided"
    assert "a second neighbour becomes active sooner than a user adopts in" in repr(found)


def test_overtaken_by_hand():
    """Gaps of 1 and 4 between two neighbours; users answer the first after 2 and 1, the latter before any second."""
    rows = [(0, "a", 0), (0, "b", 1), (1, "a", 0), (1, "b", 4), (2, "a", 0), (2, "x", 2), (3, "a", 0), (3, "x", 1)]
    assert exposure_response(FAN, ActionLog.from_arrays(*zip(*rows, strict=True))).overtaken == 0.25


def test_without_a_user_at_one_or_at_the_next_there_is_no_ratio():
    for sources in ("ab", "a"):  # two at one time; one alone
        rows = [(item, user, t) for item in range(3) for t, users in enumerate((sources, "x")) for user in users]
        found = exposure_response(FAN, ActionLog.from_arrays(*zip(*rows, strict=True)))
        assert math.isnan(found.ratio.value)
        assert found.verdict == "undecided"


# -- intervals ---------------------------------------------------------------------------------------------------------


def test_interval_of_a_share_is_exact_where_items_do_not_matter_and_wide_where_they_do():
    """One trial an item: Clopper and Pearson's, but for the variance from the sample. All or none: only items count."""
    from scipy.stats import binomtest

    hits, ones = np.array([1] * 12 + [0] * 28), np.ones(40, int)
    p, low, high = hazard_ratio.clustered_share(hits, ones, 0.95)
    exact = binomtest(12, 40).proportion_ci(0.95, method="exact")
    assert (p, low, high) == pytest.approx((0.3, exact.low, exact.high), abs=0.006)
    _, low, high = hazard_ratio.clustered_share(10 * hits, 10 * ones, 0.95)
    assert (low, high) == pytest.approx((exact.low, exact.high), abs=0.01)
    assert hazard_ratio.clustered_share(0 * hits, 10 * ones, 0.95)[1:] == (0.0, pytest.approx(1 - 0.025 ** (1 / 40)))
    assert hazard_ratio.clustered_share(10 * ones, 10 * ones, 0.95)[1:] == (pytest.approx(0.025 ** (1 / 40)), 1.0)
    assert hazard_ratio.clustered_share(0 * hits, 10 * ones, 0.95, 1 / 3)[2] == pytest.approx(
        1 - 0.025 ** (1 / 100)
    )  # 400 / (1 + 9 / 3)
    assert hazard_ratio.clustered_share(hits[:1], ones[:1], 0.95) == (1.0, 0.0, 1.0)
    assert np.isnan(hazard_ratio.clustered_share(hits[:0], ones[:0], 0.95)).all()


def test_interval_of_a_share_covers_in_clusters():
    rng = np.random.default_rng(9)
    inside = 0
    for _ in range(400):
        counts = rng.integers(1, 30, size=40)
        inside += (lambda s: s[1] < 0.2 < s[2])(
            hazard_ratio.clustered_share(rng.binomial(counts, rng.beta(1, 4, size=40)), counts, 0.95)
        )
    assert abs(inside / 400 - 0.95) < 4 * math.sqrt(0.05 * 0.95 / 400)


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_result_and_figure():
    import matplotlib as mpl

    mpl.use("Agg")
    log = simulate_log(GRAPH, items=80, seeds=3, rng=1)
    log.dropped["repeated adoptions"] = 3
    found = exposure_response(GRAPH, log, most=4)
    assert found.to_pandas().equals(found.table)
    text = repr(found)
    assert "exposures to more than 4 active neighbours are not shown" in text
    assert "3 repeated adoptions left out" in text
    ax = found.plot()
    assert ax.get_title(loc="left").startswith(f"{found.verdict.capitalize()}: the second neighbour has")
    assert len(ax.lines[0].get_xdata()) == 4
    snapshot = exposure_response(GRAPH, log, kind="snapshot")
    assert "no verdict" in repr(snapshot)
    assert "no hazards" in snapshot.plot().get_title(loc="left")
    complex_ = exposure_response(
        GRAPH, simulate_log(GRAPH, items=20, seeds=20, model=dif.SIPS(0.3, identify=dif.models.Complex(2)), rng=1)
    )
    assert "at least" in complex_.plot().get_title(loc="left")
    with pytest.raises(InputError, match="DataFrame is not an ExposureResponse"):
        dif.plotting.plot_exposure_response(found.table)


def test_dates_of_snapshots():
    rows = pd.DataFrame(
        {
            "item": [0, 0, 1, 1, 1],
            "user": list("axaxb"),
            "time": pd.to_datetime(["2024-01-01", "2024-01-05", "2024-01-01", "2024-01-02", "2024-01-09"]),
        }
    )
    log = ActionLog.from_pandas(rows)
    found = exposure_response(FAN, log, kind="snapshot", snapshots=("2024-01-01 12:00", "2024-01-03"), most=2)
    assert found.table["adopted"].tolist() == [1, 0]
    assert found.table["exposed"].tolist() == [2, 0]
    with pytest.raises(InputError, match="snapshots='soon' is no date"):
        exposure_response(FAN, log, kind="snapshot", snapshots=("soon", "2024-01-03"))


def test_wrong_calls():
    log = ActionLog.from_arrays([0, 0, 1, 1], list("axax"), [0, 1, 0, 1])
    with pytest.raises(NotFoundError, match=r"kind='ordinl' is unknown: give 'ordinal' or 'snapshot'.*'ordinal'"):
        exposure_response(FAN, log, kind="ordinl")
    with pytest.raises(InputError, match="most=1 is out of range"):
        exposure_response(FAN, log, most=1)
    with pytest.raises(InputError, match="level=11 is out of range: give a whole number from 2 to 10"):
        exposure_response(FAN, log, level=11)
    with pytest.raises(InputError, match="tolerance=1 is out of range"):
        exposure_response(FAN, log, tolerance=1)
    with pytest.raises(InputError, match="confidence=95 is out of range"):
        exposure_response(FAN, log, confidence=95)
    with pytest.raises(InputError, match="snapshots= is for kind='snapshot'"):
        exposure_response(FAN, log, snapshots=(0, 1))
    with pytest.raises(InputError, match=r"snapshots=3 are no two times: give \(first, second\)"):
        exposure_response(FAN, log, kind="snapshot", snapshots=3)
    with pytest.raises(
        InputError, match="the first snapshot, 1, is not before the second, 1: the log has times from 0 to 1"
    ):
        exposure_response(FAN, log, kind="snapshot", snapshots=(1, 1))
    with pytest.raises(InputError, match="users are exposed in 0 of the 2 items, and intervals need two items"):
        exposure_response(FAN, ActionLog.from_arrays([0, 1], ["x", "x"], [0, 0]))
    with pytest.raises(InputError, match="log has to be an ActionLog"):
        exposure_response(FAN, None)


def test_real_cascades(data):
    g = dif.read_edges(data("mshgat-android-edges.txt.gz"), edges_mean="follows", directed=True)
    found = exposure_response(g, read_cascades(data("mshgat-android-cascades.txt.gz")))
    assert found.table.loc[1, "probability"] < found.table.loc[2, "probability"]
    assert found.verdict == "undecided"  # users take years
    assert found.log.dropped["adoptions by users outside the graph"] == 74
