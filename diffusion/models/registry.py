"""The models that the package knows by name."""

from __future__ import annotations

from typing import Any

from ..errors import InputError, NotFoundError, did_you_mean
from .base import DiffusionModel
from .cascade import IC, LT
from .comic import ComIC
from .competitive import ICN, CompetitiveIC, CompetitiveLT
from .continuous import CTIC, ICM
from .epidemic import SEIR, SIR
from .reinfection import SIRS, SIS
from .rumour import Rumour
from .sips.model import SIPS
from .threshold import Threshold

__all__ = ["MODELS", "model_of"]

MODELS: dict[str, type[DiffusionModel]] = {
    "ic": IC,
    "lt": LT,
    "threshold": Threshold,
    "sips": SIPS,
    "ctic": CTIC,
    "icm": ICM,
    "sir": SIR,
    "seir": SEIR,
    "sis": SIS,
    "sirs": SIRS,
    "rumour": Rumour,
    "competitiveic": CompetitiveIC,
    "competitivelt": CompetitiveLT,
    "icn": ICN,
    "comic": ComIC,
}


def model_of(model: DiffusionModel | type[DiffusionModel] | str) -> DiffusionModel:
    """Return a model object from an object, from a class without parameters, or from the name of one.

    Parameters
    ----------
    model : DiffusionModel, class of one, or str
        A name is a key of `MODELS`, in any case of letters.

    Returns
    -------
    DiffusionModel

    Raises
    ------
    NotFoundError
        An unknown name, or no model at all.
    InputError
        A class or name of a model that needs parameters.

    See Also
    --------
    models.MODELS, models.DiffusionModel

    Examples
    --------
    >>> model_of("lt")
    LT()
    """
    if isinstance(model, DiffusionModel):
        return model
    kind: Any = MODELS.get(model.lower()) if isinstance(model, str) else model
    if not (isinstance(kind, type) and issubclass(kind, DiffusionModel)):
        raise NotFoundError(
            f"the model {model!r} is unknown: give IC(), Threshold(...), models.SIR(...) or another DiffusionModel, or a name: "
            f"{', '.join(map(repr, MODELS))}." + did_you_mean(model, MODELS)
        )
    if kind.example:
        raise InputError(f"{kind.__name__} needs its parameters: {kind.example}")
    return kind()
