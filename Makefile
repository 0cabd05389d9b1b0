# Everything that people and CI do with this project. `make help` lists it.

PYTHON ?= python3
BIN := .venv/bin
DEV := .venv/.installed
DEMO := .demo-venv/.installed
NEW_ENOUGH = $(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("openbell needs Python 3.11 or later: make PYTHON=python3.11 ...")'
# Tests start hundreds of processes. Where the environment forbids bytecode, each of them compiles all of openbell anew.
unexport PYTHONDONTWRITEBYTECODE
SOURCES := $(shell find src -name '*.py')

.DEFAULT_GOAL := help
.PHONY: help venv test test-long test-peers lint format types check demo docs bench bench-quick clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(DEV) ## create .venv with openbell and the development tools

test: $(DEV) ## run the test suite
	scripts/in-memory $(BIN)/pytest -n 2 --dist worksteal

test-long: $(DEV) ## run the tests that take long, such as killing programs again and again
	scripts/in-memory $(BIN)/pytest -n 3 --dist worksteal -m long

test-peers: $(DEV) ## run the strategies of the guides for backtrader and zipline in these, in .peers-venv
	@test -x .peers-venv/bin/zipline || { $(PYTHON) -m venv .peers-venv && .peers-venv/bin/python -m pip install --quiet backtrader zipline-reloaded; }
	OPENBELL_PEERS="$$PWD/.peers-venv/bin/python" $(BIN)/pytest -m long tests/site/test_peers_in_guides.py

lint: $(DEV) ## look for mistakes and departures from the style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(DEV) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(DEV) ## check the types
	$(BIN)/mypy --strict src

docs: $(DEV) ## build the documentation site in docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -q -j 2 -b html docs docs/_build/html

check: ## run everything that CI runs
	@bash .ci/run

demo: $(DEMO) ## install openbell as a user would, and run its demo
	.demo-venv/bin/openbell demo

bench: $(DEV) ## measure openbell against its peers and write benchmarks/README.md (half an hour)
	$(BIN)/python -m benchmarks

bench-quick: $(DEV) ## measure openbell against bare polars and TA-Lib, and compare with what was recorded
	$(BIN)/python -m benchmarks --quick

clean: ## remove the environments and everything built
	rm -rf .venv .demo-venv .peers-venv build docs/_build .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests benchmarks docs scripts -name __pycache__ -prune -exec rm -rf {} +

# Not compiled: of the 16,000 files that come with the tools few are used, and those are compiled at their first use.
$(DEV): pyproject.toml
	@echo "Setting up .venv (once; a minute or two) ..."
	@$(NEW_ENOUGH)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable '.[dev,docs]'
	@touch $@

# The build folder is removed because setuptools would install modules from it that are no longer in src.
$(DEMO): pyproject.toml $(SOURCES)
	@echo "Installing openbell in .demo-venv (once; a minute or two) ..."
	@$(NEW_ENOUGH)
	@test -x .demo-venv/bin/python || $(PYTHON) -m venv .demo-venv
	@rm -rf build
	@.demo-venv/bin/python -m pip install --quiet --disable-pip-version-check .
	@touch $@
