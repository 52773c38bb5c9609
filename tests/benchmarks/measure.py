"""How things are measured: alternating timings, peak memory, and what is said of the machine."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
STANDARD_ERRORS = 4.0
LONG = 30.0  # seconds of three repeats after which there are no more


def say(text: str) -> None:
    """One line of progress."""
    print(f"{datetime.now():%H:%M:%S}  {text}", file=sys.stderr, flush=True)


def pin() -> None:
    """Keep this process on one CPU, for figures per core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def clock(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that `work` takes, and what it returns."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


# -- memory ------------------------------------------------------------------------------------------------------------


def _status(field: str) -> int | None:
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def peak_bytes() -> int:
    """Largest resident memory of this process so far.

    On Linux from VmHWM: it is what ru_maxrss reports, but does not begin at the size of the parent process.
    """
    found = _status("VmHWM")
    if found is not None:
        return found
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def resident_bytes() -> int:
    """Resident memory now (its peak where the system does not say)."""
    return _status("VmRSS") or peak_bytes()


def reset_peak() -> bool:
    """Let `peak_bytes` begin anew, where the system can."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


# -- ours against a peer -----------------------------------------------------------------------------------------------


def repeats(quick: bool) -> int:
    return 3 if quick else 5


def runs_for(seconds: float, budget: float, least: int = 1, most: int = 1 << 14, step: int = 1) -> int:
    """Runs that fill the budget when one takes so many seconds, in whole steps."""
    count = int(min(max(budget / max(seconds, 1e-9), least), most))
    return max(-(-count // step) * step, step)


def alternate(
    ours: Callable[[int], tuple[float, np.ndarray]], peer: Callable[[], tuple[float, float, int]], count: int
) -> dict[str, Any]:
    """Time ours and the peer in turn, `count` times each, but no more than 3 where that takes long.

    ``ours(i)`` gives seconds a run and the spreads; ``peer()`` seconds a run, the mean spread and how many runs. All runs
    of both have the same distribution if both are right, so the standard error of the difference of the means takes the
    standard deviation of ours, of which there are far more.
    """
    times: list[tuple[float, float]] = []
    sizes: list[np.ndarray] = []
    total, runs = 0.0, 0
    start = time.perf_counter()
    for i in range(count):
        if i == 3 and time.perf_counter() - start > LONG:
            break
        mine, spread = ours(i)
        theirs, mean, n = peer()
        times.append((mine, theirs))
        sizes.append(spread)
        total += mean * n
        runs += n
    spreads = np.concatenate(sizes)
    deviation = float(spreads.std(ddof=1))
    error = deviation * (1.0 / spreads.size + 1.0 / runs) ** 0.5
    gap = abs(float(spreads.mean()) - total / runs)
    ratios = sorted(theirs / mine for mine, theirs in times)
    return {
        "repeats": len(times),
        "ours": 1.0 / statistics.median(mine for mine, _ in times),
        "peer": 1.0 / statistics.median(theirs for _, theirs in times),
        "ratio": statistics.median(ratios),
        "ratio_low": ratios[0],
        "ratio_high": ratios[-1],
        "mean_ours": float(spreads.mean()),
        "mean_peer": total / runs,
        "runs_ours": int(spreads.size),
        "runs_peer": runs,
        "standard_errors": gap / error if error > 0 else (0.0 if gap == 0 else float("inf")),
        "means_agree": bool(gap <= STANDARD_ERRORS * error),
    }


# -- machine -----------------------------------------------------------------------------------------------------------


def version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _caches() -> str:
    found = []
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        try:
            kind, level, size = ((folder / name).read_text().strip() for name in ("type", "level", "size"))
        except OSError:
            continue
        if kind != "Instruction":
            found.append(f"L{level} {size}")
    return ", ".join(found)


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0


def _commit() -> str:
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()


def circumstances() -> dict[str, Any]:
    """When and where a section was measured."""
    packages = ("numpy", "numba", "llvmlite", "pandas", "pyarrow", "cynetdiff", "pynetim", "EoN", "ndlib", "networkx")
    return {
        "date": f"{datetime.now():%Y-%m-%d %H:%M}",
        "commit": _commit(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "cpu": _cpu(),
        "caches": _caches(),
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
    }
