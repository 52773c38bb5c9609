"""Look at the built pages: nothing is fetched from elsewhere, and every link within the site leads to an anchor that exists.

The build ends with it (see conf.py); `python docs/check_site.py docs/_build/html` does the same alone.
"""

from __future__ import annotations

import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: Attributes by which a page fetches something; links that a reader may follow are none.
FETCHES = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
#: Relations of a `link` that name a page and fetch nothing.
NAMES = {"index", "search", "next", "prev", "canonical", "author", "help"}


class Page(HTMLParser):
    """Anchors, links and what is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: set[str] = {"", "top"}
        self.links: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note what a tag names, links to and fetches."""
        found = {name: value or "" for name, value in attributes}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in FETCHES and not set(found.get("rel", "").split()) & NAMES and found.get(FETCHES[tag]):
            self.fetched.append(found[FETCHES[tag]])


def problems(folder: Path) -> list[str]:
    """What is wrong with the pages of a folder, one line each."""
    pages = {}
    for file in sorted(folder.rglob("*.html")):
        if "_static" in file.parts:  # templates of the theme
            continue
        pages[file.resolve()] = page = Page()
        page.feed(file.read_text(encoding="utf-8"))
    found = []
    for file, page in pages.items():
        name = file.relative_to(folder.resolve()).as_posix()
        for address in page.fetched:
            parts = urlsplit(address)
            if parts.netloc:
                found.append(f"{name} fetches {address}")
            elif not parts.scheme and not (file.parent / unquote(parts.path)).exists():
                found.append(f"{name} fetches {address}, which does not exist")
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not target.exists():
                found.append(f"{name} links to {link}, which does not exist")
            elif target in pages and unquote(parts.fragment) not in pages[target].anchors:
                found.append(f"{name} links to {link}, which has no such anchor")
    return found


if __name__ == "__main__":
    found = problems(Path(sys.argv[1]))
    print("\n".join(found) or "no problems")
    sys.exit(bool(found))
