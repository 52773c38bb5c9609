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
# # Optimal modularity: can a network have too many communities, or too few?
# **Question.** Complex contagion needs several active neighbours: here a share theta of them. All seeds lie in one of two communities.
# At which mixing mu (the share of edges between the communities) does the whole network adopt? Nematzadeh, Ferrara, Flammini and Ahn
# (PRL 113, 088701, 2014) found an optimum in between: enough edges inside to start, enough across to jump. Peng et al. (2020) repeat
# it with other numbers.

# %%
import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib import pyplot as plt
from scipy.stats import t as student

import diffusion as dif

# %matplotlib inline

N, GRAPHS = 20_000, 5
STUDIES = {
    "Nematzadeh et al. 2014": {"theta": 0.4, "z": 20.0, "rho0": 0.17, "published": (0.21, 0.30)},
    "Peng et al. 2020": {"theta": 0.35, "z": 10.0, "rho0": 0.10, "published": (0.13, 0.24)},
}
pd.DataFrame(STUDIES).T

# %% [markdown]
# ## Simulated beside theory
# Five random graphs a mixing, seeds drawn anew in each: a share rho0 of all nodes, all of them in community 0. The model is deterministic,
# so the interval is over graphs and seeds (Student's t). The line is the two-community equation, exact for infinite graphs.


# %%
def simulated(theta: float, z: float, rho0: float, mixing: np.ndarray) -> pd.DataFrame:
    rows = []
    for mu in mixing:
        shares = []
        for i in range(GRAPHS):
            g = dif.graph.generate_two_communities(N, z, float(mu), rng=1_000 * i + round(1000 * mu))
            seeds = np.random.default_rng(i).choice(N // 2, round(rho0 * N), replace=False)
            ens = dif.simulate(g, seeds, model=dif.Threshold(fraction=theta), runs=1)
            shares.append(ens.sizes[0] / N)
        half = student.ppf(0.975, GRAPHS - 1) * np.std(shares, ddof=1) / np.sqrt(GRAPHS)
        mean = float(np.mean(shares))
        rows.append((mu, mean, max(mean - half, 0), min(mean + half, 1), sum(s > 0.99 for s in shares), GRAPHS))
    return pd.DataFrame(rows, columns=["mixing", "reach", "reach_low", "reach_high", "global", "runs"])


fine = np.round(np.arange(0, 0.5001, 0.005), 3)
grid = {
    "Nematzadeh et al. 2014": np.array([0.02, 0.1, 0.16, 0.19, 0.2, 0.21, 0.23, 0.26, 0.29, 0.3, 0.31, 0.33, 0.4, 0.5]),
    "Peng et al. 2020": np.array([0.02, 0.08, 0.11, 0.12, 0.13, 0.14, 0.17, 0.2, 0.23, 0.24, 0.25, 0.27, 0.35, 0.5]),
}
found, theory, windows = {}, {}, {}
for name, s in STUDIES.items():
    found[name] = simulated(s["theta"], s["z"], s["rho0"], grid[name])
    theory[name] = [dif.theory.two_communities(s["theta"], s["z"], mu, 2 * s["rho0"]).total for mu in fine]
    windows[name] = dif.theory.mixing_window(s["theta"], s["z"], 2 * s["rho0"])
pd.concat(found, names=["study"]).droplevel(1).round(3)

# %%
with dif.plotting.style():
    fig, axes = plt.subplots(1, 2, figsize=(10.5, 4.2), layout="constrained", sharey=True)
    for ax, (name, table) in zip(axes, found.items(), strict=True):
        window = windows[name]
        ax.axvspan(window.min(), window.max(), color="#e9e9e9", linewidth=0)
        ax.plot(fine, theory[name], color=dif.plotting.GREY, label="theory (infinite graph)")
        ends = np.abs(table[["reach_low", "reach_high"]].to_numpy() - table[["reach"]].to_numpy()).T
        ax.errorbar(
            table["mixing"], table["reach"], ends, fmt="o", mfc="white", color=dif.plotting.PALETTE[0],
            label=f"simulated, {GRAPHS} graphs of {N:,} nodes",
        )  # fmt: skip
        s = STUDIES[name]
        ax.set_title(f"{name}: theta {s['theta']}, z {s['z']:g}, rho0 {s['rho0']}")
        ax.set_xlabel(
            "mixing mu: share of edges between communities\nbars: 95 % interval over graphs; grey: global by theory"
        )
    axes[0].set_ylabel("share of all nodes that adopt")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)

