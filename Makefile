# make demo      set up and run the main job on the embedded base model
# make test      set up, with what the tests need, and pass them
# make test-all  the long journeys too
# make bench     print the measured figures beside their targets: the main job, training, data (hours; each alone: make bench-job …)
# make lint      ruff and mypy
# make docs      write the generated pages anew

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install -q -c constraints.txt -e
# Tests run side by side, so each process computes with one thread.
ONE_THREAD := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TUNEWRIGHT_THREADS=1

# The environment is made in steps that write into the same place.
.NOTPARALLEL:

.PHONY: demo test test-all bench bench-job bench-training bench-data lint docs clean

.venv/made:
	$(PYTHON) -c 'import sys; sys.exit("Tunewright needs Python 3.11 or newer; try make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	@touch $@

# The package alone, as a user has it. What develops it serves as well, and is put into the same place.
.venv/plain: pyproject.toml constraints.txt | .venv/made
	@echo "Installing the dependencies (a few minutes the first time) …"
	$(INSTALL) .
	@touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/made
	@echo "Installing the dependencies, and those of the tests (a few minutes the first time) …"
	$(INSTALL) '.[dev]'
	@touch .venv/plain $@

demo: .venv/plain
	$(BIN)/tunewright run -p examples/support-json

test: .venv/dev
	$(ONE_THREAD) $(BIN)/pytest -n 2 --dist worksteal -m 'not slow'

test-all: .venv/dev
	$(ONE_THREAD) $(BIN)/pytest -n 2 --dist worksteal

bench: bench-job bench-training bench-data

bench-job: .venv/dev
	$(BIN)/python bench/main_job.py

bench-training: .venv/dev
	$(BIN)/python bench/training.py
	$(BIN)/python bench/preparing.py

bench-data: .venv/dev
	$(BIN)/python bench/near_duplicates.py
	$(BIN)/python bench/data.py --mb 1000
	$(BIN)/python bench/redact.py
	$(BIN)/python bench/contamination.py

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy bench

docs: .venv/dev
	$(BIN)/python -m tunewright.project.page docs/project-file.md

clean:
	rm -rf .venv examples/*/.tunewright
