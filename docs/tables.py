"""Write docs/tables.md: every column of the tables of a study, from the schema they are written and read by.

Usage: python docs/tables.py
"""

from __future__ import annotations

from pathlib import Path

from diffusion.study.schema import markdown

if __name__ == "__main__":
    (Path(__file__).parent / "tables.md").write_text(markdown(), encoding="utf-8")
