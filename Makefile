# `make help` lists the targets. Everything is installed into .venv, by hash.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help install demo test check bench lint browser lock catalogs clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

install: $(STAMP) ## set up .venv, nothing else

$(STAMP): requirements/dev.txt requirements/node.txt pyproject.toml package.json package-lock.json assets.mjs \
  hatch_build.py $(wildcard src/valueplatform/portal/charts/*.json)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/node.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: install ## start the sample supplier on http://127.0.0.1:8000
	@exec $(BIN)/valueplatform demo

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

check: lint ## lint, types, floors, tests without the browser
	$(BIN)/python -m pytest tests -n 2 --dist loadfile

browser: install # a Chromium for the browser tests: from the system's packages where we may install them
	@$(BIN)/python -m e2e.chromium --install

test: check browser ## every test, the browser tests too
	$(BIN)/python -m pytest e2e

bench: install ## every benchmark; one JSON line a figure
	$(BIN)/python -m benchmarks

lock: ## renew requirements/*.txt from requirements/*.in
	@for name in runtime dev node; do \
	  $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
	    --upgrade requirements/$$name.in -o requirements/$$name.txt; done

WORDING := src/valueplatform/narrative/wording

catalogs: install ## bring the catalogs of other languages up to date with the templates
	$(BIN)/pybabel -q extract -F $(WORDING)/babel.cfg --add-location=file --sort-by-file -o build-stories.pot $(WORDING)
	$(BIN)/pybabel -q update -i build-stories.pot -d $(WORDING)/locale -D stories --no-fuzzy-matching --ignore-obsolete \
	  --ignore-pot-creation-date --width=120
	rm build-stories.pot

clean: ## remove .venv and everything built
	rm -rf .venv build dist node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis src/valueplatform/portal/static/vendor
