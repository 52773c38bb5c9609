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
# # Watts' cascade window, and how many seeds it takes to leave it
# **Question.** Every node adopts once a share phi of its neighbours has. On which random graphs does a tiny seed reach nearly everybody?
# Watts (2002) found a window in the mean degree z; Gleeson and Cahalane (2007) give the final size for any share of seeds. Simulation over
# the whole (phi, z) plane beside theory.

# %%
import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib import pyplot as plt
from scipy.ndimage import maximum_filter, minimum_filter

import diffusion as dif

# %matplotlib inline

N, R0 = 10_000, 0.01


def random_graph(z: float, key: int) -> dif.FollowerGraph:
    ends = np.random.default_rng(key).integers(0, N, (2, round(N * z / 2)))
    return dif.FollowerGraph.from_arrays(*ends, directed=False, nodes=range(N))


def reach(g: dif.FollowerGraph, phi: float, seeds) -> float:
    return dif.simulate(g, seeds, model=dif.Threshold(fraction=phi), runs=1).sizes[0] / N


# %% [markdown]
# ## The plane
# One percent of the nodes seeded at random: one graph of 10,000 nodes for each z, one seed set for each cell.

# %%
phis = np.round(np.arange(0.10, 0.301, 0.0125), 4)
zs = np.round(np.arange(0.75, 15.01, 0.75), 2)
theory = np.array([[dif.theory.gleeson_cahalane(float(z), float(phi), R0).share for phi in phis] for z in zs])
simulated = np.empty_like(theory)
for i, z in enumerate(zs):
    g = random_graph(z, i)
    for k, phi in enumerate(phis):
        seeds = np.random.default_rng([i, k]).choice(N, round(R0 * N), replace=False)
        simulated[i, k] = reach(g, float(phi), seeds)

# %%
with dif.plotting.style():
    fig, axes = plt.subplots(1, 3, figsize=(12.5, 4.4), layout="constrained", sharey=True)
    extent = (phis[0], phis[-1], zs[0], zs[-1])
    window = [dif.theory.watts_window(float(phi)) for phi in np.linspace(0.1, 0.3, 201)]
    for ax, (title, values, cmap, low, high) in zip(
        axes,
        [
            ("Gleeson and Cahalane: r0 = 1 %", theory, "viridis", 0, 1),
            (f"simulated, {N:,} nodes", simulated, "viridis", 0, 1),
            ("simulated minus theory", simulated - theory, "RdBu", -1, 1),
        ],
        strict=True,
    ):
        mesh = ax.pcolormesh(phis, zs, values, cmap=cmap, vmin=low, vmax=high, shading="nearest", rasterized=True)
        x = np.linspace(0.1, 0.3, 201)
        for end in ("low", "high"):
            ax.plot(x, [getattr(w, end) for w in window], color=dif.plotting.PALETTE[1], linewidth=1.4)
        ax.grid(visible=False)
        ax.set_title(title)
        ax.set_xlabel("threshold phi")
        if title.startswith(("simulated,", "simulated minus")):
            fig.colorbar(mesh, ax=ax, label="share that adopts" if "minus" not in title else "difference")
    axes[0].set_ylabel("mean degree z")
    fig.suptitle("Lines: Watts' window for a single seed", x=0.01, ha="left", fontsize=10.5)

# %% [markdown]
# ## One seed: the window itself
# phi = 0.18; the share of single random seeds whose cascade passes a tenth of the graph (five graphs a mean degree, 40 seeds each), and the
# final size of those. Theory: the window, and Gleeson and Cahalane's size as the share of seeds goes to zero.

# %%
PHI, GRAPHS, SEEDS = 0.18, 5, 40
rows = []
for z in (0.8, 1.0, 1.2, 1.5, 2, 3, 4, 4.75, 5.25, 5.5, 5.75, 6, 6.5, 7.5):
    shares = []
    for i in range(GRAPHS):
        g = random_graph(z, 100 + i)
        shares.append([reach(g, PHI, [s]) for s in np.random.default_rng(i).choice(N, SEEDS, replace=False)])
    shares = np.array(shares)
    by_graph = (shares > 0.1).mean(axis=1)
    half = 2.776 * by_graph.std(ddof=1) / np.sqrt(GRAPHS)
    rows.append((z, by_graph.mean(), half, shares[shares > 0.1].mean() if (shares > 0.1).any() else np.nan))
