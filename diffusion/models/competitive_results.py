"""Results of models with rivals: who got how many, shares of voice, and cascades with brands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._html import card, interval_table
from .._upward import draw
from .._validation import level
from ..errors import NotFoundError, did_you_mean
from ..results.cascade import Cascade
from ..results.ensemble import Ensemble
from ..results.estimates import Estimate
from ..results.intervals import mean_interval
from .sips.results import ratio_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..graph.follower_graph import FollowerGraph
    from .program import Trace

__all__ = ["CompetitiveCascade", "CompetitiveEnsemble"]


@dataclass(frozen=True, repr=False, eq=False)
class CompetitiveCascade(Cascade):
    """One realised diffusion with rivals: who became active, when, through whom, and for which brand.

    Attributes
    ----------
    nodes, step, parent, provenance, time, graph
        As in `Cascade`; of a node that takes two items, those of the first.
    brand : ndarray of str, shape (size,)
        Brand of each node (of IC-N "positive" or "negative"); of a node that takes two items, the first.
    step_by_brand : dict of str to ndarray of int32
        Step at which each node adopted each brand, -1 for never.

    See Also
    --------
    models.CompetitiveEnsemble, models.CompetitiveIC

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 1], [2, 3], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=1.0)
    >>> one = dif.simulate_one(g, {"A": [0], "B": [1]}, model=dif.models.CompetitiveIC(), rng=7)
    >>> one.to_pandas().set_index("node")["brand"].to_dict()
    {0: 'A', 1: 'B', 2: 'A', 3: 'B'}
    """

    brand: NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.str_))
    step_by_brand: dict[str, NDArray[np.int32]] = field(default_factory=dict)

    @property
    def sizes_by_brand(self) -> dict[str, int]:
        """Nodes of each brand, seeds included."""
        return {name: int((steps >= 0).sum()) for name, steps in self.step_by_brand.items()}

    @property
    def categories(self) -> dict[str, dict[str, NDArray[np.int32]]]:
        """Step at which each node adopted each brand; see `Cascade.categories`."""
        return {"brand": self.step_by_brand}

    def to_pandas(self) -> pd.DataFrame:
        """Return one row an active node: node, step, parent, brand; step of each brand where nodes can take several."""
        names = list(self.step_by_brand)
        table = super().to_pandas().assign(brand=pd.Categorical(self.brand, categories=names))
        steps = np.stack([self.step_by_brand[name] for name in names]) if names else np.zeros((0, self.size))
        if ((steps >= 0).sum(axis=0) > 1).any():
            for name, row in zip(names, steps, strict=True):
                table[f"step_{name}"] = pd.array(np.where(row < 0, 0, row), dtype="Int32")
                table.loc[row < 0, f"step_{name}"] = pd.NA
        return table

    def __repr__(self) -> str:
        shares = ", ".join(f"{size:,} {name}" for name, size in self.sizes_by_brand.items())
        return f"CompetitiveCascade: {self.size:,} nodes ({shares}), depth {self.depth}"


@dataclass(frozen=True, repr=False, eq=False)
class CompetitiveEnsemble(Ensemble):
    """Many runs of one model with rivals.

    Sizes, `new_by_step` and everything that `Ensemble` has count active nodes of any brand (of IC-N: positive ones).

    See Also
    --------
    simulate, models.CompetitiveIC, models.CompetitiveLT, models.ICN, models.ComIC

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.generate_platform(500, rng=7).with_probabilities("weighted_cascade")
    >>> ens = dif.simulate(g, {"A": [0], "B": [1]}, model=dif.models.CompetitiveIC(), runs=512, rng=7)
    >>> bool((ens.sizes_by_brand.sum(axis=1) == ens.sizes).all())
    True
    >>> ens.share_of_voice().index.tolist()
    ['A', 'B']
    """

    @property
    def brands(self) -> tuple[str, ...]:
        """Brands in order; of IC-N "positive" and "negative"."""
        return self.states[1:] if self.states[0] == "active" else self.states

    @property
    def new_by_brand(self) -> NDArray[np.int32]:
        """New nodes of each brand at every step of every run, shape (runs, steps, brands)."""
        return self.new_by_state[..., len(self.states) - len(self.brands) :]

    @property
    def sizes_by_brand(self) -> NDArray[np.int64]:
        """Nodes of each brand at the end of each run, seeds included; shape (runs, brands)."""
        return np.asarray(self.new_by_brand.sum(axis=1, dtype=np.int64))

    @property
    def brand_probability(self) -> pd.DataFrame:
        """Share of runs in which each node took each brand: one row a node, one column a brand."""
        first = len(self.states) - len(self.brands)
        columns = [
            self.graph.index.series(self.node_counts[:, first + b] / self.runs, name)
            for b, name in enumerate(self.brands)
        ]
        return pd.concat(columns, axis=1)

    def share_of_voice(self, *, confidence: float = 0.95) -> pd.DataFrame:
        """Return mean reach of each brand and its share of all adoptions, with intervals over runs.

        Parameters
        ----------
        confidence : float in (0, 1)

        Returns
        -------
        DataFrame
            Indexed by brand: mean, low, high; share (ratio of the means over runs), share_low, share_high.

        Notes
        -----
        Means have the interval of `spread`. The share is the ratio of two means over the same runs, whose interval is
        the linearised one (Cochran 1977, equation 6.13), corrected for skewness as that of a mean.

        References
        ----------
        - Cochran, W. G. (1977). Sampling Techniques, 3rd edition. Wiley.
        """
        level(confidence)
        sizes = self.sizes_by_brand
        total = sizes.sum(axis=1)
        exact = self.source.deterministic
        rows = []
        for b in range(len(self.brands)):
            reach = mean_interval(sizes[:, b], confidence, self._limits(b), exact=exact)
            share = ratio_interval(sizes[:, b], total, confidence)
            rows.append((reach.mean, reach.low, reach.high, *share))
        columns = ["mean", "low", "high", "share", "share_low", "share_high"]
        return pd.DataFrame(rows, columns=columns, index=pd.Index(self.brands, name="brand"))

    def difference(self, a: str, b: str, *, confidence: float = 0.95) -> Estimate:
        """Mean of the reach of a less that of b, with its paired interval over runs.

        Parameters
        ----------
        a, b : str
            Brands.
        confidence : float in (0, 1)

        Returns
        -------
        Estimate

        Raises
        ------
        NotFoundError
            An unknown brand.
        """
        level(confidence)
        i, j = (self._place(name) for name in (a, b))
        sizes = self.sizes_by_brand

        def limits() -> tuple[float, float]:
            first, second = self._limits(i)(), self._limits(j)()
            return first[0] - second[1], first[1] - second[0]

        found = mean_interval(sizes[:, i] - sizes[:, j], confidence, limits, exact=self.source.deterministic or i == j)
        return Estimate(found.mean, found.low, found.high, confidence, self.runs)

    def _place(self, name: str) -> int:
        if name not in self.brands:
            known = ", ".join(map(repr, self.brands))
            raise NotFoundError(
                f"{name!r} is no brand of these runs: there are {known}." + did_you_mean(name, self.brands)
            )
        return self.brands.index(name)

    def _limits(self, b: int) -> Any:
        """Least and most that brand b can have in one run: none (its seeds may turn), and whom anybody can reach."""
        least = 0.0
        if self.states[0] == "active":
            least = float(np.count_nonzero(np.asarray(self.source.brand_of) == b))  # type: ignore[attr-defined]
        return lambda: (least, max(float(self.source.program.possible(self.source.start).size), least))  # type: ignore[attr-defined]

    @classmethod
    def cascade_of(
        cls, graph: FollowerGraph, model: Any, trace: Trace, provenance: dict[str, Any]
    ) -> CompetitiveCascade:
        """Return one traced run of a model as a cascade with brands.

        Parameters
        ----------
        graph : FollowerGraph
        model : DiffusionModel
        trace : Trace
        provenance : dict

        Returns
        -------
        CompetitiveCascade
        """
        names = model.states[1:] if model.states[0] == "active" else model.states
        brand = np.asarray(trace.details["brand"])
        by_brand = trace.details.get("step_by_brand")
        if by_brand is None:
            by_brand = np.where(brand == np.arange(len(names))[:, None], trace.steps, -1).astype(np.int32)
        labels = graph.index.labels_of(trace.nodes)
        return CompetitiveCascade(
            labels,
            trace.steps,
            trace.parents,
            provenance,
            None,
            np.asarray(names, dtype=object)[brand],
            dict(zip(names, by_brand, strict=True)),
            graph=graph,
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return one row a run: run, size, depth, largest step, and the nodes of each brand."""
        table = super().to_pandas()
        for name, sizes in zip(self.brands, self.sizes_by_brand.T, strict=True):
            table[f"size_{name}"] = sizes
        return table

    def plot(self, ax: Axes | None = None) -> Axes:
        """Plot the reach of each brand with its interval; the title says who is ahead."""
        return draw("shares", self, ax)

    def __repr__(self) -> str:
        table = self.share_of_voice()
        if not table["mean"].any():
            return f"{self._head}; nobody is reached"
        shares = ", ".join(f"{name} {row['mean']:.4g} ({row['share']:.0%})" for name, row in table.iterrows())
        return f"{self._head}; {shares}"

    def _repr_html_(self) -> str:
        voice = self.share_of_voice().rename_axis("brand").reset_index()
        return card(repr(self), interval_table(voice, value="mean"))
