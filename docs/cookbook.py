"""Run the recipes of cookbook.md and coming_from.md and write what they print below them: `python docs/cookbook.py`.

Every recipe starts from the first block of its page, in a name space of its own. As in a notebook, the value of the last line is
shown. `tests/test_cookbook.py` runs the same code and compares.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGES = tuple(Path(__file__).with_name(name) for name in ("cookbook.md", "coming_from.md"))
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.S | re.M)
TITLE = re.compile(r"^## (?P<title>.+)\n", re.M)


def recipes(text: str) -> Iterator[tuple[str, str, str]]:
    """Title, code and shown output of every recipe; the start of the page comes first, under no title."""
    parts = TITLE.split(text)
    for title, part in zip(["", *parts[1::2]], parts[::2], strict=True):
        for block in BLOCK.finditer(part):
            yield title, block["code"], block["output"] or ""


def run(code: str, space: dict[str, Any]) -> str:
    """Run code in a name space; what it prints, and the value of its last line."""
    tree, shown = ast.parse(code), io.StringIO()
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(shown):
        exec(compile(tree, "recipe", "exec"), space)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "recipe", "eval"), space)
            if value is not None:
                print(value)
    return "".join(f"{line.rstrip()}\n" for line in shown.getvalue().splitlines())


def outputs(text: str) -> Iterator[tuple[str, str, str]]:
    """Title, shown output and computed output of every recipe."""
    found = recipes(text)
    start: dict[str, Any] = {"__name__": "recipe"}
    run(next(found)[1], start)
    for title, code, shown in found:
        yield title, shown, run(code, dict(start))


def write(page: Path) -> None:
    """Write the outputs into a page."""
    text = page.read_text(encoding="utf-8")
    made = (output for _, _, output in outputs(text))
    start = next(BLOCK.finditer(text)).end()

    def with_output(block: re.Match[str]) -> str:
        output = next(made)
        return f"```python\n{block['code']}```\n" + (f"\n```text\n{output}```\n" if output else "")

    page.write_text(text[:start] + BLOCK.sub(with_output, text[start:]), encoding="utf-8")


if __name__ == "__main__":
    for page in PAGES:
        write(page)
