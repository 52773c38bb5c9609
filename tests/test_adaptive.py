"""Seeds in waves: what is left of a graph, policies by enumeration, the twin in every world, and what is refused."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from fractions import Fraction

import naive
import naive_adaptive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import graphs, random_graph

import diffusion as dif
from diffusion._random import derive_key
from diffusion.errors import InputError, NotFoundError
from diffusion.graph import TopicProbabilities
from diffusion.graph.residual import residual_graph
from diffusion.kernels.residual import given_silence, open_arcs
from diffusion.models import TopicIC
from diffusion.seeding import OPIM, Strategy, adaptive_seeds
from diffusion.simulation import prepare

LEVELS = [0.125, 0.25, 0.5, 0.75, 1.0]


def weighted(arcs: dict[tuple[str, str], float]) -> dif.FollowerGraph:
    source, target = zip(*arcs, strict=True)
    graph = dif.FollowerGraph.from_arrays(
        source, target, weight=list(arcs.values()), edges_mean="influences", directed=True
    )
    return graph.with_probabilities("column")


def star(hub: str, leaves: int) -> dict[tuple[str, str], float]:
    return {(hub, f"{hub}{i}"): 1.0 for i in range(leaves)}


#: "a" may activate "b"; "c" is worth less than "b" and more than half of it.
TWO = weighted({**star("a", 9), **star("b", 8), **star("c", 6), ("a", "b"): 0.5})


def labelled(graph: dif.FollowerGraph) -> tuple[list[tuple[object, object]], list[Fraction]]:
    table = graph.to_pandas()
    p = [Fraction(float(x)) for x in table["probability"]]
    return list(zip(table["source"].tolist(), table["target"].tolist(), strict=True)), p


# -- what is left ----------------------------------------------------------------------------------------------------------


@given(draw=st.data())
@settings(max_examples=60)
def test_what_is_left_is_that_of_the_definition(draw):
    graph = draw.draw(graphs(n=8, max_rows=24))
    linear = draw.draw(st.booleans())
    if linear:
        graph = graph.with_probabilities("lt")
    elif graph.n_edges:
        p = draw.draw(st.lists(st.sampled_from(LEVELS), min_size=graph.n_edges, max_size=graph.n_edges))
        table = graph.to_pandas().assign(weight=p)
        graph = dif.FollowerGraph.from_pandas(
            table, weight="weight", edges_mean="influences", directed=True, nodes=graph.nodes
        ).with_probabilities("column")
    else:
        graph = graph.with_probabilities("constant", p=0.5)
    active = set(draw.draw(st.lists(st.sampled_from(graph.nodes.tolist()), unique=True)))
    silent = {v for v in active if draw.draw(st.booleans())}
    bits = {}
    for name, chosen in (("silent", silent), ("active", active)):
        bits[name] = np.zeros(graph.n_nodes, bool)
        bits[name][graph.index.internal(sorted(chosen))] = True
    arcs, p = labelled(graph)
    # A node all of whose weights were seen to fail would be active.
    for v in set(graph.nodes) - active:
        failed = sum(w for (u, target), w in zip(arcs, p, strict=True) if target == v and u in silent)
        if linear and failed > 1 - 1e-6:
            return
    left = residual_graph(graph, bits["silent"], bits["active"], linear=linear)
    want = naive_adaptive.left_over(arcs, p, silent, active, linear=linear)
    found = labelled(left)
    assert set(found[0]) == set(want)
    for arc, value in zip(*found, strict=True):
        assert float(value) == pytest.approx(float(want[arc]), rel=2e-6)
    assert left.nodes.equals(graph.nodes)
    np.testing.assert_array_equal(left.index.order, graph.index.order)
    if linear:
        dif.LT().compile(left)  # sums stay within 1


def test_kernels_of_what_is_left_by_hand():
    indptr, indices = np.array([0, 2, 4, 5, 5]), np.array([1, 3, 2, 3, 3], np.int32)
    silent, active = np.array([True, False, False, False]), np.array([True, True, False, False])
    ends, kept = open_arcs(indptr, indices, silent, active)
    assert ends.tolist() == [0, 0, 2, 3, 3]
    assert kept.tolist() == [2, 3, 4]  # not 0 -> 1 and 0 -> 3, whose source was seen
    weight = np.array([0.5, 0.4, 0.3, 0.3, 0.1])
    np.testing.assert_allclose(given_silence(indptr, indices, weight, silent, kept), [0.3, 0.3 / 0.6, 0.1 / 0.6])
    weight[4] = 0.3  # a sum of 1 stays a sum of 1, whatever the rounding
    assert given_silence(indptr, indices, weight, silent, kept)[1:].sum() == pytest.approx(1, abs=1e-15)


def test_weights_that_sum_to_one_still_do_after_most_accounts_failed():
    n = 3000
    graph = dif.FollowerGraph.from_arrays(range(1, n), [0] * (n - 1), edges_mean="influences", directed=True)
    graph = graph.with_probabilities("weighted_cascade")
    active = np.zeros(n, bool)
    active[graph.index.internal(range(1, n - 2))] = True
    left = residual_graph(graph, active, active, linear=True)
    assert left.probabilities.values.tolist() == [0.5, 0.5]
    dif.LT().compile(left)


@pytest.mark.filterwarnings("ignore:linear-threshold weights into")
def test_weights_that_were_rounded_in_a_file_are_those_of_the_model():
    graph = weighted({("a", "d"): 0.334, ("b", "d"): 0.334, ("c", "d"): 0.334})  # divided by their sum under LT
    active = np.zeros(4, bool)
    active[graph.index.internal(["a"])] = True
    left = residual_graph(graph, active, active, linear=True)
    assert left.probabilities.values.tolist() == pytest.approx([0.5, 0.5], abs=1e-7)


@pytest.mark.parametrize("kind", ["ic", "lt"])
@pytest.mark.parametrize("myopic", [False, True])
def test_reach_on_what_is_left_is_the_conditional_one(kind, myopic):
    """Over all worlds of a graph with a cycle: given what seeds show, further ones reach what they do on what is left."""
    arcs = {("a", "b"): 0.5, ("b", "c"): 0.25, ("c", "d"): 0.5, ("d", "b"): 0.5, ("a", "c"): 0.5, ("e", "c"): 0.125}
    arcs |= {("d", "e"): 0.75, ("e", "a"): 0.25}
    graph = weighted(arcs)
    ends, p = labelled(graph)
    worlds = list(naive.ic_worlds(ends, p) if kind == "ic" else label_worlds(graph, ends, p))
    nodes = graph.nodes.tolist()
    shown = 0
    for seeds in ({"a"}, {"e", "b"}):
        seen_once = {tuple(map(frozenset, naive_adaptive.sight(live, seeds, myopic=myopic))) for _, live in worlds}
        for silent, active in seen_once:
            bits = [np.isin(graph.index.labels_of(np.arange(len(nodes))), list(group)) for group in (silent, active)]
            left = residual_graph(graph, *bits, linear=kind == "lt")
            ends_left, p_left = labelled(left)
            rest = list(naive.ic_worlds(ends_left, p_left) if kind == "ic" else label_worlds(left, ends_left, p_left))
            for more in itertools.combinations(sorted(set(nodes) - active), 2):
                seen = (set(silent), set(active))
                want = naive_adaptive.spread_after(worlds, seen, seeds, set(more), myopic=myopic)
                start = (set(active) - set(silent)) | set(more)
                found = len(silent) + naive.exact_spread(0, rest, start)
                assert float(found) == pytest.approx(float(want), rel=1e-6)
                shown += 1
    assert shown > 10


def label_worlds(graph, ends, p):
    at = {label: i for i, label in enumerate(graph.nodes.tolist())}
    for chance, live in naive.lt_worlds(graph.n_nodes, [(at[u], at[v]) for u, v in ends], p):
        yield chance, [(graph.nodes[u], graph.nodes[v]) for u, v in live]


# -- policies --------------------------------------------------------------------------------------------------------------


def test_two_stars_by_hand():
    """At once: "a" and "c", 10 + 4.5 + 7. In waves: "b" where it is not yet active, so 10 + 9 + 7/2."""
    found = adaptive_seeds(TWO, 2, waves=2, worlds=4000, rng=7)
    assert found.nonadaptive == ("a", "c")
    for (first, second), at_once, waves in zip(found.seeds, found.at_once, found.adaptive, strict=True):
        assert first == ("a",)
        assert second == (("c",) if at_once == 26 else ("b",))
        assert (at_once, waves) in ((26, 26), (17, 19))
    se = math.sqrt(1.0 / 4000)  # the difference is 0 or 2, with probability 1/2 each
    assert abs(found.difference.value - 1.0) <= 4 * se
    assert found.difference.low < 1.0 < found.difference.high
    assert found.gap.low < 22.5 / 21.5 < found.gap.high
    assert abs(found.adaptive.mean() - 22.5) <= 4 * 3.5 / math.sqrt(4000)
    assert found.provenance["selections"] == 2


def test_myopic_feedback_sees_who_was_activated_and_not_how_far_it_went():
    """ "a" shows "m" alone, who activates the hub "b" or not: "b" is then expected half active, and "c" is better."""
    graph = weighted({**star("a", 9), **star("b", 8), **star("c", 6), ("a", "m"): 0.5, ("m", "b"): 0.5})
    full = adaptive_seeds(graph, 2, waves=2, worlds=1000, rng=7)
    myopic = adaptive_seeds(graph, 2, waves=2, worlds=1000, feedback="myopic", rng=7)
    for world in range(1000):
        shows_m = myopic.adaptive_sizes[world, 0] > 10
        assert myopic.seeds[world][1] == (("c",) if shows_m else ("b",))
        assert full.seeds[world][1] == (("c",) if full.adaptive_sizes[world, 0] > 11 else ("b",))
    # m alone and then b not: 1/4 of the worlds, in which full feedback knows that b is open, worth 9 and not 7.
    assert abs((full.adaptive - myopic.adaptive).mean() - 2 * 0.25) <= 4 * 2 * math.sqrt(0.25 * 0.75 / 1000)


SMALL = {
    ("a", "b"): 0.5, ("b", "c"): 0.5, ("a", "d"): 0.75, ("d", "e"): 0.5, ("f", "g"): 0.75, ("f", "h"): 0.5,
    ("g", "a"): 0.25, ("c", "h"): 0.25, ("i", "e"): 0.5, ("e", "f"): 0.125,
}  # fmt: skip


@dataclass(frozen=True)
class Exact(Strategy):
    """Greedy by enumerating all worlds of the graph it is given; of equals the first."""

    linear: bool = False
    name = "exact"
    supports = frozenset({"existing"})

    def choose(self, problem):
        ends, p = labelled(problem.graph)
        assert problem.live_edges.linear == self.linear  # the model on what is left is the one that was asked for
        worlds = list(label_worlds(problem.graph, ends, p) if self.linear else naive.ic_worlds(ends, p))
        chosen = list(problem.labels(problem.existing))
        there = len(chosen)
        users = problem.labels(np.flatnonzero(problem.allowed))
        for _ in range(problem.constraint.k):
            value = {v: float(naive.exact_spread(0, worlds, [*chosen, v])) for v in users if v not in chosen}
            chosen += naive_adaptive.best(value)
        nodes = problem.graph.index.internal(chosen[there:])
        return problem.selection(nodes, self.name, np.zeros(len(nodes)))


@pytest.mark.parametrize("kind", ["ic", "lt"])
@pytest.mark.parametrize("feedback", ["full", "myopic"])
def test_every_world_is_that_of_the_twin(kind, feedback):
    """Cascades on the coins of the kernel, and greedy choices by conditioning on what was seen among all worlds."""
    graph, myopic = weighted(SMALL), feedback == "myopic"
    ends, p = labelled(graph)
    worlds = list(naive.ic_worlds(ends, p) if kind == "ic" else label_worlds(graph, ends, p))
    nodes = graph.nodes.tolist()
    found = adaptive_seeds(
        graph, 3, waves=3, worlds=600, model=kind, feedback=feedback, method=Exact(kind == "lt"), rng=5
    )
    first = found.nonadaptive
    key = derive_key(found.key, "worlds")
    internal = [(int(u), int(v)) for u, v in zip(graph.csr.sources, graph.csr.indices, strict=True)]
    name = graph.index.labels_of(np.arange(graph.n_nodes)).tolist()
    values = np.broadcast_to(graph.probabilities.values, graph.n_edges).tolist()
    known: dict[object, list[object]] = {}
    for run in range(600):
        live = [(name[u], name[v]) for u, v in live_arcs(kind, graph.n_nodes, internal, values, key, run)]
        seeds = [first[0]]
        for wave in range(3):
            if wave:
                seen = (frozenset(seeds), frozenset(naive_adaptive.sight(live, seeds, myopic=myopic)[1]))
                if seen not in known:
                    gains = naive_adaptive.gains(nodes, worlds, live, set(seeds), myopic=myopic)
                    known[seen] = naive_adaptive.best(gains)
                assert list(found.seeds[run][wave]) == known[seen]
                seeds += known[seen]
            assert found.adaptive_sizes[run, wave] == len(naive.reached(0, live, seeds))
            assert found.nonadaptive_sizes[run, wave] == len(naive.reached(0, live, first[: wave + 1]))
    assert len(known) > 15
    assert len({tuple(wave) for wave in known.values()}) > 2


@pytest.mark.parametrize("kind", ["ic", "lt"])
@pytest.mark.parametrize("feedback", ["full", "myopic"])
def test_expected_gap_is_that_of_the_enumeration(kind, feedback):
    graph, myopic = weighted(SMALL), feedback == "myopic"
    ends, p = labelled(graph)
    worlds = list(naive.ic_worlds(ends, p) if kind == "ic" else label_worlds(graph, ends, p))
    nodes = graph.nodes.tolist()
    found = adaptive_seeds(
        graph, 2, waves=2, worlds=6000, model=kind, feedback=feedback, method=Exact(kind == "lt"), rng=3
    )
    first = set(found.nonadaptive[:1])
    at_once = float(naive.exact_spread(0, worlds, found.nonadaptive))
    adaptive, known = 0.0, {}
    for chance, live in worlds:
        seen = frozenset(naive_adaptive.sight(live, first, myopic=myopic)[1])
        if seen not in known:
            known[seen] = naive_adaptive.best(naive_adaptive.gains(nodes, worlds, live, first, myopic=myopic))
        adaptive += float(chance) * len(naive.reached(0, live, [*first, *known[seen]]))
    assert adaptive >= at_once
    assert (adaptive > at_once * 1.01) == (not myopic)
    gain = found.adaptive - found.at_once
    assert abs(found.difference.value - (adaptive - at_once)) <= 4 * gain.std() / math.sqrt(6000)
    assert found.gap.value == found.adaptive.mean() / found.at_once.mean()
    width = (found.gap.high - found.gap.low) / 2 * 4 / 1.96
    assert abs(found.gap.value - adaptive / at_once) <= width
    assert myopic or width < 0.05
    assert abs(found.at_once.mean() - at_once) <= 4 * found.at_once.std() / math.sqrt(6000)


def live_arcs(kind, n, arcs, p, key, run):
    if kind == "ic":
        world = naive.world_of(key, naive.TAG_IC, run // 512)
        return [arc for j, arc in enumerate(arcs) if naive.fires(world, j, run % 512, naive.threshold_of(p[j]))]
    world = naive.world_of(key, naive.TAG_LT, run // 512)
    coins = [naive.coin(world, v, run % 512) for v in range(n)]
    spans = naive.lt_intervals(n, arcs, p)
    return [arc for arc, (low, high) in zip(arcs, spans, strict=True) if low <= coins[arc[1]] < high]


def test_one_wave_is_the_choice_at_once_and_the_ratio_is_one():
    graph = random_graph(200, 1500, rng=4).with_probabilities("weighted_cascade")
    for model in ("ic", "lt"):
        found = adaptive_seeds(graph, 7, waves=1, worlds=50, model=model, rng=5)
        assert found.nonadaptive == dif.select_seeds(graph, 7, model=model, rng=5).seeds
        assert all(world == (found.nonadaptive,) for world in found.seeds)
        np.testing.assert_array_equal(found.adaptive, found.at_once)
        assert (found.gap.value, found.gap.low, found.gap.high) == (1, 1, 1)
        assert (found.difference.value, found.difference.low, found.difference.high) == (0, 0, 0)


def test_threads_and_numbers_of_worlds_change_nothing():
    graph = random_graph(100, 600, rng=4).with_probabilities("constant", p=0.1)
    one, two, more = (
        adaptive_seeds(graph, 6, waves=3, worlds=worlds, method=OPIM(eps=0.3), threads=threads, rng=5)
        for worlds, threads in ((40, 1), (40, 2), (60, 2))
    )
    assert one.seeds == two.seeds == more.seeds[:40]
    np.testing.assert_array_equal(one.adaptive_sizes, two.adaptive_sizes)
    np.testing.assert_array_equal(one.nonadaptive_sizes, more.nonadaptive_sizes[:40])
    assert one.provenance["selections"] == two.provenance["selections"]
    runner = prepare(graph, "ic", one.nonadaptive, derive_key(one.key, "worlds"))
    assert runner.run(0, 40).values.tolist() == one.at_once.tolist()
    assert len(runner.replay(17).nodes) == one.at_once[17]


@pytest.mark.parametrize("feedback", ["full", "myopic"])
@pytest.mark.parametrize("method", ["degree", "degree_discount", "celf", "imm", "hist", "pagerank", "random"])
def test_other_methods_choose_nobody_who_is_seen_active(method, feedback):
    graph = random_graph(100, 600, rng=4).with_probabilities("constant", p=0.15)
    if method == "imm" and feedback == "myopic":
        with pytest.raises(InputError, match="existing= is not used by the method 'imm'"):
            adaptive_seeds(graph, 4, waves=2, worlds=5, feedback=feedback, method=method, rng=5)
        return
    found = adaptive_seeds(graph, 4, waves=2, worlds=20, feedback=feedback, method=method, rng=5)
    runner = prepare(graph, "ic", found.nonadaptive[:2], derive_key(found.key, "worlds"))
    for world, (first, second) in enumerate(found.seeds):
        trace = runner.replay(world)
        seen = trace.nodes if feedback == "full" else trace.nodes[trace.steps <= 1]
        assert not set(second) & set(graph.index.labels_of(seen).tolist())
        assert len({*first, *second}) == 4


def test_waves_end_where_everybody_is_active():
    graph = dif.FollowerGraph.from_arrays([0, 1, 2], [1, 2, 3], edges_mean="influences", directed=True)
    found = adaptive_seeds(graph.with_probabilities("constant", p=1.0), 3, waves=3, worlds=4, rng=1)
    assert found.seeds[0] == ((0,), (), ())
    assert found.adaptive_sizes.tolist() == [[4, 4, 4]] * 4


def test_topics_in_waves_are_those_of_the_mixed_graph():
    graph = random_graph(100, 600, rng=4)
    values = np.random.default_rng(3).random((graph.n_edges, 2)) * 0.3
    topics = TopicProbabilities.from_arrays(graph, values, topics=["a", "b"])
    a = adaptive_seeds(graph, 4, waves=2, worlds=20, model=TopicIC(topics, {"b": 1}), rng=5)
    b = adaptive_seeds(topics.mix({"b": 1}), 4, waves=2, worlds=20, rng=5)
    assert a.seeds == b.seeds
    np.testing.assert_array_equal(a.adaptive, b.adaptive)


def test_tables_and_texts():
    found = adaptive_seeds(TWO, 2, waves=2, worlds=40, rng=7)
    table = found.to_pandas()
    assert table.columns.tolist() == ["world", "wave", "seeds", "adaptive", "nonadaptive"]
    assert len(table) == 80
    assert table.loc[1, "seeds"] == found.seeds[0][1]
    by_wave = found.by_wave()
    assert by_wave["n_seeds"].tolist() == [1, 2]
    assert by_wave["adaptive"].tolist() == found.adaptive_sizes.mean(axis=0).tolist()
    assert by_wave["nonadaptive"].iloc[0] == by_wave["adaptive"].iloc[0]
    assert repr(found).startswith("AdaptiveSeeding: 2 seeds in 2 waves by opim (full feedback) reach ")
    assert "<table" in found._repr_html_()
    assert found.provenance["waves"] == [1, 1]
    axes = found.plot()
    assert axes.get_xlabel() == "seeds"
    axes.figure.canvas.draw()
    assert all(float(tick).is_integer() for tick in axes.get_xticks())
    more = found.difference
    assert axes.get_title(loc="left").endswith("\n(95% interval, full feedback)")
    for text in (f"{value:.3g}".replace("-", "−") for value in (more.value, more.low, more.high)):
        assert text in axes.get_title(loc="left")
    assert [line.get_label() for line in axes.lines][-1] == "at once"
    with pytest.raises(InputError, match="AdaptiveSeeding"):
        dif.plotting.plot_adaptive(3)


@pytest.mark.parametrize(
    ("more", "title"),
    [
        ([3, 4] * 20, "Waves reach 3.5 [3.34, 3.66] users more than seeds at once"),
        ([-3, -4] * 20, "Waves reach 3.5 [3.34, 3.66] users fewer than seeds at once"),
        ([-1, 1] * 20, "Waves and seeds at once cannot be told apart: 0 [−0.324, 0.324] users"),
    ],
)
def test_the_title_says_which_reach_more(more, title):
    found = adaptive_seeds(TWO, 2, waves=2, worlds=40, rng=7)
    sizes = np.full((40, 2), 10)
    found = replace(found, adaptive_sizes=sizes + np.array(more)[:, None], nonadaptive_sizes=sizes)
    assert found.plot().get_title(loc="left").splitlines()[0] == title


@dataclass(frozen=True)
class Timed(dif.models.DiffusionModel):
    """A model whose RR sets need a sampler of its own."""

    def compile(self, graph):
        return dif.IC().compile(graph)

    def live_edges(self, graph):
        return dif.models.LiveEdges(graph, sampler=object())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"k": 0}, "k=0 is out of range"),
        ({"k": 29}, "k=29 is out of range: give a whole number of seeds from 1 to 26"),
        ({"waves": 0}, "waves=0 is out of range: give a whole number from 1 to 2"),
        ({"waves": 3}, "waves=3 is out of range"),
        ({"waves": 1.5}, "waves=1.5"),
        ({"worlds": 1}, "worlds=1 is out of range: give a whole number from 2"),
        ({"confidence": 1.0}, "confidence=1.0"),
        ({"model": dif.Threshold(count=2)}, "no certificate is known for Threshold count=2"),
        ({"model": dif.SIPS(attention=0.1)}, "adaptive_seeds does not know what a cascade of SIPS"),
        ({"model": Timed()}, "adaptive_seeds does not know what a cascade of Timed that was seen leaves open"),
    ],
)
def test_what_cannot_be_done_is_said(options, says):
    with pytest.raises(InputError, match=says):
        adaptive_seeds(TWO, **({"k": 2, "waves": 2, "worlds": 4} | options))


def test_other_wrong_names():
    with pytest.raises(NotFoundError, match=r"feedback='ful' is unknown: .* Did you mean 'full'"):
        adaptive_seeds(TWO, 2, waves=2, feedback="ful")
    with pytest.raises(NotFoundError, match="the method 'opin' is unknown"):
        adaptive_seeds(TWO, 2, waves=2, method="opin")
    bare = dif.FollowerGraph.from_arrays([0], [1], edges_mean="influences", directed=True)
    with pytest.raises(InputError, match="the graph has no propagation probabilities"):
        adaptive_seeds(bare, 1, waves=1)
