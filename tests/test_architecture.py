"""The shape of the package: what is special about a model is asked of it, and no subpackage reads another's private names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from conftest import ROOT

from diffusion.models import MODELS

PACKAGE = ROOT / "diffusion"
FILES = sorted(PACKAGE.rglob("*.py"))


def subpackage(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def classes_of_models() -> dict[str, set[str]]:
    """Names of model classes and of their parts, with the folder or file that may name them in isinstance."""
    names = {kind.__name__ for kind in MODELS.values()} | {"DiffusionModel"}
    return {"sips": {"SIPS", "Complex", "Feed", "Delay", "Funnel", "SIPSEnsemble", "SIPSCascade"}, "all": names}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_model_is_told_by_its_type(path):
    names = classes_of_models()
    text = path.read_text()
    if path.parts[-2] == "sips" and path.parts[-3] == "models":
        return
    found = []
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("isinstance", "issubclass")
        ):
            used = {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
            found += sorted(used & (names["all"] | names["sips"]))
    allowed = {"DiffusionModel"} if path.name == "registry.py" else set()
    if subpackage(path) == "plotting":
        allowed = {"SIPSEnsemble", "SIPSCascade"}  # a figure of one kind of result refuses others
    assert set(found) <= allowed


def private_imports(path: Path) -> list[str]:
    """Underscored modules and names that are imported from another subpackage."""
    package = ["diffusion", *path.relative_to(PACKAGE).parts[:-1]]
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        parts = [*base, *(node.module or "").split(".")] if node.module else base
        if parts[:1] != ["diffusion"] or len(parts) < 2:
            continue
        inside = parts[1] == package[1] if len(package) > 1 else False
        private = [part for part in parts[2:] if part.startswith("_")]
        private += [name.name for name in node.names if name.name.startswith("_") and len(parts) > 2]
        if private and not inside:
            found += private
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_private_name_of_another_subpackage_is_imported(path):
    assert private_imports(path) == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_private_attribute_is_read_but_of_what_the_subpackage_defines(path):
    text = "\n".join(p.read_text() for p in FILES if subpackage(p) == subpackage(path))
    own = set(re.findall(r"\bself\.(_\w+)\b|\bdef (_\w+)\(|^\s+(_\w+)\s*[:=]|\bcls\.(_\w+)", text, re.M))
    defined = {name for names in own for name in names if name}
    read = {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__")
    }
    outside = {"_replace", "_asdict", "_fields"}  # of named tuples
    if path.name in ("_numba.py", "_progress.py"):  # of numba and tqdm, which have no public way
        return
    assert read - defined - outside == set()


def test_docstrings_and_comments_are_not_skipped_by_the_formatter():
    skipped = [str(path.relative_to(PACKAGE)) for path in FILES if "fmt: skip" in path.read_text()]
    assert skipped == []
