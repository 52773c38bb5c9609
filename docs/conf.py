"""Settings of the documentation site. `make docs` builds it into docs/_build/html and needs no network while it builds."""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import api_pages  # noqa: E402
import check_site  # noqa: E402
import gallery_page  # noqa: E402

import diffusion  # noqa: E402

project = "diffusion"
author = "the diffusion developers"
copyright = author
version = release = diffusion.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.viewcode", "numpydoc", "myst_nb"]
exclude_patterns = ["_build", "_templates", ".gitignore"]
templates_path = ["_templates"]
default_role = "py:obj"  # single backticks in docstrings name things of the package
suppress_warnings = ["config.cache"]

autosummary_generate = True
# Growth and growth would be one file where names of files ignore case.
autosummary_filename_map = {f"diffusion.{name}": f"diffusion.{name}-class" for name in api_pages.same_but_for_case()}
autosummary_context = {"derived": api_pages.derived_classes()}
autodoc_typehints = "none"  # the docstrings give types, shapes and ranges
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False  # the template of classes shows them in full
numpydoc_class_members_toctree = False
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_update_mathjax = False
nb_execution_mode = "off"
nb_merge_streams = True

html_math_renderer = "mathml"  # browsers show MathML themselves: no script, no font, no network
html_theme = "pydata_sphinx_theme"
html_title = "diffusion"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
# Pages without pages below them need no navigation of their section.
html_sidebars = {page: [] for page in {"gallery", *(path.stem for path in HERE.glob("*.md"))} - {"notebooks"}}
html_theme_options = {
    "logo": {"text": "diffusion"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "header_links_before_dropdown": 8,
    "show_nav_level": 1,
    "show_toc_level": 2,
    "show_prev_next": False,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": {
        "**": ["page-toc"],
        "validation": [],
        "coverage": [],
        "speed": [],
        "internet": [],
        "index": [],
        "gallery": [],
    },
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}


def write_sources(app: Sphinx, config: Config) -> None:
    """Write the API pages and the gallery, and fetch the notebooks, which live outside of this folder."""
    api_pages.write(HERE / "api")
    names = {name for groups in api_pages.pages().values() for _, group in groups for name in group}
    files = {autosummary_filename_map.get(f"diffusion.{name}", f"diffusion.{name}") for name in names}
    for old in (HERE / "api" / "generated").glob("*.rst"):  # of a name that the package no longer has
        if old.stem not in files:
            old.unlink()
    gallery_page.write(HERE.parent / "notebooks", HERE.parent / "gallery", HERE)


def resolve_from_root(app: Sphinx, env: Any, node: Any, content: Any) -> Any:
    """Find names in docstrings from the root of the package, whatever module the docstring stands in."""
    if node.get("refdomain") != "py":
        return None
    domain, target = env.get_domain("py"), f"diffusion.{node['reftarget']}"
    return domain.resolve_xref(env, node.get("refdoc", ""), app.builder, "obj", target, node, content)


def hide_constructor(app: Sphinx, what: str, name: str, obj: Any, options: Any, signature: str, returns: str) -> Any:
    """Leave out the signature of classes that functions make, and nobody calls."""
    made = what == "class" and dataclasses.is_dataclass(obj) and "Parameters\n" not in (inspect.getdoc(obj) or "")
    return ("", returns) if made and dataclasses.fields(obj) else None


def show_inline(self: Any, node: nodes.math) -> None:
    """Write an equation in a line of text as MathML."""
    self.body.append(tex2mathml(node.astext()))
    raise nodes.SkipNode


def show_block(self: Any, node: nodes.math_block) -> None:
    """Write an equation on its own as MathML."""
    self.body.append(f'<div class="equation">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def mend_source_links(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Lead from source code to the anchor of a name's page, which viewcode looks for under the name of the module."""
    if page.startswith("_modules/"):
        link = re.compile(r"(generated/)(([\w.]+\.)(\w+))((?:-class)?\.html)#[\w.]*?\.\4(?=[.\"])")
        context["body"] = link.sub(r"\1\2\5#\2", context["body"])


def check_pages(app: Sphinx, error: Exception | None) -> None:
    """Warn of dead anchors and of what would be fetched from elsewhere; with -W the build fails."""
    if error is None and app.builder.format == "html":
        for problem in check_site.problems(Path(app.outdir)):
            logging.getLogger(__name__).warning(problem)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect what is above."""
    app.add_html_math_renderer("mathml", (show_inline, None), (show_block, None))
    app.connect("html-page-context", mend_source_links)
    app.connect("build-finished", check_pages)
    app.connect("config-inited", write_sources)  # before Sphinx looks for sources
    app.connect("autodoc-process-signature", hide_constructor)
    app.connect("missing-reference", resolve_from_root)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
