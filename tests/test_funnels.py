"""Calibration of SIPS: rates of creators and their mean, eta, the feed, and the base point of a study with its posterior."""

from __future__ import annotations

import itertools
import tomllib
from dataclasses import replace
from functools import cache

import matplotlib
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import betaln

import diffusion as dif
from diffusion.errors import DiffusionError, EndlessFeedError, InputError, NotFoundError
from diffusion.inference import rates
from diffusion.models import SURVEY, Funnel, engagement_eta
from diffusion.study.design import parse_study

inference = dif.inference
ALL = {"sympathize": "liked", "identify": "collected", "participate": "comments", "share": "shared"}


def made_table(
    key: int, n_creators: int, *, per: str = "impression", shape: str = "own", mean: float = 0.04
) -> tuple[pd.DataFrame, pd.Series]:
    """Notes with lognormal rates about their creator's, and the creators' rates of known mean.

    Per impression (also heavy-tailed: a tenth of them make most) rates vary by 0.6 of their mean between creators and by 1
    between notes; per follower by 1.3 and 2.5, so that a hundredth of the notes hold a fifth to a half of the likes, as on
    the platform. `own`: creators' rates have the model's own distribution (Beta, Gamma); otherwise a lognormal one.
    """
    rng = np.random.default_rng([key, n_creators])
    between, within = (0.6, 1.0) if per == "impression" else (1.3, 2.5)
    if shape == "lognormal":
        s = np.sqrt(np.log1p(between**2))
        rate = mean * np.exp(s * rng.standard_normal(n_creators) - s**2 / 2)
    elif per == "impression":
        size = (1 - mean) / (mean * between**2) - 1
        rate = rng.beta(mean * size, (1 - mean) * size, n_creators)
    else:
        rate = rng.gamma(between**-2, mean * between**2, n_creators)
    creator = np.repeat(np.arange(n_creators), np.maximum(rng.lognormal(np.log(60), 0.9, n_creators).astype(int), 5))
    s = np.sqrt(np.log1p(within**2))
    of_note = rate[creator] * np.exp(s * rng.standard_normal(len(creator)) - s**2 / 2)
    if per == "impression":
        size = np.maximum(rng.lognormal(rng.normal(6, 1, n_creators)[creator], 1.5), 1).astype(int)
        likes = rng.binomial(size, np.minimum(of_note, 1))
    else:
        size = np.maximum(rng.lognormal(6.6, 1, n_creators), 20).astype(int)[creator]
        likes = rng.poisson(size * of_note)
    return pd.DataFrame({"creator": creator, per: size, "likes": likes}), pd.Series(rate)


def fitted(table: pd.DataFrame, **more) -> dif.inference.RateFit:
    per = next(name for name in ("impression", "follower") if name in table)
    return inference.fit_funnel(table, **{f"{per}s": per}, actions={"sympathize": "likes"}, **more).rates["sympathize"]


@cache
def small() -> pd.DataFrame:
    """Four actions of 12 creators; more shares than comments, as on the platform."""
    rng = np.random.default_rng(5)
    creator = np.repeat([f"c{i:02}" for i in range(12)], 8)
    shown = rng.integers(300, 3000, len(creator))
    lift = np.repeat(rng.gamma(4, 0.25, 12), 8)
    base = {"liked": 0.05, "collected": 0.02, "comments": 0.008, "shared": 0.012}
    return pd.DataFrame(
        {"creator": creator, "shown": shown} | {name: rng.binomial(shown, p * lift) for name, p in base.items()}
    )


@cache
def small_fit() -> dif.inference.FunnelFit:
    return inference.fit_funnel(small(), impressions="shown", actions=ALL)


# -- the quadrature against a naive twin -------------------------------------------------------------------------------


def naive_units(units: rates.Units, edges: np.ndarray, bounded: bool) -> list[list[float]]:
    """Likelihood of every unit at every node, by scipy's distributions."""
    found = []
    for y, n, variation in zip(*units, strict=True):
        row = []
        for low, high in itertools.pairwise(edges):
            t = (low + high) / 2
            if bounded and variation > 0:
                size = max((1 - t) / (t * variation) - 1, 1e-3)
                row.append(stats.betabinom.pmf(y, n, t * size, (1 - t) * size))
            elif bounded:
                row.append(stats.binom.pmf(y, n, t))
            else:
                row.append(stats.nbinom.pmf(y, 1 / variation, 1 / (1 + n * t * variation)))
        found.append([p / max(row) for p in row])
    return found


