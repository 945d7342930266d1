# Everything here sets itself up: a machine needs Python 3.11 or newer and make.
PYTHON ?= python3
BIN := .venv/bin
# A folder of freqtrade candles to rehearse on; empty means generated markets.
DATA ?=
ARGS ?=

.PHONY: rehearse test lint benchmark results

rehearse: .venv/installed
	$(BIN)/bubbybot rehearse $(if $(DATA),--data $(DATA)) $(ARGS)

test: .venv/installed-test .venv/installed-docs
	$(BIN)/pytest -n auto --dist loadscope --no-loadscope-reorder $(ARGS)

lint: .venv/installed-lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

benchmark: .venv/installed-benchmark
	$(BIN)/python benchmarks/analyzers.py
	$(BIN)/python benchmarks/startup.py
	$(BIN)/python benchmarks/ledger.py
	$(BIN)/python benchmarks/pairs.py
	$(BIN)/python benchmarks/loop.py
	$(BIN)/python benchmarks/many_pairs.py
	$(BIN)/python benchmarks/backtest.py
	$(BIN)/python benchmarks/many_backtests.py
	$(BIN)/python benchmarks/search_on_dask.py
	$(BIN)/python benchmarks/producers.py
	$(BIN)/python benchmarks/account_stream.py
	$(BIN)/python benchmarks/real_hour.py --minutes 10

results: .venv/installed
	$(BIN)/python benchmarks/results.py $(ARGS)

.venv/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "BubbyBot needs Python 3.11 or newer: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/pip pyproject.toml bubbybot_freqtrade.pth constraints.txt
	@echo "Installing freqtrade and BubbyBot into .venv: a minute or two, once."
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

.venv/installed-%: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$*]'
	touch $@
