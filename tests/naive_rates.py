"""Pure-Python twins of the kernels for linear-threshold weights, transmission rates and credit, from their definitions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

TINY = 1e-300
Times = dict[int, dict[int, float]]  # item -> node -> time
Pick = tuple[frozenset[int], frozenset[int]]  # sources that may be picked, sources that are not


def picks_of(v: int, sources: Sequence[int], log: Times, window: float) -> tuple[Counter[Pick], int]:
    """What every item says of v's pick, and adoptions of v without a contact."""
    found: Counter[Pick] = Counter()
    bare = 0
    for times in log.values():
        near, far = set(), set()
        for u in sources:
            if u not in times:
                continue
            if v not in times:
                far.add(u)
            elif 0 < times[v] - times[u] <= window:
                near.add(u)
            elif times[v] > times[u]:
                far.add(u)
        bare += v in times and not near
        if near or far:
            found[frozenset(near), frozenset(far)] += 1
    return found, bare


def xlog(count: float, p: float) -> float:
    return count * math.log(max(p, TINY)) if count > 0 else 0.0


def lt_fit(
    v: int, sources: Sequence[int], log: Times, window: float, w: dict[int, float], b: float, background: bool
) -> float:
    """Log-likelihood of the weights into v: the product over items, each by itself."""
    total = 0.0
    for times in log.values():
        near = [u for u in sources if u in times and v in times and 0 < times[v] - times[u] <= window]
        far = [u for u in sources if u in times and u not in near and (v not in times or times[u] < times[v])]
        into, apart = sum(w[u] for u in near), sum(w[u] for u in far)
        if v not in times:
            p = (1 - b) * (1 - apart)
        elif near:
            p = into + b * (1 - into - apart)
        else:
            p = (1 - apart) * (b if background else 1.0)
        total += math.log(max(p, TINY))
    return total


def lt_step(x: list[float], given: Any) -> tuple[list[float], float, list[float], float]:
    """One EM step of (weights, background): new values, penalised log-likelihood, adoptions each caused, and by nobody."""
    sources, found, bare, adopted, items, (hits, misses, own_hits, own_misses) = given
    *w, b = x
    at = {u: k for k, u in enumerate(sources)}
    sums, seen, value, caused, told = [0.0] * len(w), [0.0] * len(w), 0.0, 0.0, 0

    def share(count: float, likely: dict[int, float], p: float) -> None:
        for k, q in likely.items():
            sums[k] += count * q / p

    for (near, far), count in found.items():
        told += count
        inside, apart = {at[u] for u in near}, {at[u] for u in far}
        outside = set(range(len(w))) - inside - apart
        low = sum(w[k] for k in apart)
        if near:
            p = max(sum(w[k] for k in inside) + b * max(1 - low - sum(w[k] for k in inside), 0.0), TINY)
            share(count, {k: w[k] for k in inside} | {k: b * w[k] for k in outside}, p)
            for k in inside:
                seen[k] += count * w[k] / p
            caused += count * b * max(1 - low, 0.0) / p
        else:
            p = max(1 - low, TINY)
            share(count, {k: w[k] for k in outside}, p)
        value += count * math.log(p)
    for k in range(len(w)):
        share(misses, {j: w[j] for j in range(len(w)) if j != k}, max(1 - w[k], TINY))
        value += xlog(hits, w[k]) + xlog(misses, 1 - w[k])
    total = told + len(w) * (hits + misses)
    new = [(s + hits) / total if total else 0.0 for s in sums]
    if not items:
        return [*new, 0.0], value, seen, caused
    caused += bare
    value += xlog(bare, b) + xlog(items - adopted, 1 - b) + xlog(own_hits, b) + xlog(own_misses, 1 - b)
    return [*new, (caused + own_hits) / (items + own_hits + own_misses)], value, seen, caused


def rate_step(x: list[float], given: Any) -> tuple[list[float], float, list[float], float]:
    """One EM step of rate * exposure into a node: new values, log-likelihood, adoptions each caused."""
    adoptions, exposure = given  # adoptions: lists of (in-arc, hazard at rate 1)
    new, value = [0.0] * len(x), -sum(x)
    for contacts in adoptions:
        parts = [(k, x[k] / exposure[k] * h) for k, h in contacts if exposure[k] > 0]
        total = sum(part for _, part in parts)
        if total > 0:
            value += math.log(max(total, TINY))
            for k, part in parts:
                new[k] += part / total
    return new, value, new, 0.0


