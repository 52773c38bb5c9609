"""Credit distribution: whom past adoptions speak for as seeds, without probabilities and without simulation."""

from __future__ import annotations

import functools
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._progress import one_bar, progress
from .._provenance import provenance
from .._threads import n_threads
from .._upward import draw
from .._validation import Floats, number, whole
from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph, check_static
from ..kernels.credits import Credits, count_influenced, fill_credits, pass_credits, sum_gains
from ..seeding.selection import SeedSelection
from .action_log import ActionLog, check_log
from .contacts import GraphLog, graph_log, in_chunks
from .methods import mean_delays

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CreditDistribution", "credit_distribution"]

CREDITS = ("time_aware", "equal")
GUARANTEE = "at least 1 - 1/e of the largest credit of any set of as many seeds"


@dataclass(frozen=True, repr=False, eq=False)
class CreditDistribution:
    """Credit of users for each other's adoptions, as a log shows it.

    Attributes
    ----------
    graph : FollowerGraph
    log : ActionLog
        The adoptions that were used: those by nodes of the graph.
    credit : {"time_aware", "equal"}
        How an adoption shares out its direct credit.
    window : float or None
        Longest time from an adoption to one it has credit for.
    possible : float
        Share of the adoptions after the first of each item that give any credit.
    credits : Credits
        Direct credit of every adoption, as kernels take it.
    rows, indptr : ndarray of int64
        Adoptions of every internal node.
    provenance : dict

    See Also
    --------
    inference.credit_distribution
    """

    graph: FollowerGraph
    log: ActionLog
    credit: str
    window: float | None
    possible: float
    credits: Credits = field(repr=False)
    rows: NDArray[np.int64] = field(repr=False)
    indptr: NDArray[np.int64] = field(repr=False)
    provenance: dict[str, Any] = field(default_factory=dict)

    def spread(self, seeds: Any) -> float:
        """Return the credit of seeds: expected number of users that adopt, seeds with an adoption counted as one.

        Parameters
        ----------
        seeds : sequence of labels
        """
        seed = self._marked(self.graph.index.internal(seeds))
        to_seeds, _ = self._passed(seed, self._all_items)
        return float(to_seeds @ self.credits.weight[self.credits.node])

    def gains(self, seeds: Any = ()) -> pd.Series[float]:
        """Return what each user would add to the credit of seeds; by itself where there are none.

        Parameters
        ----------
        seeds : sequence of labels

        Notes
        -----
        Users without an adoption add nothing.
        """
        seed = self._marked(self.graph.index.internal(list(seeds)) if len(seeds) else np.empty(0, np.int32))
        return self.graph.index.series(self._summed(self._passed(seed, self._all_items)[1]), "gain")

    @one_bar
    def select_seeds(self, k: int) -> SeedSelection:
        """Return k seeds, each the one that adds most credit to those before it.

        Parameters
        ----------
        k : int

        Returns
        -------
        SeedSelection
            `gains` adds up to the credit of the seeds.

        Raises
        ------
        InputError
            More seeds than users with an adoption.

        Notes
        -----
        The gain of every user is exact at every step. The paper holds the credit of every pair of users for every item,
        leaves out credit below a threshold to save memory, and looks at users lazily (CELF). Here one pass over the
        adoptions of an item, from the last to the first, gives what each of its users would add, so that nothing is left
        out, memory goes with the contacts, and a new seed costs a pass over its own items.

        Of users who add equally much the first in the order of `graph.nodes` is chosen.
        """
        k = whole(k, "k")
        if k > self.log.n_users:
            raise InputError(f"k={k:,} is more than the {self.log.n_users:,} users with an adoption: give fewer")
        begin = time.perf_counter()
        n, rank = self.graph.n_nodes, self.graph.index.rank
        seed, chosen, gains = np.zeros(n, np.bool_), [], []
        to_seeds, gain = self._passed(seed, self._all_items)
        total = self._summed(gain)
        item = self.log.item
        with progress(total=k, description="credit distribution", unit="seeds") as bar:
            for _ in range(k):
                open_ = np.where(seed | (self.credits.weight == 0), -1.0, total)[rank]
                best = int(rank[int(open_.argmax())])
                chosen.append(best)
                gains.append(float(total[best]))
                seed[best] = True
                items = item[self.rows[self.indptr[best] : self.indptr[best + 1]]]
                pass_credits(items, self.credits, seed, to_seeds, gain)
                parts = [self.credits.node[self.log.indptr[i] : self.log.indptr[i + 1]] for i in items.tolist()]
                sum_gains(np.unique(np.concatenate(parts)), self.indptr, self.rows, gain, total)
                bar.update()
        return SeedSelection(
            seeds=tuple(self.graph.index.labels_of(np.array(chosen)).tolist()),
            method="credit_distribution",
            scores=np.array(gains),
            seconds=time.perf_counter() - begin,
            key=0,
            gains=np.array(gains),
            guarantee=GUARANTEE,
            provenance=self.provenance | {"k": k},
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a node: its adoptions, and the credit it has by itself."""
        activity = self.graph.index.series(np.diff(self.indptr), "adoptions")
        return pd.DataFrame(
            {"node": self.graph.nodes, "adoptions": activity.to_numpy(), "credit": self.gains().to_numpy()}
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the users that have most credit by themselves."""
        return draw("credits", self, ax)

    def __repr__(self) -> str:
        gains = self.gains()
        top = gains.index.take([int(gains.argmax())]).tolist()[0]
        return (
            f"CreditDistribution ({self.credit}) of {len(self.log):,} adoptions of {self.log.n_items:,} items by "
            f"{self.log.n_users:,} users; {self.possible:.1%} of the adoptions after the first give credit; most has "
            f"{top!r}, {gains.max():.4g}" + "".join(f"; {c:,} {why} left out" for why, c in self.log.dropped.items())
        )

    # -- passes ----------------------------------------------------------------------------------------------------

    @functools.cached_property
    def _all_items(self) -> NDArray[np.int64]:
        return np.arange(self.log.n_items)

    def _marked(self, nodes: NDArray[Any]) -> NDArray[np.bool_]:
        seed = np.zeros(self.graph.n_nodes, np.bool_)
        seed[nodes] = True
        return seed

    def _passed(self, seed: NDArray[np.bool_], items: NDArray[np.int64]) -> tuple[Floats, Floats]:
        to_seeds, gain = np.zeros(len(self.log)), np.zeros(len(self.log))
        pass_credits(items, self.credits, seed, to_seeds, gain)
        return to_seeds, gain

    def _summed(self, gain: Floats) -> Floats:
        total = np.zeros(self.graph.n_nodes)
        sum_gains(np.arange(total.size, dtype=np.int32), self.indptr, self.rows, gain, total)
        return total


@one_bar
def credit_distribution(
    graph: FollowerGraph,
    log: ActionLog,
    *,
    credit: str = "time_aware",
    window: float | None = None,
    unknown: str = "drop",
    threads: int | None = None,
) -> CreditDistribution:
    """Share out the credit for every adoption among those who adopted before, for seeds chosen from data alone.

    Parameters
    ----------
    graph : FollowerGraph
        Its probabilities play no part.
    log : ActionLog
    credit : {"time_aware", "equal"}
        Direct credit of u for an adoption of v with d followed users before it: infl(v) / d * exp(-delay / tau), with the
        mean delay tau from u to v and the share infl(v) of the adoptions of v that come within the mean delay after one of a
        followed user; or 1 / d.
    window : float, optional
        Longest time from an adoption to one it has credit for, in the unit of the log; default any.
    unknown : {"drop", "error"}
        Adoptions by users outside the graph are left out and counted, or they are an error.
    threads : int, optional

    Returns
    -------
    CreditDistribution
        With `spread` of seeds, `gains` of every user, and `select_seeds`.

    Raises
    ------
    InputError
        Users outside the graph where they are refused, or a log in which nobody adopts after one that is followed.

    See Also
    --------
    inference.fit_probabilities, select_seeds

    Notes
    -----
    Who has credit for u's adoption passes on credit to those who have credit for its own: the credit of S for an adoption
    of v is 1 where v is in S, and else the sum over followed users w of their direct credit times the credit of S for w's.
    A user's part in the spread of S is the mean of this over the user's adoptions; the spread is their sum. It is monotone
    and submodular in S, so that greedy seeds have at least 1 - 1/e of the largest.

    A user with one adoption counts as much as one with many: a lucky predecessor of rare users has much credit.

    References
    ----------
    - Goyal, A., Bonchi, F. and Lakshmanan, L. V. S. (2011). A data-based approach to social influence maximization. PVLDB
      5(1), 73-84. arXiv:1109.6886

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays(["ann", "bob"], ["bob", "eve"], edges_mean="influences", directed=True)
    >>> log = ActionLog.from_arrays([1, 1, 1, 2], ["ann", "bob", "eve", "eve"], [0, 1, 2, 0])
    >>> found = credit_distribution(g, log, credit="equal")
    >>> found.spread(["ann"])  # herself, Bob, and one of Eve's two adoptions
    2.5
    >>> found.select_seeds(2).to_pandas()["gain"].tolist()
    [2.5, 0.5]
    """
    check_static(graph)
    check_log(log)
    if credit not in CREDITS:
        raise NotFoundError(
            f"credit={credit!r} is unknown: give 'time_aware' or 'equal'" + did_you_mean(str(credit), CREDITS)
        )
    reach = math.inf if window is None else number(window, "window", above=0)
    log = log.on(graph, unknown=unknown)
    data = graph_log(graph, log, window=reach, threads=n_threads(threads))
    if not data.n_contacts:
        raise InputError(
            f"none of the {len(log):,} adoptions comes after one by a user that is followed, so nobody has credit"
            + (f" ({data.reversed_possible:.1%} would with arcs turned round)" if data.later else "")
            + ": check edges_mean, the labels"
            + ("" if window is None else f", and window={window:g}")
        )
    rows = np.empty(len(log), np.int64)
    rows[data.rows.place] = np.arange(len(log))
    return CreditDistribution(
        graph=graph,
        log=log,
        credit=credit,
        window=window,
        possible=data.possible,
        credits=_credits(data, credit),
        rows=rows,
        indptr=data.contacts.rows,
        provenance=provenance("credit_distribution", credit=credit, graph=graph.fingerprint, adoptions=len(log)),
    )


def _credits(data: GraphLog, credit: str) -> Credits:
    n, m = data.graph.n_nodes, data.graph.n_edges
    tau, influenced = np.full(m, np.inf), np.ones(n)
    if credit == "time_aware":
        tau = mean_delays(data, data.contact_counts)
        count = np.zeros(n, np.int64)
        data.by_node(
            lambda a, b: count_influenced(a, b, data.contacts, data.into.indptr, tau, count), "counting the influenced"
        )
        influenced = count / np.maximum(data.activity, 1)
    counts = np.diff(data.contacts.indptr)[data.rows.place]
    indptr = np.concatenate([[0], np.cumsum(counts)])
    parent, share = np.empty(indptr[-1], np.int64), np.empty(indptr[-1])
    row_of = np.full(n, -1, np.int64)
    in_chunks(
        lambda a, b: fill_credits(
            *(a, b, data.rows, data.into, data.contacts, tau, influenced, indptr, row_of, parent, share)
        ),
        [(0, data.log.n_items)],
        "direct credit",
        1,
    )
    weight = np.divide(1.0, data.activity, out=np.zeros(n), where=data.activity > 0)
    return Credits(data.log.indptr, data.rows.node, indptr, parent, share, weight)