single = pd.DataFrame(rows, columns=["z", "global", "±", "size when global"])
window = dif.theory.watts_window(PHI)
fine = np.linspace(0.8, 7.5, 68)
tiny = [dif.theory.gleeson_cahalane(float(z), PHI, 1e-6).share for z in fine]
single.round(3)

# %%
with dif.plotting.style():
    fig, ax = plt.subplots(figsize=(7, 4.2), layout="constrained")
    ax.axvspan(
        window.low, window.high, color="#e9e9e9", linewidth=0, label=f"window {window.low:.4f} to {window.high:.4f}"
    )
    ax.plot(fine, tiny, color=dif.plotting.GREY, label="size by theory, r0 to 0")
    ax.plot(single["z"], single["size when global"], "x", color=dif.plotting.PALETTE[1], label="size when global")
    ax.errorbar(
        single["z"], single["global"], single["±"], fmt="o", mfc="white", color=dif.plotting.PALETTE[0],
        label="seeds that set off a global cascade",
    )  # fmt: skip
    ax.set_ylim(-0.03, 1.05)
    fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    ax.set_xlabel(f"mean degree z\nbars: 95 % interval over {GRAPHS} graphs")
    ax.set_ylabel("share")
    ax.set_title(f"phi = {PHI}, one random seed")

# %% [markdown]
# ## No diminishing returns
# At z = 6, outside the window, reach against the share of seeds: a hundred times the seeds bring far more than a hundred times the reach.

# %%
r0s = np.array([1e-4, 1e-3, 2e-3, 3e-3, 4e-3, 5e-3, 6e-3, 7e-3, 8e-3, 1e-2])
jump = []
for r0 in r0s:
    values = []
    for i in range(GRAPHS):
        g = random_graph(6.0, 200 + i)
        values.append(reach(g, PHI, np.random.default_rng(i).choice(N, max(round(r0 * N), 1), replace=False)))
    half = 2.776 * np.std(values, ddof=1) / np.sqrt(GRAPHS)
    jump.append((r0, dif.theory.gleeson_cahalane(6.0, PHI, float(r0)).share, np.mean(values), half))
jump = pd.DataFrame(jump, columns=["r0", "theory", "simulated", "±"])
jump.round(4)

# %% [markdown]
# ## Answer

# %%
gap = np.abs(simulated - theory)
near = (gap > 0.05).sum()
edge = (
    maximum_filter(theory, 3) - minimum_filter(theory, 3) > 0.5
)  # a neighbouring cell ends more than half the graph away
peak = single.loc[single["global"].idxmax()]
inside = single[(single["z"] > window.low) & (single["z"] < window.high)]
outside = single.drop(inside.index)
first, last = jump.iloc[0], jump.iloc[-1]
lines = [
    f"- Over the plane of {gap.size} cells simulation and theory differ by {np.median(gap):.4f} in the median; {gap.size - near} cells ({1 - near / gap.size:.1%}) agree "
    f"within 0.05, and {((gap > 0.05) & edge).sum()} of the other {near} border on a cell whose size by theory differs by more than a half.",
    f"- At phi = {PHI} the window is {window.low:.4f} < z < {window.high:.4f}. Single seeds go global in up to {peak['global']:.0%} ± {peak['±']:.0%} of cases (z = {peak['z']:g}); "
    f"global cascades occurred at {int((inside['global'] > 0).sum())} of {len(inside)} mean degrees inside the window and at {int((outside['global'] > 0).sum())} of "
    f"{len(outside)} outside.",
    f"- The window is empty above phi = 1/4: at 0.25 it is {dif.theory.watts_window(0.25).low:.4f} to {dif.theory.watts_window(0.25).high:.4f}, at 0.26 "
    f"{'not there' if not dif.theory.watts_window(0.26) else 'there'}.",
    f"- Diminishing returns fail: at z = 6, {last['r0'] / first['r0']:.0f} times the seeds raise reach from {first['simulated']:.4f} ± {first['±']:.4f} (theory {first['theory']:.4f}) "
    f"to {last['simulated']:.4f} ± {last['±']:.4f} (theory {last['theory']:.4f}).",
]
Markdown("\n".join(lines))
