# Every target sets up what it needs by itself. Start with `make demo` or `make test`.

PYTHON ?= python3
WORKERS ?= 2
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUNTIME := $(VENV)/.installed-runtime
TEST := $(VENV)/.installed-test

# Programs that the tests need and pip cannot bring, as Debian packages: installed when root, named otherwise.
DEBIAN_PACKAGES := prometheus systemd socat influxdb nginx-light postgresql chromium fonts-wqy-microhei
DEBIAN := $(VENV)/.installed-debian

.PHONY: help setup demo test check fmt lint type bench clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:  ## this list (the default)
	@echo "MeterPurse: make <target>"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST)

setup: $(TEST)  ## everything needed to develop: the virtual environment with the test tools

demo: $(RUNTIME)  ## meter, gateway and head-end as real processes: a household's year in half a minute (ARGS="--keep")
	@$(BIN)/meterpurse demo $(ARGS)

# pytest comes last and is one run, so that its closing line sums up all tests; the gate is tests/support/coverage_gate.py.
test: lint type  ## style, types, import rules, all tests with coverage: what CI runs
	@$(BIN)/python -m pytest -p tests.support.coverage_gate --numprocesses=$(WORKERS) --dist=loadfile --fuzz-frames 200000 --crash-images 20000 --cov --cov-report= $(ARGS)

check: test  ## the same as test

fmt: $(TEST)  ## format the code and mend what can be mended
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format .

lint: $(TEST)  ## ruff and the import rules
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check . || { $(BIN)/ruff format --check .; echo "run: make fmt" >&2; exit 1; }
	@$(BIN)/lint-imports --no-logo

type: $(TEST)  ## mypy --strict
	@$(BIN)/mypy

bench: $(TEST)  ## CPU of one session beside gurux-dlms on the same bytes
	@$(BIN)/python -m tests.bench $(ARGS)

clean:  ## remove what can be made again, the virtual environment too
	rm -rf $(VENV) *.egg-info build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is renewed when the list of dependencies may have changed; the test tools include the runtime.
$(RUNTIME): setup.cfg pyproject.toml | $(BIN)/python
	@echo "installing MeterPurse into $(VENV) ..."
	@$(PIP) --editable .
	@touch $@

$(TEST): setup.cfg pyproject.toml $(DEBIAN) | $(BIN)/python
	@echo "installing MeterPurse and its test tools into $(VENV) ..."
	@$(PIP) --editable ".[test]"
	@touch $(RUNTIME) $@

$(DEBIAN): Makefile | $(BIN)/python
	@missing=; for package in $(DEBIAN_PACKAGES); do dpkg -s $$package >/dev/null 2>&1 || missing="$$missing $$package"; done; $(install_missing)
	@touch $@

# Shell: install the Debian packages in $missing, or name them and stop.
define install_missing
[ -z "$$missing" ] || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
	{ echo "installing $$missing ..."; apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y $$missing >/dev/null; }; } || { \
	echo "please install first: $$missing (on Debian, as root: apt-get install $$missing)" >&2; exit 1; }
endef

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "MeterPurse needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@missing=; $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing="python3-venv"; $(install_missing)
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
