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
# # Two brands on one platform: what is a rival's first move worth, and how to answer it?
# **Question.** A competitor has already paid the creators with most followers. Whom should the other brand seed? Does it pay to go where the rival is
# not, or to stand in its way? And what do users who disappoint do to a campaign?

# %%
import pandas as pd

import diffusion as dif
from diffusion.models import ICN, ComIC, CompetitiveIC
from diffusion.seeding import best_response

# %matplotlib inline

g = dif.generate_platform(3_000, communities=6, rng=7).with_probabilities("weighted_cascade")
rival = list(dif.select_seeds(g, 10, method="degree").seeds)
g

# %% [markdown]
# ## Follow the leader, or block
# `best_response` chooses ten seeds against the known ones of the rival: for one's own reach, or against the reach of the rival. Each choice is judged in
# fresh worlds.

# %%
duel = CompetitiveIC(("ours", "theirs"))
creators = dif.select_seeds(g, 300, method="degree").seeds  # whom anybody would consider
answers = {
    objective: best_response(
        g, 10, brand="ours", rivals={"theirs": rival}, model=duel, objective=objective, candidates=creators, rng=7
    )
    for objective in ("own", "block")
}
taken = set(rival)
ours = {
    "next by followers": [node for node in dif.select_seeds(g, 20, method="degree").seeds if node not in taken][:10],
    "as if alone": list(dif.select_seeds(g, 10, exclude=rival, rng=7).seeds),
    "best response": list(answers["own"].seeds),
    "blocking": list(answers["block"].seeds),
}
campaigns = {
    name: dif.simulate(g, {"ours": mine, "theirs": rival}, model=duel, runs=2_000, rng=8) for name, mine in ours.items()
}
rows = {
    name: {
        "ours": voice.loc["ours", "mean"],
        "theirs": voice.loc["theirs", "mean"],
        "share of voice": f"{voice.loc['ours', 'share']:.3f} [{voice.loc['ours', 'share_low']:.3f}, {voice.loc['ours', 'share_high']:.3f}]",
    }
    for name, voice in ((name, ens.share_of_voice()) for name, ens in campaigns.items())
}
table = pd.DataFrame(rows).T
table

# %%
_ = campaigns["best response"].plot()

# %% [markdown]
# What the search knows of its own answer, and whether a guarantee stands behind it:

# %%
for name, answer in answers.items():
    print(name, "-", answer, "-", answer.guarantee)

# %% [markdown]
# ## Rivals, or partners?
# In Com-IC two items can hinder or help each other: a user who has one may take the other less easily, or more. The four adoption probabilities say
# which.

# %%
kinds = {"rivals": (0.6, 0.0), "indifferent": (0.6, 0.6), "complements": (0.6, 0.9)}
together = {}
for kind, (alone, beside) in kinds.items():
    model = ComIC(alone, beside, alone, beside, brands=("ours", "theirs"))
    together[kind] = dif.simulate(g, {"ours": ours["best response"], "theirs": rival}, model=model, runs=2_000, rng=8)
pd.DataFrame({kind: ens.share_of_voice()["mean"] for kind, ens in together.items()}).round(1)

# %% [markdown]
# ## Users who are disappointed
# IC-N: a user likes what was shared with probability q, and warns others otherwise.

# %%
quality = {
    q: dif.simulate(g, ours["as if alone"], model=ICN(q), runs=2_000, rng=8).share_of_voice()["mean"]
    for q in (1.0, 0.95, 0.9, 0.8)
}
pd.DataFrame(quality).round(1)

# %% [markdown]
# ## Answer


# %%
def ours_more(a, b):
    """Users that our brand reaches more with seeds a than with b, in the same worlds, with a 95 % interval."""
    more = campaigns[a].sizes_by_brand[:, 0] - campaigns[b].sizes_by_brand[:, 0]
    half = 1.96 * more.std() / len(more) ** 0.5
    return f"{more.mean():.1f} [{more.mean() - half:.1f}, {more.mean() + half:.1f}]"


print(
    f"Answer. The best response reaches {table['ours']['best response']:.0f} users, {ours_more('best response', 'as if alone')} more than seeds chosen as if "
    f"there were no rival, and {ours_more('best response', 'next by followers')} more than the next by followers: knowing the rival is worth little here.\n"
    f"Blocking. The rival reaches {table['theirs']['blocking']:.0f} users in place of {table['theirs']['best response']:.0f}, and we "
    f"{ours_more('blocking', 'best response')}.\n"
    f"Partners. Where each helps the other, we reach {together['complements'].share_of_voice()['mean']['ours']:.0f} users, as rivals "
    f"{together['rivals'].share_of_voice()['mean']['ours']:.0f}.\n"
    f"Quality. With one in ten disappointed, {quality[0.9]['positive'] / quality[1.0]['positive']:.0%} of the positive reach is left."
)
