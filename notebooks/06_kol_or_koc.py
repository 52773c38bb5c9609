# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Few big creators (KOL) or many small ones (KOC) at equal budget?
# **Question.** A budget buys either a handful of creators with a large following or many with a small one. Who reaches more users? To
# first order KOC win where attention * followers / price is higher for them. So it depends on two slopes: how prices grow with followers, and
# how the share of followers who engage falls. Both are measured here on a public table of creators; then the campaign is simulated, since
# audiences overlap and users share on.

# %%
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib import pyplot as plt
from scipy.stats import linregress
from scipy.stats import t as student

import diffusion as dif
from diffusion import plotting as plots

# %matplotlib inline

DATA = Path("../../shared/data/xhs-creators.csv.gz")
if DATA.is_file():
    source = "101 small creators of Xiaohongshu, March 2025 (xhs-creators.csv.gz)"
    creators = pd.read_csv(DATA)
    creators["price"] = pd.to_numeric(creators["price_picture_note_rmb"], errors="coerce")
    actions = creators[["liked_90", "collected_90", "comment_90", "share_90"]].sum(axis=1)
    creators["engagement"] = (actions / creators["note_count_90"]).where(creators["note_count_90"] > 0)
else:
    source = f"a GENERATED stand-in, since {DATA.name} is missing: prices grow as followers, engagement rates fall as their root"
    made = np.random.default_rng(7)
    fans = np.round(np.exp(made.normal(6.6, 1.0, 101))).clip(60, 9_000)
    creators = pd.DataFrame(
        {
            "fans": fans, "price": np.exp(-3.8 + 1.07 * np.log(fans) + made.normal(0, 0.9, 101)),
            "engagement": np.exp(0.85 + 0.48 * np.log(fans) + made.normal(0, 1.0, 101)),
        }
    )  # fmt: skip
Markdown(f"Data: {source}.")

# %% [markdown]
# ## What creators ask, and what their followers do
# Both laws are straight lines on logarithmic axes. Engagement: likes, collects, comments and shares a note over 90 days, by followers. It is a
# stand-in for attention, and no more: followers may look without acting, and strangers act too.

# %%
prices = dif.seeding.fit_prices(creators, followers="fans", price="price")
known = creators[(creators["engagement"] > 0) & (creators["fans"] > 0)]
size, rate = np.log(known["fans"]), np.log(known["engagement"] / known["fans"])
line = linregress(size, rate)
reach_of_t = student.ppf(0.975, len(known) - 2) * line.stderr
slope = {"value": line.slope, "low": line.slope - reach_of_t, "high": line.slope + reach_of_t}
elasticity = prices.coefficients.loc["followers"]
floor = float(creators["price"].round().mode()[0])
at_floor = float((creators["price"].round() == floor).mean())
print(f"{at_floor:.0%} of the creators ask {floor:g} RMB, the most frequent price")
prices

# %%
with dif.plotting.style():
    fig, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    prices.plot(left)
    left.set_ylabel("price of a note, RMB")
    left.set_title(f"Prices: elasticity {elasticity['value']:.2f} [{elasticity['low']:.2f}, {elasticity['high']:.2f}]")
    right.scatter(known["fans"], np.exp(rate), s=14, alpha=0.6, linewidths=0, color=dif.plotting.PALETTE[0])
    x = np.geomspace(known["fans"].min(), known["fans"].max(), 50)
    right.plot(x, np.exp(line.intercept + line.slope * np.log(x)), color=dif.plotting.PALETTE[1])
    dif.plotting.log_axis(right, "x")
    dif.plotting.log_axis(right, "y")
    right.set_xlabel("followers")
    right.set_ylabel("engagement a note and follower")
    right.set_title(f"Engagement rate: slope {slope['value']:.2f} [{slope['low']:.2f}, {slope['high']:.2f}]")

# %% [markdown]
# ## A platform and three kinds of creators
# All have followers inside the range of the table, so that the price law is not stretched. But the table shows a floor: many small creators ask
# the same round sum, more than the law has for them. So two price lists are compared, the law alone and the law with that floor. Attention falls (or rises) with the creator's followers as
# k to the power of a slope, and is 0.1 at 100 followers. Sharing is what the survey says with a quarter of the intentions acted upon.

# %%
BUDGET = 150.0
DRAWS, RUNS = 10, 64
g = dif.generate_platform(20_000, communities=8, mixing=0.1, mean_followers=25, tail=2.2, rng=7)
followers = g.out_degree
kinds = {"KOC": (70, 150), "middle": (150, 400), "KOL": (400, np.inf)}
pools = {name: g.nodes[((followers >= low) & (followers < high)).to_numpy()] for name, (low, high) in kinds.items()}
funnel = dif.models.Funnel(
    sympathize=dif.models.SURVEY["prefers_genuine"].share,
    participate=0.25 * dif.models.SURVEY["participates"].share,
    share=0.25 * dif.models.SURVEY["has_posted"].share,
)
arcs = g.to_pandas()[["source", "target"]]
pd.DataFrame(
    {
        "creators": {name: len(pool) for name, pool in pools.items()},
        "median followers": {name: followers[pool].median() for name, pool in pools.items()},
        "median price": {name: np.median(prices(followers[pool])) for name, pool in pools.items()},
    }
).round(1)


