# make demo   set everything up, ingest a demo library (or MUSIC=folder), recommend, evaluate
# make test   set everything up, run the tests (without those marked slow)
# make test-slow   the slow ones
# make lint   style and types
# make bench  the benchmarks (of BENCH_MUSIC=folder), into data/results/bench.md; FULL=1 for large ones

PYTHON ?= python3
VENV   ?= .venv
MUSIC  ?=
BENCH_MUSIC ?=
FULL   ?=
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test test-slow lint bench clean

demo: $(VENV)/.runtime
	@$(BIN)/recsys demo $(if $(MUSIC),--music "$(MUSIC)")

test: $(VENV)/.dev
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadscope

test-slow: $(VENV)/.dev
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadscope -m slow

lint: $(VENV)/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(VENV)/.runtime
	@$(BIN)/python tests/bench/run_all.py $(if $(BENCH_MUSIC),"$(BENCH_MUSIC)") $(if $(FULL),--full)

clean:
	rm -rf $(VENV) demo-library build dist *.egg-info

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

# torch goes first and alone, at its pinned version, so that whatever build of it lies at hand is
# taken before another package asks for a range.
$(VENV)/.runtime: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install --quiet --constraint constraints.txt torch
	$(PIP) install --quiet --constraint constraints.txt --editable '.[map,serve]'
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@