# %% [markdown]
# ## How few seeds are enough?
# The smallest share of seeds, all in one community, that makes the cascade global: lowest at an intermediate
# mixing, and below some mixing no share will do: the other community cannot be entered. "At least theta" and
# "above theta" are both found in the literature and differ wherever theta times the degree is a whole number.

# %%
s = STUDIES["Nematzadeh et al. 2014"]
mus = np.round(np.arange(0.02, 0.5001, 0.01), 2)
needed = dif.theory.minimal_seed_fraction(s["theta"], s["z"], mus, tol=1e-3)
strict = dif.theory.minimal_seed_fraction(s["theta"], s["z"], mus, tol=1e-3, strict=True)
best = int(np.nanargmin(needed))

check = []
possible = np.flatnonzero(np.isfinite(needed))
for mu, share in zip(mus[possible[::8]], needed[possible[::8]], strict=True):
    for factor in (0.95, 1.05):
        table = simulated(s["theta"], s["z"], factor * share, np.array([mu]))
        check.append((mu, factor * share, factor, int(table["global"].iloc[0])))
check = pd.DataFrame(check, columns=["mixing", "seeds", "of the minimum", "global"])
check.round(3)

# %%
with dif.plotting.style():
    fig, ax = plt.subplots(figsize=(6.6, 4.2), layout="constrained")
    ax.plot(mus, needed, color=dif.plotting.PALETTE[0], label="at least theta")
    ax.plot(mus, strict, color=dif.plotting.PALETTE[1], linestyle="--", label="above theta")
    for few, marker, label in (
        (False, "o", "simulated: global in most graphs"),
        (True, "x", "simulated: not global in most"),
    ):
        own = check[(check["global"] <= GRAPHS // 2) == few]
        ax.plot(own["mixing"], own["seeds"], marker, color=dif.plotting.INK, label=label)
    ax.axvspan(0, mus[possible[0]], color="#e9e9e9", linewidth=0)
    ax.text(
        mus[possible[0]] / 2, 0.25, "one community\nis never enough", ha="center", va="center", color=dif.plotting.GREY
    )
    ax.set_xlim(0, 0.51)
    ax.set_ylim(0, 0.5)
    ax.legend(loc="upper right")
    ax.set_xlabel("mixing mu: share of edges between communities")
    ax.set_ylabel("smallest share of seeds for a global cascade")
    ax.set_title(f"Fewest seeds are needed at mu = {mus[best]:g}")

# %% [markdown]
# ## Answer

# %%
lines = []
for name, table in found.items():
    window, (low, high) = windows[name], STUDIES[name]["published"]
    inside = table[(table["mixing"] >= low - 1e-9) & (table["mixing"] <= high + 1e-9)]
    outside = table[~table.index.isin(inside.index)]
    peak = table.loc[table["reach"].idxmax()]
    end = table.iloc[-1]
    lines.append(
        f"- **{name}**: theory is global for mu from {window.min():.2f} to {window.max():.2f} (expected {low:.2f} to {high:.2f}). Simulated, "
        f"{inside['global'].sum()} of {GRAPHS * len(inside)} graphs inside that window were global and {outside['global'].sum()} of "
        f"{GRAPHS * len(outside)} outside it. At mu = 0.5, without communities, {end['reach']:.3f} [{end['reach_low']:.3f}, {end['reach_high']:.3f}] "
        f"of the nodes adopt; at mu = {table['mixing'].iloc[0]:g} it is {table['reach'].iloc[0]:.3f} "
        f"[{table['reach_low'].iloc[0]:.3f}, {table['reach_high'].iloc[0]:.3f}]."
    )
over, under = check[check["of the minimum"] > 1]["global"], check[check["of the minimum"] < 1]["global"]
lines.append(
    f"- Fewest seeds are needed at mu = {mus[best]:g}: {needed[best]:.3f} of all nodes, against {needed[-1]:.3f} at mu = 0.5; "
    f"below mu = {mus[possible[0]]:g} even all of one community are not enough. With 5 % more than "
    f"the minimum {over.sum()} of {GRAPHS * len(over)} simulated cascades were global, with 5 % fewer {under.sum()} of {GRAPHS * len(under)}."
)
Markdown("\n".join(lines))
