# Needs only python3 (3.11 or newer), pip and make. Each target sets itself up.
PYTHON ?= python3
VENV   ?= .venv
# Two workers suit two cores; more only cost memory (each compiles its own programs).
JOBS   ?= 2

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

export JAX_PLATFORMS ?= cpu
export JAX_COMPILATION_CACHE_DIR ?= $(CURDIR)/.cache/jax
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS ?= 0.1
export MPLBACKEND ?= Agg

.PHONY: demo test lint parity slow scripts stress conformance bench docs gallery clean

demo: $(VENV)/.demo
	$(BIN)/python examples/digits.py

test: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow and not network" \
		-q minikeras tests compat $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/pyright -p tests/typing

parity: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not network" -q $(or $(ARGS),compat tests/contracts)

# All that `make test` leaves out, the slow cases of `make parity` too: hours.
slow: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "slow and not network" \
		-q minikeras tests compat $(ARGS)

# Programs of all ages of Keras, run by `minikeras run`.
scripts: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) -q tests/scripts $(ARGS)

# Interrupts, kills and threads at random moments, from outside: an hour.
stress: $(VENV)/.dev
	$(BIN)/python -m tests.stress.interrupts --count 2000 --each 25
	$(BIN)/python -m tests.stress.kills --count 100
	$(BIN)/python -m tests.stress.threads --seconds 60
	$(BIN)/python -m tests.stress.resumes --count 60
	$(BIN)/python -m tests.stress.batch_sizes
	$(BIN)/python -m tests.stress.fuzz_files --count 20000

# Other people's packages through the alias, in an environment of their own.
tools: $(VENV)-tools/.tools
	$(VENV)-tools/bin/python -m pytest -q tests/tools $(ARGS)

# Keras's own tests, out of its wheel: more than an hour. ARGS="--only 'losses/*'" for
# some of them, ARGS=--changed for what a change concerns.
conformance: $(VENV)/.dev
	$(BIN)/python -m compat.conformance --jobs $(JOBS) $(ARGS)

bench: $(VENV)/.dev
	$(BIN)/python -m compat.bench $(ARGS)

docs: $(VENV)/.dev
	$(BIN)/python scripts/build_api_docs.py
	$(BIN)/python -m scripts.build_compatibility_docs
	$(BIN)/python -m scripts.build_parity_docs

# How close each family of tests comes to Keras: docs/parity.md from a new run.
GALLERY := .cache/gallery.jsonl
gallery: $(VENV)/.dev
	mkdir -p .cache && rm -f $(GALLERY)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not slow and not network" \
		-q -p compat.gallery.recorder --gallery $(GALLERY) compat/test_*.py $(ARGS)
	$(BIN)/python -m compat.gallery.summary $(GALLERY)
	$(BIN)/python -m scripts.build_parity_docs

clean:
	rm -rf $(VENV) $(VENV)-tools .cache

# Stamps: set up again only when the dependencies change. Some systems ship
# Python without ensurepip; there the system's pip fills the environment.
$(BIN)/python:
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(v < (3, 11) and \
		"minikeras needs Python 3.11 or newer; this is %d.%d. Try: make PYTHON=python3.12" % v)'
	$(PYTHON) -m venv $(VENV) || { $(PYTHON) -m venv --clear --without-pip $(VENV) && \
		$(PYTHON) -m pip --python $(BIN)/python install --quiet pip; }

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[plot]'
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) install --editable '.[data,plot,compat,dev]'
	touch $@ $(VENV)/.demo

TOOLS := $(wildcard tests/tools/requirements*.txt)
$(VENV)-tools/.tools: pyproject.toml $(TOOLS)
	$(MAKE) VENV=$(VENV)-tools $(VENV)-tools/bin/python
	$(VENV)-tools/bin/python -m pip --disable-pip-version-check --quiet install \
		--editable '.[data]' --requirement tests/tools/requirements.txt
	$(VENV)-tools/bin/python -m pip --disable-pip-version-check --quiet install \
		--no-deps --requirement tests/tools/requirements-alone.txt
	touch $@