@pytest.mark.parametrize("bounded", [True, False])
def test_weights_of_mean_and_spread_equal_a_naive_sum(bounded):
    units = rates.Units(np.array([3.0, 0, 9, 5]), np.array([50.0, 40, 60, 90]), np.array([0.3, 0.1, 0.02, 0.5]))
    if bounded:
        units.variation[1] = 0.0
    times = np.array([1, 2, 1, 3])
    edges = rates._edges(units, bounded)[::4].copy()
    link, share = np.linspace(-4, -1, 5), np.linspace(0.05, 1, 4)
    prior = rates._weighed(units, times, edges, link, share, bounded)
    likelihood = naive_units(units, edges, bounded)
    logs = []
    for kind in ["beta"] if bounded else ["gamma", "lognormal"]:
        for x in link:
            m = 1 / (1 + np.exp(-x)) if bounded else np.exp(x)
            for f in share:
                widest = min(4.0, 0.98 * np.sqrt((1 - m) / m)) if bounded else 4.0
                v = f * widest
                if kind == "beta":
                    size = (1 - m) / (m * v**2) - 1
                    of = stats.beta(m * size, (1 - m) * size)
                elif kind == "gamma":
                    of = stats.gamma(1 / v**2, scale=m * v**2)
                else:
                    s = np.sqrt(np.log(1 + v**2))
                    of = stats.lognorm(s, scale=m * np.exp(-(s**2) / 2))
                below = [0.0, *(of.cdf(e) for e in edges[1:-1]), 1.0]
                mass = [b - a for a, b in itertools.pairwise(below)]
                total = np.log(widest)
                for row, repeat in zip(likelihood, times, strict=True):
                    total += repeat * np.log(sum(p * w for p, w in zip(row, mass, strict=True)))
                logs.append(total)
    expected = np.exp(np.array(logs) - max(logs))
    np.testing.assert_allclose(prior.weight, expected / expected.sum(), rtol=1e-7, atol=1e-15)


def test_units_have_the_conjugate_posterior_where_rows_do_not_vary():
    """Without variation between rows a unit's posterior is a mixture of Beta distributions, one a cell."""
    units = rates.Units(np.array([3.0, 0, 40]), np.array([50.0, 40, 90]), np.zeros(3))
    edges = rates._edges(units, True)
    prior = rates._refined(units, np.ones(3, np.intp), edges, True)
    mean, low, high = rates._of_units(units, edges, prior, np.array([0.025, 0.5, 0.975]), True)
    size = (1 - prior.mean) / (prior.mean * prior.spread**2) - 1
    a, b, w = prior.mean * size, (1 - prior.mean) * size, prior.weight
    for j, (y, n, _) in enumerate(zip(*units, strict=True)):
        assert mean[j] == pytest.approx(w @ ((a + y) / (a + b + n)), rel=0.02, abs=1e-4)
        if y == 0:  # a good part of its mass is below any node
            assert low[j] == 0.0
            assert w @ stats.beta.cdf(edges[1], a, b + n) > 0.025
        for end, u in ((low[j], 0.025), (high[j], 0.975))[int(y == 0) :]:
            assert w @ stats.beta.cdf(end, a + y, b + n - y) == pytest.approx(u, abs=4e-3)


def test_a_unit_that_did_whatever_it_was_shown_may_have_a_rate_of_1():
    units = rates.Units(np.array([50.0, 40, 70]), np.array([50.0, 40, 90]), np.zeros(3))
    edges = rates._edges(units, True)
    prior = rates._refined(units, np.ones(3, np.intp), edges, True)
    mean, low, high = rates._of_units(units, edges, prior, np.array([0.025, 0.5, 0.975]), True)
    assert high[:2].tolist() == [1.0, 1.0]
    assert 0.9 < low[0] < mean[0] < 1
    assert high[2] < 0.9


@pytest.mark.parametrize("bounded", [True, False])
def test_dispersion_of_notes_equals_a_naive_sum_and_is_the_one_simulated(bounded):
    rng = np.random.default_rng(2)
    codes = np.repeat(np.arange(400), 40)
    n = rng.integers(50, 4000, len(codes)).astype(float)
    rate = rng.beta(4, 60, 400)[codes] * rng.gamma(4, 1 / 4, len(codes))  # c^2 = 1/4
    y = (rng.binomial(n.astype(int), np.minimum(rate, 1)) if bounded else rng.poisson(n * rate)).astype(float)
    top = bottom = 0.0
    ratios = []
    for j in range(400):
        own = codes == j
        N, Y, S = n[own].sum(), y[own].sum(), (n[own] ** 2).sum() / n[own].sum() ** 2
        r = Y / N
        q = 1 - r if bounded else 1.0
        residual = sum((a - b * r) ** 2 for a, b in zip(y[own], n[own], strict=True))
        # Mean of the residual: each row's own variance, less twice its covariance with the rate, plus that of the rate.
        poisson = sum(b * (1 - b / N) ** 2 + (b / N) ** 2 * (N - b) for b in n[own])
        rough = sum(b**2 * (1 - b / N) ** 2 + (b / N) ** 2 * ((n[own] ** 2).sum() - b**2) for b in n[own])
        x = (residual - r * q * poisson) / rough / r**2
        top, bottom = top + x / S, bottom + (1 - q / (N * r) - S * x) / S
        ratios.append((x / S, (1 - q / (N * r) - S * x) / S))
    found = rates.note_dispersion(y, n, codes, bounded=bounded)
    assert found == pytest.approx(top / bottom, rel=1e-9)
    a, b = np.array(ratios).T
    se = np.std(a - found * b, ddof=1) * np.sqrt(len(a)) / b.sum()
    assert abs(found - 0.25) < 4 * se
    assert se < 0.02


