# One environment, made from hashed locks, in .venv; jars and archive in .penstock.
# PYTHON=python3.12 picks another Python; PENSTOCK_MAVEN_MIRROR another Maven repository.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
# Prerequisites are made in the order they are written: jars after the environment that fetches them.
.NOTPARALLEL:

PYTHON ?= python3
SOURCES ?= $(or $(PENSTOCK_SOURCES),files)
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
STAMPS := $(VENV)/.made
PENSTOCK := $(or $(PENSTOCK_HOME),.penstock)
STATIC := penstock/server/static
WEB := $(shell find web/src -type f) $(addprefix web/,index.html package.json tsconfig.json vite.config.ts)
# Each file is one worker's, in the order that tests/conftest.py gives them.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
OURS := penstock pipelines assets resources schemas compaction
NPM := web/with-npm $(abspath $(BIN)/python)
CODE := $(OURS) benchmarks tests

# Byte code that a process of ours compiles is kept for all after it, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
# How a package that comes as sources is made into a wheel.
export DIST_EXTRA_CONFIG := $(abspath locks/distutils.cfg)
# What the programs of a deployment load: imported once at set-up it is compiled, and nothing else is. All that is
# installed (`uv pip install --compile-bytecode`) would be 190 MB of sources and two minutes, three quarters of it never
# imported.
PROGRAMS := pipelines.definitions, penstock.cli.app, penstock.server, penstock.resources.training, delta, \
	dagster._cli.dev, dagster._cli.code_server, dagster._cli.api, dagster._daemon.cli, dagster_webserver.cli

.PHONY: help setup setup-test web test-web demo up test test-fast lint lock clean

help:  ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

setup: $(STAMPS)/runtime $(STAMPS)/compiled $(PENSTOCK)/jars/.made web  ## environment, jars, class archive, browser; instant when there
setup-test: $(STAMPS)/test $(STAMPS)/compiled $(PENSTOCK)/jars/.made web

web: $(STATIC)/index.html  ## the lineage browser, built into the server's package

# What all sources need besides, a client of Kafka and one of PostgreSQL, is in the lock of the tests.
demo: $(if $(filter all,$(SOURCES)),setup-test,setup)  ## the nightly job over several days of real flights (SOURCES=all: not of files alone)
	@PENSTOCK_SOURCES=$(SOURCES) $(BIN)/penstock demo

up: setup  ## Dagster's web server and daemon with a warm Spark; Ctrl-C ends all of it
	@$(BIN)/penstock up

test: setup-test lint test-web  ## lint, types, import rules and the whole suite
	@$(PYTEST) --durations 30 --durations-min 5

test-fast: setup-test  ## the suite without what is slow or needs a browser
	@$(PYTEST) -m "not slow and not browser"

test-web: web  ## types and unit tests of the lineage browser
	@$(NPM) run --silent check
	@$(NPM) run --silent test

lint: setup-test  ## ruff, mypy and the import rules
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports

LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-annotate --no-header --custom-compile-command "make lock"

lock: $(STAMPS)/uv  ## resolve the locks anew (they name no registry)
	@$(LOCK) --extra demo pyproject.toml locks/build.in -o locks/runtime.txt
	@$(LOCK) --extra demo --extra kafka --extra postgres --extra test -c locks/runtime.txt pyproject.toml locks/build.in \
		-o locks/test.txt
	@$(LOCK) locks/uv.in -o locks/uv.txt

clean:  ## the environment, the jars and all caches; lake and ledger stay
	@rm -rf $(VENV) web/node_modules $(STATIC) $(PENSTOCK)/jars $(PENSTOCK)/logs .mypy_cache .ruff_cache .pytest_cache \
		.import_linter_cache .hypothesis

$(STAMPS)/uv: locks/uv.txt
	@.ci/machine "$(PYTHON)"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/uv.txt
	@touch $@

# The test environment is the runtime one and more: whoever has it needs not install less.
$(STAMPS)/runtime: $(STAMPS)/uv locks/runtime.txt pyproject.toml
	@if [ $(STAMPS)/test -nt locks/test.txt ] && [ $(STAMPS)/test -nt pyproject.toml ]; then :; else \
		echo "Installing what Penstock runs on"; \
		VIRTUAL_ENV=$(VENV) $(UV) pip install --require-hashes -r locks/runtime.txt; \
		$(MAKE) --no-print-directory install-project; fi
	@touch $@

$(STAMPS)/test: $(STAMPS)/uv locks/test.txt pyproject.toml
	@echo "Installing what Penstock and its tests run on"
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --require-hashes -r locks/test.txt
	@$(MAKE) --no-print-directory install-project
	@touch $@

# The build backend is in the lock: nothing is fetched here.
.PHONY: install-project
install-project:
	@VIRTUAL_ENV=$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .

# After the packages, whichever of the two stamps they have. Not after each edit: Python compiles those
# files itself, and a mistake in one must not stop `make lint` from saying where it is.
$(STAMPS)/compiled: locks/runtime.txt | $(STAMPS)/uv
	@echo "Compiling what every process loads"
	@$(BIN)/python -m compileall -q $(OURS)
	@$(BIN)/python -W ignore -c "import $(PROGRAMS)"
	@touch $@

# What npm installs is what the lock says, by its hashes.
web/node_modules/.made: web/package-lock.json web/package.json web/.npmrc | $(STAMPS)/uv
	@echo "Installing what the lineage browser is built with"
	@$(NPM) ci --silent
	@touch $@

$(STATIC)/index.html: $(WEB) web/node_modules/.made
	@echo "Building the lineage browser"
	@$(NPM) run --silent build -- --logLevel warn
	@touch $@

$(PENSTOCK)/jars/.made: penstock/resources/jars.lock locks/runtime.txt | $(STAMPS)/uv
	@$(BIN)/python -m penstock.resources.prepare
	@touch $@
