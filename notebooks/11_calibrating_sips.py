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
# # Calibrating SIPS on public creator data
# **Question.** What do counts of likes, collects, comments and shares say about the funnel, eta and the feed, and what do they leave open?
# First a table made of known parameters: does the calibration find them? Then small creators of a real platform, if their table is beside the
# repository. Last the result as the base point of a study.

# %%
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import tomli_w
from IPython.display import Markdown, display

import diffusion as dif
from diffusion.inference import calibrate_feed, fit_attention, fit_funnel, follower_elasticity

# %matplotlib inline

ACTIONS = {"sympathize": "liked", "identify": "collected", "participate": "comments", "share": "shared"}

# %% [markdown]
# ## A platform of known truth
# 100 creators. A note of a creator with k followers has (a k + m0) / (1 - g c) attended exposures in the mean, and its quality multiplies that: a
# hundredth of the notes holds a quarter of all interactions. Creators' rates differ by half of their mean.

# %%
rng = np.random.default_rng(7)
TRUE_FUNNEL = dif.models.Funnel(sympathize=0.12, identify=0.5, participate=0.6, share=0.7)
TRUE_FEED = dif.models.Feed(impressions=200, amplification=0.8)
TRUE_ATTENTION, CREATORS = 0.25, 100

followers = np.round(rng.lognormal(6.5, 1.0, CREATORS)) + 20
creator = np.repeat(np.arange(CREATORS), np.maximum(rng.lognormal(4.2, 0.8, CREATORS).astype(int), 5))
expected = np.array([TRUE_ATTENTION * k + TRUE_FEED.exposures(TRUE_FUNNEL, TRUE_ATTENTION, k) for k in followers])
reads = 1 + rng.poisson(expected[creator] * rng.lognormal(-0.98, 1.4, len(creator)))
lift = rng.gamma(4, 0.25, CREATORS)[creator]  # of all rates of a creator
made = pd.DataFrame({"creator": creator, "fans": followers[creator], "reads": reads})
reached = np.cumprod(TRUE_FUNNEL.values)
for column, stage in zip(ACTIONS.values(), reached, strict=True):
    made[column] = rng.binomial(reads, np.minimum(stage * lift, 1))
total = made[list(ACTIONS.values())].sum(axis=1).sort_values(ascending=False)
print(f"{len(made):,} notes; the top 1 % hold {total.iloc[: len(made) // 100].sum() / total.sum():.0%} of interactions")

users = pd.DataFrame({"user": np.repeat(np.arange(300), 4), "shown": rng.geometric(0.05, 1200)})
users["attended"] = rng.binomial(users["shown"], rng.beta(2.5, 7.5, 300)[users["user"]])

# %% [markdown]
# ## Does the calibration find it?
# Four figures are used: counts per read give the funnel, an exposure log gives attention, the slope of reads on followers gives m0, their level gives
# g. Attention has to come first: m0 / a is what the slope identifies.

# %%
fit = fit_funnel(made, impressions="reads", actions=ACTIONS)
attention = fit_attention(users)
by_creator = made.groupby("creator").agg({"fans": "first", "reads": "mean"})
slope = follower_elasticity(by_creator["fans"], by_creator["reads"])


def feed_at(elasticity: float) -> dif.models.Feed:
    return calibrate_feed(
        by_creator["fans"],
        attention=attention.rate,
        funnel=fit.funnel(),
        elasticity=elasticity,
        exposures=by_creator["reads"].mean(),
    )


found, ends = feed_at(slope.value), [feed_at(end) for end in (slope.high, slope.low)]
true_slope = np.polyfit(np.log(followers), np.log(expected), 1)[0]
steps = fit.steps(rng=7)
rows = [
    (f"p, {name}", true, *steps.loc[name])
    for name, true in zip(steps.index, [*TRUE_FUNNEL.values, TRUE_FUNNEL.rho], strict=True)
]
rows += [
    ("attention", TRUE_ATTENTION, attention.rate, attention.low, attention.high),
    ("elasticity of reads", true_slope, slope.value, slope.low, slope.high),
    ("m0", TRUE_FEED.impressions, found.impressions, *(feed.impressions for feed in ends)),
]
check = pd.DataFrame(rows, columns=["parameter", "truth", "estimate", "low", "high"]).set_index("parameter")
check["inside"] = (check["low"] <= check["truth"]) & (check["truth"] <= check["high"])
check.round(3)

# %% [markdown]
# The interval of m0 is that of the slope alone. Feed strength g c has none: mean reads have an error of their own. Here it is

# %%
branching = [
    feed.amplification * feed.score(funnel) for feed, funnel in ((TRUE_FEED, TRUE_FUNNEL), (found, fit.funnel()))
]
print(f"g c: {branching[0]:.2f} true, {branching[1]:.2f} estimated")

# %%
_ = fit.plot()

# %% [markdown]
# ## Real creators
# Small creators on Xiaohongshu. Impressions are not public, so rates are per follower and note; counts are of followers and of the feed's audience
# alike. Where the table is missing, the counts that the package holds stand in: their quartiles over creators are a range, not an interval.

# %%
DATA = Path("../../shared/data")
NOTES, FANS = DATA / "xhs-notes.csv.gz", DATA / "xhs-creators.csv.gz"
ATTENTION = 0.3  # assumed: nothing here measures it
shares = dif.models.ENGAGEMENT["shares"]
pooled_eta = dif.models.engagement_eta(ATTENTION)
real = None
if NOTES.is_file() and FANS.is_file():
    fans = pd.read_csv(FANS, index_col="creator")["fans"]
    notes = pd.read_csv(NOTES)
    notes["fans"] = notes["creator"].map(fans)
    real = fit_funnel(notes, followers="fans", actions=ACTIONS)
    shown = real.table[["action", "rate", "low", "high", "spread", "overdispersion", "pooled"]]
