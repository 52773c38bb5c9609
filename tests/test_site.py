"""What the build of the site relies on: dead anchors and foreign addresses are found, the gallery is what the notebooks are."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from conftest import ROOT
from test_docs import load

check_site, gallery = load("check_site"), load("gallery_page")


def site(folder: Path, **pages: str) -> list[str]:
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text)
    return list(check_site.problems(folder))


def test_links_to_anchors_that_exist_are_no_problem(tmp_path):
    (tmp_path / "a.css").write_text("")
    one = '<link rel="stylesheet" href="a.css?v=1"><a href="two.html#there"></a><a href="#x%C3%A4"></a><p id="x\u00e4">'
    one += '<a href="https://doi.org/10.1"></a><link rel="canonical" href="https://example.org/"><a href="#"></a>'
    assert site(tmp_path, one=one, two='<p id="there">') == []


def test_dead_anchors_dead_pages_and_foreign_addresses_are_found(tmp_path):
    one = '<a href="two.html#gone"></a><a href="three.html"></a><script src="https://cdn.example/x.js"></script>'
    one += '<link rel="stylesheet" href="//fonts.example/a.css"><img src="none.png"><a href="#here"></a>'
    assert site(tmp_path, one=one, two="<p>") == [
        "one.html fetches https://cdn.example/x.js",
        "one.html fetches //fonts.example/a.css",
        "one.html fetches none.png, which does not exist",
        "one.html links to two.html#gone, which has no such anchor",
        "one.html links to three.html, which does not exist",
        "one.html links to #here, which has no such anchor",
    ]


def notebook(*pictures: bytes, code: str = "1") -> dict[str, Any]:
    outputs = [{"data": {"image/png": base64.b64encode(data).decode()}} for data in pictures]
    words = "# Why?\n**Question.** Is `it` so? Other words."
    return {"cells": [{"source": [words], "cell_type": "markdown"}, {"source": [code], "outputs": outputs}]}


def test_the_gallery_takes_outputs_of_the_same_cells_only(tmp_path):
    plain, executed, docs = (tmp_path / name for name in ("notebooks", "gallery", "docs"))
    for folder in (plain, executed, docs):
        folder.mkdir()
    for name, code in (("a", "1"), ("b", "2"), ("c", "1")):
        (plain / f"{name}.ipynb").write_text(json.dumps(notebook(code=code)))
    for name in "ab":  # b has changed since it was run
        (executed / f"{name}.ipynb").write_text(json.dumps(notebook(b"one", b"two")))
    (docs / "thumbnails").mkdir()
    (docs / "thumbnails" / "old.png").write_bytes(b"")
    gallery.write(plain, executed, docs)
    assert [file.name for file in (docs / "thumbnails").iterdir()] == ["a.png"]
    assert (docs / "thumbnails" / "a.png").read_bytes() == b"two"
    assert (docs / "notebooks" / "a.ipynb").read_text() == (executed / "a.ipynb").read_text()
    assert (docs / "notebooks" / "b.ipynb").read_text() == (plain / "b.ipynb").read_text()
    text = (docs / "gallery.md").read_text()
    assert "2 of them have not been run" in text
    assert text.count("thumbnails/a.png") == 1
    assert "b.png" not in text


def test_every_notebook_has_a_title_and_a_question():
    for file in (ROOT / "notebooks").glob("*.ipynb"):
        found = json.loads(file.read_text())
        assert len(gallery.title(found)) > 10, file.name
        assert 20 < len(gallery.question(found)) < 300, file.name
        assert not set("*`[") & set(gallery.question(found)), file.name
