# Every command of this project. Only relative paths: the folder may have spaces in its name.
PY := .venv/bin/python
# Without a configuration of your own `make run` keeps the sandbox of the demo running.
SANDBOX := $(if $(wildcard hirewire.toml)$(HIREWIRE_CONFIG),,--config config/demo/sandbox.toml)
# One more than the cores: many tests wait for a process or a clock.
WORKERS ?= $(shell expr `getconf _NPROCESSORS_ONLN` + 1)
# Measuring takes half as long again, so it leaves out what proves other things: reference servers, chaos, documents.
MEASURED := tests/config tests/connectors tests/deployment tests/kit tests/stack tests/worker tests/test_imports.py
LOCK := pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE
export PYTHONNOUSERSITE := 1
export PYTHON

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help setup demo run test coverage test-slow chaos chaos-controls bench bench-full quick lint format lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv from the hash-locked list; quick when nothing changed
	@sh scripts/bootstrap.sh

demo: setup ## the whole job against reference targets; ARGS='--json FILE' writes the result
	@exec $(PY) -m tests.demo $(ARGS)

run: setup ## the stack in the foreground until Ctrl-C, by hirewire.toml or else the sandbox, state in var/
	@exec $(PY) -m worker.cli.main up $(SANDBOX) $(ARGS)

test: setup ## the tests in random order and in parallel; ARGS go to pytest
	@exec $(PY) -m pytest -n $(WORKERS) -q -m "not slow" $(ARGS)

coverage: setup ## the tests of the source once more, with the coverage gate; ARGS go to pytest
	@$(PY) -m coverage erase
	@$(PY) -m pytest -n $(WORKERS) -q -m "not slow or stack" --cov --cov-report= $(MEASURED) $(ARGS)
	@$(PY) -m tests.coverage_gate

test-slow: setup ## the tests that start whole stacks: the demo, the deployment; ARGS go to pytest
	@exec $(PY) -m pytest -n $(WORKERS) --dist worksteal -q -m slow $(ARGS)

chaos: setup ## kills and faults on real processes, checked from outside; SEED= EVENTS= MINUTES=
	@exec $(PY) -m tests.chaos --seed $(or $(SEED),1) --events $(or $(EVENTS),10000) --minutes $(or $(MINUTES),2) $(ARGS)

chaos-controls: setup ## engines broken on purpose: the checker of chaos must notice each
	@exec $(PY) -m tests.chaos.controls --seed $(or $(SEED),1) $(ARGS)

bench: setup ## what Hirewire costs beside a naive worker and raw requests, in 8 minutes; ARGS=--help tells more
	@exec $(PY) -m tests.benchmarks $(ARGS)

bench-full: setup ## as bench with longer runs and a million accounts, in an hour; ARGS as there
	@exec $(PY) -m tests.benchmarks --full $(ARGS)

quick: setup ## as test, stopping at the first failure; ARGS go to pytest
	@exec $(PY) -m pytest -n $(WORKERS) -q -x -m "not slow" $(ARGS)

lint: setup ## ruff, its formatter as a check, mypy
	@$(PY) -m ruff check --quiet .
	@$(PY) -m ruff format --quiet --check .
	@$(PY) -m mypy

format: setup ## let ruff put the source in order
	@$(PY) -m ruff check --quiet --fix .
	@$(PY) -m ruff format --quiet .

lock: setup ## write both lock files anew from pyproject.toml
	@PATH="$$PWD/.tools/bin:$$PATH"; export PATH UV_SYSTEM_CERTS=1; \
	command -v uv >/dev/null || python3 -m pip install --quiet --target .tools uv || \
		{ echo "lock: needs uv on the PATH" >&2; exit 1; }; \
	uv $(LOCK) pyproject.toml --output-file requirements.lock && \
	uv $(LOCK) pyproject.toml --group dev --output-file requirements-dev.lock

clean: ## remove .venv, caches and what builds left; var/ stays
	@rm -rf .venv .tools build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
