"""Write the gallery: from every notebook its title, its question, and its last picture if the notebook has been run.

`make notebooks` leaves the notebooks with their outputs in gallery/; the build of the site takes those where they are, so that the
site shows outputs and pictures, and the notebooks without outputs elsewhere.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from pathlib import Path
from typing import Any

__all__ = ["current", "picture", "question", "title", "write"]

START = """# Gallery

A picture from every notebook, with the question that it answers. {pictured}

"""


def sources(notebook: dict[str, Any]) -> list[str]:
    """Source of every cell."""
    return ["".join(cell["source"]) for cell in notebook["cells"]]


def current(plain: Path, executed: Path) -> Path:
    """Return the notebook with outputs if it is there and has the same cells, else the one without."""
    if executed.is_file():
        versions = [json.loads(file.read_text(encoding="utf-8")) for file in (plain, executed)]
        if sources(versions[0]) == sources(versions[1]):
            return executed
    return plain


def title(notebook: dict[str, Any]) -> str:
    """Return the heading of a notebook."""
    return sources(notebook)[0].splitlines()[0].removeprefix("# ")


def question(notebook: dict[str, Any]) -> str:
    """Return the first sentence below the heading."""
    text = " ".join(line for line in sources(notebook)[0].splitlines()[1:] if line.strip())
    text = re.sub(r"\*\*Question\.?\*\*\s*|[`*]|\[([^]]*)\]\([^)]*\)", lambda found: found[1] or "", text)
    return re.split(r"(?<=[.?!])\s", text, maxsplit=1)[0]


def picture(notebook: dict[str, Any]) -> bytes | None:
    """Return the last picture among the outputs."""
    found = [output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", ())]
    pictures = [data["image/png"] for data in found if "image/png" in data]
    return base64.b64decode(pictures[-1]) if pictures else None


def write(plain: Path, executed: Path, docs: Path) -> None:
    """Put the notebooks into docs/notebooks, the pictures into docs/thumbnails, and write docs/gallery.md."""
    for folder in (docs / "notebooks", docs / "thumbnails"):
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            if not (plain / f"{old.stem}.ipynb").is_file():
                old.unlink()
    cards, pictured = [], 0
    for file in sorted(plain.glob("*.ipynb")):
        found = current(file, executed / file.name)
        target, thumbnail = docs / "notebooks" / file.name, docs / "thumbnails" / f"{file.stem}.png"
        if not target.is_file() or target.read_bytes() != found.read_bytes():
            shutil.copyfile(found, target)  # left alone where nothing changed, so that the page is not built again
        notebook = json.loads(found.read_text(encoding="utf-8"))
        name, image = title(notebook), picture(notebook)
        cards += [f"::::{{container}} notebook\n**[{name}](notebooks/{file.name})**\n"]
        if image is None:
            thumbnail.unlink(missing_ok=True)
        else:
            pictured += 1
            thumbnail.write_bytes(image)
            cards += [f"[![Last picture of: {name}](thumbnails/{thumbnail.name})](notebooks/{file.name})\n"]
        cards += [f"{question(notebook)}\n::::\n"]
    without = len(list(plain.glob("*.ipynb"))) - pictured
    text = START.format(
        pictured=f"{without} of them have not been run here: `make notebooks` before `make docs` gives them their pictures."
        if without
        else "Each picture leads to its notebook, with code and outputs."
    )
    page = docs / "gallery.md"
    text += "::::::{container} gallery\n" + "\n".join(cards) + "::::::\n"
    if not page.is_file() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")
