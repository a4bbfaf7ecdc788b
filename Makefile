# make demo      set up and run the main job on the embedded base model
# make test      set up and pass the tests
# make test-all  the long journeys too
# make bench     print the measured figures beside their targets (bench/training.py and bench/preparing.py have the others)
# make lint      ruff and mypy
# make docs      write the generated pages anew

PYTHON ?= python3
BIN := .venv/bin
# Tests run side by side, so each process computes with one thread.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TUNEWRIGHT_THREADS=1

.PHONY: demo test test-all bench lint docs clean

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Tunewright needs Python 3.11 or newer; try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	@echo "Installing the dependencies (a few minutes the first time) …"
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	@touch $@

demo: .venv/ready
	$(BIN)/tunewright run -p examples/support-json

test: .venv/ready
	$(ONE_THREAD) $(BIN)/pytest -n 2 --dist worksteal -m 'not slow'

test-all: .venv/ready
	$(ONE_THREAD) $(BIN)/pytest -n 2 --dist worksteal

bench: .venv/ready
	$(BIN)/python bench/main_job.py

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/ready
	$(BIN)/python -m tunewright.project.page docs/project-file.md

clean:
	rm -rf .venv examples/*/.tunewright
