# Every target works in a fresh clone that has python3 (3.10 or later) with pip and venv.

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?= -n auto
BIN := $(VENV)/bin

# Stamps inside the environment: a changed pyproject.toml installs anew.
SIMULATE := $(VENV)/.installed-simulate
DEV := $(VENV)/.installed-dev
INTEGRATION := $(VENV)/.installed-integration

.PHONY: demo test integration check bench docs golden clean

demo: $(SIMULATE) ## what revops would do on a routing node with 40 channels, and why
	@$(BIN)/python -m revops.simulate examples/forty.json

test: $(DEV) ## every test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

integration: $(INTEGRATION) ## the plugin on a real lightningd; skipped unless that and bitcoind are on the PATH
	$(BIN)/python -m pytest tests/integration $(PYTEST_ARGS)

check: $(DEV) ## lint, format, types, walls between the layers, a docstring on every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet tests

bench: $(DEV) ## a whole fee cycle at 100 to 10 000 channels, a month of them, a long past, commands and reports meanwhile
	$(BIN)/python tests/bench/bench_cycle.py
	$(BIN)/python tests/bench/bench_commands.py
	$(BIN)/python tests/bench/bench_reports.py
	$(BIN)/python tests/bench/bench_backfill.py
	$(BIN)/python tests/bench/bench_month.py
	$(BIN)/python tests/bench/bench_rebalance.py

docs: $(DEV) ## docs/options.md, docs/commands.md, docs/reasons.md and config/, from the code
	@$(BIN)/python -m revops.shell.handbook

golden: $(DEV) ## make the examples and their plans anew; read the diff before committing it
	$(BIN)/python examples/make_forty.py
	$(BIN)/python examples/make_regtest.py
	@for name in forty regtest; do \
		$(BIN)/python -m revops.simulate examples/$$name.json --json > tests/golden/$$name.json || exit; \
	done

clean: ## the environment and every cache
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(SIMULATE): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[simulate]'
	@touch $@

$(DEV): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(SIMULATE)

$(INTEGRATION): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[integration]'
	@touch $@ $(DEV) $(SIMULATE)
