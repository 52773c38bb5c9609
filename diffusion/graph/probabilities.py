"""Rules that give every arc a propagation probability."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._random import RNGLike, generator, key_of
from ..errors import InputError, NotFoundError, did_you_mean
from ._parts import Probabilities, read_only
from .node_weights import node_values

if TYPE_CHECKING:
    from .follower_graph import FollowerGraph

__all__ = ["RULES", "assign", "check_lt_sums", "lt_bounds", "without_rounding"]

RULES = ("constant", "weighted_cascade", "trivalency", "column", "lt", "follower", "creator")
MOST_ROUNDING = 0.01  # a sum that exceeds 1 by more is no rounding, however many arcs there are
FLOAT32 = 6e-8  # relative error of a 32-bit number
SUM_TOLERANCE = 1e-6  # float32 weights of a node with many arcs sum to 1 within this


def assign(
    graph: FollowerGraph,
    rule: str,
    *,
    p: float | None,
    values: tuple[float, ...],
    normalize: bool,
    column: str | None,
    rng: RNGLike,
) -> Probabilities:
    """Apply a rule; see `FollowerGraph.with_probabilities`."""
    if not isinstance(rule, str):
        kind = "number" if isinstance(rule, int | float | np.number) else type(rule).__name__
        raise InputError(
            f"with_probabilities takes the name of a rule first ({', '.join(RULES)}), and a {kind} was given. One "
            "probability for all arcs: with_probabilities('constant', p=0.1). One for each arc: name them as weight= when "
            "the graph is built, such as from_arrays(..., weight=values), then with_probabilities('column')"
        )
    if rule not in RULES:
        raise NotFoundError(
            f"the probability rule {rule!r} is unknown: choose {', '.join(RULES)}." + did_you_mean(rule, RULES)
        )
    if p is not None and rule != "constant":
        raise InputError(f"p={p!r} belongs to the rule 'constant', not to {rule!r}")
    if normalize and rule != "lt":
        raise InputError(f"normalize belongs to the rule 'lt', not to {rule!r}")
    if column is not None and rule not in ("follower", "creator"):
        raise InputError(f"column={column!r} belongs to the rules 'follower' and 'creator', not to {rule!r}")
    if rule == "constant":
        return _constant(graph, p)
    if rule == "weighted_cascade":
        return Probabilities(_by_in_degree(graph).astype(np.float32), rule)
    if rule == "trivalency":
        return _trivalency(graph, values, rng)
    if rule == "column":
        weight = _weight_column(graph, rule)
        bad = ~((weight >= 0) & (weight <= 1))
        if bad.any():
            raise InputError(
                f"{_arc_text(graph, int(bad.argmax()))} has weight {weight[bad][0]:g}: with the rule 'column' weights are "
                "probabilities, from 0 to 1"
            )
        return Probabilities(weight.astype(np.float32), rule)
    return _lt(graph, normalize) if rule == "lt" else _of_nodes(graph, rule, column)


def _check_probability(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = float("nan")
    if not 0 <= number <= 1:
        raise InputError(f"{what}={value!r} is not a probability: give a number from 0 to 1")
    return number


def _constant(graph: FollowerGraph, p: float | None) -> Probabilities:
    if p is None:
        raise InputError("the rule 'constant' needs p=, a number from 0 to 1")
    p = _check_probability(p, "p")
    counts = graph._arcs.multiplicity
    array = np.array([p]) if counts is None else 1.0 - (1.0 - p) ** counts
    return Probabilities(array.astype(np.float32), "constant", {"p": p})


def _by_in_degree(graph: FollowerGraph) -> NDArray[np.float64]:
    indices, counts = graph.csr.indices, graph._arcs.multiplicity
    return (1.0 if counts is None else counts) / graph.csr.in_degree[indices]


def _trivalency(graph: FollowerGraph, values: tuple[float, ...], rng: RNGLike) -> Probabilities:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise InputError(
            f"values={values!r} is not a list of probabilities: give one such as values=(0.1, 0.01, 0.001)"
        )
    values = tuple(values)
    if not values:
        raise InputError("the rule 'trivalency' needs at least one value")
    levels = np.array([_check_probability(value, "values") for value in values])
    key = key_of(rng)
    drawn = levels[generator(key).integers(0, levels.size, graph.n_edges)]
    if graph._arcs.multiplicity is not None:
        drawn = 1.0 - (1.0 - drawn) ** graph._arcs.multiplicity
    return Probabilities(drawn.astype(np.float32), "trivalency", {"values": tuple(levels.tolist()), "key": key})


def _of_nodes(graph: FollowerGraph, rule: str, column: str | None) -> Probabilities:
    if column is None:
        raise InputError(f"the rule {rule!r} needs column=, the name of a column of node data")
    of_node = node_values(graph, column, "column", missing=None)
    bad = ~((of_node >= 0) & (of_node <= 1))
    if bad.any():
        at, label = graph.index.first_of(bad)
        raise InputError(
            f"the node {label!r} has {column} {of_node[at]:g}: with the rule {rule!r} the column {column!r} holds "
            "probabilities, from 0 to 1"
        )
    csr, counts = graph.csr, graph._arcs.multiplicity
    values = of_node[csr.indices] if rule == "follower" else np.repeat(of_node, np.diff(csr.indptr))
    if counts is not None:
        values = 1.0 - (1.0 - values) ** counts
    return Probabilities(values.astype(np.float32), rule, {"column": column})


def _weight_column(graph: FollowerGraph, rule: str) -> NDArray[np.float64]:
    if graph._arcs.weight is None:
        raise InputError(
            f"the rule {rule!r} reads the weights of the edges, and this graph has none: name the column as weight= when "
            "the graph is built"
        )
    return graph._arcs.weight


def _lt(graph: FollowerGraph, normalize: bool) -> Probabilities:
    if graph._arcs.weight is None:
        return Probabilities(_by_in_degree(graph).astype(np.float32), "lt")
    weight = graph._arcs.weight
    if (weight < 0).any():
        at = int((weight < 0).argmax())
        raise InputError(
            f"{_arc_text(graph, at)} has the weight {weight[at]:g}: linear-threshold weights are not negative"
        )
    if normalize:
        total = np.bincount(graph.csr.indices, weights=weight, minlength=graph.n_nodes)[graph.csr.indices]
        weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    weight = without_rounding(graph, weight)
    check_lt_sums(graph, weight)
    return Probabilities(weight.astype(np.float32), "lt", {"normalize": True} if normalize else {})


def without_rounding(graph: FollowerGraph, weight: NDArray[Any]) -> NDArray[Any]:
    """Divide weights by their sum at nodes where it exceeds 1 by no more than rounding in a file can explain.

    Weights of d decimals are each at most a unit of the last one too large: half of it, or all where a file rounds up.
    What exceeds 1 by more, or was not rounded to 3 to 6 decimals, comes back as it is.
    """
    weight = np.broadcast_to(weight, graph.n_edges)
    target = graph.csr.indices
    total = np.bincount(target, weights=weight, minlength=graph.n_nodes)
    over = total > 1 + SUM_TOLERANCE
    if not over.any():
        return weight
    full = weight.astype(np.float64)
    decimals = next((d for d in range(7) if (np.abs(full - np.round(full, d)) <= FLOAT32 * full).all()), 0)
    if decimals < 3:
        return weight
    count = np.bincount(target, weights=full > 0, minlength=graph.n_nodes)
    over &= total <= 1 + np.minimum(count * 10.0**-decimals, MOST_ROUNDING) + SUM_TOLERANCE
    if not over.any():
        return weight
    at = int(np.where(over, total, 0).argmax())
    warnings.warn(
        f"linear-threshold weights into {int(over.sum()):,} nodes sum to a little more than 1 (most at "
        f"{_label(graph, at)!r}: {total[at]:.7g}), as weights rounded to {decimals} decimals can: they were divided by their "
        "sum",
        stacklevel=5,
    )
    scaled: NDArray[Any] = full / np.where(over, total, 1.0)[target]
    return scaled


def check_lt_sums(graph: FollowerGraph, weight: NDArray[Any]) -> None:
    """Refuse linear-threshold weights that sum to more than 1 at a node."""
    full = np.broadcast_to(weight, graph.n_edges)
    total = np.bincount(graph.csr.indices, weights=full, minlength=graph.n_nodes)
    over = total > 1 + SUM_TOLERANCE
    if over.any():
        at = int(total.argmax())
        raise InputError(
            f"the linear-threshold weights into {int(over.sum()):,} nodes sum to more than 1 (most at "
            f"{_label(graph, at)!r}: {total[at]:.6g}). Use with_probabilities('weighted_cascade') or "
            "with_probabilities('lt', normalize=True), or lower the weights"
        )


def lt_bounds(graph: FollowerGraph) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Intervals [lo, hi) of the arcs under the linear threshold model, checked, computed once for a graph."""
    from ..kernels.csr import lt_intervals

    assert graph.probabilities is not None  # the callers have asked
    values = graph.probabilities.values

    def make() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        assert graph.probabilities is not None
        weight = without_rounding(graph, values) if graph.probabilities.rule == "column" else values
        check_lt_sums(graph, weight)
        into = graph.csr.into
        weight = np.ascontiguousarray(np.broadcast_to(weight.astype(np.float64), graph.n_edges))
        low, high = lt_intervals(into.indptr, into.arc, weight)
        return read_only(low), read_only(high)

    return graph.cached("lt_bounds", make, of=values)


def _label(graph: FollowerGraph, node: int) -> Any:
    """Label of an internal node as the user wrote it."""
    return graph.index.labels_of(np.array([node])).tolist()[0]


def _arc_text(graph: FollowerGraph, arc: int) -> str:
    source = int(np.searchsorted(graph.csr.indptr, arc, side="right")) - 1
    u, v = graph.index.labels_of(np.array([source, graph.csr.indices[arc]])).tolist()
    return f"the arc {u!r} -> {v!r}"
