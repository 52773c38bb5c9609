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
# # Independent cascades and thresholds against exact and analytic results
# **Question.** Are the simulated numbers right? Where a closed form or a full enumeration exists, simulation has to meet it within its own
# standard error; where theory is exact for large graphs only, the gap has to be small and of the right sign.

# %%
import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib import pyplot as plt

import diffusion as dif

# %matplotlib inline

RUNS = 200_000
IC, LT = dif.IC(), dif.LT()


def uniform(source, target, p: float, directed: bool = False) -> dif.FollowerGraph:
    g = dif.FollowerGraph.from_arrays(source, target, directed=directed, edges_mean="influences" if directed else None)
    return g.with_probabilities("constant", p=p)


def complete(n: int, p: float) -> dif.FollowerGraph:
    return uniform(*np.triu_indices(n, 1), p)


# %% [markdown]
# ## Small graphs with known answers
# `z` is the distance in standard errors: of so many independent checks almost all should lie within 2 and none beyond 4.

# %%
theory = dif.theory
diamond = uniform([0, 0, 1, 2], [1, 2, 3, 3], 0.5, directed=True)
triangle = uniform([0, 0, 1], [1, 2, 2], 0.4, directed=True)
tree = [None, 0, 0, 1, 1, 2, 3, 3, 6]
cases = [
    ("path of 4, p .3", uniform([0, 1, 2], [1, 2, 3], 0.3), 0, IC, theory.path_spread(4, 0.3)),
    ("star of 4, centre", uniform([0] * 4, [1, 2, 3, 4], 0.3), 0, IC, theory.star_spread(4, 0.3)),
    ("star of 4, leaf", uniform([0] * 4, [1, 2, 3, 4], 0.3), 1, IC, theory.star_spread(4, 0.3, "leaf")),
    ("cycle of 5", uniform(range(5), np.roll(range(5), -1), 0.3), 0, IC, theory.cycle_spread(5, 0.3)),
    ("out-tree", uniform(tree[1:], range(1, 9), 0.6, directed=True), 0, IC, theory.tree_spread(tree, 0.6)),
    ("diamond", diamond, 0, IC, theory.exact_final_size(diamond, [0]).mean),
    ("diamond", diamond, 0, LT, theory.exact_final_size(diamond, [0], model="lt").mean),
    ("triangle p .4", triangle, 0, IC, theory.exact_final_size(triangle, [0]).mean),
    ("triangle p .4", triangle, 0, LT, theory.exact_final_size(triangle, [0], model="lt").mean),
    *[
        (f"K{n}, p {p:g}", complete(n, p), 0, IC, theory.reed_frost(n, p).mean)
        for n, p in [(4, 0.5), (5, 0.2), (10, 0.1), (10, 0.2), (20, 0.1), (50, 0.03)]
    ],
]
rows = []
for i, (name, g, seed, model, exact) in enumerate(cases):
    s = dif.spread(g, [seed], model=model, runs=RUNS, rng=i)
    rows.append((name, model.name, exact, s.mean, s.low, s.high, (s.mean - exact) / s.se))
checks = pd.DataFrame(rows, columns=["graph", "model", "exact", "simulated", "low", "high", "z"])
checks.round(4)

# %% [markdown]
# ## The whole distribution, not the mean alone
# Final sizes of Reed and Frost's model on the complete graph of 20 nodes, exact and simulated.

# %%
exact = theory.reed_frost(20, 0.1)
sizes = dif.simulate(complete(20, 0.1), [0], runs=RUNS, rng=7).sizes
share = np.bincount(sizes, minlength=21) / RUNS
se = np.sqrt(exact.probability * (1 - exact.probability) / RUNS)
far = np.divide(np.abs(share - exact.probability), se, out=np.zeros_like(se), where=se > 0)
with dif.plotting.style():
    fig, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    ax.bar(exact.sizes, exact.probability, color="#c9dcea", label="exact")
    ax.errorbar(
        exact.sizes, share, 1.96 * se, fmt="o", markersize=3.5, color=dif.plotting.PALETTE[0], label="simulated"
    )
    ax.set_xticks(range(0, 21, 2))
    ax.set_xlabel(f"final size\nbars on the points: 95 % interval of {RUNS:,} runs")
    ax.set_ylabel("probability")
    ax.set_title("Reed-Frost, 20 nodes, p = 0.1: die out, or nearly everybody")
    ax.legend()

