"""Write the generated default data set to a file: python datasets/build_platform.py platform.graph."""

from __future__ import annotations

import sys

import diffusion as dif

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    graph = dif.datasets.load("platform-20k")
    graph.save(sys.argv[1])
    print(f"{graph!r} written to {sys.argv[1]}")