def test_dispersion_is_not_identified_from_one_row_a_creator():
    table, _ = made_table(1, 30)
    sums = table.groupby("creator", as_index=False).sum()
    fit = fitted(sums)
    assert np.isnan(fit.overdispersion)
    assert fit.rate == pytest.approx(fitted(table).rate, rel=0.1)
    assert (fit.units["rows"] == 1).all()


# -- coverage --------------------------------------------------------------------------------------------------------


def mean_rate(table: pd.DataFrame, per: str) -> tuple[float, float]:
    """Interval of the mean over creators, without the model of each."""
    sums = table.groupby("creator").sum()
    found = rates._interval((sums["likes"] / sums[per]).to_numpy(), 0.95, per == "impression", "likes")
    return found.low, found.high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("per", "n_creators", "shape", "least"),
    [
        ("impression", 30, "own", 0.93),
        ("impression", 100, "own", 0.93),
        ("impression", 30, "lognormal", 0.92),
        ("impression", 100, "lognormal", 0.93),
        ("follower", 30, "own", 0.93),
        ("follower", 100, "own", 0.93),
        ("follower", 30, "lognormal", 0.90),  # said in the notes of fit_funnel: 92 %
        ("follower", 100, "lognormal", 0.92),
    ],
)
def test_intervals_of_mean_rates_cover_under_heavy_tails(per, n_creators, shape, least):
    hits = []
    for key in range(600 if n_creators == 30 else 300):
        low, high = mean_rate(made_table(key, n_creators, per=per, shape=shape)[0], per)
        hits.append(low <= 0.04 <= high)
    assert least <= np.mean(hits) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("per", ["impression", "follower"])
@pytest.mark.parametrize("shape", ["own", "lognormal"])
def test_intervals_of_creators_cover_where_one_binomial_a_creator_does_not(per, shape):
    own, naive = [], []
    for key in range(12):
        table, truth = made_table(key, (30, 100)[key % 2], per=per, shape=shape)
        fit = fitted(table)
        assert (fit.low, fit.high) == mean_rate(table, per)
        own += ((fit.units["low"] <= truth) & (truth <= fit.units["high"])).tolist()
        y, n = fit.units["events"], fit.units["exposures"]
        low, high = (stats.beta.ppf(u, y + 0.5, np.maximum(n - y, 0) + 0.5) for u in (0.025, 0.975))
        naive += ((low <= truth) & (truth <= high)).tolist()
    assert 0.925 < np.mean(own) < 0.97
    assert np.mean(naive) < 0.5


def test_one_table_shrinks_creators_and_tells_mean_from_pooled():
    table, truth = made_table(3, 100)
    fit = fitted(table)
    raw = fit.units["events"] / fit.units["exposures"]
    assert ((fit.units["rate"] - truth) ** 2).mean() < ((raw - truth) ** 2).mean()
    assert fit.rate == pytest.approx(raw.mean())
    assert fit.low < 0.04 < fit.high
    assert fit.spread_low < 0.6 < fit.spread_high
    assert fit.pooled == pytest.approx(table["likes"].sum() / table["impression"].sum())
    assert fit.quantile([0.025, 0.5, 0.975]).tolist() == pytest.approx([fit.low, fit.rate, fit.high], rel=0.02)
    wide = fitted(table, confidence=0.99)
    assert wide.low < fit.low < fit.high < wide.high
    assert wide.rate == pytest.approx(fit.rate)
    assert "100 units" in repr(fit)


def test_the_order_of_rows_and_names_of_creators_change_nothing():
    table, _ = made_table(3, 30)
    fit = fitted(table)
    shuffled = table.sample(frac=1, random_state=1).assign(creator=lambda t: "n" + (99 - t["creator"]).astype(str))
    other = fitted(shuffled)
    assert other.rate == pytest.approx(fit.rate, rel=1e-9)
    assert other.units["rate"].tolist() == pytest.approx(fit.units["rate"][::-1].tolist(), rel=1e-9)


def test_attention_of_users_from_a_log():
    rng = np.random.default_rng(4)
    truth = rng.beta(3, 7, 400)
    user = np.repeat(np.arange(400), 3)
    shown = rng.geometric(0.1, len(user))
    log = pd.DataFrame({"user": user, "shown": shown, "attended": rng.binomial(shown, truth[user])})
    fit = inference.fit_attention(log)
    assert fit.low < 0.3 < fit.high
    assert fit.high - fit.low < 0.04
    assert fit.spread == pytest.approx(np.sqrt(0.3 * 0.7 / 11) / 0.3, rel=0.15)
    inside = (fit.units["low"] <= truth) & (truth <= fit.units["high"])
    assert 0.93 < inside.mean() < 0.98
    assert fit.overdispersion < 0.1
    assert fit.units.index.name == "user"


# -- the funnel ------------------------------------------------------------------------------------------------------


