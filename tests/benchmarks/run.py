"""Measure this package against its peers and the machine, and write benchmarks.md.

    python tests/benchmarks/run.py [--quick] [--only ic,lt] [--out benchmarks.md]

Every section runs in a process of its own. Its numbers go into results.json as soon as it is done, and the tables are
written anew from all that is there: a section can be run again alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measure

sys.path.insert(1, str(measure.ROOT))  # the package, where it is not installed

import report

HERE = Path(__file__).resolve().parent
#: Name -> module and function, in the order of the report.
SECTIONS = {
    "ic": ("cascades", "ic"),
    "others": ("cascades", "others"),
    "lt": ("cascades", "lt"),
    "sips": ("cascades", "sips"),
    "threads": ("cascades", "threads"),
    "executor": ("executors", "executor"),
    "data": ("data", "data"),
    "start": ("data", "start"),
    "scale": ("scale", "scale"),
    "around": ("around", "around"),
    "seeding": ("seeding", "seeding"),
    "inference": ("inference", "inference"),
    "families": ("families", "families"),
    "roofline": ("roofline", "roofline"),
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small graphs and few repeats: under two minutes")
    parser.add_argument("--only", metavar="NAMES", help=f"sections, joined by commas: {', '.join(SECTIONS)}")
    parser.add_argument("--out", type=Path, help="default: benchmarks.md, with --quick results/benchmarks-quick.md")
    parser.add_argument(
        "--results", type=Path, help="default: results.json beside this file, with --quick beside --out"
    )
    parser.add_argument("--report", action="store_true", help="measure nothing: write the tables from results.json")
    parser.add_argument("--child", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    return parser.parse_args()


def kernel_cache() -> str:
    """Folder of compiled kernels for exactly these sources: numba does not see edits of what a kernel calls."""
    text = b"".join(path.read_bytes() for path in sorted((measure.ROOT / "diffusion" / "kernels").glob("*.py")))
    return str(Path(tempfile.gettempdir()) / f"diffusion-bench-{hashlib.sha256(text).hexdigest()[:16]}")


def measure_section(name: str, quick: bool) -> dict[str, Any]:
    """One section in its own process, with when and where."""
    about = measure.circumstances()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "found.json"
        command = [sys.executable, str(HERE / "run.py"), "--child", name, str(file)] + ["--quick"] * quick
        paths = os.pathsep.join(filter(None, [str(measure.ROOT), os.environ.get("PYTHONPATH")]))
        environment = {"NUMBA_CACHE_DIR": kernel_cache(), **os.environ, "PYTHONPATH": paths}
        code = subprocess.run(command, cwd=measure.ROOT, env=environment, check=False).returncode
        found = json.loads(file.read_text(encoding="utf-8")) if code == 0 else {"failed": f"exit code {code}"}
    return {"about": about, "quick": quick, "took": time.perf_counter() - start, "found": found}


def child(name: str, file: str, quick: bool) -> None:
    import importlib

    module, function = SECTIONS[name]
    found = getattr(importlib.import_module(module), function)(quick)
    Path(file).write_text(json.dumps(found), encoding="utf-8")


def main() -> int:
    given = arguments()
    if given.child:
        child(*given.child, given.quick)
        return 0
    names = given.only.split(",") if given.only else list(SECTIONS)
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        sys.exit(f"no section {', '.join(unknown)}: choose from {', '.join(SECTIONS)}")
    out = given.out or (Path("results/benchmarks-quick.md") if given.quick else Path("benchmarks.md"))
    store = given.results or (out.with_suffix(".json") if given.quick else HERE / "results.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = json.loads(store.read_text(encoding="utf-8")) if store.is_file() else {}
    failed = []
    start = time.perf_counter()
    for name in [] if given.report else names:
        measure.say(f"== {name}")
        found = measure_section(name, given.quick)
        if "failed" in found["found"]:
            failed.append(name)
        results[name] = found
        results = {key: results[key] for key in SECTIONS if key in results}
        store.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        report.write(results, out)
        measure.say(f"== {name}: {found['took']:.0f} s")
    text = report.write(results, out)
    print(text)
    measure.say(f"{time.perf_counter() - start:.0f} s in all; written to {out}")
    if failed:
        measure.say(f"FAILED: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
