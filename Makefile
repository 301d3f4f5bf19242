# `make serve` and `make test` set up all that they need below this folder. The server keeps its data
# and its weights in the user's data folder (ENLARGER_DATA_DIR); nothing else is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: serve test faults lint fix bench docs clean

serve: $(VENV)/core.stamp
	$(BIN)/enlarger models pull
	exec $(BIN)/enlarger serve

# Tests and measurements leave the user's own data folder alone.
test faults bench: export ENLARGER_MODELS_DIR ?= $(CURDIR)/.cache/models

test: lint
	$(BIN)/enlarger models pull --all
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

# The whole fault suite, an hour and a half; `make test` has a share of it. SEED=N repeats a run.
faults: $(VENV)/test.stamp
	$(BIN)/enlarger models pull --all
	$(BIN)/python -m pytest tests/faults tests/ledger --whole $(if $(SEED),--fault-seed=$(SEED))

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/test.stamp
	$(BIN)/enlarger models pull --all
	$(BIN)/python -m benchmarks

docs: $(VENV)/test.stamp
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Enlarger needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install "pip>=25.1"
	@touch $@

$(VENV)/core.stamp: $(VENV)/python.stamp pyproject.toml
	$(PIP) install --editable .
	@touch $@

$(VENV)/test.stamp: $(VENV)/core.stamp
	$(PIP) install --editable ".[test]"
	@touch $@