def test_the_funnel_holds_every_action_and_rho_is_the_rate_of_shares():
    fit = small_fit()
    rate = fit.table["rate"]
    assert rate["share"] > rate["participate"]
    funnel = fit.funnel(0.4)
    reached = 0.4 * np.cumprod(funnel.values)
    assert reached.tolist() == pytest.approx([rate["sympathize"], rate["identify"], rate["share"], rate["share"]])
    assert funnel.rho * 0.4 == pytest.approx(rate["share"])
    steps = fit.steps(0.4, rng=1)
    assert (steps["low"] <= steps["value"] + 1e-9).all()
    assert (steps["value"] <= steps["high"] + 1e-9).all()
    ends = fit.table.loc["share", ["low", "high"]].to_numpy(float) / 0.4
    assert steps.loc["rho", ["low", "high"]].tolist() == pytest.approx(ends, rel=0.02)
    only = inference.fit_funnel(small(), impressions="shown", actions={"share": "shared"}).funnel(0.4)
    assert only.values[1:] == (1.0, 1.0, 1.0)
    assert only.rho == pytest.approx(funnel.rho)
    assert set(fit.creators.index.names) == {"step", "creator"}
    assert len(fit.to_pandas()) == 4
    assert "12 creators, 96 rows" in repr(fit)


def test_draws_keep_the_posteriors_and_the_correlation_of_creators():
    fit = small_fit()
    drawn = fit.draws(2000, rng=3)
    for step, of in fit.rates.items():
        assert drawn[step].quantile([0.025, 0.975]).tolist() == pytest.approx([of.low, of.high], rel=0.01)
    found = np.corrcoef(np.log(drawn["sympathize"]), np.log(drawn["share"]))[0, 1]
    assert found == pytest.approx(fit.correlation.loc["sympathize", "share"], abs=0.1)
    assert found > 0.5
    pd.testing.assert_frame_equal(drawn, fit.draws(2000, rng=3))


def test_eta_is_that_of_engagement_with_the_posterior_of_shares():
    fit = small_fit()
    shares = fit.rates["share"]
    found = fit.eta(0.5, survey="fixed", rng=1)
    expected = [engagement_eta(0.5, shares_per_follower=r) for r in (shares.rate, shares.low, shares.high)]
    assert [found.eta, found.low, found.high] == pytest.approx(expected, rel=2e-3)
    # With the survey's shares drawn, the mean grows by that of one over the square root of their product.
    drawn, fixed = fit.eta(0.5, n=20_000, rng=1), fit.eta(0.5, survey="fixed", n=20_000, rng=1)
    items = [SURVEY[name] for name in ("prefers_genuine", "participates", "has_posted")]
    first, second = (
        np.prod(
            [
                np.exp(betaln(a + power, b) - betaln(a, b)) * item.share**-power
                for item in items
                for a, b in [item.posterior]
            ]
        )
        for power in (-0.5, -1.0)
    )
    factor = drawn.draws / fixed.draws  # the same draws of the rate
    assert abs(factor.mean() - first) < 4 * factor.std() / np.sqrt(20_000)
    assert factor.var() == pytest.approx(second - first**2, rel=0.05)
    assert fit.eta(0.25, survey="fixed", rng=1).eta == pytest.approx(np.sqrt(2) * found.eta, rel=1e-6)
    assert fit.eta(0.5, note="sponsored", survey="fixed", rng=1).eta == pytest.approx(
        engagement_eta(0.5, note="sponsored", shares_per_follower=shares.rate), rel=2e-3
    )
    assert "attention 0.5" in repr(drawn)
    assert len(drawn.to_pandas()) == 20_000


# -- the feed --------------------------------------------------------------------------------------------------------


def test_elasticity_equals_least_squares_with_the_sandwich_written_out():
    rng = np.random.default_rng(1)
    followers = rng.lognormal(6, 1, 50)
    interactions = 3 * followers**0.4 * rng.lognormal(0, 0.5, 50)
    found = inference.follower_elasticity(followers, interactions)
    x, y = np.log(followers), np.log(interactions)
    line = stats.linregress(x, y)
    assert (found.value, found.intercept, found.se_classical) == pytest.approx(
        (line.slope, line.intercept, line.stderr)
    )
    X = np.column_stack([np.ones(50), x])
    inverse = np.linalg.inv(X.T @ X)
    hat = X @ inverse @ X.T
    residual = y - X @ [line.intercept, line.slope]
    meat = sum(np.outer(X[i], X[i]) * (residual[i] / (1 - hat[i, i])) ** 2 for i in range(50))
    se = np.sqrt((inverse @ meat @ inverse)[1, 1])
    assert found.se == pytest.approx(se)
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, 48) * se)
    assert "50 creators" in repr(found)
    assert found.to_pandas()["value"].tolist() == [float(found)]


def test_intervals_of_elasticity_cover_where_errors_are_unequal():
    rng = np.random.default_rng(7)
    hits = []
    for _ in range(1000):
        x = rng.normal(6, 1, 60)
        y = 0.46 * x + rng.standard_normal(60) * (0.3 + 0.5 * np.abs(x - 6))
        found = inference.follower_elasticity(np.exp(x), np.exp(y))
        hits.append((found.low <= 0.46 <= found.high, abs(found.value - 0.46) <= 2 * found.se_classical))
    robust, classical = np.mean(hits, axis=0)
    assert 0.93 < robust < 0.97
    assert classical < 0.9


