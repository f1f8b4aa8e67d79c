# Everything is built from Python 3.11 or newer with pip, and make. `make` alone lists what there is.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# pip of the machine fills the environment: the module venv alone is everywhere, ensurepip is not.
PIP = $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check --no-input

# What only prepares or checks gets a data directory of its own, and none of the settings that
# somebody exported for a server.
SCRATCH := $(abspath $(VENV))/.scratch
SETTINGS := DATABASE_URL HOST PORT DJANGO_SETTINGS_MODULE $(filter GATEHOUSE_%,$(.VARIABLES))
FOR_TESTS := GATEHOUSE_CHROMIUM GATEHOUSE_FUZZ_EXAMPLES GATEHOUSE_REQUIRE_ALL
ISOLATED := env $(foreach name,$(filter-out $(FOR_TESTS),$(SETTINGS)),-u $(name)) \
	GATEHOUSE_DATA_DIR=$(SCRATCH)

LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet $(UPGRADE) pyproject.toml
# Directories are among them, so that a file which was removed counts as a change.
STATIC := $(shell find static */static -not -name '.*' 2>/dev/null)
PACKAGES := config tenants inventory registration bulk factory extensions openapi ui
# A process for each processor, each with a database of its own; who is done helps the others.
PYTEST := $(BIN)/python -m pytest --numprocesses=auto --dist=worksteal

.DELETE_ON_ERROR:
.PHONY: help run demo test lint format bench lock clean

help: ## list what make can do
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile | expand -t 16

run: $(VENV)/.run staticfiles/staticfiles.json ## serve on HOST and PORT until Ctrl-C
	@exec $(BIN)/python manage.py serve

demo: $(VENV)/.run staticfiles/staticfiles.json ## the same with sample data and simulated devices
	@unset DATABASE_URL; \
	GATEHOUSE_DATA_DIR="$${GATEHOUSE_DATA_DIR:-demo-data}" exec $(BIN)/python manage.py demo

test: $(VENV)/.dev staticfiles/staticfiles.json ## the whole suite on SQLite, then on PostgreSQL; ARGS='-k word'
	@echo '== On SQLite'; \
	$(ISOLATED) $(PYTEST) $(ARGS); on_sqlite=$$?; \
	echo '== On PostgreSQL'; \
	$(ISOLATED) $(BIN)/python tests/with_postgres.py -- $(PYTEST) $(ARGS); \
	on_postgres=$$?; \
	if [ $$on_sqlite -ne 0 ]; then echo 'The suite failed on SQLite.' >&2; fi; \
	if [ $$on_postgres -ne 0 ]; then echo 'The suite failed on PostgreSQL.' >&2; fi; \
	[ $$on_sqlite -eq 0 ] && [ $$on_postgres -eq 0 ]

lint: $(VENV)/.dev ## format, lint, types, templates, migrations
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(ISOLATED) $(BIN)/mypy .
	$(BIN)/djhtml --check templates
	$(BIN)/djlint --quiet --lint templates
	$(ISOLATED) $(BIN)/python manage.py makemigrations --check --dry-run

format: $(VENV)/.dev ## write code and templates the way lint wants them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/djhtml templates

bench: $(VENV)/.dev staticfiles/staticfiles.json ## ratios at 1,000,000 registrations; BENCH_ROWS=20000 for a glance
	@$(ISOLATED) $(BIN)/python -m bench

lock: $(VENV)/.dev ## write both lock files anew; UPGRADE=--upgrade takes newer versions
	$(LOCK) --output-file requirements.lock
	$(LOCK) --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean: ## remove what was built; data stays
	rm -rf $(VENV) staticfiles .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find $(PACKAGES) tests bench -name __pycache__ -prune -exec rm -rf {} +

# --- The environment ----------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	echo 'gatehouse: Python 3.11 or newer is needed, and $(PYTHON) is not; name one by PYTHON=...' >&2; \
	exit 1; }
	@$(PYTHON) -m pip --version >/dev/null || { \
	echo 'gatehouse: $(PYTHON) has no pip; install it (python3-pip on Debian).' >&2; exit 1; }
	@$(PYTHON) -m venv --without-pip --clear $(VENV)

$(VENV)/.run: requirements.lock | $(BIN)/python
	@echo 'Installing the packages of requirements.lock ...'
	@$(PIP) install --quiet --require-hashes -r $<
	@touch $@

# The development lock contains everything that the other one does, at the same versions.
$(VENV)/.dev: requirements-dev.lock requirements.lock | $(BIN)/python
	@echo 'Installing the packages of requirements-dev.lock ...'
	@$(PIP) install --quiet --require-hashes -r $<
	@touch $(VENV)/.run $@

staticfiles/staticfiles.json: $(STATIC) requirements.lock config/settings.py | $(VENV)/.run
	@$(ISOLATED) $(BIN)/python manage.py collectstatic --no-input --verbosity 0
	@touch $@
