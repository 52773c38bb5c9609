"""Predictive check: measures by hand, false alarms for the true model, power, every kind of model, and wrong calls."""

import math
from dataclasses import replace

import numpy as np
import pytest
from naive import TAG_IC, coin, threshold_of, world_of

import diffusion as dif
from diffusion.errors import InputError, NotFoundError
from diffusion.inference import (
    EM,
    ActionLog,
    fit_probabilities,
    predictive,
    predictive_check,
    read_cascades,
    simulate_log,
)
from diffusion.kernels.leaky import leaky_run
from diffusion.models.program import arcs_of

TAG_BACKGROUND = 0xBA
PLATFORM = dif.generate_platform(100, rng=3)
IC = PLATFORM.with_probabilities("constant", p=0.1)
DOUBLE = PLATFORM.with_probabilities("constant", p=0.2)
WC = PLATFORM.with_probabilities("weighted_cascade")
COMPLEX = dif.SIPS(0.5, identify=dif.models.Complex(2))
STATISTICS = ["new adopters", "size distribution", "depth", "virality at matched size", "R"]


def graph_of(arcs, nodes=None):
    source, target = zip(*arcs, strict=True)
    return dif.FollowerGraph.from_arrays(source, target, nodes=nodes, edges_mean="influences", directed=True)


# -- independent cascade with a background -----------------------------------------------------------------------------


def naive_leaky(graph, p, alone, seeds, key, run):
    """Twin of `leaky_run`: generations of sets."""
    indptr, indices = graph.csr.indptr, graph.csr.indices
    batch, lane = divmod(run, 512)
    arcs, nodes = world_of(key, TAG_IC, batch), world_of(key, TAG_BACKGROUND, batch)
    found = [set(seeds)]
    while found[-1]:
        active = set().union(*found)
        found.append(
            {
                int(indices[j])
                for u in found[-1]
                for j in range(indptr[u], indptr[u + 1])
                if coin(arcs, j, lane) < threshold_of(p)
                or coin(nodes, int(indices[j]), lane) < threshold_of(alone[indices[j]])
            }
            - active
        )
    return found[:-1]


def test_runs_with_a_background_equal_their_twin():
    rng = np.random.default_rng(1)
    alone = rng.choice([0.0, 0.1, 1.0], size=PLATFORM.n_nodes, p=[0.6, 0.35, 0.05])
    arcs, key = arcs_of(IC, IC.probabilities.values), np.uint64(99)
    for run in (0, 5, 700):
        seeds = rng.choice(PLATFORM.n_nodes, 2, replace=False).astype(np.int32)
        nodes, step, parent = leaky_run(arcs, alone, seeds, key, run)
        expected = naive_leaky(IC, np.float32(0.1), alone, seeds.tolist(), 99, run)
        assert [set(nodes[step == t].tolist()) for t in range(step.max() + 1)] == expected
        assert (step[parent[2:]] == step[2:] - 1).all()
        followers = set(
            zip(
                *IC.index.rank[IC.index.positions(IC.to_pandas()[["source", "target"]].to_numpy().ravel())]
                .reshape(-1, 2)
                .T.tolist(),
                strict=True,
            )
        )
        assert {(int(nodes[up]), int(v)) for up, v in zip(parent[2:], nodes[2:], strict=True)} <= followers


def test_without_a_background_runs_are_those_of_the_independent_cascade():
    program = dif.IC().compile(IC)
    start = dif.models.Start(np.array([1, 7], np.int32), np.uint64(3))
    arcs = arcs_of(IC, IC.probabilities.values)
    for run in range(40):
        nodes, step, _ = leaky_run(arcs, np.zeros(PLATFORM.n_nodes), start.seeds, start.key, run)
        trace = program.replay(start, run)
        assert dict(zip(nodes.tolist(), step.tolist(), strict=True)) == dict(
            zip(trace.nodes.tolist(), trace.steps.tolist(), strict=True)
        )
    assert len(leaky_run.signatures) <= 1