def test_elasticity_on_the_platform(data):
    """Published: .46 +- .10 (n = 101). That is the classical standard error; the robust one is .13."""
    creators = pd.read_csv(data("xhs-creators.csv.gz"), index_col="creator")
    notes = pd.read_csv(data("xhs-notes.csv.gz"))
    mean = notes.set_index("creator")[list(ALL.values())].sum(axis=1).groupby("creator").mean()
    found = inference.follower_elasticity(creators["fans"][mean.index], mean)
    assert found.n_creators == 101
    assert (round(found.value, 2), round(found.se_classical, 2), round(found.se, 2)) == (0.46, 0.10, 0.13)


def test_rates_on_the_platform(data):
    creators = pd.read_csv(data("xhs-creators.csv.gz"), index_col="creator")
    notes = pd.read_csv(data("xhs-notes.csv.gz"))
    notes["fans"] = notes["creator"].map(creators["fans"])
    fit = inference.fit_funnel(notes, followers="fans", actions=ALL)
    assert (fit.n_creators, fit.n_rows) == (101, 15_316)
    for step, name in (("sympathize", "likes"), ("share", "shares")):
        seen = dif.models.ENGAGEMENT[name]
        row = fit.table.loc[step]
        assert row["pooled"] == pytest.approx(seen.pooled)
        assert row["events"] == seen.count
        assert row["overdispersion"] > 4
        assert row["low"] > 1.5 * row["pooled"]  # creators with many followers and notes have lower rates per follower
    total = fit.table["events"].sum()
    assert (fit.table["events"] / total).round(3).tolist() == [0.564, 0.206, 0.108, 0.121]
    by_note = notes[list(ALL.values())].sum(axis=1).sort_values(ascending=False)
    assert by_note.iloc[:153].sum() / total == pytest.approx(0.458, abs=0.002)
    assert 0.4 < fit.eta(0.3, rng=1).eta < 0.65


FUNNEL = Funnel(0.5, 0.8, 0.5, 0.2)


@pytest.mark.parametrize("elasticity", [0.1, 0.46, 0.9])
@pytest.mark.parametrize("attention", [0.05, 0.3])
def test_the_feed_gives_slope_and_level_back(elasticity, attention):
    k = np.random.default_rng(1).pareto(1.3, 500) * 50 + 50
    start = inference.calibrate_feed(k, attention=attention, funnel=FUNNEL, elasticity=elasticity)
    assert start.amplification == 0
    level = 1.5 * (attention * k.mean() + start.impressions)
    feed = inference.calibrate_feed(k, attention=attention, funnel=FUNNEL, elasticity=elasticity, exposures=level)
    assert feed.impressions == pytest.approx(start.impressions)
    mean = np.array([attention * x + feed.exposures(FUNNEL, attention, x) for x in k])
    assert mean.mean() == pytest.approx(level)
    assert np.polyfit(np.log(k), np.log(mean), 1)[0] == pytest.approx(elasticity, abs=1e-9)
    same = inference.calibrate_feed(
        k, attention=attention, funnel=FUNNEL, elasticity=elasticity, engagement=level * feed.score(FUNNEL)
    )
    assert same.amplification == pytest.approx(feed.amplification)
    weighed = inference.calibrate_feed(
        k, attention=attention, funnel=FUNNEL, elasticity=elasticity, exposures=level, weights={"share": 8.0}
    )
    assert weighed.amplification * weighed.score(FUNNEL) == pytest.approx(feed.amplification * feed.score(FUNNEL))
    assert (
        inference.calibrate_feed(k, attention=0.2, funnel=FUNNEL, elasticity=0.5, own_community=0.4).own_community
        == 0.4
    )


def test_followers_of_a_graph_are_those_of_its_creators():
    graph = dif.generate_platform(500, rng=3)
    k = graph.out_degree[graph.out_degree > 0]
    call = {"attention": 0.3, "funnel": FUNNEL, "elasticity": inference.Elasticity(0.4, *[0.0] * 5, 0.95, 9)}
    of_graph, of_creators = inference.calibrate_feed(graph, **call), inference.calibrate_feed(k, **call)
    # Sums of the same numbers may differ in the last bit with where they lie in memory.
    assert of_graph.impressions == pytest.approx(of_creators.impressions, rel=1e-14)
    assert replace(of_graph, impressions=1.0) == replace(of_creators, impressions=1.0)


def test_simulated_notes_have_the_slope_and_level_asked_for():
    graph = dif.generate_platform(2_000, mean_followers=12, rng=3)
    followers = graph.out_degree[graph.out_degree > 0].sort_values(kind="stable")
    chosen = followers.iloc[np.linspace(0, len(followers) - 1, 20).astype(int)]
    attention, runs = 0.3, 200
    alone = inference.calibrate_feed(chosen, attention=attention, funnel=FUNNEL, elasticity=0.46)
    target = 1.6 * (attention * chosen.mean() + alone.impressions)
    feed = inference.calibrate_feed(chosen, attention=attention, funnel=FUNNEL, elasticity=0.46, exposures=target)
    model = dif.SIPS(attention, FUNNEL, feed)
    notes = np.array(  # attended exposures of the seed's own note
        [
            dif.simulate(graph, [user], model=model, runs=runs, rng=i).tally[:, 1, :, 0].sum(axis=1)
            for i, user in enumerate(chosen.index)
        ]
    )
    mean, error = notes.mean(axis=1), notes.std(axis=1, ddof=1) / np.sqrt(runs)
    x = np.log(chosen.to_numpy(float))
    away = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    slope, se = away @ np.log(mean), np.sqrt(away**2 @ (error / mean) ** 2)
    assert abs(slope - 0.46) < 4 * se
    assert se < 0.02
    assert abs(mean.mean() - target) < 4 * np.sqrt((error**2).sum()) / len(mean)


