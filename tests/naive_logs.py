"""Pure-Python twins of the kernels over action logs: dictionaries and loops, no shared code."""

from __future__ import annotations

import itertools
import math

import numpy as np


def by_item(log):
    """Item -> {user: time}."""
    found = {}
    for item, user, time in log.to_pandas().itertuples(index=False):
        found.setdefault(item, {})[user] = float(time)
    return found


def arcs(graph):
    """Set of (source, target)."""
    return list(zip(*(graph.to_pandas()[name] for name in ("source", "target")), strict=True))


def contacts(graph, log, window=math.inf):
    """(item, target) -> sources that were active before, within the window, for every adoption by a node."""
    into = {}
    for u, v in arcs(graph):
        into.setdefault(v, []).append(u)
    nodes = set(graph.nodes)
    return {
        (item, v): [u for u in into.get(v, []) if u in when and 0 < when[v] - when[u] <= window]
        for item, when in by_item(log).items()
        for v in when
        if v in nodes
    }


def trials(graph, log):
    """(source, target) -> items that the source adopted before the target did, or without the target."""
    items = by_item(log).values()
    return {(u, v): sum(u in when and not (v in when and when[v] <= when[u]) for when in items) for u, v in arcs(graph)}


def clock(graph, log, window=math.inf):
    """(item, target) -> share of all ages at which a contact could cause the adoption; 1 without any."""
    found = {}
    items = by_item(log)
    ages = [t - min(when.values()) for when in items.values() for t in when.values()]
    for (item, v), sources in contacts(graph, log, window).items():
        when = items[item]
        if not sources:
            found[item, v] = 1.0
            continue
        born = min(when.values())
        low, high = min(when[u] for u in sources) - born, max(when[u] for u in sources) + window - born
        found[item, v] = sum(low < t <= high for t in ages) / len(ages)
    return found


def em(graph, log, *, window=math.inf, background, prior=(0.0, 0.0), own=(0.0, 0.0), steps, start=0.1):
    """Probabilities, hazards and log-likelihood after so many steps of EM."""
    met, tried, share = contacts(graph, log, window), trials(graph, log), clock(graph, log, window)
    n_items = len(by_item(log))
    p = dict.fromkeys(arcs(graph), start)
    h = dict.fromkeys(graph.nodes, start if background else 0.0)
    adopted = {v: [item for item, u in met if u == v] for v in graph.nodes}
    for step in range(steps + 1):
        hits = dict.fromkeys(p, 0.0)
        events, exposure = dict.fromkeys(h, 0.0), dict.fromkeys(h, 0.0)
        fit = 0.0
        fails = dict(tried)
        for (item, v), sources in met.items():
            if not sources and not background:
                continue
            alone = h[v] * share[item, v]
            P = 1 - math.exp(-alone) * math.prod(1 - p[u, v] for u in sources)
            fit += math.log(P)
            events[v] += alone / P
            exposure[v] += share[item, v]
            for u in sources:
                hits[u, v] += p[u, v] / P
                fails[u, v] -= 1
        for arc, count in fails.items():
            fit += count * math.log(1 - p[arc]) if count else 0.0
        if background:
            for v in h:
                missed = n_items - len(adopted[v])
                fit -= missed * h[v]
                exposure[v] += missed
        if step == steps:
            return p, h, fit
        for arc in p:
            count = tried[arc] + sum(prior)
            p[arc] = (hits[arc] + prior[0]) / count if count else 0.0
        if background:
            for v in h:
                h[v] = (events[v] + own[0]) / (exposure[v] + own[1])
    raise AssertionError


def exposed(graph, log):
    """(item, user) -> (active neighbours before adopting or ever, adopted, share of ages above that of the first of these)."""
    found = {}
    for item, when in by_item(log).items():
        for u, v in arcs(graph):
            if u in when and not (v in when and when[v] <= when[u]):
                active, adopted, first = found.get((item, v), (0, v in when, math.inf))
                found[item, v] = active + 1, adopted, min(first, when[u])
    items = by_item(log)
    ages = [t - min(when.values()) for when in items.values() for t in when.values()]
    return {
        pair: (active, adopted, sum(t > first - min(items[pair[0]].values()) for t in ages) / len(ages))
        for pair, (active, adopted, first) in found.items()
    }


def leaky_cascades(graph, hazard, *, items, steps, rng):
    """Cascades by steps in which every user also adopts by itself, with probability `hazard` in each of the first `steps`."""
    index = {node: i for i, node in enumerate(graph.nodes)}
    table = graph.to_pandas()
    source, target = (table[name].map(index).to_numpy() for name in ("source", "target"))
    p = table["probability"].to_numpy()
    rows = []
    for item in range(items):
        when = np.full(len(index), -1)
        for t in itertools.count():
            live = (when[source] == t - 1) & (t > 0) & (rng.random(p.size) < p)
            new = np.zeros(len(index), bool)
            new[target[live]] = True
            new |= (rng.random(len(index)) < hazard) & (t < steps)
            new &= when < 0
            when[new] = t
            if t >= steps and not new.any():
                break
        rows += [(item, graph.nodes[i], when[i]) for i in np.flatnonzero(when >= 0)]
    return tuple(zip(*rows, strict=True))