def test_a_fit_is_checked_with_its_background():
    """Users also adopt by themselves once they are exposed, for the third of ages above 0: 1 - (1 - b)(1 - p) adopt."""
    graph = graph_of([("a", v) for v in range(40)])
    train = ActionLog.from_arrays([0, 0, 1], ["a", 0, "a"], [0, 1, 0])
    fit = fit_probabilities(graph, train)
    p, b = 0.2, 0.3
    data = replace(
        fit,
        graph=graph.with_probabilities("constant", p=p),
        found=replace(fit.found, hazard=np.full(41, -3 * math.log(1 - b))),
    )
    test = ActionLog.from_arrays(np.arange(2, 12), ["a"] * 10, [0] * 10)
    check = predictive_check(test, {"with": data, "without": data.graph}, runs=400, rng=1)
    for name, expected in (("with", 1 - (1 - b) * (1 - p)), ("without", p)):
        drawn = check.sizes[name] / 40
        assert abs(drawn.mean() - expected) < 4 * math.sqrt(expected * (1 - expected) / drawn.size / 40)


# -- measures ----------------------------------------------------------------------------------------------------------


def test_measures_of_a_log_by_hand():
    """a -> b -> c -> d and a -> d, whatever the times; x stands alone, y follows x; z follows nobody who is active."""
    graph = graph_of([("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("d", "e"), ("x", "y"), ("u", "z")])
    log = ActionLog.from_arrays([0] * 7 + [1] * 2, list("abcdexy") + list("az"), [0, 1, 2, 3, 4, 5, 6, 0, 1])
    out = graph.csr
    node = log.positions(graph)[log.user]
    root = np.array([name in "axz" for name in log.users.take(log.user)])
    found = predictive._measured(predictive.OutArcs(out.indptr, out.indices), log.indptr, node, root, 1)
    assert found.sizes.tolist() == [5, 0]
    assert found.roots.tolist() == [2, 2]
    assert found.depth.tolist() == [2, 0]  # d is one step from a, although its time comes after that of c
    assert found.first.tolist() == [3, 0]
    assert found.tree_size.tolist() == [5]
    tree = dif.results.Cascade.from_parents("abcde", [None, "a", "b", "a", "d"])
    assert found.virality.tolist() == [dif.structural_virality(tree)]
    big = replace(found, tree_size=np.array([4, 32, 33, 34, 64, 1000]), virality=np.zeros(6))
    assert big.bins.tolist() == [4, 32, 40, 40, 48, 79]


def test_sizes_are_those_of_the_runner_and_runs_do_not_depend_on_how_many():
    log = simulate_log(IC, items=4, seeds=2, rng=1)
    check = predictive_check(log, {"ic": IC}, runs=300, rng=5)
    fewer = predictive_check(log, {"ic": IC}, runs=200, rng=5, threads=1)
    assert check.sizes["ic"][:200].tolist() == fewer.sizes["ic"].tolist()
    key = int(check.provenance["key"], 16)
    seeds = log.users.take(log.user[(log.time == 0) & (log.item == 3)])
    runner = dif.simulation.prepare(IC, "ic", seeds, key)
    assert check.sizes["ic"][:100, 3].tolist() == [runner.replay(4 * run + 3).nodes.size - 2 for run in range(100)]


def test_roots_are_those_without_an_active_followed_user_or_the_first():
    graph = graph_of([("a", "b"), ("c", "d")]).with_probabilities("constant", p=0.5)
    log = ActionLog.from_arrays(["i"] * 4, list("abcd"), [0, 1, 2, 3])
    everyone, first = (predictive_check(log, {"ic": graph}, roots=roots, rng=1) for roots in ("all", "first"))
    assert everyone.observed_sizes.tolist() == [2]
    assert everyone.table.loc[("ic", "R"), "observed"] == 1
    assert set(everyone.sizes["ic"].ravel()) == {0, 1, 2}
    assert first.observed_sizes.tolist() == [3]
    assert set(first.sizes["ic"].ravel()) == {0, 1}
    assert first.table.loc[("ic", "R"), "observed"] == 2  # of a and, out of reach, c
    assert everyone.table.loc[("ic", "virality at matched size"), "verdict"] == "no data"


def test_distance_of_sizes():
    """Bins 0, 1, 2-3, 4-7: the simulated are smaller, so the sign is above 0."""
    observed, drawn = np.array([0, 4, 5, 3]), np.array([[0, 0, 1, 2], [0, 0, 1, 3]])
    distance, sign, of_logs = predictive._distances(observed, drawn)
    assert (distance, sign > 0, of_logs.tolist()) == (0.5, True, [0, 0])
    assert predictive._distances(drawn[0], np.tile(observed, (2, 1)))[1] < 0
    unlike = np.array([[0, 0, 0, 0], [1, 1, 1, 1]])  # shares up to 0: mean .5
    assert predictive._distances(np.array([0, 0, 0, 1]), unlike)[0] == 0.25
    assert predictive._distances(observed, unlike)[2].tolist() == [0.5, 0.5]


def test_virality_is_compared_at_equal_size():
    """Stars of 5 and paths of 5: a model of stars is told from paths, and sizes that it never makes are left out."""
    star, path = 1.6, 2.0

    def log(size, virality):
        none = np.zeros(1, np.int64)
        return predictive._Measured(none, none, none, none, np.array(size), np.array(virality))

    drawn = [log([5, 6], [star, 9.0]) for _ in range(30)]
    value, of_logs = predictive._matched(log([5, 5, 7], [path, star, 3.0]), drawn)
    assert value == pytest.approx((path + star) / 2)
    assert of_logs == pytest.approx(np.full(30, star))
    assert math.isnan(predictive._matched(log([7], [3.0]), drawn)[0])
    assert math.isnan(predictive._matched(log([5], [path]), drawn[:19])[0])  # too few simulated trees


def test_holm():
    p = np.array([0.01, 0.04, math.nan, 0.03])
    assert predictive._holm(p)[[0, 1, 3]] == pytest.approx([0.03, 0.06, 0.06])
    assert math.isnan(predictive._holm(p)[2])
    assert predictive._holm(np.array([0.9, 0.8])).tolist() == [1, 1]


# -- error rates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("graph", "model", "seeds", "checks"),
    [(IC, "ic", 2, 12), (WC, "lt", 2, 10), (IC, COMPLEX, 6, 6), (IC, dif.SIPS(0.1), 2, 6), (IC, dif.Threshold(count=2, noise=0.01), 3, 8)],
    ids=["ic", "lt", "sips complex", "sips", "threshold"],
)  # fmt: skip
def test_the_true_model_is_seldom_rejected_and_a_doubled_probability_is(graph, model, seeds, checks):
    log = simulate_log(graph, items=checks * 12, seeds=seeds, model=model, rng=7)
    rejected, p = 0, []
    for i in range(checks):
        part = log.select(np.arange(12 * i, 12 * i + 12))
        models = {"true": (graph, model)} | ({"double": DOUBLE} if model == "ic" else {})
        check = predictive_check(part, models, runs=200, rng=i)
        rejected += not check.reproduced["true"]
        p += check.table.loc["true", "p"].dropna().tolist()
        if model == "ic":
            assert not check.reproduced["double"]
            assert check.table.loc[("double", "new adopters"), "verdict"] == "too large"
    assert rejected <= 0.05 * checks + 4 * math.sqrt(0.05 * 0.95 * checks)
    assert len(p) > 4 * checks
    assert np.mean(p) > 0.5 - 4 * math.sqrt(1 / 12 / checks)  # as if all of a check were one
    assert np.mean(np.array(p) < 0.05) < 0.05 + 4 * math.sqrt(0.05 * 0.95 / checks)


@pytest.mark.parametrize(
    ("true", "other", "verdict"),
    [((IC, "ic"), (DOUBLE, "ic"), "too large"), ((DOUBLE, "ic"), (IC, "ic"), "too small"), ((IC, "ic"), (IC, dif.Threshold(count=3)), "too small"), ((IC, "ic"), (IC, dif.Threshold(count=1)), "too large")],
    ids=["double", "half", "three", "one"],
)  # fmt: skip
def test_verdicts_tell_the_direction(true, other, verdict):
    log = simulate_log(true[0], items=40, seeds=2, model=true[1], rng=2)
    table = predictive_check(log, {"other": other}, runs=200, rng=1).table.loc["other"]
    for name in ("new adopters", "size distribution", "R"):
        assert table.loc[name, "verdict"] == verdict
        assert table.loc[name, "adjusted"] < 0.05
    below = table.loc["new adopters", "high"] < table.loc["new adopters", "observed"]
    assert below == (verdict == "too small")


# -- the result --------------------------------------------------------------------------------------------------------


def test_result_and_figure():
    import matplotlib as mpl

    mpl.use("Agg")
    log = simulate_log(IC, items=20, seeds=2, rng=2)
    rows = log.to_pandas()
    rows.loc[len(rows)] = [0, -5, 1.0]
    check = predictive_check(ActionLog.from_pandas(rows), {"true": IC, "double": DOUBLE}, runs=200, rng=1)
    assert check.table.index.tolist() == [(m, s) for m in ("true", "double") for s in STATISTICS]
    assert check.to_pandas().columns[:2].tolist() == ["model", "statistic"]
    assert check.reproduced.to_dict() == {"true": True, "double": False}
    assert check.verdict.startswith(
        "20 observed cascades: true cannot be told from them by 5 statistics (smallest adjusted p "
    )
    assert "double does not reproduce them, too large: " in check.verdict
    assert "size distribution too large" in check.verdict
    assert "1 adoptions by users outside the graph left out" in repr(check)
    means, value = check.sizes["true"].mean(axis=1), check.observed_sizes.mean()
    tails = (1 + (means >= value).sum()) / 201, (1 + (means <= value).sum()) / 201
    assert check.table.loc[("true", "new adopters"), "p"] == pytest.approx(min(1, 2 * min(tails)))
    quantiles = np.quantile(check.sizes["double"].mean(axis=1), [0.5, 0.025, 0.975])
    assert check.table.loc[("double", "new adopters"), ["predicted", "low", "high"]].tolist() == pytest.approx(
        quantiles
    )
    ax = check.plot()
    assert ax.get_title(loc="left") == "Of 2 models true alone reproduces the observed cascades"
    line = next(line for line in ax.lines if line.get_label() == "observed")
    shown = dict(zip(*line.get_data(), strict=True))
    assert shown[3] == pytest.approx((check.observed_sizes >= 3).mean())
    one = predictive_check(log, {"double": DOUBLE}, runs=200, rng=1)
    assert one.plot().get_title(loc="left") == "double does not reproduce the observed cascades"
    with pytest.raises(InputError, match="ActionLog is not a PredictiveCheck"):
        dif.plotting.plot_predictive_check(log)


def test_calibration_figure():
    import matplotlib as mpl

    mpl.use("Agg")
    train, test = simulate_log(IC, items=120, seeds=3, rng=1).split(0.6)
    found = dif.inference.compare_fits({"em": fit_probabilities(IC, train, method=EM(window=1.0)), "true": IC}, test)
    ax = dif.plotting.plot_calibration(found)
    assert [line.get_label() for line in ax.lines[1:]] == found.table.index.tolist()
    assert ax.lines[1].get_xdata().tolist() == found.calibration.loc["em", "predicted"].tolist()
    assert (ax.get_xscale(), ax.get_xlim()) == ("log", ax.get_ylim())
    gap = (found.calibration["predicted"] - found.calibration["observed"]).abs()
    assert ax.get_title(loc="left").startswith(gap.groupby("fit").mean().idxmin())
    with pytest.raises(InputError, match="DataFrame is not a FitComparison"):
        dif.plotting.plot_calibration(found.table)


def test_wrong_calls():
    log = simulate_log(IC, items=30, seeds=2, rng=2)
    train, test = log.split(0.5)
    fit = fit_probabilities(IC, train)
    cases = [
        ({}, {}, "models is no mapping of names to models"),
        ([IC], {}, "models is no mapping"),
        ({"x": "ic"}, {}, "the model 'x' is a str: give a result of fit_probabilities, a graph with"),
        ({"x": (IC,)}, {}, "the model 'x' is a tuple"),
        (
            {"x": IC, "y": graph_of([("a", "b")]).with_probabilities("constant", p=0.1)},
            {},
            "the model 'y' is on another graph",
        ),
        ({"x": PLATFORM}, {}, "no propagation probabilities"),
        ({"x": fit}, {}, "the fit 'x' was trained on 15 of the 30 items"),
        ({"x": IC}, {"runs": 199}, "runs=199 is out of range: give a whole number from 200"),
        ({"x": IC}, {"runs": 500, "confidence": 0.99}, "runs=500 is out of range: give a whole number from 1,000"),
        ({"x": IC}, {"confidence": 1}, "confidence=1 is out of range"),
        ({"x": IC}, {"rng": "a"}, "rng='a' is not a seed"),
    ]
    for models, options, text in cases:
        with pytest.raises(InputError, match=text):
            predictive_check(log, models, **options)
    with pytest.raises(NotFoundError, match="roots='al' is unknown: give 'all' or 'first'"):
        predictive_check(log, {"x": IC}, roots="al")
    with pytest.raises(NotFoundError, match="the model 'icc' is unknown"):
        predictive_check(log, {"x": (IC, "icc")})
    with pytest.raises(InputError, match="log has to be an ActionLog"):
        predictive_check(IC, {"x": IC})
    assert predictive_check(test, {"x": fit}, runs=200, rng=1).log.n_items == test.n_items


def test_real_cascades(data):
    """What learned probabilities predict of held-out cascades: no set is reproduced."""
    graph = dif.read_edges(data("mshgat-christianity-edges.txt.gz"), edges_mean="follows", directed=True)
    train, test = read_cascades(data("mshgat-christianity-cascades.txt.gz")).split(0.8)
    fits = {"em": fit_probabilities(graph, train), "bernoulli": fit_probabilities(graph, train, method="bernoulli")}
    check = predictive_check(test.select(test.items[:10]), fits, runs=200, rng=1)
    assert not check.reproduced.any()
    table = check.table["predicted"] / check.table["observed"]
    assert table[("bernoulli", "new adopters")] > 10  # every active neighbour takes the whole success


def test_log_of_sharers():
    """A simulated log of SIPS holds who shared, and not who was exposed; a feed leaves users out of reach of the roots."""
    model = dif.SIPS(0.5, dif.models.Funnel(share=0.3), dif.models.Feed(impressions=2.0))
    log = simulate_log(PLATFORM, items=20, seeds=2, model=model, rng=1)
    cascades = [dif.simulate_one(PLATFORM, PLATFORM.nodes[:2].tolist(), model=model, rng=i) for i in range(60)]
    assert log.sizes.mean() < np.mean([c.size for c in cascades]) / 2
    assert abs(log.sizes.mean() - np.mean([c.n_sharers for c in cascades])) < 10
    check = predictive_check(log, {"sips": (PLATFORM, model)}, runs=200, rng=1)
    assert check.table.loc["sips", "adjusted"].notna().all()
    assert check.table.loc[("sips", "new adopters"), "verdict"] == "reproduced"


def test_a_fit_of_linear_threshold_weights_is_checked_as_such():
    u, v = IC.to_pandas().loc[0, ["source", "target"]]
    train = ActionLog.from_arrays([0, 0, 1], [u, v, v], [0, 1, 0])
    fit = fit_probabilities(IC, train, method="lt")
    test = ActionLog.from_arrays([8, 9], [1, 2], [0, 0])
    check = predictive_check(test, {"fit": fit, "lt": (fit.graph, "lt")}, runs=200, rng=1)
    same = check.table.drop(columns=["p", "adjusted"])
    assert same.loc["fit"].equals(same.loc["lt"])
