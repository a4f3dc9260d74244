# Each target sets up all it needs in .venv; needs python3 (>= 3.11) with venv and pip, and make.
PYTHON ?= python3
BIN := .venv/bin
RMTL_RUNS ?= runs

.PHONY: demo test test-all lint bench notebooks data clean

# Train the digits study, ask its questions, print the report's path and the headline numbers.
demo: .venv/installed
	RMTL_RUNS="$(RMTL_RUNS)" $(BIN)/python -m rmtlottery.study digits

# A worker for every core, each with one thread. What Python compiles is kept: tests start some sixty commands.
PYTEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses $(shell nproc 2>/dev/null || echo logical) --dist loadfile

test: .venv/test lint
	$(PYTEST) -m "not slow"

test-all: .venv/test lint
	$(PYTEST)

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: .venv/test .venv-bench/installed
	$(BIN)/python -m benchmarks

notebooks: .venv/notebooks
	$(BIN)/jupyter lab notebooks

# Check the bundled data against its checksums.
data:
	cd data && sha256sum --check SHA256SUMS

clean:
	rm -rf .venv .venv-bench runs

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/test: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .[test]
	touch $@

.venv/notebooks: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .[notebooks]
	touch $@

# What some benchmarks compare with. All else that these packages need is in .venv, at the versions of constraints.txt.
.venv-bench/installed: .venv/test benchmarks/peers.txt
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target .venv-bench --requirement benchmarks/peers.txt
	touch $@
