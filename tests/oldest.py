"""Print the oldest version of every dependency that pyproject.toml allows, as constraints for pip.

`make test-oldest` installs these and runs the tests, so that the lower bounds are true.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def constraints(dependencies: list[str]) -> list[str]:
    """Turn every ``name>=bound`` into ``name==bound``; a dependency without a lower bound is an error."""
    pins = []
    for dependency in dependencies:
        match = re.fullmatch(r"([\w.-]+)\s*>=\s*([\d.]+)", dependency)
        if not match:
            raise SystemExit(
                f"{dependency!r} has no lower bound of the form name>=version: give it one in pyproject.toml"
            )
        pins.append(f"{match[1]}=={match[2]}")
    return pins


if __name__ == "__main__":
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    print("\n".join(constraints(project["dependencies"])))
