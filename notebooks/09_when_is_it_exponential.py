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

import diffusion as dif
from diffusion.models import ENGAGEMENT, Complex, Funnel, engagement_eta

# %matplotlib inline

USERS, COPIES = 5_000, 8
ATTENTION = 0.3
observed = engagement_eta(ATTENTION)
stated = Funnel.from_note("experience", participate=112 / 142, share=93 / 142)
models = {
    "observed": dif.SIPS(ATTENTION, Funnel.from_note("experience", participate=112 / 142 * observed, share=93 / 142 * observed)),
    "stated": dif.SIPS(ATTENTION, stated),
    "complex": dif.SIPS(1.0, stated, identify=Complex(2)),
}
per_follower = ATTENTION * stated.rho
print(f"shares per follower and note: {ENGAGEMENT['shares'].pooled:.4f} on real notes, {per_follower:.3f} if people did what they say")

# %% [markdown]
# ## How far is a platform from R = 1?
# R is the number of new sharers that a sharer makes, from the next-generation operator of graph and model. Where along the share of intentions acted
# upon (eta) does it cross 1?

# %%
graphs = [dif.generate_platform(USERS, rng=i) for i in range(COPIES)]


def note(eta: float) -> dif.SIPS:
    return dif.SIPS(ATTENTION, Funnel.from_note("experience", participate=112 / 142 * eta, share=93 / 142 * eta))


critical = [dif.theory.critical_value(g, note, (0.01, 1.0)).value for g in graphs]
R = {name: [dif.simulation.reproduction(g, model=m, rng=1).predicted for g in graphs] for name, m in models.items() if name != "complex"}
for name, values in R.items():
    print(f"R of {name}: {np.mean(values):.2f} (standard deviation between graphs {np.std(values, ddof=1):.2f})")
low, value, high = (ENGAGEMENT["shares"].low, ENGAGEMENT["shares"].pooled, ENGAGEMENT["shares"].high)
need = np.mean(critical) ** 2 * per_follower
print(f"critical eta {np.mean(critical):.2f}: {need:.3f} shares per follower, {need / value:.1f} times the pooled figure")
print(f"(quartiles of creators: {low:.4f} to {high:.4f})")

# %% [markdown]
# ## The experiment
# Sweeps over mixing and budget. `conditions` has one row a condition, with the mean over graphs and both parts of its error: the standard deviation
# between graphs and the standard error of simulation within one.

# %%
study = dif.Study(
    {"users": USERS, "communities": 8},
    models=list(models.values()),
    strategies=["random", "amateur", "degree"],
    budgets=[{"money": 25_000}],
    sweeps=[
        {"factor": "mixing", "levels": [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7]},
        {"factor": "budget", "levels": [{"money": m} for m in (5_000, 12_000, 25_000, 60_000, 150_000, 400_000)]},
    ],
    replicates=COPIES,
    seed=7,
)
print(study)
with tempfile.TemporaryDirectory() as folder:
    result = study.run(folder)
    conditions, points = result.to_pandas("conditions"), result.to_pandas("points")
    phases = result.to_pandas("phases")
names = {model.label: name for name, model in models.items()}
swept = points.drop_duplicates(["factor", "level", "condition"]).merge(conditions, on="condition", suffixes=("", "_of"))
swept["contagion"] = swept["model"].map(names)
phases.assign(model=phases["model"].map(names))[["model", "R_predicted", "R", "R_low", "R_high", "p_adjusted", "phase"]].round(3)


# %%
def curves(factor: str, label: str, column: str = "reach_share") -> None:
    """Draw reach against a factor, one panel a model, one line a strategy, bands over graphs."""
    with dif.plotting.style():
        _, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained", sharey=True)
        for ax, name in zip(axes, models, strict=True):
            for i, (strategy, own) in enumerate(swept[(swept["factor"] == factor) & (swept["contagion"] == name)].groupby("strategy")):
                own = own.sort_values("value")
                x, colour = own["value"], dif.plotting.PALETTE[i]
                ax.plot(x, own[column], "o-", ms=3, color=colour, label=strategy)
                ax.fill_between(x, own[f"{column}_low"], own[f"{column}_high"], color=colour, alpha=0.15, lw=0)
            ax.set(xscale="log", yscale="log", xlabel=label, title=name)
        axes[0].set(ylabel="share of users reached")
        axes[0].legend()
        plt.show()


curves("mixing", "mixing: share of arcs between communities")

# %%
curves("budget", "budget (RMB)")


# %% [markdown]
# ## The size of the effects
# A contrast is made on every graph and averaged over graphs: the log ratio of reach between two levels, whose interval is Student's t over graphs.


# %%
def contrast(a: pd.DataFrame, b: pd.DataFrame) -> str:
    """Change of reach from a to b in percent, paired by replicate."""
    pair = a.set_index("replicate")["reach"].to_frame("a").join(b.set_index("replicate")["reach"].rename("b"))
    log = np.log(pair["b"] / pair["a"])
    half = 2.365 * log.std(ddof=1) / np.sqrt(len(log))  # t with 7 degrees of freedom
    ends = (np.expm1(v) * 100 for v in (log.mean(), log.mean() - half, log.mean() + half))
    return "{:+.1f} % [{:.1f}, {:.1f}]".format(*ends)


cells = result.to_pandas() if result.folder.exists() else None
