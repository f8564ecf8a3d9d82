# Everything that a contributor and CI run. `make` alone says what there is.

SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
READY := $(VENV)/.ready
SHELL_SCRIPTS = $(wildcard hooks/*) tests/editor/install.sh
# Editors and their Node are big, and the same for every checkout.
EDITORS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sage-git-editors
VSCODE := editors/vscode
# Node knows its own authorities only; those that the system trusts are trusted here too, as by apt and pip.
AUTHORITIES = $${NODE_EXTRA_CA_CERTS:-$(wildcard /etc/ssl/certs/ca-certificates.crt)}
WITH_NODE = PATH="$(EDITORS)/bin:$$PATH" NODE_EXTRA_CA_CERTS="$(AUTHORITIES)" npm_config_update_notifier=false

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-editors vsix check bench soak coverage format clean

help: ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | while IFS='|' read -r target what; do \
	    printf '%-20s %s\n' "$$target" "$$what"; done

demo: $(INSTALLED) ## make a small repository that shows all of it
	@$(BIN)/sage-git demo "$$(mktemp -d)/demo"

test: $(READY) ## run every test except the long ones
	$(BIN)/python -m pytest -n auto --dist worksteal

test-editors: $(READY) vsix ## drive real editors, which it installs once, outside the checkout
	@PYTHON=$(BIN)/python CACHE="$(EDITORS)" tests/editor/install.sh
	$(BIN)/python -m pytest -m editors tests/editor
	$(WITH_NODE) SAGE_PROGRAMS="$(CURDIR)/$(BIN)" node --test --test-concurrency 1 tests/editor/vscode/*.test.mjs

vsix: $(VSCODE)/node_modules ## build the extension for VS Code; the same bytes from the same commit
	@cd $(VSCODE) && export $(WITH_NODE) && npm run --silent check && npm test --silent && \
	    SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct -- . 2>/dev/null || echo 0) npm run --silent package >/dev/null && \
	    sha256sum dist/sage-git.vsix

check: $(READY) ## format, lint, types, layers, dependencies, shell syntax
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/deptry .
	@for script in $(SHELL_SCRIPTS); do \
	    for shell in sh dash bash; do \
	        if command -v $$shell >/dev/null; then $$shell -n "$$script" || exit 1; fi; \
	    done; \
	done; echo "hooks: shell syntax is fine"
	@if test -d $(VSCODE)/node_modules; then cd $(VSCODE) && $(WITH_NODE) npm run --silent check && echo "vscode: types are fine"; \
	else echo "vscode: not checked, since \`make vsix\` has not been run"; fi

bench: $(READY) ## measure against the targets; BENCH_REPO=PATH adds a real history, BENCH="commits" picks groups
	$(BIN)/python -m benchmarks.run $(BENCH)

soak: $(READY) ## the long runs: a million values, faults at every system call, random git
	SAGE_SOAK=1 $(BIN)/python -m pytest -n auto -m soak --timeout 7200

coverage: $(READY) ## run the tests and say which lines they never reach
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

format: $(READY) ## format and fix what can be fixed
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

clean: ## remove everything that was made here
	rm -rf $(VENV) $(VSCODE)/node_modules $(VSCODE)/dist build dist .coverage .coverage.* .hypothesis \
	    .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VSCODE)/node_modules: $(VSCODE)/package-lock.json | $(INSTALLED)
	@PYTHON=$(BIN)/python CACHE="$(EDITORS)" tests/editor/install.sh node
	cd $(VSCODE) && $(WITH_NODE) npm ci --loglevel error --no-audit --no-fund --ignore-scripts
	@touch $@

# Two steps, so that the demo need not wait for the tools.
$(READY): $(INSTALLED)
	$(BIN)/python -m pip install --quiet --editable '.[dev,lan,lsp]'
	@touch $@

$(INSTALLED): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

# Debian keeps ensurepip in a package of its own, and without it `python3 -m venv` fails half-way.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo 'sage-git needs Python 3.11 or later as $(PYTHON); name another one: make PYTHON=python3.12' >&2; exit 1; }
	@if $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then $(PYTHON) -m venv $(VENV); \
	elif $(PYTHON) -m virtualenv --version >/dev/null 2>&1; then $(PYTHON) -m virtualenv --quiet $(VENV); \
	else echo 'Python cannot make a virtual environment here. Install python3-venv: sudo apt-get install python3-venv' >&2; \
	    exit 1; fi
