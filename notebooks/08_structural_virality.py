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
# # Structural virality and size
# **Question.** Is a popular cascade a broadcast or a chain of shares? Structural virality, the mean distance between the users of a cascade
# (Goel, Anderson, Hofman and Watts 2016), tells the two apart. It hardly depends on popularity, they found. And when two kinds of cascades differ
# in it, is that more than a difference in size (Juul and Ugander 2021)? Simulated cascades, and real ones where the files are there.

# %%
import gzip
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib import pyplot as plt
from scipy.stats import spearmanr

import diffusion as dif
from diffusion import plotting as plots

# %matplotlib inline

DATA = Path("../../shared/data")
SMALLEST = 10  # users; below, the shape says little
missing = []

# %% [markdown]
# ## Simulated cascades
# One platform, one random creator at a time. Two infectiousnesses of the same mechanism, and the same mechanism on a ring without hubs.

# %%
g = dif.generate_platform(20_000, communities=8, tail=2.6, rng=7)
R = {
    name: R / dif.theory.configuration_R(g, 1.0)
    for name, R in (("platform, R = 0.7", 0.7), ("platform, R = 0.95", 0.95))
}
small_world = dif.graph.generate_watts_strogatz(20_000, 12, 0.2, rng=7)
setups = {name: (g.with_probabilities("constant", p=p), 6_000) for name, p in R.items()}
setups["small world, R = 0.95"] = (
    small_world.with_probabilities("constant", p=0.95 / dif.theory.configuration_R(small_world, 1.0)), 3_000,
)  # fmt: skip
cascades = {}
for name, (graph, many) in setups.items():
    roots = np.random.default_rng(7).choice(np.asarray(graph.nodes), many)
    trees = [dif.independent_cascade(graph, [root], rng=i) for i, root in enumerate(roots)]
    cascades[name] = dif.simulation.cascade_statistics(trees)[["size", "depth", "max_breadth", "structural_virality"]]

# %% [markdown]
# ## Real cascades
# Retweets of the Higgs boson news, Twitter, July 2012: a user's first retweet names whom it was taken from, which makes trees. (Twitter credits many
# retweets to the author rather than the account they were seen at, which flattens trees; nothing here undoes that.) Weibo reposts and MemeTracker
# record who and when, not from whom: sizes, but no trees.

# %%
HIGGS = DATA / "higgs-activity_time.txt.gz"
if HIGGS.is_file():
    acts = pd.read_csv(HIGGS, sep=" ", names=["user", "source", "time", "kind"])
    first = (
        acts[(acts["kind"] == "RT") & (acts["user"] != acts["source"])]
        .sort_values("time", kind="stable")
        .drop_duplicates("user")
    )
    own_time = first.set_index("user")["time"]
    # Whoever was retweeted before retweeting anyone was an author then: a root, apart from the later retweet.
    author = ~(first["source"].map(own_time).fillna(np.inf) < first["time"])
    parents = first["source"].where(~author, -first["source"] - 1).to_numpy()
    authors = np.unique(parents[author.to_numpy()])
    nodes = np.concatenate([authors, first["user"].to_numpy()])
    forest = dif.results.Cascade.from_parents(nodes.tolist(), [None] * len(authors) + parents.tolist())
    cascades["Higgs retweets"] = dif.simulation.tree_statistics(forest)[
        ["size", "depth", "max_breadth", "structural_virality"]
    ]
else:
    missing.append(HIGGS.name)

sizes = {name: stats["size"].to_numpy() for name, stats in cascades.items()}
for name, file in (("Weibo reposts", "mcid-weibo-cascades.txt.gz"), ("MemeTracker", "memetracker-train.txt.gz")):
    if (DATA / file).is_file():
        with gzip.open(DATA / file, "rt") as lines:
            found = [len({event.split(",")[0] for event in line.split()}) for line in lines]
        sizes[name] = np.array([n for n in found if n])
    else:
        missing.append(file)
note = f"Missing, and left out: {', '.join(missing)}." if missing else "All files of real cascades are there."
Markdown(note)

# %%
with dif.plotting.style():
    fig, ax = plt.subplots(figsize=(7, 4.4), layout="constrained")
    for i, (name, n) in enumerate(sizes.items()):
        values = np.sort(n)
        share = 1 - np.arange(values.size) / values.size
        ax.plot(values, share, color=dif.plotting.PALETTE[i], label=f"{name} ({len(n):,})", drawstyle="steps-post")
    ax.set_xlim(1, None)
    dif.plotting.log_axis(ax, "x")
    ax.set_yscale("log")
    ax.legend(title="cascades")
    ax.set_xlabel("size, users")
    ax.set_ylabel("share of cascades at least as large")

# %% [markdown]
# ## Virality against size
# Spearman's correlation over cascades of at least 10 users, with a 95 % interval from 500 resamples of cascades.


# %%
def correlation(stats: pd.DataFrame) -> tuple[float, float, float, int]:
    x, y = stats["size"].to_numpy(), stats["structural_virality"].to_numpy()
    draw = np.random.default_rng(7)
    again = [spearmanr(x[i], y[i]).statistic for i in (draw.integers(0, len(x), len(x)) for _ in range(500))]
    return (float(spearmanr(x, y).statistic), *map(float, np.quantile(again, [0.025, 0.975])), len(x))


