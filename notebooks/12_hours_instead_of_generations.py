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
# # Hours instead of generations: when does a note reach its audience?
# **Question.** A cascade model counts generations. A platform counts hours: a note is seen after a delay, interest fades, and a campaign has a deadline. What
# changes when time is real? Who should be seeded when only 12 hours count? And is sharing that stops by itself an epidemic?

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import diffusion as dif
from diffusion.models import CTIC, SIR, SIS, Exponential, Gamma, OutbreakSize, TemporalIC

# %matplotlib inline

g = dif.generate_platform(5_000, rng=7).with_probabilities("constant", p=0.08)
g

# %% [markdown]
# ## The same cascade, with a clock
# `CTIC` is the independent cascade whose arcs take a time: here four hours in the mean. Without a deadline it reaches whom IC reaches, in the same worlds.

# %%
delay = Exponential(1 / 4)  # hours
seeds = dif.select_seeds(g, 5, rng=7)
plain = dif.simulate(g, seeds, runs=1_000, rng=8)
timed = dif.simulate(g, seeds, model=CTIC(delay), runs=1_000, rng=8)
assert (plain.sizes == timed.sizes).all()
hours = timed.by_step()
print(f"reach {plain.mean()!r}")
print(
    f"{plain.depths.mean():.1f} generations; half of the reach after {(hours['cumulative'] < hours['cumulative'].max() / 2).sum()} hours"
)

# %%
fig, axes = plt.subplots(1, 2, figsize=(11, 4))
axes[0].bar(range(plain.new_by_step.shape[1]), plain.new_by_step.mean(axis=0))
axes[0].set(title="Generations: over after a few", xlabel="generation", ylabel="new users, mean of runs")
axes[1].plot(hours["step"], hours["mean"])
axes[1].set(title="Hours: the same users, spread over days", xlabel="hour", xlim=(0, 72))
fig.tight_layout()

# %% [markdown]
# ## A deadline changes what seeds are worth
# RR sets are drawn in time, so that seeds for a deadline have a certificate as those of IC have.

# %%
rows = []
for deadline in (3.0, 12.0, 48.0):
    model = CTIC(delay, deadline=deadline)
    chosen = dif.select_seeds(g, 20, model=model, rng=7)
    candidates = {"for the deadline": chosen, "without a deadline": dif.select_seeds(g, 20, rng=7)}
    candidates["most followers"] = dif.select_seeds(g, 20, method="degree")
    judged = dif.compare(g, candidates, model=model, rel_error=0.005, rng=9)
    gain = judged.difference("for the deadline", "without a deadline")
    means = judged.means["mean"].round(1).to_dict()
    rows.append({"hours": deadline, **means, "gain": f"{gain.value:.1f} [{gain.low:.1f}, {gain.high:.1f}]"})
by_deadline = pd.DataFrame(rows).set_index("hours")
by_deadline

# %% [markdown]
# ## Sharing that stops by itself
# In SIR a user who shared goes on to be noticed for a while, and then nobody looks: an infectious period. All arcs out of a user share it, which IC
# does not know. Whether the period is memoryless or nearly fixed changes the reach, although its mean is the same.

# %%
periods = {"exponential": Exponential(1 / 6), "gamma, shape 4": Gamma(6.0, 4.0)}
sir = {name: dif.simulate(g, seeds, model=SIR(0.015, period), runs=500, rng=7) for name, period in periods.items()}
pd.DataFrame(
    {
        name: {"reach": ens.final_size(), "peak": ens.peak(), "hour of the peak": ens.peak_time()}
        for name, ens in sir.items()
    }
)

# %%
_ = sir["exponential"].plot()

# %% [markdown]
# Who is ever infected needs no clock at all: `OutbreakSize` is the percolation behind SIR, many runs at once. Both agree.

# %%
large = dif.spread(
    g, seeds, model=OutbreakSize(0.015, periods["exponential"]), rel_error=0.002, max_runs=200_000, rng=3
)
print("with times:", sir["exponential"].final_size())
print("percolation:", large)

# %% [markdown]
# ## Interest that comes back
# With SIS a user can be won again. There is no final size then, but a level at which sharing persists.

# %%
sis = dif.simulate(g, seeds, model=SIS(0.05, Exponential(1 / 6), end=120), runs=100, rng=7)
_ = sis.plot()

# %% [markdown]
# ## Follows that begin after the post
# A follow that begins after a note was posted carries nothing. Here follows begin at any time in ten days, and the note is posted after five. The static graph of
# all follows says too much, and that of the moment of the post too little, since cascades take days.

# %%
arcs, began = g.to_pandas(), np.random.default_rng(7).uniform(0, 240, g.n_edges)
ends = {"directed": True, "edges_mean": "influences", "nodes": g.nodes}
follows = dif.graph.TemporalGraph.from_follows(arcs["source"], arcs["target"], began, **ends)
views = {"all follows": follows.window(0, 240), "at the post": follows.at(120)}
in_time = follows.with_probabilities("constant", p=0.08)
reach = {name: dif.spread(view.with_probabilities("constant", p=0.08), seeds, rng=5) for name, view in views.items()}
reach["as they begin"] = dif.spread(in_time, seeds, model=TemporalIC(delay, start=120.0), rng=5)
pd.Series(
    {name: f"{found.mean:.1f} [{found.low:.1f}, {found.high:.1f}]" for name, found in reach.items()}, name="reach"
)

# %% [markdown]
# ## Answer

# %%
level = sis.curves().query("compartment == 'infected' and time == 120").iloc[0]
print(
    f"Time. The same {plain.mean().mean:.0f} users are reached in {plain.depths.mean():.0f} generations, or over some "
    f"{timed.depths.mean():.0f} hours.\n"
    f"Deadline. At 3 hours, seeds chosen for it reach {by_deadline.loc[3.0, 'gain']} users more than seeds chosen without one; at 48 "
    f"hours {by_deadline.loc[48.0, 'gain']}.\n"
    f"Period. Exponential against nearly fixed periods of the same mean: {sir['exponential'].mean().mean:.0f} against "
    f"{sir['gamma, shape 4'].mean().mean:.0f} users.\n"
    f"Follows. The static graph of all follows gives {reach['all follows'].mean:.0f} users, that at the post {reach['at the post'].mean:.0f}, the follows as they "
    f"begin {reach['as they begin'].mean:.0f}.\n"
    f"Return. With SIS {level['mean']:.0f} [{level['low']:.0f}, {level['high']:.0f}] users are active after five days."
)