# -- a study -----------------------------------------------------------------------------------------------------------


def declared(table: dict, **more) -> dict:
    return {"model": [{"name": "calibrated", "kind": "sips", "sips": table}], **more}


@pytest.mark.parametrize("by", ["eta", "steps"])
def test_the_base_point_goes_through_a_study_file(by):
    fit = small_fit()
    table = fit.study_table(0.4, by=by)
    inputs = dict.fromkeys(table["posterior"], "posterior")
    document = declared(table, sensitivity={"samples": 4, "ranges": inputs}, predictive={"draws": 4})
    design = parse_study(document)
    (spec,) = design.models
    shares = fit.rates["share"]
    assert spec.model.attention * spec.model.funnel.rho == pytest.approx(shares.rate, rel=2e-3)
    if by == "steps":
        assert spec.model.funnel.values == pytest.approx(fit.funnel(0.4).values)
    again = parse_study(tomllib.loads(dif.Study.from_design(design).to_toml()))
    assert again.models == design.models
    for one, other in zip(again.sensitivity.ranges, design.sensitivity.ranges, strict=True):
        assert one.posterior.values == other.posterior.values == tuple(table["posterior"][one.input]["quantiles"])
        assert one.label == "posterior of the data"
    # Drawn from the table alone, attention * rho has the interval that the data gave it.
    posteriors = spec.model.posteriors(spec.table)
    assert set(posteriors) == set(table["posterior"])
    u = np.random.default_rng(1).random((400, len(posteriors)))
    rho = [
        spec.changed({n: float(of.ppf(x)) for (n, of), x in zip(posteriors.items(), row, strict=True)}, "").model.rho
        for row in u
    ]
    low, high = np.quantile(rho, [0.025, 0.975]) * 0.4
    width = shares.high - shares.low
    assert abs(low - shares.low) < (0.1 if by == "eta" else 0.3) * width
    assert abs(high - shares.high) < (0.1 if by == "eta" else 0.3) * width
    notes = {s.name: s.note for s in spec.model.parameter_standing(spec.table)}
    keys = {"p_S": "sympathize", "p_I": "identify_rate", "p_P": "participate"}
    for name, key in {"p_P": "eta", "p_X": "eta"}.items() if by == "eta" else keys.items():
        assert notes[name].startswith(f"{key} from data, 95 % of its posterior")


def test_a_study_with_a_posterior_runs(tmp_path):
    table = small_fit().study_table(0.4)
    document = declared(
        table,
        graph={"platform": {"users": 400, "communities": 4}},
        replicates=2,
        seeding={"strategy": "degree", "budget": {"k": 5}},
        sensitivity={"samples": 4, "ranges": {"eta": "posterior", "attention": [0.3, 0.5]}},
        predictive={"draws": 4},
        precision={"rel_error": 0.5, "max_runs": 64},
    )
    result = dif.Study.from_design(parse_study(document)).run(tmp_path / "s")
    samples = result.to_pandas("samples")
    assert samples["eta"].between(*np.array(table["posterior"]["eta"]["quantiles"])[[0, -1]]).all()
    assert samples["eta"].nunique() == 8
    assert (
        result.to_pandas("sensitivity").set_index("input").loc["eta", "range"].tolist() == ["posterior of the data"] * 2
    )
    points = result.to_pandas("points").query("part == 'predictive'")
    cells = result.to_pandas().set_index("cell").loc[points["cell"]]
    assert cells["eta"].nunique() == 4
    assert cells["attention"].nunique() == 1


