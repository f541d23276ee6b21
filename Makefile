PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
FAST := -m "not slow and not docker and not gpu"

.PHONY: demo test engine test-container test-wheel test-pythons test-all check audit golden clean

demo: $(READY)  ## the main job, from start to end: configs/grid/quickstart.yaml to results/quickstart/report.html
	$(BIN)/augrid run quickstart

test: check  ## static checks and the fast tests
	$(BIN)/python -m pytest -n 2 $(FAST)

engine: $(READY)  ## a Docker Engine and an image for the tests that need them: root on Debian gets one where none answers
	-PYTHONPATH=. $(BIN)/python .ci/engine.py

test-container: engine  ## builds and runs the image of preprocessing
	$(BIN)/python -m pytest -m docker tests/preprocessing/test_container.py

test-wheel: $(READY)  ## the wheel, installed elsewhere, runs the quick start
	$(BIN)/python -m pytest tests/test_wheel.py

test-pythons: $(READY)  ## the fast tests with the other Pythons that are found; TORCH=1: also those that need torch
	.ci/pythons

test-all: check test-pythons  ## everything, also what is slow or needs an engine or a GPU
	$(BIN)/python -m pytest

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

audit: AUDIT := .audit/bin
audit:  ## known vulnerabilities of the pinned packages; asks PyPI's service, and fails where that doesn't answer
	test -x $(AUDIT)/pip-audit || { $(PYTHON) -m venv .audit && $(AUDIT)/pip install --quiet pip-audit; }
	$(AUDIT)/pip-audit --strict --no-deps --disable-pip --progress-spinner off --requirement constraints.txt

$(READY): pyproject.toml setup.py constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(f"augrid needs Python >= 3.11; this is {sys.version}" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

golden: $(READY)  ## write anew what is generated or pinned; look at the diff
	$(BIN)/augrid schema > docs/grid.schema.json
	$(BIN)/augrid schema --hosts > docs/hosts.schema.json
	$(BIN)/python -m transformers_py.catalogue > docs/rewrites.md
	$(BIN)/python tests/transformers_py/test_golden.py
	$(BIN)/python -m tests.pin write

clean:
	rm -rf $(VENV) .audit .pythons build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
