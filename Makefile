# Every target works in a fresh clone that has python3 (3.10 or later) with pip and venv.

PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?= -n auto
FUTURES ?= --days 30 --runs 3
ARENA_SEEDS ?= 100-129
MODULE ?=
BIN := $(VENV)/bin

# Stamps inside the environment: a changed pyproject.toml installs anew.
SIMULATE := $(VENV)/.installed-simulate
DEV := $(VENV)/.installed-dev
INTEGRATION := $(VENV)/.installed-integration
MUTANTS := $(VENV)/.installed-mutants

.PHONY: demo test integration coverage mutants check faults fuzz soak bench arena docs golden clean

demo: $(SIMULATE) ## what revops would do on a routing node with 40 channels, why, and what would become of it
	@$(BIN)/python -m revops.simulate examples/forty.json
	@mkdir -p build
	@$(BIN)/python -m revops.simulate examples/forty.json $(FUTURES) --html build/demo.html

test: $(DEV) ## every test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

integration: $(INTEGRATION) ## the plugin on a real lightningd and under a real Prometheus; skipped unless these and bitcoind are on the PATH
	$(BIN)/python -m pytest tests/integration $(PYTEST_ARGS)

coverage: $(MUTANTS) ## every branch of the core is taken by a law or an example
	@mkdir -p build
	HYPOTHESIS_PROFILE=mutants $(BIN)/python -m pytest tests/property tests/unit/core \
		--ignore-glob='*/test_10*' --cov --cov-report=term $(PYTEST_ARGS)

mutants: $(MUTANTS) ## which small changes of the core no test sees; hours, but it goes on where it was: MODULE="budget fees/rails"
	$(BIN)/python tests/strength/mutants.py $(MODULE)

check: $(DEV) ## lint, format, types, walls between the layers, a docstring on every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/interrogate --quiet tests

faults: $(DEV) ## every call struck by every fault, every other sort of trouble at full strength; minutes
	FAULTS=all DAMAGES=200 AT_ONCE=10000 $(BIN)/python -m pytest tests/faults $(PYTEST_ARGS)

fuzz: $(DEV) ## five thousand wild replies, files and options of each kind; hours
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest tests/faults/test_any_reply.py tests/faults/test_any_text.py $(PYTEST_ARGS)

soak: $(DEV) ## a month with all loops at work, and what memory they take day by day
	$(BIN)/python tests/faults/soak.py

bench: $(DEV) ## a whole fee cycle at 100 to 10 000 channels, a month of them, a long past, commands, reports and scrapes meanwhile
	$(BIN)/python tests/bench/bench_cycle.py
	$(BIN)/python tests/bench/bench_step.py
	$(BIN)/python tests/bench/bench_commands.py
	$(BIN)/python tests/bench/bench_reports.py
	$(BIN)/python tests/bench/bench_backfill.py
	$(BIN)/python tests/bench/bench_month.py
	$(BIN)/python tests/bench/bench_rebalance.py
	$(BIN)/python tests/bench/bench_scrape.py
	$(BIN)/python tests/bench/bench_arena.py

arena: $(SIMULATE) ## docs/arena.md: every policy in every world; hours, but stopped and started again it goes on
	@mkdir -p build
	$(BIN)/python -m revops.simulate arena --scenario all --policy all core,fee-optimizer=hill-climb \
		--seeds $(ARENA_SEEDS) --store build/arena.sqlite --markdown docs/arena.md

docs: $(DEV) ## options, commands, reasons and metrics in docs/, and config/, from the code
	@$(BIN)/python -m revops.shell.handbook

golden: $(DEV) ## make the examples, their plans and the small arena anew; read the diff before committing it
	@mkdir -p build
	$(BIN)/python examples/make_forty.py
	$(BIN)/python examples/make_regtest.py
	@for name in forty regtest; do \
		$(BIN)/python -m revops.simulate examples/$$name.json --json > tests/golden/$$name.json || exit; \
	done
	$(BIN)/python tests/golden/make_arena.py > build/arena.json && mv build/arena.json tests/golden/

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

$(MUTANTS): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[mutants]'
	@touch $@ $(DEV) $(SIMULATE)

$(INTEGRATION): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[integration]'
	@touch $@ $(DEV) $(SIMULATE)