# %% [markdown]
# ## Node by node: message passing
# Twenty seeds. Exact on trees, an upper bound on graphs with circles, and close where circles are long. (From a single seed above the
# threshold it would not be close: the bound does not know that the whole cascade may die out.)

# %%
draw = np.random.default_rng(1)
n = 2_000
random_tree = uniform([draw.integers(0, i) for i in range(1, n)], range(1, n), 0.7)
sparse = uniform(*draw.integers(0, n, (2, 3 * n // 2)), 0.45)
panels = {}
for name, g in {"random tree": random_tree, "random graph, mean degree 3": sparse}.items():
    some = g.nodes[:20]
    ens = dif.simulate(g, some, runs=10_000, rng=3)
    panels[name] = (theory.message_passing(g, some), ens.activation_probability, ens.mean())

with dif.plotting.style():
    fig, axes = plt.subplots(1, 2, figsize=(9, 4.3), layout="constrained")
    for ax, (name, (predicted, measured, mean)) in zip(axes, panels.items(), strict=True):
        ax.plot([0, 1], [0, 1], color=dif.plotting.GREY, linewidth=0.8)
        ax.plot(predicted.activation_probability, measured, ".", markersize=3, color=dif.plotting.PALETTE[0], alpha=0.4)
        ax.set_aspect("equal")
        ax.set_title(name)
        ax.set_xlabel("activation probability, message passing")
        kind = "exact" if predicted.exact else "upper bound"
        ax.text(
            0.03,
            0.95,
            f"spread {predicted.spread:.4g} ({kind})\nsimulated {mean.mean:.4g} [{mean.low:.4g}, {mean.high:.4g}]",
            va="top",
        )
    axes[0].set_ylabel("simulated, 10,000 runs")

# %% [markdown]
# ## Large random graphs: percolation and branching
# An independent cascade with probability p on an Erdos-Renyi graph of mean degree z takes off where z p > 1, with a probability and a reach
# that are both the giant component of mean degree z p; below, mean size is that of a branching process, 1 / (1 - z p).

# %%
N, z = 10_000, 4.0
er = dif.FollowerGraph.from_arrays(*draw.integers(0, N, (2, round(N * z / 2))), directed=False, nodes=range(N))
seeds = draw.choice(N, 40, replace=False)
points = []
for zp in (0.3, 0.5, 0.7, 0.9, 1.25, 1.5, 2.0, 3.0):
    g = er.with_probabilities("constant", p=zp / z)
    sizes = np.concatenate([dif.simulate(g, [s], runs=20, rng=int(s)).sizes for s in seeds])
    grown = sizes >= 0.02 * N
    per_seed = sizes.reshape(len(seeds), -1).mean(axis=1)
    half = 2.02 * grown.reshape(len(seeds), -1).mean(axis=1).std(ddof=1) / np.sqrt(len(seeds))
    points.append(
        {
            "zp": zp, "giant": theory.giant_component(zp), "takes off": grown.mean(), "± takes off": half,
            "reach": sizes[grown].mean() / N if grown.any() else np.nan,
            "mean size": per_seed.mean(), "± mean size": 2.02 * per_seed.std(ddof=1) / np.sqrt(len(seeds)),
            "branching": theory.mean_total_size(zp),
        }
    )  # fmt: skip
percolation = pd.DataFrame(points)
percolation.round(3)

# %%
with dif.plotting.style():
    fig, (left, right) = plt.subplots(1, 2, figsize=(9.6, 4), layout="constrained")
    zps = np.linspace(0.3, 3, 200)
    left.plot(zps, [theory.giant_component(x) for x in zps], color=dif.plotting.GREY, label="giant component")
    left.errorbar(
        percolation["zp"], percolation["takes off"], percolation["± takes off"], fmt="o", mfc="white",
        color=dif.plotting.PALETTE[0], label="runs that take off",
    )  # fmt: skip
    left.plot(
        percolation["zp"],
        percolation["reach"].where(percolation["zp"] > 1),
        "x",
        color=dif.plotting.PALETTE[1],
        label="reach where they do",
    )
    left.set_xlabel("z p\nbars: 95 % interval over 40 seeds, 20 runs each")
    left.set_ylabel("share")
    left.set_title("Take-off and reach")
    left.legend()
    low = percolation[percolation["zp"] < 1]
    right.plot(zps[zps < 0.95], 1 / (1 - zps[zps < 0.95]), color=dif.plotting.GREY, label="1 / (1 - z p)")
    right.errorbar(
        low["zp"],
        low["mean size"],
        low["± mean size"],
        fmt="o",
        mfc="white",
        color=dif.plotting.PALETTE[0],
        label="simulated",
    )
    right.set_xlabel("z p\nbars: 95 % interval over 40 seeds, 20 runs each")
    right.set_ylabel("mean cascade size")
    right.set_title("Below the threshold")
    right.legend()

# %% [markdown]
# ## Thresholds
# Centola and Macy (2007): on a ring of n nodes with four neighbours each, thresholds of two and two adjacent seeds, adoption marches one
# node a step on either side. On an odd ring the last node sees both fronts at once, so all is over after floor((n - 2) / 2) steps. With
# in-degree at most one everywhere IC and LT are the same model.

# %%
ring_rows = []
for n in (10, 11, 100, 1001):
    cascade = dif.threshold_cascade(dif.graph.generate_ring_lattice(n, 4), [0, 1], count=2)
    ring_rows.append((n, cascade.size, cascade.depth, (n - 2) // 2))
ring = pd.DataFrame(ring_rows, columns=["nodes", "active", "steps", "predicted steps"])
out_tree = uniform([draw.integers(0, i) for i in range(1, 500)], range(1, 500), 0.6, directed=True)
pair = [dif.simulate(out_tree, [0], model=m, runs=20_000, rng=5).mean() for m in (IC, LT)]
ring

# %% [markdown]
# ## Answer

# %%
tree_fit, graph_fit = panels["random tree"], panels["random graph, mean degree 3"]
above = percolation[percolation["zp"] > 1]
inside = ((percolation["takes off"] - percolation["giant"]).abs() <= percolation["± takes off"]).sum()
Markdown(
    "\n".join(
        [
            f"- **{(checks['z'].abs() < 4).sum()} of {len(checks)} exact means are met** within 4 standard errors ({(checks['z'].abs() < 2).sum()} within 2; "
            f"largest |z| {checks['z'].abs().max():.2f}; {RUNS:,} runs each, so relative errors near {np.median((checks['high'] - checks['low']) / 2 / checks['exact']):.2%}).",
            f"- Of the {int((se > 0).sum())} sizes of Reed and Frost's model the farthest lies {far.max():.2f} standard errors from its exact probability.",
            f"- Message passing on a tree: {tree_fit[0].spread:.5g}, simulated {tree_fit[2].mean:.5g} [{tree_fit[2].low:.5g}, {tree_fit[2].high:.5g}]; on a graph "
            f"with circles it is an upper bound: {graph_fit[0].spread:.4g} against {graph_fit[2].mean:.4g} [{graph_fit[2].low:.4g}, {graph_fit[2].high:.4g}].",
            f"- Take-off on a graph of {N:,} nodes holds the giant component inside its 95 % interval at {inside} of {len(percolation)} values of z p; reach differs by at "
            f"most {(above['reach'] - above['giant']).abs().max():.3f}.",
            f"- Threshold marches took the predicted number of steps on {(ring['steps'] == ring['predicted steps']).sum()} of {len(ring)} rings; on an out-tree IC gives "
            f"{pair[0].mean:.4g} [{pair[0].low:.4g}, {pair[0].high:.4g}] and LT {pair[1].mean:.4g} [{pair[1].low:.4g}, {pair[1].high:.4g}].",
        ]
    )
)
