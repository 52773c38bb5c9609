# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Quickstart: how far does a message travel, and who should start it?
# A generated follower graph, ten creators, and three answers: reach, growth, and the difference between two ways of seeding.

# %%
import diffusion as dif

g = dif.generate_platform(5_000, communities=5, rng=7).with_probabilities("weighted_cascade")
g

# %% [markdown]
# Ten creators chosen by OPIM-C, with a proof of how good they are: the spread of the seeds is at least `lower`, and no ten users
# reach more than `upper`.

# %%
certified = dif.select_seeds(g, 10, method=dif.seeding.OPIM(eps=0.05), rng=7)
certified

# %%
followers = dif.select_seeds(g, 10, method="degree")
ens = dif.simulate(g, certified, model=dif.IC(), runs=2_000, rng=7)
ens.mean()

# %%
ens.by_step().head()

# %%
ens.plot()

# %% [markdown]
# Who activated whom, in run 42. `cascade.view()` plays it here (extra `view`), `cascade.to_html("replay.html")` writes the player as one page:

# %%
cascade = ens.replay(42)
cascade.to_pandas().head()

# %%
dif.simulation.cascade_statistics(cascade)

# %% [markdown]
# Is the growth exponential? Only if the whole interval of R lies above 1.

# %%
dif.growth(ens)

# %% [markdown]
# Two seed sets in the same worlds: the paired difference with its interval.

# %%
dif.compare(g, {"certified": certified, "most followers": followers}, rng=7).differences
