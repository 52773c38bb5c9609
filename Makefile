# Every target makes its own virtual environment in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= results/study
# What to hand to the benchmarks, such as BENCH='--quick' or BENCH='--only ic,lt'.
BENCH ?=
# Tests that run with the oldest versions, all of the quick ones by default.
OLDEST ?=

.PHONY: study test test-oldest lint bench gallery notebooks docs clean

study: .stamps/warm
	$(BIN)/diffusion study --out $(OUT)

test: .stamps/dev
	$(BIN)/python -m pytest -n auto

# The quick tests with the oldest versions that pyproject.toml allows, in an environment of its own.
test-oldest: .venv-oldest/.stamp
	NUMBA_CACHE_DIR=$(CURDIR)/.venv-oldest/numba .venv-oldest/bin/python -m pytest -n auto -m "not slow" $(OLDEST)

lint: .stamps/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .stamps/bench
	$(BIN)/python tests/benchmarks/run.py $(BENCH)

# Runs every notebook and leaves them with their outputs in gallery/ (beside notebooks/, so that paths hold).
gallery: .stamps/notebooks
	@rm -rf gallery && mkdir gallery && cp notebooks/*.ipynb gallery/
	$(BIN)/python -m pytest -o addopts= -n auto --nbmake --nbmake-timeout=600 --overwrite gallery

# The same, and as HTML.
notebooks: gallery
	$(BIN)/python -m nbconvert --log-level=ERROR --to html gallery/*.ipynb
	@echo "open gallery/00_quickstart.html"

docs: .stamps/docs
	$(BIN)/python -m sphinx -W --keep-going --quiet -b html docs docs/_build/html
	@echo "open docs/_build/html/index.html"

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("diffusion needs Python 3.11 or newer, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

.venv-oldest/.stamp: pyproject.toml tests/oldest.py
	$(PYTHON) -m venv .venv-oldest
	$(PYTHON) tests/oldest.py > .venv-oldest/constraints.txt
	.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check --constraint .venv-oldest/constraints.txt --editable '.[test]'
	@touch $@

.stamps/core: pyproject.toml $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@mkdir -p .stamps && touch $@

.stamps/warm: .stamps/core
	$(BIN)/diffusion warmup
	@touch $@

.stamps/dev: pyproject.toml $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@mkdir -p .stamps && touch $@ .stamps/core

.stamps/notebooks: pyproject.toml $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,notebooks]'
	@mkdir -p .stamps && touch $@

.stamps/docs: pyproject.toml $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@mkdir -p .stamps && touch $@ .stamps/core

.stamps/bench: pyproject.toml $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	@mkdir -p .stamps && touch $@

clean:
	rm -rf $(VENV) .venv-oldest .stamps build dist gallery docs/_build docs/api docs/notebooks docs/thumbnails docs/gallery.md