# %%
def with_attention(power: float) -> dif.FollowerGraph:
    attention = np.minimum(0.1 * (followers[arcs["source"]].to_numpy() / 100) ** power, 1)
    rows = arcs.assign(attention=attention)
    found = dif.FollowerGraph.from_pandas(
        rows, edges_mean="influences", directed=True, weight="attention", nodes=g.nodes
    )
    return found.with_probabilities("column").with_node_data(g.node_data)


LISTS = {"law": prices, "law with floor": lambda k: np.maximum(prices(k), floor)}
bought = {
    (asks, name): [
        dif.select_seeds(g, budget=BUDGET, prices=LISTS[asks], method="random", candidates=pool, rng=i).seeds
        for i in range(DRAWS)
    ]
    for asks in LISTS
    for name, pool in pools.items()
}


def campaign(power: float, m0: float = 0.0, asks: str = "law", seeds: dict | None = None) -> pd.DataFrame:
    """Reach of each kind: one row a draw of creators, in the same worlds."""
    graph, seeds = with_attention(power), bought if seeds is None else seeds
    model = dif.SIPS(None, funnel, dif.models.Feed(impressions=m0, own_community=0.5) if m0 else None)
    rows = []
    for i in range(DRAWS):
        row = {}
        for name in kinds:
            chosen = list(seeds[asks, name][i])
            ens = dif.simulate(graph, chosen, model=model, runs=RUNS, rng=i)
            at = followers[chosen]
            audience = float((np.minimum(0.1 * (at / 100) ** power, 1) * at).sum())
            row |= {
                name: ens.sizes.mean(),
                f"{name} audience": audience + len(at),
                f"{name} repeats": ens.redundancy().value,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def interval(values) -> tuple[float, float, float]:
    half = student.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / np.sqrt(len(values))
    return float(np.mean(values)), float(np.mean(values) - half), float(np.mean(values) + half)


campaigns = {(asks, power): campaign(power, 0.0, asks) for asks in LISTS for power in (0.0, slope["value"])}
rows = []
for (asks, power), table in campaigns.items():
    for name in kinds:
        value, low, high = interval(table[name])
        many = np.mean([len(s) for s in bought[asks, name]])
        rows.append((asks, power, name, many, value, low, high, BUDGET / value, table[f"{name} repeats"].mean()))
columns = ["prices", "attention slope", "kind", "creators", "reach", "low", "high", "RMB a user", "repeat exposures"]
pd.DataFrame(rows, columns=columns).round(3)

# %% [markdown]
# ## Where the sign flips
# The ratio of reach, KOC over KOL, against the slope of attention. Line: what direct audiences alone would say, which is 1 where attention
# grows as fast as price outruns followers. Points: simulated. Above 1 KOC win.

# %%
SETTINGS = {"law, no feed": ("law", 0), "law, feed m0 = 5": ("law", 5), "floor, no feed": ("law with floor", 0)}
powers = np.array([-0.75, -0.5, -0.25, 0.0, 0.25, 0.5])
points = []
for label, (asks, m0) in SETTINGS.items():
    for power in powers:
        table = campaign(float(power), m0, asks)
        value, low, high = interval(np.log(table["KOC"] / table["KOL"]))
        direct = np.log(table["KOC audience"] / table["KOL audience"]).mean()
        points.append((label, power, np.exp(value), np.exp(low), np.exp(high), np.exp(direct)))
sweep = pd.DataFrame(points, columns=["setting", "slope", "ratio", "low", "high", "direct"])


def flip(label: str, column: str = "ratio") -> str:
    own = sweep[sweep["setting"] == label]
    y = np.log(own[column].to_numpy())
    return (
        f"{np.interp(0, -y, own['slope']):+.2f}"
        if y.min() < 0 < y.max()
        else f"outside {powers[0]:g} to {powers[-1]:g}"
    )


with dif.plotting.style():
    fig, ax = plt.subplots(figsize=(7.4, 4.6), layout="constrained")
    ax.axvspan(slope["low"], slope["high"], color="#e9e9e9", linewidth=0, label="slope of the table, 95 % interval")
    ax.axhline(1, color=dif.plotting.INK, linewidth=0.8)
    for label, colour, marker in zip(SETTINGS, dif.plotting.PALETTE, "os^", strict=False):
        own = sweep[sweep["setting"] == label]
        ends = np.abs(own[["low", "high"]].to_numpy() - own[["ratio"]].to_numpy()).T
        ax.errorbar(own["slope"], own["ratio"], ends, marker=marker, color=colour, label=label)
        if label.endswith("no feed"):
            ax.plot(own["slope"], own["direct"], color=colour, linestyle=(0, (1, 1.5)), linewidth=2.6, alpha=0.5)
    ax.plot(
        [],
        [],
        color=dif.plotting.GREY,
        linestyle=(0, (1, 1.5)),
        linewidth=2.6,
        alpha=0.5,
        label="direct audiences alone",
    )
    dif.plotting.log_axis(ax, "y")
    ax.legend()
    ax.set_xlabel(
        f"slope of attention against followers\nbars: 95 % interval over {DRAWS} draws of creators, {RUNS} runs each"
    )
    ax.set_ylabel("reach of KOC over reach of KOL")

# %% [markdown]
# ## Overlap
# Now everyone is bought in the largest community, at the law's prices and the slope of the table. The same followers are rewired to other
# mixing, which changes who follows whom but no one's number of followers: the less mixing, the more often the same users are met.

# %%
rows = []
community = g.node_data["community"]
inside = {name: pool[(community[pool] == 0).to_numpy()] for name, pool in pools.items()}
local = {
    ("law", name): [
        dif.select_seeds(g, budget=BUDGET, prices=prices, method="random", candidates=pool, rng=i).seeds
        for i in range(DRAWS)
    ]
    for name, pool in inside.items()
}
for mu in (0.02, 0.2, 0.4):
    arcs = dif.rewire_mixing(g, mu, shuffle=3, rng=7).to_pandas()[["source", "target"]]
    table = campaign(slope["value"], seeds=local)
    for name in kinds:
        rows.append((mu, name, *interval(table[name]), *interval(table[f"{name} repeats"])))
columns = ["mixing", "strategy", "reach", "reach_low", "reach_high", "repeats", "repeats_low", "repeats_high"]
overlap = pd.DataFrame(rows, columns=columns)
overlap.round(3)

# %%
_ = plots.plot_reach_against_mixing(
    overlap,
    y="repeats",
    label="share of exposures that are repeats",
    interval=f"95 % interval over {DRAWS} draws of creators",
)

# %% [markdown]
# ## Answer

# %%
ratio = {key: np.exp(interval(np.log(t["KOC"] / t["KOL"]))) for key, t in campaigns.items()}


def verdict(asks: str, power: float) -> str:
    r = ratio[asks, power]
    word = "KOC reach more" if r[1] > 1 else "KOL reach more" if r[2] < 1 else "undecided"
    many = {name: np.mean([len(s) for s in bought[asks, name]]) for name in kinds}
    return f"**{word}**, {r[0]:.2f} [{r[1]:.2f}, {r[2]:.2f}] times as many users ({many['KOC']:.0f} KOC, {many['KOL']:.1f} KOL)"


few, much = (overlap[overlap["mixing"] == mu].set_index("strategy") for mu in (0.02, 0.4))
lines = [
    f"- Data: {source}. Prices grow as followers to the power {elasticity['value']:.2f} [{elasticity['low']:.2f}, {elasticity['high']:.2f}], engagement rates as the power "
    f"{slope['value']:.2f} [{slope['low']:.2f}, {slope['high']:.2f}]; {at_floor:.0%} of the creators ask {floor:g} RMB.",
    f"- KOC over KOL at {BUDGET:,.0f} RMB, prices by the law: same attention for all: {verdict('law', 0.0)}; attention as engagement: {verdict('law', slope['value'])}.",
    f"- With the floor of {floor:g} RMB: same attention: {verdict('law with floor', 0.0)}; attention as engagement: {verdict('law with floor', slope['value'])}.",
    f"- The sign flips at an attention slope of {flip('law, no feed')} by the law (direct audiences alone: {flip('law, no feed', 'direct')}; the price law: "
    f"{elasticity['value'] - 1:+.2f}), {flip('law, feed m0 = 5')} with a feed of 5 exposures a share, and {flip('floor, no feed')} with the floor.",
    f"- All bought in one community: at mixing 0.02 {few.loc['KOC', 'repeats']:.1%} [{few.loc['KOC', 'repeats_low']:.1%}, {few.loc['KOC', 'repeats_high']:.1%}] of the KOC's exposures are "
    f"repeats and at 0.4 {much.loc['KOC', 'repeats']:.1%} [{much.loc['KOC', 'repeats_low']:.1%}, {much.loc['KOC', 'repeats_high']:.1%}]; reach is "
    f"{few.loc['KOC', 'reach']:.0f} [{few.loc['KOC', 'reach_low']:.0f}, {few.loc['KOC', 'reach_high']:.0f}] and {much.loc['KOC', 'reach']:.0f} "
    f"[{much.loc['KOC', 'reach_low']:.0f}, {much.loc['KOC', 'reach_high']:.0f}].",
]
Markdown("\n".join(lines))
