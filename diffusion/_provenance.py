"""What a result came from: enough to get the same number again."""

from __future__ import annotations

import datetime
import functools
import os
import platform
import sys
from importlib import metadata
from typing import Any

from ._version import __version__

__all__ = ["provenance"]

_LIBRARIES = ("numpy", "scipy", "numba", "pandas", "networkx", "igraph", "pyarrow")


@functools.cache
def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def provenance(call: str, *, key: int | None = None, **facts: Any) -> dict[str, Any]:
    """Return a JSON-ready record of a call: versions, machine, time, the key and what else the caller names."""
    record: dict[str, Any] = {
        "call": call,
        "diffusion": __version__,
        "python": sys.version.split()[0],
        "libraries": {library: _version(library) for library in _LIBRARIES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs",
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    if key is not None:
        record["key"] = f"{int(key):#018x}"
    record.update(facts)
    return record