else:
    columns = {"pooled": "pooled", "low": "lower quartile", "middle": "median creator", "high": "upper quartile"}
    shown = pd.DataFrame(
        {name: {text: getattr(of, at) for at, text in columns.items()} for name, of in dif.models.ENGAGEMENT.items()}
    ).T
shown.round(4)

# %%
if real is not None:
    real.plot()

# %% [markdown]
# **Two answers for one rate.** The mean creator has several times the rate of all counts over all followers: creators with few followers are shown to many
# others, so their counts per follower are high. As an upper figure for what followers do, pooled is the tighter one, but single creators decide
# it, and no interval of it held what it claims.

# %%
if real is not None:
    eta = real.eta(ATTENTION, rng=7)
    table = real.study_table(ATTENTION)
    by_note = notes[list(ACTIONS.values())].sum(axis=1).groupby(notes["creator"]).mean()
    elastic = follower_elasticity(fans[by_note.index], by_note)
    feeds = {
        name: calibrate_feed(fans, attention=ATTENTION, funnel=real.funnel(ATTENTION), elasticity=value)
        for name, value in (("estimate", elastic.value), ("low end", elastic.low), ("high end", elastic.high))
    }
    m0 = pd.Series({name: feed.impressions for name, feed in feeds.items()}, name="m0")
    display(eta, elastic, m0.round(0).to_frame())
else:
    quartiles = [dif.models.engagement_eta(ATTENTION, shares_per_follower=x) for x in (shares.low, shares.high)]
    survey = {
        key: dif.models.SURVEY[item].share for key, item in (("participate", "participates"), ("share", "has_posted"))
    }
    table = {
        "attention": ATTENTION, "sympathize": dif.models.NOTES["experience"].sympathize, **survey, "eta": pooled_eta,
        "posterior": {"eta": {"quantiles": quartiles}},
    }  # fmt: skip

# %% [markdown]
# ## The base point of a study
# The table of the model holds the base point and what data leave open of it; the sensitivity analysis draws from it beside structure and
# attention. (A small study: 1,000 users.)

# %%
document = {
    "title": "calibrated",
    "replicates": 2,
    "graph": {"platform": {"users": 1_000, "communities": 4, "mixing": 0.2}},
    "model": [{"name": "calibrated", "kind": "sips", "sips": table}],
    "seeding": {"strategy": "amateur", "budget": {"money": 10_000}},
    "sensitivity": {
        "samples": 16,
        "ranges": {"eta": "posterior", "attention": [0.2, 0.4], "mixing": [0.05, 0.5], "feed": [0.0, 6.0]},
    },
    "predictive": {"draws": 12},
    "precision": {"rel_error": 0.1, "max_runs": 64},
}
with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "study.toml"
    file.write_text(tomli_w.dumps(document))
    result = dif.Study.from_toml(file).run(Path(folder) / "out")
    sensitivity = result.to_pandas("sensitivity")
    predictive = result.to_pandas("predictive")
sensitivity[["measure", "input", "range", "total", "total_low", "total_high"]].round(2)

# %% [markdown]
# ## Answer

# %%
inside, drawn = int(check["inside"].sum()), predictive.iloc[0]
lines = [
    f"- On the made platform {inside} of {len(check)} intervals hold the truth; rho = {steps.loc['rho', 'value']:.3f} "
    f"[{steps.loc['rho', 'low']:.3f}, {steps.loc['rho', 'high']:.3f}] against {TRUE_FUNNEL.rho:.3f}, m0 = {check.loc['m0', 'estimate']:.0f} "
    f"[{check.loc['m0', 'low']:.0f}, {check.loc['m0', 'high']:.0f}] against {TRUE_FEED.impressions:.0f}.",
]
if real is not None:
    of = real.rates["share"]
    lines += [
        f"- {real.n_creators} real creators, {real.n_rows:,} notes: shares per follower and note **{of.rate:.3f} [{of.low:.3f}, {of.high:.3f}]** in the mean "
        f"over creators, {of.pooled:.4f} pooled. Creators' rates vary by {of.spread:.2g} of their mean, notes of one creator by {np.sqrt(of.overdispersion):.2g}.",
        f"- At attention {ATTENTION:g} the mean creator has **eta = {eta.eta:.2f} [{eta.low:.2f}, {eta.high:.2f}]**, pooled counts {pooled_eta:.2f}: "
        "upper figures for the follow channel both.",
        f"- Elasticity of interactions a note on followers **{elastic.value:.2f} [{elastic.low:.2f}, {elastic.high:.2f}]** (robust; correlational): m0 = "
        f"{m0['estimate']:.0f} [{m0['high end']:.0f}, {m0['low end']:.0f}] attended exposures beside the {ATTENTION * fans.median():.0f} of a median creator's followers.",
    ]
else:
    lines += [
        f"- {shares.notes:,} notes of {shares.creators} real creators, counts only: eta = {pooled_eta:.2f} pooled, {quartiles[0]:.2f} to {quartiles[1]:.2f} "
        "for the quartiles of creators; without the table no interval."
    ]
lines += [
    f"- With eta drawn from what data leave open, 95 % of the draws reach {drawn['predictive_low']:.0f} to {drawn['predictive_high']:.0f} users, against "
    f"{drawn['reach']:.0f} [{drawn['reach_low']:.0f}, {drawn['reach_high']:.0f}] at the base point.",
    "- **Not identified** by public counts: attention apart from rho; the order of steps (more notes are shared than commented on, so p_X = 1 is only the least "
    "nested reading); which counts come from the feed; its amplification without impressions; whether followers cause interactions.",
]
Markdown("\n".join(lines))
