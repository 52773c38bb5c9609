"""Pure-Python twins of kernels/sampling.py and kernels/rewire.py: lists, sets and whole numbers, no arrays."""

from __future__ import annotations

GOLDEN = 0x9E3779B97F4A7C15
MASK = 2**64 - 1


def uniform(key: int, i: int) -> float:
    """Output i of splitmix64 (Steele, Lea and Flood 2014), the top 53 bits."""
    x = (key + (i + 1) * GOLDEN) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return ((x ^ (x >> 31)) >> 11) / 2**53


class Alias:
    """Vose's alias table of a list of weights."""

    def __init__(self, weights: list[float]) -> None:
        n, total = len(weights), 0.0
        for weight in weights:
            total += weight
        self.keep = [weight * n / total for weight in weights]
        self.other = list(range(n))
        small = [i for i in range(n) if self.keep[i] < 1.0]
        large = [i for i in range(n) if self.keep[i] >= 1.0]
        while small and large:
            low, high = small.pop(), large[-1]
            self.other[low] = high
            self.keep[high] -= 1.0 - self.keep[low]
            if self.keep[high] < 1.0:
                large.pop()
                small.append(high)
        for i in small + large:
            self.keep[i] = 1.0

    def draw(self, u: float) -> int:
        x = u * len(self.keep)
        return int(x) if x - int(x) < self.keep[int(x)] else self.other[int(x)]


def place_arcs(
    key: int, used: int, wanted: int, patience: int, weight: list[float], to_weight: list[float], community: list[int],
    inside: bool, mutual: bool, arcs: list[tuple[int, int]],
) -> int:  # fmt: skip
    """Append `wanted` arcs or mutual pairs to `arcs` -> random numbers used in all."""
    n = len(weight)
    groups = (
        [[v for v in range(n) if community[v] == c] for c in range(max(community) + 1)] if inside else [[*range(n)]]
    )
    from_table = Alias(weight)
    to_tables = [Alias([to_weight[v] for v in group]) for group in groups]
    taken = set(arcs)
    placed = 0
    while placed < wanted:
        u = from_table.draw(uniform(key, used))
        used += 1
        at = community[u] if inside else 0
        for _ in range(patience):
            v = groups[at][to_tables[at].draw(uniform(key, used))]
            used += 1
            new = {(u, v), (v, u)} if mutual else {(u, v)}
            if u != v and (community[u] == community[v]) == inside and not new & taken:
                arcs += [(v, u), (u, v)] if mutual else [(u, v)]
                taken |= new
                placed += 1
                break
    return used


def small_world(key: int, n: int, half: int, rewire: float) -> list[tuple[int, int]]:
    edges = [(i, (i + j) % n) for j in range(1, half + 1) for i in range(n)]
    taken = {frozenset(edge) for edge in edges}
    used = 0
    for e, (u, v) in enumerate(edges):
        used += 1
        if uniform(key, used - 1) >= rewire:
            continue
        for _ in range(64):
            w = int(uniform(key, used) * n)
            used += 1
            if w != u and frozenset((u, w)) not in taken:
                taken.remove(frozenset((u, v)))
                taken.add(frozenset((u, w)))
                edges[e] = (u, w)
                break
    return edges


class Rewiring:
    """Slots of arcs, the same moves as the kernels, everything else looked up afresh."""

    def __init__(
        self, arcs: list[tuple[int, int]], community: list[int], order: list[int], mates: bool, keep_mutual: bool
    ) -> None:
        self.source = [u for u, _ in arcs]
        self.target = [v for _, v in arcs]
        self.community = community
        self.keep_mutual = keep_mutual
        slot = {arc: i for i, arc in enumerate(arcs)}
        self.mate = [slot.get((v, u), -1) if mates else -1 for u, v in arcs]
        self.order = order
        groups = range(max(community) + 1)
        inside = [[i for i in order if community[self.target[i]] == c] for c in groups]
        self.start = [sum(map(len, inside[:c])) for c in groups]
        self.across = [sum(self.is_across(i) for i in group) for group in inside]

    def arcs(self) -> set[tuple[int, int]]:
        return set(zip(self.source, self.target, strict=True))

    def is_across(self, i: int) -> bool:
        return self.community[self.source[i]] != self.community[self.target[i]]

    def change(self, i: int, j: int) -> int | None:
        u, v, x, y = self.source[i], self.target[i], self.source[j], self.target[j]
        if (self.mate[i] < 0) != (self.mate[j] < 0) or len({u, x}) < 2 or len({v, y}) < 2 or u == y or x == v:
            return None
        arcs = self.arcs()
        new = {(x, v), (u, y)}
        if new & arcs or (self.keep_mutual and {(b, a) for a, b in new} & arcs):
            return None
        c = self.community
        change = (c[x] != c[v]) + (c[u] != c[y]) - (c[u] != c[v]) - (c[x] != c[y])
        return change * 2 if self.mate[i] >= 0 else change

    def settle(self, slot: int) -> None:
        group = self.community[self.target[slot]]
        border = self.start[group] + self.across[group]
        at = self.order.index(slot)
        if self.is_across(slot) == (at < border):
            return
        border -= not self.is_across(slot)
        self.across[group] += 1 if self.is_across(slot) else -1
        self.order[at], self.order[border] = self.order[border], slot

    def swap(self, i: int, j: int) -> None:
        pairs = [(i, j)]
        if self.mate[i] >= 0:
            back_i, back_j = self.mate[i], self.mate[j]
            pairs.append((back_i, back_j))
            self.mate[i], self.mate[back_j], self.mate[j], self.mate[back_i] = back_j, i, back_i, j
        for a, b in pairs:
            self.source[a], self.source[b] = self.source[b], self.source[a]
            self.settle(a)
            self.settle(b)

    def steer(self, key: int, used: int, tries: int, goal: int, slack: int, now: int) -> tuple[int, int]:
        m = len(self.source)
        for _ in range(tries):
            if abs(now - goal) <= slack:
                break
            i, second = int(uniform(key, used) * m), uniform(key, used + 1)
            used += 2
            group = self.community[self.source[i]]
            if now > goal:
                if not self.is_across(i) or not self.across[group]:
                    continue
                j = self.order[self.start[group] + int(second * self.across[group])]
            else:
                if self.is_across(i):
                    continue
                j = int(second * m)
            change = self.change(i, j)
            if change is not None and abs(now + change - goal) < abs(now - goal):
                self.swap(i, j)
                now += change
        return now, used

    def shuffle(self, key: int, used: int, tries: int) -> tuple[int, int]:
        m, swaps = len(self.source), 0
        for _ in range(tries):
            i, j = int(uniform(key, used) * m), int(uniform(key, used + 1) * m)
            used += 2
            if i != j and self.change(i, j) == 0:
                self.swap(i, j)
                swaps += 1
        return used, swaps
