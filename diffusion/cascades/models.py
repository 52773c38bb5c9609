"""Models of diffusion: small frozen objects that hold parameters and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, NotFoundError, did_you_mean
from ..graph.follower_graph import FollowerGraph
from .declared import Declared
from .sips import SIPS

__all__ = ["IC", "LT", "SIPS", "Model", "Threshold", "model_of"]


@dataclass(frozen=True)
class _Base(Declared):
    @property
    def name(self) -> str:
        """Short name: ``"IC"``."""
        return type(self).__name__

    @property
    def label(self) -> str:
        """Name with the parameters that are set, for tables: ``"Threshold fraction=0.18"``."""
        values = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        texts = (
            f"{name}={v:g}" if isinstance(v, int | float | np.number) else f"{name}={v}" for name, v in values.items()
        )
        return " ".join([self.name, *texts])

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True)
class IC(_Base):
    """Independent cascade: a newly active node has one chance at each follower, with the arc's probability.

    Takes the graph's propagation probabilities. Source: Goldenberg, Libai and Muller (2001); Kempe, Kleinberg and
    Tardos (2003), section 2.2.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1, 2], [1, 2, 3, 3], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> found = dif.spread(g, [0], model=dif.IC(), runs=20_000, rng=7)
    >>> found.low < 2.4375 < found.high
    True
    """

    @property
    def certified_model(self) -> IC:
        """The model itself."""
        return self


@dataclass(frozen=True)
class LT(_Base):
    """Linear threshold: a node activates when the weights of its active in-neighbours reach a uniform threshold.

    Takes the graph's propagation probabilities as weights; they must sum to at most 1 at every node. Simulated as
    live-edge worlds in which each node keeps at most one in-arc, which has the same distribution of the active set at
    every step. Source: Granovetter (1978); Kempe, Kleinberg and Tardos (2003), theorem 4.6.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1, 2], [1, 2, 3, 3], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> found = dif.spread(g, [0], model=dif.LT(), runs=20_000, rng=7)
    >>> found.low < 2.5 < found.high
    True
    """

    @property
    def certified_model(self) -> LT:
        """The model itself."""
        return self

    @property
    def contagion(self) -> str:
        """Neither simple nor complex: exposures add up against a threshold that is drawn."""
        return "linear"

    def refuses_rule(self, rule: str) -> str:
        """Return why the rule cannot be used; empty: it can."""
        if rule not in ("constant", "trivalency"):
            return ""
        return (
            f"the kind 'lt' cannot be combined with the rule {rule!r}, whose weights sum to more than 1 at most nodes; put lt "
            "into its own [[model]] block with weighted_cascade, lt or column"
        )


@dataclass(frozen=True)
class Threshold(_Base):
    """Fixed threshold: a node activates once enough of the accounts it follows are active.

    Parameters
    ----------
    fraction : float in (0, 1], optional
        Activate when active in-neighbours / in-degree >= fraction (Watts 2002). Parallel arcs count.
    count : int >= 1, optional
        Activate when at least `count` in-neighbours are active (Centola and Macy 2007). Give one of the two.
    noise : float in [0, 1], default 0
        Sub-threshold adoption: every newly active in-neighbour also gives one independent chance of this probability
        to activate at once (in the spirit of Eckles, Mossel, Rahimian and Sen 2024).

    Notes
    -----
    Without noise the model is deterministic: every run is the same, and it is computed once. A node that follows
    nobody never activates.

    Examples
    --------
    >>> import diffusion as dif
    >>> g = dif.FollowerGraph.from_arrays([0, 0, 1, 2], [1, 2, 3, 3], edges_mean="influences", directed=True)
    >>> g = g.with_probabilities("constant", p=0.5)
    >>> dif.spread(g, [0], model=dif.Threshold(fraction=0.6), runs=1).mean
    4.0
    >>> dif.Threshold(count=2).label
    'Threshold count=2'
    """

    fraction: float | None = None
    count: int | None = None
    noise: float = 0.0

    takes_probabilities = False
    needs_several_sharers = True

    def __post_init__(self) -> None:
        if (self.fraction is None) == (self.count is None):
            raise InputError("Threshold takes either fraction= (from above 0 to 1) or count= (a whole number from 1)")
        if self.fraction is not None and not _is_number(self.fraction, 0, 1, above=True):
            raise InputError(f"fraction={self.fraction!r} is out of range: give a number above 0 and at most 1")
        if self.count is not None and (
            isinstance(self.count, bool) or not isinstance(self.count, int | np.integer) or not 1 <= self.count < 2**63
        ):
            raise InputError(f"count={self.count!r} is out of range: give a whole number from 1 to 2**63 - 1")
        if not _is_number(self.noise, 0, 1):
            raise InputError(f"noise={self.noise!r} is not a probability: give a number from 0 to 1")

    def need(self, in_degree: NDArray[np.int64]) -> NDArray[np.int32]:
        """Active in-neighbours each node needs; 0 where the node can never activate by its threshold.

        Parameters
        ----------
        in_degree : ndarray of int, shape (n_nodes,)
            Accounts that each node follows.

        Returns
        -------
        ndarray of int32, shape (n_nodes,)
        """
        if self.count is not None:
            need = np.full(in_degree.shape, self.count, np.int64)
        else:
            # The smallest c with c / in_degree >= fraction; the slack takes back the rounding of decimal fractions.
            need = np.maximum(np.ceil(np.float64(self.fraction or 0) * in_degree - 1e-9), 1).astype(np.int64)
        return np.where(need <= in_degree, need, 0).astype(np.int32)

    def effective_probabilities(self, graph: FollowerGraph) -> None:
        """None: one sharer alone convinces nobody."""


Model: TypeAlias = IC | LT | Threshold | SIPS
MODELS = {"ic": IC, "lt": LT, "threshold": Threshold, "sips": SIPS}


def _is_number(value: Any, low: float, high: float, *, above: bool = False) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        return False
    return bool(low < value <= high if above else low <= value <= high)


def model_of(model: Model | str) -> Model:
    """Return a model object from an object, a class or the names ``"ic"`` and ``"lt"``."""
    if isinstance(model, IC | LT | Threshold | SIPS):
        return model
    if isinstance(model, type) and issubclass(model, IC | LT):
        return model()
    if isinstance(model, str) and model.lower() in ("ic", "lt"):
        return IC() if model.lower() == "ic" else LT()
    if isinstance(model, str | type) and getattr(model, "__name__", model).lower() == "threshold":
        raise InputError("a threshold model needs its threshold: Threshold(fraction=0.18) or Threshold(count=2)")
    if isinstance(model, str | type) and getattr(model, "__name__", model).lower() == "sips":
        raise InputError("SIPS needs its parameters: SIPS(attention=0.2, funnel=Funnel(...), feed=Feed(...))")
    raise NotFoundError(
        f"the model {model!r} is unknown: give IC(), LT(), Threshold(...), SIPS(...), 'ic' or 'lt'."
        + did_you_mean(model, MODELS)
    )
