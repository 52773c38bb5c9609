"""The next-generation operator of a graph and a model: who makes how many new sharers, before anything is simulated."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .._validation import Floats
from ..errors import DiffusionError
from ..graph.follower_graph import FollowerGraph
from ..graph.spectral import along_arcs, leading_arcs
from ..kernels import generations
from ..kernels.generations import Generation

__all__ = ["NextGeneration"]

ROUNDS = 300  # applications of the operator in which its eigenvectors settle
SETTLED = 1e-4  # change of an eigenvector that counts as none
TINY = 1e-200
START = 1e-9  # least entry of a state to start from: none is left out that the operator it was found for did not make
FEW = 2.0  # typical sharers with which depletion is looked at
SETTLING = 2  # steps after which their mix has settled again
MAX_STEPS = 200


@dataclass(frozen=True, eq=False)
class NextGeneration:
    """Mean new sharers by the arc along which, or the user among whom, a sharer was reached.

    A state has one entry for each arc u -> v (sharers v who have the note from u) and, with a feed, one for each user
    (sharers who have it from the feed). A sharer v makes new ones of each follower but the one it has the note from,
    and of those to whom the feed shows it.

    Attributes
    ----------
    graph : FollowerGraph
        With the probability that a sharer makes a sharer of a follower on every arc.
    exposes : ndarray of float, shape (n_edges,)
        Probability that a sharer exposes a follower.
    rho : float
        Probability that an exposed user shares.
    linear : bool
        At most one arc into a user is live (linear threshold).
    shown : ndarray of float, shape (n_nodes,), or None
        Mean number of users to whom the feed shows a sharer's note; None without a feed.
    own : float
        Share of the feed's exposures that stay in the sharer's community.
    group : ndarray of int, shape (n_nodes,)
        Community of every user.

    See Also
    --------
    theory.reproduction_number, simulation.reproduction
    """

    graph: FollowerGraph  # with the probability that a sharer makes a sharer of a follower on every arc
    exposes: Floats  # probability that a sharer exposes a follower, by arc
    rho: float  # probability that an exposed user shares
    linear: bool  # at most one arc into a user is live (linear threshold)
    shown: Floats | None  # mean number of users to whom the feed shows a sharer's note
    own: float
    group: NDArray[np.intp]

    @classmethod
    def on_arcs(cls, graph: FollowerGraph, *, linear: bool = False) -> NextGeneration:
        """Return the operator of a model in which every arc is live with its probability.

        Parameters
        ----------
        graph : FollowerGraph
            With propagation probabilities.
        linear : bool
            At most one arc into a user is live.

        Returns
        -------
        NextGeneration
        """
        assert graph.probabilities is not None
        exposes = np.broadcast_to(graph.probabilities.values, graph.n_edges).astype(np.float64)
        return cls(graph, exposes, 1.0, linear, None, 0.0, np.zeros(graph.n_nodes, np.intp))

    @property
    def n(self) -> int:
        """Number of users."""
        return self.graph.n_nodes

    @functools.cached_property
    def source(self) -> NDArray[np.int64]:
        """Internal source of every arc."""
        return self.graph.csr.sources

    @functools.cached_property
    def _generation(self) -> Generation:
        csr, p = self.graph.csr, self.exposes * self.rho
        if self.shown is None:
            return along_arcs(csr.indptr, csr.indices, csr.back, p)
        local = 1 / np.maximum(np.bincount(self.group), 1)
        return along_arcs(csr.indptr, csr.indices, csr.back, p)._replace(
            shown=self.rho * self.shown, own=float(self.own), group=self.group.astype(np.int64), local=local
        )

    def _reached_by_feed(self, sharers: Floats) -> Floats:
        """Mean exposures of every user through the feed."""
        assert self.shown is not None
        notes = self.shown * sharers
        local = np.bincount(self.group, notes) / np.bincount(self.group)
        return np.asarray((1 - self.own) * notes.sum() / self.n + self.own * local[self.group])

    def forward(self, x: Floats) -> Floats:
        """Sharers of the next generation."""
        made: Floats = generations.forward(self._generation, x, 0.0)
        return made

    def backward(self, value: Floats) -> Floats:
        """Value of a sharer from that of the sharers it makes."""
        worth: Floats = generations.backward(self._generation, value)
        return worth

    def radius(self, *, tol: float = 1e-6, max_iter: int = 5000) -> float:
        """Spectral radius: R of the graph and model.

        Parameters
        ----------
        tol : float
            Relative width of the bounds between which it lies.
        max_iter : int
            Applications of the operator at most.

        Returns
        -------
        float
        """
        return self.leading(tol=tol, max_iter=max_iter)[0]

    def leading(
        self, *, tol: float = 1e-6, max_iter: int = 5000, start: Floats | None = None
    ) -> tuple[float, Floats | None]:
        """Spectral radius, and a state near the eigenvector from which that of a like operator is found sooner.

        Parameters
        ----------
        tol, max_iter
            As in `radius`.
        start : ndarray of float, optional
            State found for a like operator; one of another size is left aside.

        Returns
        -------
        tuple of float and ndarray of float
            The state is None where R is 0 or infinite without reckoning.
        """
        shown = self.shown if self.shown is not None and self.shown.any() else None
        if self.rho == 0 or (shown is None and not self.exposes.size):
            return 0.0, None
        size = self.exposes.size + (0 if shown is None else self.n)
        if start is not None and start.size != size:
            start = None
        if shown is None:
            return leading_arcs(self.graph, tol, 2000, start)
        if not np.isfinite(shown).all():
            return math.inf, None
        x = np.ones(size) if start is None else np.maximum(start, START)
        x = x * (self.forward(x) > 0).astype(np.float64)  # what nobody makes would fade only slowly
        low = high = 0.0
        for _ in range(max_iter):
            y = self.forward(x)
            low, high = generations.bounds(x, y, TINY)
            if high - low <= tol * high:
                return float(low + high) / 2, x
            generations.advance(x, y, TINY, 0.0)
        raise DiffusionError(
            f"R lies between {low:.6g} and {high:.6g} after {max_iter} rounds: give a larger tol= or max_iter="
        )

    def settled(self) -> tuple[Floats, Floats]:
        """Return each user's share of the sharers, and of R, once the mix of sharers has settled; all 0 without circles.

        The second is the elasticity of R: by how many per cent it falls if a per cent of the sharing of this user goes.
        """
        size = self.exposes.size + (0 if self.shown is None else self.n)
        x, value = (_power(apply, size) for apply in (self.forward, self.backward))
        m, target = self.exposes.size, self.graph.csr.indices
        sharers, weight = (np.bincount(target, y[:m], self.n).astype(np.float64) for y in (x, x * value))
        if self.shown is not None:
            sharers, weight = sharers + x[m:], weight + (x * value)[m:]
        return tuple(y / y.sum() if y.sum() > 0 else y for y in (sharers, weight))  # type: ignore[return-value]

    def without(self, users: NDArray[np.bool_]) -> float:
        """R of what is left when some users never share."""
        keep = ~users
        rule = self.graph.probabilities
        assert rule is not None
        values = np.where(keep[self.source], np.broadcast_to(rule.values, self.source.shape), 0).astype(np.float32)
        graph = dataclasses.replace(self.graph, probabilities=dataclasses.replace(rule, values=values))
        exposes = np.where(keep[self.source], self.exposes, 0.0)
        shown = None if self.shown is None else np.where(keep, self.shown, 0.0)
        return dataclasses.replace(self, graph=graph, exposes=exposes, shown=shown).radius(tol=1e-3)

    def forecast(self, start: Floats, steps: int, *, most: float = math.inf) -> Floats:
        """Expected new activations by step, until `most` users are reached, with the probability of each user to be a seed.

        Message passing: depletion in, short circles left out (Karrer and Newman 2010); for linear thresholds the
        shares of the arcs into a user add up.

        Parameters
        ----------
        start : ndarray of float, shape (n_nodes,)
            Probability of each user (internal) to be a seed.
        steps : int
        most : float, optional
            Reach at which to stop.

        Returns
        -------
        ndarray of float, shape (steps + 1,) or fewer

        References
        ----------
        - Karrer, B. and Newman, M. E. J. (2010). Message passing approach for general epidemic models. Physical Review
          E 82, 016101.
        """
        message = start[self.source]
        reached = [float(start.sum())]
        feed = np.zeros(self.n)
        sharing = start
        target, back = self.graph.csr.indices, self.graph.csr.back
        mutual = np.flatnonzero(back >= 0)
        back = back[mutual]
        for _ in range(steps):
            if reached[-1] > most:
                break
            passed = self.exposes * message
            if not self.linear:
                passed = -np.log1p(-np.minimum(passed, 1 - 1e-12))
            if self.shown is not None:
                feed = self._reached_by_feed(sharing)
            into = np.bincount(target, passed, self.n) + feed
            cavity = into[self.source]
            cavity[mutual] -= passed[back]
            exposed, without = (
                np.clip(y, 0.0, 1.0) if self.linear else -np.expm1(-np.maximum(y, 0.0)) for y in (into, cavity)
            )
            reached.append(float((start + (1 - start) * exposed).sum()))
            sharing = start + (1 - start) * self.rho * exposed
            message = start[self.source] + (1 - start[self.source]) * self.rho * without
        return np.diff(reached, prepend=0.0)

    def depletion(self, sharers: Floats, predicted: float, reach: float) -> Callable[[Floats], Floats]:
        """Fall of log R at a given reach, up to `reach`, that the using up of users explains, from a few typical sharers.

        Parameters
        ----------
        sharers : ndarray of float, shape (n_nodes,)
            Settled mix of sharers, by internal node.
        predicted : float
            R before depletion.
        reach : float
            Largest reach that is asked for.

        Returns
        -------
        callable
            From an array of reach to the falls.
        """
        new = self.forecast(np.minimum(FEW * sharers, 1.0), MAX_STEPS, most=reach)
        later = slice(SETTLING, None)
        after, before = new[1:][later], new[:-1][later]
        keep = (before > 0) & (after > 0)
        if not keep.any():
            return np.zeros_like
        reached = np.log(np.cumsum(new)[:-1][later][keep])
        fall = np.maximum(math.log(predicted) - np.log(after[keep] / before[keep]), 0.0)
        return lambda c: np.asarray(np.interp(np.log(c), reached, fall))


def _power(apply: object, size: int) -> Floats:
    assert callable(apply)
    x = np.full(size, 1.0 / max(size, 1))
    for _ in range(ROUNDS):
        y = apply(x)
        total = float(y.sum())
        if total <= TINY:
            return np.zeros(size)
        if generations.settle(x, y, total) < SETTLED:
            break
    return x