BETA = {"beta": [30, 70]}
SIPS_TABLE = {"attention": 0.3, "eta": 0.3}


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"posterior": [30, 70]}, r"model\[0\]\.sips\.posterior = \[30, 70\]: give a distribution by key"),
        ({"posterior": {}}, r"posterior = \{\}"),
        ({"posterior": {"etta": BETA}}, r"posterior\.etta is unknown.*Did you mean 'eta'"),
        ({"posterior": {"share": BETA}}, r"posterior\.share has no base point"),
        ({"posterior": {"eta": [30, 70]}}, r"posterior\.eta = \[30, 70\]: give \{ beta ="),
        ({"posterior": {"eta": BETA | {"quantiles": [0.1, 0.3]}}}, r"posterior\.eta = .*: give \{ beta ="),
        ({"posterior": {"eta": {"betta": [30, 70]}}}, r"posterior\.eta\.betta is unknown.*'beta'"),
        ({"posterior": {"eta": {"beta": [30, "x"]}}}, r"posterior\.eta\.beta\[1\] = 'x': give a number"),
        ({"posterior": {"eta": {"beta": [30]}}}, r"posterior\.eta\.beta = \[30\]: give the two parameters"),
        ({"posterior": {"eta": {"beta": [30, 0]}}}, r"posterior\.eta\.beta = \[30, 0\]: .* above 0"),
        ({"posterior": {"eta": {"beta": [30, float("inf")]}}}, r"posterior\.eta\.beta"),
        ({"posterior": {"eta": {"quantiles": [0.3]}}}, r"quantiles = \[0\.3\]: give two or more"),
        ({"posterior": {"eta": {"quantiles": [0.3, 0.2, 0.4]}}}, r"probabilities that do not fall"),
        ({"posterior": {"eta": {"quantiles": [0.3, 1.2]}}}, r"quantiles = \[0\.3, 1\.2\]"),
        ({"eta": [0.2, 0.3], "posterior": {"eta": BETA}}, r"posterior\.eta belongs to one number"),
        ({"eta": "engagement", "posterior": {"eta": BETA}}, r"posterior\.eta belongs to one number"),
        ({"attention": "graph", "posterior": {"attention": BETA}}, r"posterior\.attention belongs to one number"),
    ],
)
def test_posteriors_that_cannot_be(table, text):
    with pytest.raises(InputError, match=text):
        parse_study(declared(SIPS_TABLE | table))


def test_a_posterior_beside_a_funnel_and_one_that_is_not_there():
    steps = {"attention": 0.3, "funnel": {"share": 0.1}}
    with pytest.raises(InputError, match=r"posterior\.share has no place beside funnel"):
        parse_study(declared(steps | {"posterior": {"share": BETA}}))
    (spec,) = parse_study(declared(steps | {"posterior": {"attention": BETA}})).models
    (of,) = spec.model.posteriors(spec.table).values()
    assert of.ppf(0.3) == stats.beta(30, 70).ppf(0.3)
    assert list(spec.model.posteriors(spec.table)) == ["attention"]
    with pytest.raises(
        InputError, match=r"ranges\.feed = 'posterior': neither data nor the survey say nothing|neither"
    ):
        parse_study(declared(SIPS_TABLE, sensitivity={"samples": 4, "ranges": {"feed": "posterior"}}))


# -- wrong calls -------------------------------------------------------------------------------------------------------


def few() -> pd.DataFrame:
    """Shares of two creators only."""
    return small().assign(shared=small()["shared"] * small()["creator"].isin(["c00", "c01"]))


def changed(column: str, value: float) -> pd.DataFrame:
    table = small().astype({column: object})
    table.loc[3, column] = value
    return table


