# Two commands do everything on a machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO := results/demo

.PHONY: demo test lint types unit benchmarks clean

demo: $(VENV)/.core
	$(BIN)/ecva-bench run --model motion --task cause --out $(DEMO)/motion.jsonl
	$(BIN)/ecva-bench score $(DEMO)/motion.jsonl
	$(BIN)/ecva-bench leaderboard $(DEMO)/motion.scores.jsonl --task cause --out $(DEMO)

test: lint types unit

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/pytest -n auto

benchmarks: $(VENV)/.dev
	$(BIN)/python -m benchmarks.text_scorers
	$(BIN)/python -m benchmarks.judge
	$(BIN)/python -m benchmarks.runner
	$(BIN)/python -m benchmarks.video

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/pip pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.dev: $(VENV)/bin/pip pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) results build *.egg-info
