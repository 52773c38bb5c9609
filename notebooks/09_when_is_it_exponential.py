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
# # When is Share & Spread exponential? A replicated experiment
# **Question.** How does the reach of a campaign depend on who is seeded and on community structure, and when does it grow exponentially?
# People share as often as real notes are shared ("observed"), or as often as they say in a survey ("stated"); or nobody is convinced before two
# distinct sharers were seen ("complex").
#
# **Design.** Every condition is drawn several times: another graph, other seeds, other spreads. The graph is the unit of every interval (Student's
# t), since a campaign on another graph of the same kind comes out differently, and by more than the error of a simulation. One factor is varied at
# a time around a base point, and strategies meet the same graphs.

# %%
import tempfile

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from scipy.stats import t as student

import diffusion as dif
from diffusion.models import ENGAGEMENT, Complex, Funnel, engagement_eta

# %matplotlib inline

USERS, COPIES = 5_000, 8
ATTENTION = 0.3
observed = engagement_eta(ATTENTION)
stated = Funnel.from_note("experience", participate=112 / 142, share=93 / 142)
models = {
    "observed": dif.SIPS(
        ATTENTION, Funnel.from_note("experience", participate=112 / 142 * observed, share=93 / 142 * observed)
    ),
    "stated": dif.SIPS(ATTENTION, stated),
    "complex": dif.SIPS(1.0, stated, identify=Complex(2)),
}
per_follower = ATTENTION * stated.rho
print(
    f"shares per follower and note: {ENGAGEMENT['shares'].pooled:.4f} on real notes, {per_follower:.3f} if people did what they say"
)

# %% [markdown]
# ## How far is a platform from R = 1?
# R is the number of new sharers that a sharer makes, from the next-generation operator of graph and model. Where along the share of intentions acted
# upon (eta) does it cross 1?

# %%
graphs = [dif.generate_platform(USERS, rng=i) for i in range(COPIES)]


def note(eta: float) -> dif.SIPS:
    return dif.SIPS(ATTENTION, Funnel.from_note("experience", participate=112 / 142 * eta, share=93 / 142 * eta))


critical = [dif.theory.critical_value(g, note, (0.01, 1.0)).value for g in graphs]
R = {
    name: [dif.simulation.reproduction(g, model=m, rng=1).predicted for g in graphs]
    for name, m in models.items()
    if name != "complex"
}
for name, values in R.items():
    print(f"R of {name}: {np.mean(values):.2f} (standard deviation between graphs {np.std(values, ddof=1):.2f})")
low, value, high = (ENGAGEMENT["shares"].low, ENGAGEMENT["shares"].pooled, ENGAGEMENT["shares"].high)
need = np.mean(critical) ** 2 * per_follower
print(
    f"critical eta {np.mean(critical):.2f}: {need:.3f} shares per follower, {need / value:.1f} times the pooled figure"
)
print(f"(quartiles of creators: {low:.4f} to {high:.4f})")

# %% [markdown]
# ## The experiment
# Sweeps over mixing and budget. `conditions` has one row a condition, with the mean over graphs and both parts of its error: the standard deviation
# between graphs and the standard error of simulation within one.

# %%
budgets = [{"money": m} for m in (5_000, 12_000, 25_000, 60_000, 150_000, 400_000)]
study = dif.Study(
    {"users": USERS, "communities": 8},
    models=list(models.values()),
    strategies=["random", "amateur", "degree"],
    budgets=[{"money": 25_000}],
    sweeps=[
        {"factor": "mixing", "levels": [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7]},
        {"factor": "budget", "levels": budgets},
    ],
    replicates=COPIES,
    seed=7,
)
print(study)
with tempfile.TemporaryDirectory() as folder:
    result = study.run(folder)
    cells, conditions, points, phases = (
        result.to_pandas(name) for name in ("results", "conditions", "points", "phases")
    )
names = {model.label: name for name, model in models.items()}
for table in (cells, conditions, phases):
    table["kind"] = table["model"].map(names)
swept = points.drop_duplicates(["factor", "level", "condition"]).merge(conditions, on="condition", suffixes=("", "_of"))
phases[["kind", "R_predicted", "R", "R_low", "R_high", "p_adjusted", "phase", "phase_cause"]].round(3)

# %% [markdown]
# How much of the error is the graph? The standard deviation of reach between graphs, beside the standard error of the simulation on one of them:

# %%
base = conditions[(conditions["mixing_set"] == 0.2) & (conditions["budget_value"] == 25_000)]
base[["kind", "strategy", "reach", "reach_low", "reach_high", "reach_sd_between", "reach_se_within"]].round(1)


# %%
def curves(factor: str, label: str) -> None:
    """Draw reach against a factor: one panel a model, one line a strategy, bands over graphs."""
    with dif.plotting.style():
        _, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained", sharey=True)
        for ax, name in zip(axes, models, strict=True):
            part = swept[(swept["factor"] == factor) & (swept["kind"] == name)]
            for i, (strategy, own) in enumerate(part.groupby("strategy")):
                own = own.sort_values("value")
                colour = dif.plotting.PALETTE[i]
                ax.plot(own["value"], own["reach_share"], "o-", ms=3, color=colour, label=strategy)
                band = own["reach_share_low"].clip(lower=1e-3), own["reach_share_high"]
                ax.fill_between(own["value"], *band, color=colour, alpha=0.15, lw=0)
            ax.set(xscale="log", yscale="log", xlabel=label, title=name)
        axes[0].set(ylabel="share of users reached")
        axes[0].legend()
        plt.show()


curves("mixing", "mixing: share of arcs between communities")

# %%
curves("budget", "budget (RMB)")


# %% [markdown]
# ## The size of the effects
# A contrast is made on every graph and averaged over graphs: the log ratio of reach between two levels, with Student's t over graphs.


# %%
def effect(name: str, strategy: str, factor: str, start: float, to: float) -> tuple[float, float, float]:
    """Change of reach in percent from one level to another, paired by replicate."""
    part = points[points["factor"] == factor].merge(cells, on="cell", suffixes=("", "_of"))
    part = part[(part["kind"] == name) & (part["strategy"] == strategy)]
    before, after = (part[part["value"] == level].set_index("replicate")["reach"] for level in (start, to))
    log = np.log(after / before)
    half = student.ppf(0.975, len(log) - 1) * log.std(ddof=1) / np.sqrt(len(log))
    return tuple(100 * np.expm1(v) for v in (log.mean(), log.mean() - half, log.mean() + half))


rows = {
    (name, strategy): effect(name, strategy, "mixing", 0.02, 0.7)
    for name in models
    for strategy in ("random", "amateur", "degree")
}
pd.DataFrame(rows, index=["reach, mixing .02 to .7 (%)", "low", "high"]).T.round(1)

# %% [markdown]
# ## What it says, and what it does not
# - Shares on real notes put a platform far below R = 1: a campaign reaches its followers and dies out, and reach goes with the budget. Growth needs
#   several times as many shares per follower.
# - Where people did what they say, R lies above 1 and reach hardly depends on who is seeded: a few users are enough, and the rest is structure.
#   More mixing helps.
# - Where several sharers are needed, reach jumps with the budget, and mixing decides whether it does.
#
# Limits: generated platforms; stage rates from a survey of 142 users and from the notes of 101 small creators; prices are market figures. SIPS has not
# been tested against a real campaign. Intervals hold for graphs of this kind. The command line runs the whole of it: `diffusion study`, with
# maps, a sensitivity analysis and a report; `--edges` does it on a real graph.
