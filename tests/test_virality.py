"""Shape of cascades against exact values and against distances counted pair by pair."""

import itertools
import math
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import diffusion as dif
from diffusion.errors import InputError
from diffusion.kernels.trees import tree_passes, wiener
from diffusion.results.cascade import Cascade
from diffusion.simulation.trees import cascade_statistics, structural_virality, tree_statistics


def tree(parents):
    return Cascade.from_parents(range(len(parents)), parents)


def distances(parents):
    """All distances between nodes of one tree, by breadth-first search from every node."""
    near = {i: [] for i in range(len(parents))}
    for i, parent in enumerate(parents):
        if parent is not None:
            near[i].append(parent)
            near[parent].append(i)
    found = {}
    for start in near:
        reached = {start: 0}
        queue = deque([start])
        while queue:
            u = queue.popleft()
            for v in near[u]:
                if v not in reached:
                    reached[v] = reached[u] + 1
                    queue.append(v)
        found[start] = reached
    return found


def naive(parents):
    found = distances(parents)
    pairs = [found[u][v] for u, v in itertools.combinations(range(len(parents)), 2) if v in found[u]]
    return sum(pairs), sum(pairs) / len(pairs) if pairs else math.nan


STAR = [None] + [0] * 9
PATH = [None, *range(9)]


def binary(n):
    return [None] + [(i - 1) // 2 for i in range(1, n)]


@pytest.mark.parametrize(
    ("parents", "virality"),
    [(STAR, 1.8), (PATH, 11 / 3), (binary(15), 3.504762), (binary(1023), 7353344 / 522753), ([None, 0], 1.0)],
)
def test_virality_of_known_trees(parents, virality):
    assert structural_virality(tree(parents)) == pytest.approx(virality, abs=1e-6)


def test_a_node_alone_has_no_virality():
    assert math.isnan(structural_virality(tree([None])))
    assert math.isnan(structural_virality(tree([None, None])))
    assert math.isnan(structural_virality(tree([])))


@st.composite
def forests(draw):
    n = draw(st.integers(1, 25))
    return [draw(st.one_of(st.none(), st.integers(0, i - 1))) if i else None for i in range(n)]


@given(forests())
def test_against_distances_counted_pair_by_pair(parents):
    total, mean = naive(parents)
    row = cascade_statistics(tree(parents)).iloc[0]
    assert row["wiener_index"] == total
    assert row["structural_virality"] == pytest.approx(mean, nan_ok=True)
    assert structural_virality(tree(parents)) == pytest.approx(mean, nan_ok=True)


@given(forests())
def test_statistics_of_each_tree(parents):
    found = distances(parents)
    roots = [i for i, parent in enumerate(parents) if parent is None]
    table = tree_statistics(tree(parents)).set_index("root")
    assert sorted(table.index) == roots
    for root in roots:
        members = found[root]
        levels = list(members.values())
        pairs = [found[u][v] for u, v in itertools.combinations(members, 2)]
        assert table.loc[root, "size"] == len(members)
        assert table.loc[root, "depth"] == max(levels)
        assert table.loc[root, "max_breadth"] == max(map(levels.count, levels))
        virality = sum(pairs) / len(pairs) if pairs else math.nan
        assert table.loc[root, "structural_virality"] == pytest.approx(virality, nan_ok=True)


@given(forests())
def test_statistics_of_a_cascade(parents):
    found = distances(parents)
    levels = [found[root][i] for i in range(len(parents)) for root in found[i] if parents[root] is None]
    counts = [levels.count(step) for step in range(max(levels) + 1)]
    row = cascade_statistics([tree(parents)]).iloc[0]
    assert row["size"] == len(parents)
    assert row["n_roots"] == parents.count(None)
    assert row["depth"] == max(levels)
    assert row["max_breadth"] == max(counts)
    assert row["max_breadth_at"] == counts.index(max(counts))


def test_one_row_a_cascade_in_order():
    table = cascade_statistics([tree(STAR), tree(PATH)])
    assert table["depth"].tolist() == [1, 9]
    assert table["wiener_index"].tolist() == [81, 165]
    assert cascade_statistics([]).empty
    assert list(cascade_statistics([]).columns) == list(table.columns)


def test_of_a_simulated_cascade():
    g = dif.FollowerGraph.from_arrays(["a", "a", "b"], ["b", "c", "d"], edges_mean="influences", directed=True)
    cascade = dif.independent_cascade(g.with_probabilities("constant", p=1.0), ["a"], rng=1)
    assert structural_virality(cascade) == pytest.approx(10 / 6)
    assert cascade_statistics(cascade).loc[0, "depth"] == cascade.depth
    assert tree_statistics(cascade)["root"].tolist() == ["a"]


def test_empty_cascade():
    assert tree_statistics(tree([])).empty
    assert cascade_statistics(tree([])).loc[0, ["size", "n_roots", "depth", "max_breadth"]].tolist() == [0, 0, 0, 0]


def test_kernels_compile_once():
    read_only = tree(STAR)
    read_only.parent.flags.writeable = False
    structural_virality(read_only)
    structural_virality(tree(PATH))
    if hasattr(tree_passes, "signatures"):
        assert len(tree_passes.signatures) <= 1
        assert len(wiener.signatures) <= 1


def test_wrong_input():
    with pytest.raises(InputError, match="is not a cascade"):
        structural_virality([1, 2])
    with pytest.raises(InputError, match="no list of cascades"):
        cascade_statistics(3)
    backwards = Cascade(tree([None, 0]).nodes, np.array([1, 0], np.int32), np.array([1, -1], np.int32))
    with pytest.raises(InputError, match="before its parent"):
        structural_virality(backwards)
