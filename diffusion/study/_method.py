"""How the study was done: graphs, models with the standing of every parameter, precision, provenance, glossary."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pandas as pd

from ._format import count, label, listing, number, plain, spelled
from ._growth_words import phase_counts
from ._read import FACTORS, Tables
from ._tables import Column, Table

__all__ = [
    "glossary",
    "graph_facts",
    "models_table",
    "own_model_words",
    "parameters_table",
    "precision_words",
    "provenance_facts",
    "rewired_words",
    "skipped_table",
    "stopping_table",
    "strategies_table",
    "tiers_table",
]

_STOPPED = {
    "precision": "the precision asked for was reached",
    "max_runs": "the largest number of runs was reached first",
    "deterministic": "every run is the same: nothing is random in this cell",
}


def stopping_table(tables: Tables) -> Table:
    """What stopped the cells."""
    r = tables.results
    rows = []
    for reason, group in r.groupby("stopped_by"):
        widest = group["rel_error"].max()
        rows.append(
            [_STOPPED.get(str(reason), str(reason)), count(len(group)), number(float(group["runs"].median())),
             count(group["runs"].max()), f"{number(100 * widest, 3)} %" if widest == widest else "–"]
        )  # fmt: skip
    columns = [
        Column("A cell stopped because", right=False), Column("Cells"), Column("Runs, median"), Column("Runs, most"),
        Column("Widest half interval, share of reach"),
    ]  # fmt: skip
    data = r[["cell", *FACTORS, "runs", "rel_error", "stopped_by", "seconds_select", "seconds_simulate"]]
    kept = int((r["stopped_by"] == "max_runs").sum())
    title = (
        "Every cell reached the precision asked for"
        if not kept
        else f"{count(kept)} of {count(len(r))} cells stopped at the largest number of runs, not yet precise enough"
    )
    return Table("precision", title, columns, rows, data)


def models_table(tables: Tables) -> Table:
    """Models that stand for themselves; SIPS is one row, its parameters have a table of their own."""
    rows, data = [], []
    seen: set[tuple[str, str]] = set()
    for model in tables.study.get("models", []):
        given = model.get("parameters") or {}
        listed = isinstance(given, list)
        pairs = [(g["name"], g["value"]) for g in given] if listed else list(given.items())
        settings = "; ".join(f"{name} = {plain(value)}" for name, value in pairs if value is not None)
        sips = str(model["model"]).startswith("SIPS")
        name = "SIPS" if sips else model["model"]
        standing = model.get("standing") or (listing(sorted({g["standing"] for g in given})) if listed else "")
        data.append(
            {k: model.get(k) for k in ("model", "rule", "description")} | {"standing": standing, "parameters": settings}
        )
        shown = "see the parameters below" if sips and listed else settings or "none"
        if (name, model["rule"]) not in seen or not sips:
            rows.append([name, model["rule"] or "its own", model.get("description", ""), shown, standing])
        seen.add((name, model["rule"]))
    heads = ("DiffusionModel", "Probabilities", "What it says", "Parameters", "Standing")
    note = "Standing: where a parameter comes from (exact, read in a source, prior, assumed)."
    return Table("models", "Models", [Column(h, right=False) for h in heads], rows, pd.DataFrame(data), note)


def parameters_table(tables: Tables) -> Table | None:
    """Every parameter with its values over the models of the study, its standing and where it comes from."""
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for model in tables.study.get("models", []):
        given = model.get("parameters") or {}
        kind = "SIPS" if str(model["model"]).startswith("SIPS") else str(model["model"])
        for entry in given if isinstance(given, list) else []:
            own = found.setdefault((kind, str(entry["name"])), {"value": [], "standing": [], "note": []})
            for name in own:
                text = plain(entry.get(name)) if name == "value" else str(entry.get(name) or "")
                if text and text not in own[name]:
                    own[name].append(text)
    if not found:
        return None
    models = len({kind for kind, _ in found}) > 1
    rows, data = [], []
    for (kind, name), own in found.items():
        stands = [", ".join(own["value"]), listing(own["standing"]), _merged(own["note"]) or "–"]
        rows.append(([kind] if models else []) + [name, *stands])
        data.append(
            {"model": kind, "parameter": name} | dict(zip(("values", "standing", "where from"), stands, strict=True))
        )
    heads = (["DiffusionModel"] if models else []) + [
        "Parameter",
        "Values in this study",
        "Standing",
        "Where it comes from",
    ]
    columns = [Column(h, right=False) for h in heads]
    counts = Counter(row[-2] for row in rows)
    title = f"Of {count(len(rows))} parameters " + listing(
        [f"{n} {'is' if n == 1 else 'are'} {s}" for s, n in counts.most_common()]
    )
    note = (
        "Exact: a definition. Read: in a named source. Prior: a survey or third-party figure, never a fact. Assumed: nobody has "
        "measured it; vary it."
    )
    return Table("parameters", title, columns, rows, pd.DataFrame(data), note)


def _merged(notes: list[str]) -> str:
    """Join notes that differ at their end alone, such as ``times eta = 1 or 0.25``."""
    split = [note.rpartition(" ") for note in notes]
    if len(notes) < 2 or len({stem for stem, _, _ in split}) > 1:
        return "; ".join(notes)
    return f"{split[0][0]} {' or '.join(end for _, _, end in split)}"


def own_model_words(tables: Tables) -> str:
    """Say what standing SIPS itself has, where the study uses it."""
    if not (tables.results["model_kind"] == "SIPS").any():
        return ""
    return (
        "SIPS (Sympathize, Identify, Participate, Share & Spread) is a way of thinking about marketing on content platforms. No "
        "published network model of it was found: the model here is this package's own. It is tied down by its limits (independent "
        "cascades, site percolation, a branching process for the feed, thresholds), which are checked, and not by data on a real "
        "campaign. Read its numbers as what follows from the parameters below, not as forecasts."
    )


def rewired_words(tables: Tables) -> str:
    """Explain rewired copies, where the study has any."""
    copies = [g for g in tables.graphs if g.get("rewired_from")]
    if not copies:
        return ""
    source = listing(sorted({str(g["rewired_from"]) for g in copies}))
    return (
        f"{count(len(copies))} of the {count(len(tables.graphs))} graphs {'is a copy' if len(copies) == 1 else 'are copies'} of {source} "
        "whose arcs were rewired until the share of arcs between communities was the one named. Every user keeps the number of "
        "followers and of followed accounts, and the communities stay; who follows whom is drawn anew. So a copy differs from "
        "another in mixing alone, but from the original also in everything that rewiring destroys, such as triangles and "
        "returned arcs: compare copies with copies."
    )


def skipped_table(tables: Tables) -> Table | None:
    """Combinations that the study refused to run, with the reason it gave."""
    given = tables.study.get("skipped") or []
    if not given:
        return None
    names = ["graph", "strategy", "budget", "reason"]
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for s in given:
        own = groups.setdefault((str(s["strategy"]), str(s["reason"])), {"graph": [], "budget": []})
        own["graph"].append(tables.graph_name(str(s["graph"])))
        own["budget"].append(str(s["budget"]))
    graphs = tables.several_graphs
    rows = [
        [label(strategy), *([listing(list(dict.fromkeys(own["graph"])))] if graphs else []),
         listing(list(dict.fromkeys(own["budget"]))), reason]
        for (strategy, reason), own in groups.items()
    ]  # fmt: skip
    title = f"{count(len(given))} combination{'' if len(given) == 1 else 's'} could not be run"
    heads = [Column(name, right=False) for name in ("Strategy", *(["Graphs"] if graphs else []), "Budgets", "Reason")]
    return Table("skipped", title, heads, rows, pd.DataFrame(given, columns=names))


def strategies_table(tables: Tables) -> Table:
    """How each strategy chooses."""
    given = tables.study.get("strategies", [])
    rows = [[label(str(s["strategy"])), s.get("description", "")] for s in given]
    data = pd.DataFrame(given, columns=["strategy", "description"])
    heads = [Column("Strategy", right=False), Column("How its seeds are chosen", right=False)]
    return Table("strategies", "Strategies", heads, rows, data)


def graph_facts(tables: Tables) -> Table:
    """Facts on the graphs: one row a fact, one column a graph; one column where all graphs agree."""
    cards = [dict(_facts(graph)) for graph in tables.graphs]
    names = list(dict.fromkeys(name for card in cards for name in card))
    labels = [tables.graph_name(str(g["label"])) for g in tables.graphs]
    rows = [[name, *(card.get(name, "–") for card in cards)] for name in names]
    columns = [Column("", right=False), *(Column(name[:1].upper() + name[1:], right=False) for name in labels)]
    data = pd.DataFrame(cards).assign(graph=[g["label"] for g in tables.graphs])
    title = f"Graph: {tables.graphs[0]['label']}" if len(cards) == 1 else f"The {spelled(len(cards))} graphs"
    return Table("graphs", title, columns, rows, data[["graph", *names]])


def _facts(graph: dict[str, Any]) -> list[tuple[str, str]]:
    meaning = {
        "influences": "an arc leads from a user to a follower",
        "follows": "an arc leads from follower to followed",
    }
    facts: list[tuple[str, str]] = [
        ("Source", str(graph["source"])),
        ("Users", count(graph["n_nodes"])),
        ("Follower arcs", count(graph["n_edges"])),
        ("Direction", "directed" if graph.get("directed") else "undirected: each edge is an arc both ways"),
    ]
    if graph.get("edges_mean"):
        facts.append(
            ("In the source", f"{meaning.get(graph['edges_mean'], graph['edges_mean'])} ({graph['edges_mean']})")
        )
    if graph.get("rows") is not None:
        dropped = [
            f"{count(graph[key])} {words} left out"
            for key, words in (("dropped_self_loops", "self loops"), ("dropped_parallel", "repeated arcs"))
            if graph.get(key)
        ]
        if graph.get("comment_lines"):
            dropped.append(f"{count(graph['comment_lines'])} lines before them taken as comments")
        facts.append(("Rows read", count(graph["rows"]) + (f" ({', '.join(dropped)})" if dropped else "")))
    facts.append(
        ("Followers", f"{number(graph['mean_followers'])} on average, {count(graph['max_followers'])} at most")
    )
    if graph.get("reciprocity") is not None:
        facts.append(("Reciprocity", f"{number(100 * graph['reciprocity'], 3)} % of arcs are returned"))
    if graph.get("n_communities"):
        facts.append(("Communities", count(graph["n_communities"])))
        if graph.get("communities_from"):
            facts.append(("Communities from", str(graph["communities_from"])))
        if graph.get("modularity") is not None:
            facts.append(("Modularity", number(graph["modularity"], 3)))
        if graph.get("mixing") is not None:
            facts.append(("Mixing", f"{number(100 * graph['mixing'], 3)} % of arcs lead to another community"))
    if graph.get("rewired_from"):
        facts.append(("Rewired from", str(graph["rewired_from"])))
    if graph.get("tiers_note"):
        facts.append(("Tiers and prices", str(graph["tiers_note"])))
    return facts


def tiers_table(tables: Tables) -> Table | None:
    """Creator tiers of all graphs."""
    rows, parts = [], []
    several = len([g for g in tables.graphs if g.get("tiers")]) > 1
    for graph in tables.graphs:
        name = [tables.graph_name(str(graph["label"]))] if several else []
        for t in graph.get("tiers") or []:
            rows.append(
                [*name, t["tier"], count(t["users"]), _whole(t.get("followers_min")), _whole(t.get("followers_max")),
                 number(as_float(t.get("median_price")))]
            )  # fmt: skip
            parts.append({"graph": graph["label"], **t})
    if not rows:
        return None
    columns = ([Column("Graph", right=False)] if several else []) + [
        Column("Tier", right=False), Column("Users"), Column("Followers, from"), Column("to"), Column("Median price, RMB"),
    ]  # fmt: skip
    keep = [i for i in range(len(columns)) if any(row[i] != "–" for row in rows)]
    title = "Creator tiers" if several else f"Creator tiers of {tables.graphs[0]['label']}"
    return Table(
        "tiers", title, [columns[i] for i in keep], [[row[i] for i in keep] for row in rows], pd.DataFrame(parts),
        long=len(rows) > 8,
    )  # fmt: skip


def as_float(value: Any) -> float:
    return math.nan if value is None else float(value)


def _whole(value: Any) -> str:
    value = as_float(value)
    return "–" if math.isnan(value) else "∞" if math.isinf(value) else count(value)


def provenance_facts(tables: Tables) -> list[tuple[str, str]]:
    """Where the numbers come from."""
    p = tables.provenance
    facts = [("Computed with", f"diffusion {p.get('diffusion', '?')}, Python {p.get('python', '?')}")]
    if p.get("libraries"):
        facts.append(("Libraries", ", ".join(f"{k} {v}" for k, v in p["libraries"].items() if v)))
    if p.get("machine"):
        facts.append(("Machine", str(p["machine"])))
    if p.get("made"):
        facts.append(("Finished", str(p["made"])))
    if tables.study.get("seed") is not None:
        facts.append(("Key of the study", str(tables.study["seed"]) + (f" ({p['key']})" if p.get("key") else "")))
    if p.get("cells_computed") is not None:
        reused = f", {count(p['cells_reused'])} taken from earlier runs of the study" if p.get("cells_reused") else ""
        facts.append(("Cells", f"{count(p['cells_computed'])} computed{reused}"))
    if p.get("seconds") is not None:
        facts.append(("Time", f"{number(float(p['seconds']), 3)} s"))
    if p.get("call"):
        facts.append(("Call", str(p["call"])))
    return facts


def precision_words(tables: Tables) -> str:
    """When a cell had enough runs."""
    p = tables.study.get("precision", {})
    if not p:
        return ""
    aim = ""
    if p.get("rel_error") is not None:
        aim = (
            f"A cell is run until half of the {number(100 * p['confidence'], 3)} % confidence interval of its reach is "
            f"at most {number(100 * p['rel_error'], 3)} % of the reach"
        )
        return f"{aim}, or until {count(p['max_runs'])} runs." if p.get("max_runs") else f"{aim}."
    return f"Every cell is run {count(p['max_runs'])} times." if p.get("max_runs") else ""


def glossary(tables: Tables, said: list[str]) -> list[tuple[str, str]]:
    """Words used in the report, as (word, meaning)."""
    r = tables.results
    sips = bool((r["model_kind"] == "SIPS").any())
    prices = bool((r["budget_kind"] == "money").any())
    reach = "mean number of users who are active when the spread has ended, seeds included."
    if sips:
        reach = (
            "mean number of users who have attended to the note when the spread has ended, seeded creators included."
        )
    words = [
        ("Seed", f"a {'creator who is paid' if prices else 'user who is chosen'} to begin: active from the start."),
        ("Reach", reach),
        (
            "[low, high]",
            f"{tables.percent} confidence interval. An effect whose interval spans zero is called undecided."
            # Said only where such a ratio is: see _on_returns.
            + (
                " That of a ratio goes from end to end of both reaches, which is wider."
                if any(" times [" in s for s in said)
                else ""
            ),
        ),
        (
            "Run",
            "one simulated spread. A difference between two strategies is taken on the same worlds (the same coins).",
        ),
        (
            "Setting",
            "one model with one rule for the probabilities"
            + (", on one graph" if tables.several_graphs else "")
            + (", seeds placed in one way." if tables.several_places else "."),
        ),
        ("Strategy", "a rule for choosing seeds; each is explained under How it was done." + _tier_words(tables)),
        ("Cell", "one setting with one strategy and one budget: a row of the table."),
        ("Typically", "the comparison in the middle, when all are put in order by size."),
        (
            "R",
            "mean number of new sharers that a typical sharer makes, a property of graph and model and of no seed set. Above 1 "
            "activity grows until it uses up its audience; below 1 it dies out. R of a campaign is the ratio of new "
            "activations at successive early steps, whatever the seeds have used up.",
        ),
    ]
    meaning = {
        "exponential": "R measured from typical sharers lies above 1 and stands still while few users are used up.",
        "subcritical": "R predicted from the graph lies below 1, so that the spread dies out.",
        "core": "R lies above 1 among a few users only.",
        "undecided": "neither could be shown.",
        "not applicable": "one sharer alone convinces nobody, so that R does not exist.",
    }
    present = [phase for phase, n in phase_counts(tables).items() if n and phase in meaning]
    if present:
        words.append(("Phase", " ".join(f"{phase.capitalize()}: {meaning[phase]}" for phase in present)))
    words += _sips_words(tables) if sips else []
    for model in dict.fromkeys(r.loc[r["model_kind"] != "SIPS", "model"]):
        text = next(
            (
                str(m["description"])
                for m in tables.study.get("models", [])
                if m["model"] == model and m.get("description")
            ),
            "",
        )
        if text:
            words.append((model, text))
    return words


def _tier_words(tables: Tables) -> str:
    """Say what the tiers are, from the first graph that has any."""
    tiers = next((g["tiers"] for g in tables.graphs if g.get("tiers")), None)
    named = [t for t in tiers or [] if t["tier"] in tables.strategies]
    if not named:
        return ""
    return (
        " Creators by followers: "
        + listing([f"{t['tier']} {_whole(t.get('followers_min'))} to {_whole(t.get('followers_max'))}" for t in named])
        + "."
    )


def _sips_words(tables: Tables) -> list[tuple[str, str]]:
    r = tables.results
    words = [
        (
            "SIPS",
            "a user who attends to a note may sympathize, then identify with it, then participate, then share it; a share reaches "
            "followers and, through the feed, others.",
        ),
        (
            "Simple, complex",
            "how users come to identify with a note. Simple: by chance, at any sight of it. Complex 2: only after notes of 2 "
            "different sharers were seen.",
        ),
    ]
    if r["feed"].max() > 0:
        words.append(
            (
                "Feed",
                "mean number of users to whom the platform shows each shared note, besides the sharer's followers.",
            )
        )
    if r["eta"].notna().any():
        words.append(
            (
                "Eta",
                "share of the intentions stated in the survey that are acted upon; 1 takes every answer at its word.",
            )
        )
    if tables.mixings:
        words.append(
            (
                "Mixing",
                "share of follower links (arcs) that lead to another community. Low: communities keep to themselves.",
            )
        )
    if tables.several_places:
        words.append(
            (
                "Seeds placed",
                "anywhere; all in one community (the largest); or spread, in turn from each community.",
            )
        )
    return words
