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
# # Community structure of a real graph: rewiring the mixing, keeping every degree
# **Question.** Would the same users, with the same numbers of followers, be reached better if their communities were more, or less, closed? A real
# follower graph is rewired: mu, the share of arcs between communities, changes; every in- and out-degree and the number of mutual arcs stay.
# Simple contagion (one exposure may do) against complex (a share of the accounts followed must have adopted).

# %%
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib import pyplot as plt
from scipy.stats import t as student

import diffusion as dif
from diffusion import plotting as plots

# %matplotlib inline

DATA = Path("../../shared/data")
EDGES, FORUMS = DATA / "sinanet-edge.txt.gz", DATA / "sinanet-clusters.txt.gz"
if EDGES.is_file():
    source = "Sinanet, Sina Weibo (Jia et al. 2017); the direction of its rows is not documented and taken as user, account followed"
    g = dif.read_edges(EDGES, edges_mean="follows", directed=True)
else:
    source = f"a GENERATED stand-in, since {EDGES.name} is missing"
    g = dif.generate_platform(3_467, communities=8, mixing=0.33, mean_followers=8.7, reciprocity=0.1, rng=7)
Markdown(f"Data: {source}.")

# %% [markdown]
# ## Which communities?
# Those that followers form (Leiden, by modularity). The data also name ten forums; how far do follows keep to them?

# %%
found = dif.communities(g, rng=7)
rows = [("Leiden", found.n_communities, found.modularity, found.mixing)]
if FORUMS.is_file() and EDGES.is_file():
    with gzip.open(FORUMS, "rt") as lines:
        forum = {int(u): c for c, line in enumerate(lines) for u in line.split() if u != "0"}
    given = dif.graph.Partition.from_labels(g, {u: forum[u] for u in g.nodes})
    rows.append(("forums", given.n_communities, given.modularity, given.mixing))
g = g.with_node_data(community=found.labels)
own = found.mixing
pd.DataFrame(rows, columns=["communities", "number", "modularity", "mixing"]).round(3)

# %% [markdown]
# ## Rewired copies
# Eight copies at each mixing. All of them are compared with copies rewired to the mixing that the graph has: rewiring also removes clustering and
# whatever else is not degree or mixing, so the graph itself is a case of its own.

# %%
COPIES, DRAWS, RUNS = 8, 4, 64
SEEDS = round(0.04 * g.n_nodes)
IC, COMPLEX = dif.IC(), dif.Threshold(fraction=0.3)
mixings = [0.1, 0.15, 0.2, 0.25, 0.3, own, 0.45, 0.6, 0.75, 0.9]
nodes, largest = np.asarray(g.nodes), np.asarray(g.nodes)[found.labels.to_numpy() == 0]
pools = {"concentrated": largest, "spread": nodes}


def reach(graph: dif.FollowerGraph, place: str, model, key: list[int]) -> float:
    seeds = np.random.default_rng(key).choice(pools[place], SEEDS, replace=False)
    return float(dif.simulate(graph, seeds, model=model, runs=RUNS, rng=key[-1]).mean()) / graph.n_nodes


def measure(graphs: list[dif.FollowerGraph]) -> list[tuple]:
    """Reach by model and place, with the interval over copies (Student's t)."""
    rows = []
    for contagion, model in (("simple", IC), ("complex", COMPLEX)):
        for place in pools:
            by_copy = [
                np.mean([reach(copy, place, model, [i, d]) for d in range(DRAWS)])
                for i, copy in enumerate(h.with_probabilities("constant", p=0.1) for h in graphs)
            ]
            half = student.ppf(0.975, len(by_copy) - 1) * np.std(by_copy, ddof=1) / np.sqrt(len(by_copy))
            mean = float(np.mean(by_copy))
            rows.append((contagion, place, mean, max(mean - half, 0), min(mean + half, 1)))
    return rows


rows = []
for mu in mixings:
    copies = [dif.rewire_mixing(g, mu, rng=i) for i in range(COPIES)]
    same = all(c.out_degree.equals(g.out_degree) and c.in_degree.equals(g.in_degree) for c in copies)
    assert same, "a rewired copy has other degrees"
    rows += [(mu, *row) for row in measure(copies)]