def accelerated(
    step: Callable[[list[float], Any], Any],
    x: list[float],
    given: Any,
    tol: float,
    most: int,
    allowed: Callable[[list[float]], bool],
) -> tuple[list[float], Any, int]:
    """EM in squared steps (Varadhan and Roland 2008, scheme S3), which are kept where the likelihood does not fall."""
    steps = 0
    now = step(x, given)
    while steps < most and max((abs(a - b) for a, b in zip(x, now[0], strict=True)), default=0.0) > tol:
        x1 = now[0]
        second = step(x1, given)
        x2, middle = second[0], second[1]
        steps += 2
        r = [b - a for a, b in zip(x, x1, strict=True)]
        v = [c - b - d for b, c, d in zip(x1, x2, r, strict=True)]
        r2, v2 = sum(a * a for a in r), sum(a * a for a in v)
        x, now = x2, None
        if steps < most and r2 > v2:
            a = math.sqrt(r2 / v2) if v2 > 0 else 1e3
            start = [b - d for b, d in zip(x1, r, strict=True)]
            x3 = [max(s + 2 * a * d + a * a * e, 0.1 * c) for s, d, e, c in zip(start, r, v, x2, strict=True)]
            if allowed(x3):
                third = step(x3, given)
                steps += 1
                if third[1] >= middle:
                    x, now = x3, third
        if now is None:
            now = step(x, given)
    return x, now, steps


def in_simplex(x: list[float]) -> bool:
    return sum(x[:-1]) <= 1.0 and x[-1] <= 1.0


def hazard(kind: str, delay: float, shortest: float) -> float:
    return {"exponential": 1.0, "rayleigh": delay, "power_law": 1 / delay if delay > shortest else 0.0}[kind]


def cumulative(kind: str, delay: float, shortest: float) -> float:
    power = math.log(delay / shortest) if delay > shortest else 0.0
    return {"exponential": delay, "rayleigh": 0.5 * delay * delay, "power_law": power}[kind]


def exposure_of(u: int, v: int, log: Times, ends: dict[int, float], kind: str, shortest: float) -> float:
    total = 0.0
    for item, times in log.items():
        if u in times:
            until = times.get(v, ends[item])
            if until > times[u]:
                total += cumulative(kind, until - times[u], shortest)
    return total


# -- credit ------------------------------------------------------------------------------------------------------------


def direct_credit(into: dict[int, list[int]], log: Times, aware: bool) -> dict[tuple[int, int, int], float]:
    """Direct credit (item, u, v) of u for v's adoption: equations 8 and 9 of Goyal et al. (2011)."""
    delays: dict[tuple[int, int], list[float]] = {}
    before = {
        (item, v): [u for u in into[v] if u in times and times[u] < times[v]]
        for item, times in log.items()
        for v in times
    }
    for (item, v), users in before.items():
        for u in users:
            delays.setdefault((u, v), []).append(log[item][v] - log[item][u])
    tau = {pair: sum(values) / len(values) for pair, values in delays.items()}
    activity = Counter(v for times in log.values() for v in times)
    influenced = Counter(
        v for (item, v), users in before.items() if any(log[item][v] - log[item][u] <= tau[u, v] for u in users)
    )
    found = {}
    for (item, v), users in before.items():
        for u in users:
            fade = math.exp(-(log[item][v] - log[item][u]) / tau[u, v]) * influenced[v] / activity[v] if aware else 1.0
            found[item, u, v] = fade / len(users)
    return found


def credit_of(seeds: set[int], item: int, v: int, log: Times, direct: dict[tuple[int, int, int], float]) -> float:
    """Credit of the seeds for v's adoption of an item, by recursion."""
    if v in seeds:
        return 1.0
    return sum(credit_of(seeds, item, u, log, direct) * direct[item, u, v] for u in log[item] if (item, u, v) in direct)


def credit_spread(seeds: set[int], log: Times, direct: dict[tuple[int, int, int], float]) -> float:
    activity = Counter(v for times in log.values() for v in times)
    return sum(credit_of(seeds, item, v, log, direct) / activity[v] for item, times in log.items() for v in times)