def fit_of(table: pd.DataFrame, **more) -> dif.inference.FunnelFit:
    return inference.fit_funnel(table, **({"impressions": "shown", "actions": ALL} | more))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: fit_of(changed("liked", -2)), InputError, r"liked is negative in 1 of 96 rows, first in row 3 .*'c00': liked -2"),
        (lambda: fit_of(changed("liked", 2.5)), InputError, r"liked is not a whole number in 1 of 96 rows.* 2\.5"),
        (lambda: fit_of(changed("liked", np.nan)), InputError, r"liked is missing or no number in 1"),
        (lambda: fit_of(changed("liked", "many")), InputError, r"liked is missing or no number in 1.*'many'"),
        (lambda: fit_of(changed("liked", 10**6)), InputError, r"liked is above shown: .* first in row 3 .*shown \d+"),
        (lambda: fit_of(changed("shown", 0)), InputError, r"shown is 0: a row without exposures.*in 1 of 96"),
        (lambda: fit_of(small().rename(columns={"liked": "likd"})), NotFoundError, r"sympathize: 'liked' is no column.*'likd'"),
        (lambda: fit_of(small().assign(creator="one")), InputError, r"the table has 1 creator: .* at least 10"),
        (lambda: fit_of(small().assign(creator=None)), InputError, r"creator is missing in 96 of 96"),
        (lambda: fit_of(small(), impressions=None, followers="shown", actions={"share": "few"}), NotFoundError, r"share: 'few' is no column"),
        (lambda: fit_of(few(), impressions=None, followers="shown", actions={"share": "shared"}), InputError, r"of 12 units too few have a rate of shared other than 0"),
        (lambda: fit_of(small().iloc[:0]), InputError, r"the table has 0 creator"),
        (lambda: fit_of(small().assign(liked=0)), InputError, r"liked is 0 in all 96 rows"),
        (lambda: fit_of(small(), followers="shown"), InputError, r"impressions='shown' and followers='shown': give the column of one"),
        (lambda: fit_of(small(), impressions=None), InputError, r"impressions=None and followers=None"),
        (lambda: fit_of(small(), actions={"like": "liked"}), NotFoundError, r"'like' is no step of the funnel"),
        (lambda: fit_of(small(), actions={}), InputError, r"actions=\{\}: give the column of each step"),
        (lambda: fit_of(small().to_dict()), InputError, r"the table is a dict"),
        (lambda: fit_of(small(), confidence=95), InputError, r"confidence=95"),
        (lambda: small_fit().funnel(0.01), InputError, r"attention=0\.01 is too low: liked per impression are"),
        (lambda: small_fit().funnel(0), InputError, r"attention=0 is out of range"),
        (lambda: small_fit().eta(0.03), InputError, r"attention|eta = 1"),
        (lambda: small_fit().eta(survey="none"), NotFoundError, r"survey='none' is unknown"),
        (lambda: small_fit().eta(note="advert"), NotFoundError, r"the note 'advert' is unknown"),
        (lambda: small_fit().study_table(0.4, by="stage"), NotFoundError, r"by='stage' is unknown.*"),
        (lambda: fit_of(small(), actions={"sympathize": "liked"}).funnel(0.4), InputError, r"shares were not counted, only sympathize"),
        (lambda: fit_of(small(), actions={"sympathize": "liked"}).eta(0.4), InputError, r"shares were not counted"),
        (lambda: inference.fit_attention(pd.DataFrame({"user": range(10), "shown": 2, "attended": 3})), InputError, r"attended is above shown"),
        (lambda: inference.fit_attention(pd.DataFrame({"user": range(10), "shown": 2, "attended": 0})), InputError, r"attended is 0 in all 10 rows"),
        (lambda: inference.fit_attention(pd.DataFrame({"usr": [1], "shown": [2], "attended": [1]})), NotFoundError, r"Did you mean 'usr'"),
        (lambda: inference.follower_elasticity([0, 2, 3, 4], [1, 1, 1, 1]), InputError, r"followers is 0 for 1 of 4 creators, first at position 0"),
        (lambda: inference.follower_elasticity([1, 2, 3, 4], [1, 1, 0, 1]), InputError, r"interactions is 0 for 1 of 4 creators, first at position 2"),
        (lambda: inference.follower_elasticity([1, 2, 3, 4], [1, 1, np.nan, 1]), InputError, r"interactions holds nan"),
        (lambda: inference.follower_elasticity([1, 2, 3, 4], [1, 1, 1]), InputError, r"followers has 4 values and interactions 3"),
        (lambda: inference.follower_elasticity([1, 2, 3], [1, 1, 1]), InputError, r"3 creators are too few"),
        (lambda: inference.follower_elasticity([7, 7, 7, 7], [1, 2, 1, 1]), InputError, r"all 4 creators have 7 followers"),
    ],
)  # fmt: skip
def test_wrong_tables(call, error, text):
    with pytest.raises(error, match=text) as raised:
        call()
    assert isinstance(raised.value, DiffusionError)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"elasticity": 0}, InputError, r"elasticity=0 is out of range"),
        ({"elasticity": 1.0}, InputError, r"elasticity=1\.0 is out of range"),
        ({"elasticity": -0.2}, InputError, r"elasticity=-0\.2 is out of range"),
        ({"elasticity": "a half"}, InputError, r"elasticity='a half' is out of range"),
        ({"elasticity": 1e-12}, InputError, r"elasticity=1e-12 needs more than .* feed exposures"),
        ({"attention": 0}, InputError, r"attention=0 is out of range"),
        ({"funnel": 0.2}, InputError, r"funnel=0\.2 is not a Funnel"),
        ({"exposures": 10.0}, InputError, r"exposures=10 a note is less than followers and m0"),
        ({"engagement": 1.0}, InputError, r"engagement=1, .* exposures, a note is less"),
        ({"exposures": 1e15}, EndlessFeedError, r"such a feed explodes on its own"),
        ({"exposures": 900.0, "engagement": 9.0}, InputError, r"give one level"),
        ({"exposures": 900.0, "funnel": Funnel(sympathize=0.0)}, InputError, r"score of an exposure is 0"),
        ({"followers": [5, 5, 5]}, InputError, r"all 3 creators have 5 followers"),
        ({"followers": [5]}, InputError, r"1 creators with followers are too few"),
        ({"followers": [5, 0]}, InputError, r"followers is 0 for 1 of 2"),
        ({"weights": {"shared": 1.0}}, NotFoundError, r"'shared' belongs to no stage"),
    ],
)
def test_feeds_that_cannot_be(change, error, text):
    call = {"followers": [100, 300, 1000, 3000], "attention": 0.3, "funnel": FUNNEL, "elasticity": 0.46} | change
    with pytest.raises(error, match=text):
        inference.calibrate_feed(call.pop("followers"), **call)


# -- the figure --------------------------------------------------------------------------------------------------------


def test_the_figure_shows_mean_rates_and_creators():
    matplotlib.use("Agg")
    fit = small_fit()
    ax = fit.plot()
    assert ax.get_xlabel() == "per impression"
    assert [text.get_text() for text in ax.get_yticklabels()][3] == "shared\n(share)"
    assert sum(len(points.get_offsets()) for points in ax.collections) == 4 * 12
    drawn = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1]
    assert drawn == fit.table["rate"].tolist()
    with pytest.raises(InputError, match="is not a FunnelFit"):
        dif.plotting.plot_funnel_rates(fit.table)
