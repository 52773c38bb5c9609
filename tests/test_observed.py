"""Observed cascades: parents by rule against plain Python, forests against brute force, ties, windows and wrong calls."""

import math
import time

import numpy as np
import pandas as pd
import pytest
from naive import TAG_PARENT, mix, world_of

import diffusion as dif
from diffusion.errors import InputError, NotFoundError
from diffusion.inference import ActionLog, observed_parents, read_cascades
from diffusion.kernels import forests as kernels
from diffusion.kernels.forests import choose_parents, grow_generations
from diffusion.simulation import cascade_statistics, tree_statistics

LINE = dif.FollowerGraph.from_arrays(list("aab"), list("bcc"), edges_mean="influences", directed=True)


def random_log(rng, graph, items=12, size=9, times=6):
    """Adoptions with many ties, some by users outside the graph."""
    known = [*graph.nodes.tolist(), -1, -2]
    rows = [
        (item, user, int(rng.integers(times)))
        for item in range(items)
        for user in rng.choice(known, size, replace=False)
    ]
    item, user, when = zip(*rows, strict=True)
    return ActionLog.from_arrays(item, user, when)


def random_graph(rng, n=25, m=120):
    source, target = rng.integers(n, size=(2, m))
    table = pd.DataFrame({"s": source, "t": target})[source != target]
    return dif.FollowerGraph.from_pandas(
        table, source="s", target="t", edges_mean="influences", directed=True, nodes=range(n), parallel="keep"
    )


def arcs_of(graph):
    table = graph.to_pandas()
    return set(zip(table["source"], table["target"], strict=True))


def before(graph, rows, window=math.inf):
    """Followed users of each (item, user) that adopted before, with their times; by definition."""
    arcs = arcs_of(graph)
    return {
        (i, v): sorted(
            (u, t) for j, u, t in rows.itertuples(index=False) if j == i and (u, v) in arcs and 0 < s - t <= window
        )
        for i, v, s in rows.itertuples(index=False)
    }


def naive_rank(key, row, arc):
    return mix(world_of(key, TAG_PARENT, row) ^ mix(arc))


def naive_parents(log, into, place, window, rule, key):
    """Twin of `choose_parents`: lists and min() by definition."""
    found = []
    for row in range(log.node.size):
        item = max(i for i in range(log.indptr.size - 1) if log.indptr[i] <= row)
        at = {int(log.node[r]): r for r in range(log.indptr[item], log.indptr[item + 1])}
        v = int(log.node[row])
        arcs = {}
        for k in range(into.indptr[v], into.indptr[v + 1]):
            arcs[int(into.sources[k])] = k
        active = [u for u in arcs if u in at and 0 < log.time[row] - log.time[at[u]] <= window]
        best = {
            0: lambda u, at=at: (log.time[at[u]], place[u]),
            1: lambda u, at=at: (-log.time[at[u]], place[u]),
            2: lambda u, row=row, arcs=arcs: naive_rank(key, row, arcs[u]),
        }[rule]
        found.append(at[min(active, key=best)] if active else -1)
    return found


def naive_generations(log, out, root, key):
    """Twin of `grow_generations`: breadth-first search with dicts -> rows by generation, and parents as positions."""
    rows, above = [], []
    for item in range(log.indptr.size - 1):
        inside = range(log.indptr[item], log.indptr[item + 1])
        at = {int(log.node[r]): r for r in inside}
        arcs = {
            r: {
                at[int(out.indices[j])]: j
                for j in reversed(range(out.indptr[log.node[r]], out.indptr[log.node[r] + 1]))
                if int(out.indices[j]) in at
            }
            for r in inside
        }
        seen = {}
        frontier = [r for r in inside if root[r]]
        while len(seen) < len(inside):
            if not frontier:
                frontier = [min(r for r in inside if r not in seen)]
            seen |= dict.fromkeys(frontier)
            rows += frontier
            above += [-1] * len(frontier)
            while frontier:
                following = {}
                for r in frontier:
                    for s, j in arcs[r].items():
                        if s not in seen:
                            following.setdefault(s, []).append((naive_rank(key, s, j), r))
                order = [s for r in frontier for s in sorted(arcs[r], key=lambda s, r=r: arcs[r][s]) if s in following]
                frontier = list(dict.fromkeys(order))
                rows += frontier
                above += [rows.index(min(following[s])[1]) for s in frontier]
                seen |= dict.fromkeys(frontier)
    return rows, above


