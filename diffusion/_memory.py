"""How much memory a call may use."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["available_bytes", "bytes_text"]

SPARE = 0.8  # share of what is free that a call may take


def available_bytes() -> int:
    """Bytes a call may take: 80 % of what is free here and inside this container, or what DIFFUSION_MEMORY says."""
    given = os.environ.get("DIFFUSION_MEMORY")
    if given is not None and given.isdigit():
        return int(given)
    found = [limit for limit in (_free(), _container()) if limit is not None]
    return int(SPARE * min(found)) if found else 2**62


def bytes_text(count: int) -> str:
    """Return a number of bytes for people: ``"1.2 GB"``."""
    for power, unit in ((18, "EB"), (15, "PB"), (12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if count >= 10**power:
            return f"{count / 10**power:.3g} {unit}" if count < 10**21 else f"1,000 {unit} and more"
    return f"{count} bytes"


def _free() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def _container() -> int | None:
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii").strip()
        return int(limit) - int(used)
    except (OSError, ValueError):
        return None
