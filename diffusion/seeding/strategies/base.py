"""What every strategy of choosing seeds answers."""

from __future__ import annotations

import inspect
from abc import ABC, ABCMeta, abstractmethod
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar

from ...errors import InputError, did_you_mean
from ..problem import SelectionProblem
from ..selection import SeedSelection

__all__ = ["Strategy"]


class _Checked(ABCMeta):
    """Constructors whose unknown parameters are an InputError that says what they take."""

    @property
    def __signature__(cls) -> inspect.Signature:
        signature = inspect.signature(cls.__init__)  # type: ignore[misc]
        return signature.replace(parameters=list(signature.parameters.values())[1:])

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        known = [f.name for f in fields(cls) if f.init]  # type: ignore[arg-type]
        for name in kwargs:
            if name not in known:
                allowed = f"it takes {', '.join(f'{one}=' for one in known)}" if known else "it takes none"
                raise InputError(f"{name}= is no parameter of {cls.__name__}: {allowed}." + did_you_mean(name, known))
        return super().__call__(*args, **kwargs)


@dataclass(frozen=True)
class Strategy(ABC, metaclass=_Checked):
    """A way of choosing seeds: a small frozen dataclass of its parameters.

    A subclass gives a `name` and `choose`; an object of it can be given as ``method=`` and to comparisons and studies.

    Attributes
    ----------
    name : str
    supports : frozenset of str
        What of `SelectionProblem.asked` it can do.
    certified : bool
        Are the seeds bounded, for models with live edges?
    simulates : bool
        Does it try candidates in common worlds?
    drawn : bool
        Are seeds drawn at random, so that comparisons average over draws?

    See Also
    --------
    seeding.SelectionProblem, seeding.choose, seeding.strategy_of

    Examples
    --------
    >>> import numpy as np
    >>> import diffusion as dif
    >>> class First(Strategy):
    ...     name = "first"
    ...
    ...     def choose(self, problem):
    ...         users = np.flatnonzero(problem.allowed)[: problem.constraint.k]
    ...         return problem.selection(users, self.name, np.zeros(len(users)))
    >>> g = dif.FollowerGraph.from_arrays([0, 0], [1, 2], edges_mean="influences", directed=True)
    >>> len(dif.select_seeds(g, 2, method=First()))
    2
    """

    name: ClassVar[str]
    supports: ClassVar[frozenset[str]] = frozenset()
    certified: ClassVar[bool] = False
    simulates: ClassVar[bool] = False
    drawn: ClassVar[bool] = False

    @property
    def summary(self) -> str:
        """What it does, for tables: the first line of its documentation."""
        return (inspect.getdoc(type(self)) or "").partition("\n")[0].rstrip(".")

    @property
    def label(self) -> str:
        """Name with the parameters that are set, for tables: ``"opim eps=0.05"``."""
        own = [(f.name, getattr(self, f.name), f.default) for f in fields(self)]
        return " ".join([self.name, *(f"{name}={value}" for name, value, default in own if value != default)])

    @abstractmethod
    def choose(self, problem: SelectionProblem) -> SeedSelection:
        """Choose seeds for a problem that this strategy supports; see `diffusion.seeding.registry.choose`."""

    @classmethod
    def ready(cls) -> bool:
        """Can it be made without parameters?"""
        return all(f.default is not MISSING for f in fields(cls))