@pytest.mark.parametrize("trial", range(8))
def test_kernels_equal_their_twins(trial):
    rng = np.random.default_rng(trial)
    graph = random_graph(rng)
    log = random_log(rng, graph).on(graph)
    rows = kernels_log(log, graph)
    into, place = graph.csr.into, np.array(graph.index.order)
    key = np.uint64(rng.integers(2**63))
    for rule in (0, 1, 2):
        for window in (math.inf, 2.0):
            parent = np.empty(len(log), np.int32)
            choose_parents(rows, into, place, window, rule, key, np.full(graph.n_nodes, -1), parent)
            assert parent.tolist() == naive_parents(rows, into, place, window, rule, int(key))
    for root in (np.array(parent) < 0, rng.random(len(log)) < 0.2):
        order, parent = np.empty(len(log), np.int64), np.empty(len(log), np.int32)
        out = kernels_out(graph)
        grow_generations(rows, out, root, key, np.full(graph.n_nodes, -1), order, parent)
        assert (order.tolist(), parent.tolist()) == naive_generations(rows, out, root, int(key))


def kernels_log(log, graph):
    from diffusion.inference.forests import node_rows

    return node_rows(log.indptr, log.positions(graph)[log.user], log.time)


def kernels_out(graph):
    from diffusion.kernels.arcs import OutArcs

    return OutArcs(graph.csr.indptr, graph.csr.indices)


@pytest.mark.parametrize("window", [None, 2])
def test_all_pairs_by_definition(window):
    rng = np.random.default_rng(5)
    graph = random_graph(rng)
    log = random_log(rng, graph)
    rows = log.on(graph).to_pandas()
    expected = before(graph, rows, math.inf if window is None else window)
    table = observed_parents(graph, log, window=window)
    pairs = {}
    for item, user, parent, delay in table.itertuples(index=False):
        pairs.setdefault((item, user), []).append((parent, delay))
    when = rows.set_index(["item", "user"])["time"]
    assert {k: [(u, when[k] - t) for u, t in v] for k, v in expected.items() if v} == pairs
    assert table.attrs["roots"] == sum(not v for v in expected.values())
    assert table.attrs["dropped"]["adoptions by users outside the graph"] == len(log) - len(rows)
    for rule, better in (("first", min), ("last", max)):
        one = observed_parents(graph, log, rule=rule, window=window)
        assert len(one) == table.groupby(["item", "user"]).ngroups
        for item, user, parent, delay in one.itertuples(index=False):
            times = expected[item, user]
            chosen = better(t for _, t in times)
            assert parent == min(u for u, t in times if t == chosen)
            assert delay == when[item, user] - chosen


def test_a_random_parent_is_drawn_fairly_and_follows_the_key():
    g = dif.FollowerGraph.from_arrays(list("abc"), list("ddd"), edges_mean="influences", directed=True)
    items = 3000
    log = ActionLog.from_arrays(np.repeat(np.arange(items), 4), list("abcd") * items, [0, 0, 1, 2] * items)
    drawn = observed_parents(g, log, rule="random", rng=3)["parent"]
    counts = drawn.value_counts()
    assert set(counts.index) == set("abc")
    assert np.abs(counts - items / 3).max() < 4 * math.sqrt(items * 2 / 9)
    assert drawn.equals(observed_parents(g, log, rule="random", rng=3)["parent"])
    assert not drawn.equals(observed_parents(g, log, rule="random", rng=4)["parent"])