columns = ["mixing", "contagion", "place", "reach", "reach_low", "reach_high"]
table = pd.DataFrame(rows, columns=columns)
itself = pd.DataFrame([(own, *row) for row in measure([g] * COPIES)], columns=columns)
table.pivot(index="mixing", columns=["contagion", "place"], values="reach").round(3)

# %%
with dif.plotting.style():
    fig, axes = plt.subplots(1, 2, figsize=(10.5, 4.3), layout="constrained")
    words = {"simple": "Simple: independent cascade, p = 0.1", "complex": "Complex: 30 % of accounts followed"}
    for ax, (contagion, part) in zip(axes, table.groupby("contagion", sort=False), strict=True):
        plots.plot_reach_against_mixing(
            part, ax, by="place", label="share of users reached", interval=f"95 % interval over {COPIES} rewired copies"
        )
        for i, place in enumerate(pools):
            alone = itself[(itself["contagion"] == contagion) & (itself["place"] == place)]
            ax.plot(own, alone["reach"], "*", markersize=11, color=dif.plotting.PALETTE[i], markeredgecolor="white")
        ax.plot([], [], "*", markersize=11, color=dif.plotting.GREY, label="the graph itself")
        stars = itself.loc[itself["contagion"] == contagion, "reach"]
        ax.set_ylim(0, 1.1 * max(float(part["reach_high"].max()), float(stars.max())))
        ax.legend()
        ax.set_title(words[contagion])

# %% [markdown]
# ## Who crosses over?
# The graph itself, simple contagion from twenty users of the largest community.

# %%
start = np.random.default_rng(7).choice(largest, 20, replace=False)
ens = dif.simulate(g.with_probabilities("constant", p=0.1), start, runs=200, rng=7)
flow = dif.simulation.community_flow(ens, runs=100)
_ = plots.plot_community_map(flow)

# %% [markdown]
# ## Answer


# %%
def at(contagion: str, place: str, mu: float) -> pd.Series:
    part = table[(table["contagion"] == contagion) & (table["place"] == place)]
    return part.iloc[(part["mixing"] - mu).abs().argmin()]


def told(row: pd.Series) -> str:
    return f"{row['reach']:.3f} [{row['reach_low']:.3f}, {row['reach_high']:.3f}]"


def optimum(contagion: str, place: str) -> str:
    part = table[(table["contagion"] == contagion) & (table["place"] == place)].sort_values("mixing")
    best, first, last = part.loc[part["reach"].idxmax()], part.iloc[0], part.iloc[-1]
    above = [best["reach_low"] > end["reach_high"] for end in (first, last)]
    if all(above):
        kind = "an optimum inside"
    elif any(above):
        kind = "higher than at one end only" if 0 < part.index.get_loc(best.name) < len(part) - 1 else "at the end"
    else:
        kind = "not told apart from the ends"
    return (
        f"**{contagion}, seeds {place}**: highest at mu = {best['mixing']:.2g}, {told(best)}, against {told(first)} at mu = {first['mixing']:g} and "
        f"{told(last)} at mu = {last['mixing']:g}: {kind}."
    )


lines = [f"- {optimum(c, p)}" for c in ("simple", "complex") for p in pools]
for contagion in ("simple", "complex"):
    near, wide = at(contagion, "concentrated", 0.3), at(contagion, "spread", 0.3)
    word = (
        "more"
        if near["reach_low"] > wide["reach_high"]
        else "less"
        if near["reach_high"] < wide["reach_low"]
        else "as much, within the intervals,"
    )
    lines.append(
        f"- At mu = 0.3 concentrated seeds reach {word} under {contagion} contagion: {told(near)} against {told(wide)}."
    )
star = itself[(itself["contagion"] == "simple") & (itself["place"] == "spread")].iloc[0]
lines.append(
    f"- Mixing of the graph itself is {own:.3f} between the communities of its followers. Under simple contagion with spread seeds it reaches {told(star)}, its copies of equal "
    f"mixing {told(at('simple', 'spread', own))}: what is left between the two is clustering and other structure."
)
lines.append(f"- Data: {source}. {SEEDS} seeds, {DRAWS} draws a copy, {RUNS} runs of simple contagion each.")
Markdown("\n".join(lines))