grown = {name: stats[stats["size"] >= SMALLEST] for name, stats in cascades.items()}
related = pd.DataFrame(
    {name: correlation(stats) for name, stats in grown.items()}, index=["Spearman", "low", "high", "cascades"]
).T  # fmt: skip
related["median virality"] = [stats["structural_virality"].median() for stats in grown.values()]
related["largest"] = [stats["size"].max() for stats in grown.values()]
related.round(3)

# %%
with dif.plotting.style():
    fig, axes = plt.subplots(
        1, len(grown), figsize=(3.3 * len(grown), 3.6), layout="constrained", sharex=True, sharey=True
    )
    for i, (ax, (name, stats)) in enumerate(zip(axes, grown.items(), strict=True)):
        ax.scatter(
            stats["size"], stats["structural_virality"], s=6, alpha=0.35, linewidths=0, color=dif.plotting.PALETTE[i]
        )
        middle = stats.groupby(pd.cut(np.log10(stats["size"]), np.arange(1, 6, 0.25)), observed=True)
        middle = middle[["size", "structural_virality"]].median()
        ax.plot(middle["size"], middle["structural_virality"], color=dif.plotting.INK, marker="o", markersize=4)
        dif.plotting.log_axis(ax, "x")
        dif.plotting.log_axis(ax, "y")
        ax.set_title(name)
        ax.set_xlabel("size, users")
    axes[0].set_ylabel("structural virality\n(dark: median by size)")

# %% [markdown]
# ## Matched by size
# Difference in mean structural virality, first over all cascades of at least 10 users, then within classes of equal size (each size up to 30, then
# a quarter of a power of two wide), weighted with the smaller number of the two; 95 % intervals from the variances inside the classes.


# %%
def size_class(n: pd.Series) -> np.ndarray:
    return np.where(n <= 30, n, 30 + np.ceil(4 * np.log2(n / 30))).astype(int)


def difference(a: pd.DataFrame, b: pd.DataFrame, matched: bool) -> tuple[float, float, float]:
    total = weight = variance = 0.0
    classes = [size_class(t["size"]) if matched else np.zeros(len(t), int) for t in (a, b)]
    for c in np.intersect1d(*classes):
        x, y = (t["structural_virality"].to_numpy()[own == c] for t, own in zip((a, b), classes, strict=True))
        if min(len(x), len(y)) < 2:
            continue
        w = min(len(x), len(y))
        total += w * (x.mean() - y.mean())
        variance += w**2 * (x.var(ddof=1) / len(x) + y.var(ddof=1) / len(y))
        weight += w
    value, half = total / weight, 1.96 * np.sqrt(variance) / weight
    return value, value - half, value + half


base = "platform, R = 0.95"
rows = []
for name in grown:
    if name != base:
        for matched in (False, True):
            rows.append(
                (
                    f"{base} minus {name}",
                    "matched" if matched else "raw",
                    *difference(grown[base], grown[name], matched),
                )
            )
matched = pd.DataFrame(rows, columns=["pair", "comparison", "difference", "low", "high"])
matched.round(3)

# %% [markdown]
# Two cascades of about equal size, the most and the least viral of the platform:

# %%
name, (graph, many) = base, setups[base]
stats = cascades[base]
near = stats[(stats["size"] >= 60) & (stats["size"] <= 120)]
roots = np.random.default_rng(7).choice(np.asarray(graph.nodes), many)
with dif.plotting.style():
    fig, axes = plt.subplots(1, 2, figsize=(9.6, 4.6), layout="constrained")
    for ax, i in zip(axes, (near["structural_virality"].idxmin(), near["structural_virality"].idxmax()), strict=True):
        plots.plot_cascade_tree(dif.independent_cascade(graph, [roots[i]], rng=int(i)), ax)
        ax.set_title(
            f"{stats['size'][i]} users, structural virality {stats['structural_virality'][i]:.2f}", fontsize=10.5
        )

# %% [markdown]
# ## Answer

# %%
strong = int((related["low"] > 0.5).sum())
lines = [
    f"- Expected after Goel et al.: virality nearly unrelated to size. Found: the whole interval of the correlation lies above 0.5 in {strong} of {len(related)} sets of cascades; "
    f"it is weakest for {related['Spearman'].idxmin()}."
]
for name, row in related.iterrows():
    lines.append(
        f"- **{name}**: Spearman's correlation of virality with size {row['Spearman']:.2f} [{row['low']:.2f}, {row['high']:.2f}] over {row['cascades']:,.0f} cascades of at least "
        f"{SMALLEST} users; median virality {row['median virality']:.2f}, largest cascade {row['largest']:,.0f} users."
    )
for pair, part in matched.groupby("pair", sort=False):
    raw, fair = part.set_index("comparison").loc[["raw", "matched"]].to_dict("records")
    apart = "remains" if fair["low"] > 0 or fair["high"] < 0 else "is not told apart from zero"
    lines.append(
        f"- {pair}: raw {raw['difference']:+.2f} [{raw['low']:+.2f}, {raw['high']:+.2f}]; at matched size {fair['difference']:+.2f} [{fair['low']:+.2f}, {fair['high']:+.2f}], which {apart}."
    )
for name in ("Higgs retweets", "Weibo reposts", "MemeTracker"):
    if name in sizes:
        lines.append(
            f"- {name}: {len(sizes[name]):,} cascades, {np.mean(sizes[name] >= 100):.2%} of at least 100 users, median {np.median(sizes[name]):.0f}."
        )
Markdown("\n".join([*lines, f"- {note}"]))
