"""What all tests share: the hypothesis profile and the folder of real data."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"

# numba looks for changes in one file at a time: after an edit of the coins it would go on using old cascades. So the
# tests keep compiled kernels in a folder that belongs to the text of all of them.
if "NUMBA_CACHE_DIR" not in os.environ:
    _text = b"".join(path.read_bytes() for path in sorted((ROOT / "diffusion" / "kernels").glob("*.py")))
    os.environ["NUMBA_CACHE_DIR"] = str(ROOT / ".pytest_cache" / f"kernels-{hashlib.sha256(_text).hexdigest()[:16]}")

settings.register_profile(
    "local", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.register_profile("ci", parent=settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture
def data() -> Callable[[str], Path]:
    """Path of a real data file by name; the test is skipped where the data are absent."""

    def path(name: str) -> Path:
        found = DATA / name
        if not found.is_file():
            pytest.skip(f"the real data file {name} is not beside the repository (shared/data)")
        return found

    return path
