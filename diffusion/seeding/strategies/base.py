"""What every strategy of choosing seeds answers."""

from __future__ import annotations

from abc import ABC, ABCMeta, abstractmethod
from dataclasses import MISSING, fields
from typing import Any, ClassVar

from ...errors import InputError, did_you_mean
from ..problem import SelectionProblem
from ..selection import SeedSelection

__all__ = ["Strategy"]


class _Checked(ABCMeta):
    """Constructors whose unknown parameters are an InputError that says where they belong."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        known = [f.name for f in fields(cls) if f.init]  # type: ignore[arg-type]
        for name in kwargs:
            if name not in known:
                allowed = f"it takes {', '.join(f'{one}=' for one in known)}" if known else "it takes none"
                raise InputError(f"{name}= is no parameter of {cls.__name__}: {allowed}." + did_you_mean(name, known))
        return super().__call__(*args, **kwargs)


class Strategy(ABC, metaclass=_Checked):
    """A way of choosing seeds: a small frozen dataclass of its parameters.

    A subclass gives a `name` and `choose`; an object of it can be given as ``method=`` and to comparisons and studies.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""  # for tables of methods
    supports: ClassVar[frozenset[str]] = frozenset()  # of `SelectionProblem.asked`
    certified: ClassVar[bool] = False  # with bounds, for models with live edges
    simulates: ClassVar[bool] = False  # every candidate, in common worlds
    drawn: ClassVar[bool] = False  # seeds are drawn at random: comparisons average over draws

    @property
    def label(self) -> str:
        """Name with the parameters that are set, for tables: ``"opim eps=0.05"``."""
        own = [(f.name, getattr(self, f.name), f.default) for f in fields(self)]  # type: ignore[arg-type]
        return " ".join([self.name, *(f"{name}={value}" for name, value, default in own if value != default)])

    @abstractmethod
    def choose(self, problem: SelectionProblem) -> SeedSelection:
        """Choose seeds for a problem that this strategy supports; see `diffusion.seeding.registry.choose`."""

    @classmethod
    def ready(cls) -> bool:
        """Can it be made without parameters?"""
        return all(f.default is not MISSING for f in fields(cls))  # type: ignore[arg-type]
