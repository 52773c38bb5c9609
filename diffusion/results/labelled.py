"""Ensembles as arrays with named axes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import MissingDataError

if TYPE_CHECKING:
    import xarray

    from .ensemble import Ensemble

__all__ = ["dataset_of"]


def dataset_of(ensemble: Ensemble) -> xarray.Dataset:
    """See `Ensemble.to_xarray`."""
    try:
        import xarray
    except ModuleNotFoundError as error:
        raise MissingDataError(
            "to_xarray needs the package xarray, which is not installed: pip install 'diffusion-graphs[xarray]'"
        ) from error
    runs, steps, _ = ensemble.new_by_state.shape
    variables: dict[str, Any] = {
        "new": (("run", "step", "state"), ensemble.new_by_state),
        "size": ("run", ensemble.sizes),
        "depth": ("run", ensemble.depths),
        "activation_probability": ("node", ensemble.activation_probability.to_numpy()),
    }
    if ensemble.weight_by_run is not None:
        variables["weight"] = ("run", ensemble.weight_by_run)
    for name, values in ensemble.details.items():
        if values.shape[:2] == (runs, steps):
            axes = ("run", "step", *(f"{name}_{axis}" for axis in range(values.ndim - 2)))
            variables[name] = (axes, values)
    nodes = ensemble.graph.nodes
    labels = nodes.to_numpy() if nodes.dtype.kind in "iufM" else np.array([str(label) for label in nodes])
    coordinates: dict[str, Any] = {
        "run": np.arange(runs),
        "step": np.arange(steps),
        "state": list(ensemble.states),
        "node": labels,
        **{name: ("step", values) for name, values in ensemble.clock().items()},
    }
    facts = {
        "model": ensemble.model.label,
        "seeds": json.dumps([str(label) for label in ensemble.seeds]),
        "unit": ensemble.unit,
        "key": str(ensemble.key),  # 64 bits without a sign: no number of netCDF
        "provenance": json.dumps(ensemble.provenance, default=str),
    }
    return xarray.Dataset(variables, coordinates, facts)
