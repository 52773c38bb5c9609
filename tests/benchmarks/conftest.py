"""Benchmarks are no tests: `pytest tests` leaves this folder alone."""

from __future__ import annotations

import os
import sys

asked = "--benchmark-only" in sys.argv or os.environ.get("DIFFUSION_BENCHMARKS") == "1"
collect_ignore_glob = [] if asked else ["*.py"]