@pytest.mark.parametrize("parents", ["first", "last", "random"])
def test_cascades_are_the_forests_of_the_parents(parents):
    rng = np.random.default_rng(8)
    graph = random_graph(rng)
    log = random_log(rng, graph, items=40)
    found = log.cascades(graph, parents=parents, rng=1)
    table = observed_parents(graph, log, rule=parents, rng=1)
    above = {(i, v): u for i, v, u, _ in table.itertuples(index=False)}
    rows = log.on(graph).to_pandas()
    assert list(found) == log.on(graph).items.tolist()
    for item, cascade in found.items():
        shown = cascade.to_pandas()
        assert sorted(shown["node"]) == sorted(rows.loc[rows["item"] == item, "user"])
        assert (np.diff(cascade.step) >= 0).all()
        up_of = shown["parent"].astype(object).where(shown["parent"].notna(), None)
        parent = dict(zip(shown["node"], up_of, strict=True))
        for node, step in zip(shown["node"], cascade.step, strict=True):
            up, length = node, 0
            while (item, up) in above:
                up, length = above[item, up], length + 1
            assert step == length
            assert parent[node] == above.get((item, node))
    statistics = cascade_statistics(found.values())
    assert statistics["size"].sum() == len(rows)
    assert statistics["n_roots"].sum() == table.attrs["roots"]
    assert tree_statistics(found[0])["size"].sum() == found[0].size


def test_users_of_one_time_are_no_parents_of_each_other():
    log = ActionLog.from_arrays(["x"] * 3, list("abc"), [0, 1, 1])
    assert observed_parents(LINE, log).to_numpy().tolist() == [["x", "b", "a", 1.0], ["x", "c", "a", 1.0]]
    assert log.cascades(LINE, parents="last")["x"].depth == 1


def test_a_simulated_cascade_comes_back():
    """With the last parent, depth is the step, since who activates a user was activated one step before."""
    g = dif.generate_platform(400, rng=2).with_probabilities("constant", p=0.15)
    cascades = {i: dif.simulate_one(g, [int(i)], rng=i) for i in range(30)}
    found = ActionLog.from_cascades(cascades).cascades(g, parents="last")
    assert max(c.size for c in cascades.values()) > 20
    for i, cascade in cascades.items():
        step = dict(zip(cascade.nodes, cascade.step, strict=True))
        assert dict(zip(found[i].nodes, found[i].step, strict=True)) == step


def test_a_million_adoptions_take_seconds():
    g = dif.generate_platform(20_000, rng=1)
    rng = np.random.default_rng(1)
    log = ActionLog.from_arrays(
        rng.integers(1000, size=300_000), rng.integers(20_000, size=300_000), rng.random(300_000)
    )
    log.cascades(g)
    start = time.perf_counter()
    found = log.cascades(g)
    assert sum(c.size for c in found.values()) == len(log)
    assert time.perf_counter() - start < 20  # .3 s on one core: a loop over pairs in Python would take minutes


def test_real_cascades(data):
    g = dif.read_edges(data("mshgat-christianity-edges.txt.gz"), edges_mean="follows", directed=True)
    log = read_cascades(data("mshgat-christianity-cascades.txt.gz"))
    table = observed_parents(g, log, rule="first")
    later = len(log.on(g)) - log.on(g).n_items
    assert len(table) / later == pytest.approx(0.822, abs=5e-4)  # of the data README
    depths = cascade_statistics(log.cascades(g).values())["depth"]
    assert depths.max() < cascade_statistics(log.cascades(g, parents="last").values())["depth"].max()


def test_wrong_calls():
    log = ActionLog.from_arrays(["x", "x"], ["a", "z"], [0, 1])
    with pytest.raises(NotFoundError, match=r"rule='lst' is unknown: give 'all', 'first', 'last', 'random'.*'last'"):
        observed_parents(LINE, log, rule="lst")
    with pytest.raises(NotFoundError, match="parents='all' is unknown: give 'first', 'last' or 'random'"):
        log.cascades(LINE, parents="all")
    with pytest.raises(InputError, match="window=0 is out of range"):
        observed_parents(LINE, log, window=0)
    with pytest.raises(InputError, match="1 of 2 adoptions, by 1 users, are not in the graph"):
        observed_parents(LINE, log, unknown="error")
    with pytest.raises(InputError, match="log has to be an ActionLog, and a DataFrame was given"):
        observed_parents(LINE, log.to_pandas())
    with pytest.raises(InputError, match="rng='x' is not a seed"):
        log.cascades(LINE, parents="random", rng="x")


def test_one_signature_a_kernel():
    made = [kernel for kernel in vars(kernels).values() if hasattr(kernel, "signatures")]
    assert [kernel.__name__ for kernel in made if len(kernel.signatures) > 1] == []
