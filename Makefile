# ecosim: `make help` lists what can be made.
#
# Everything is installed in .venv, from the hashed files in requirements/, and nowhere else. Stamp
# files in .venv say what is installed, so a second call does nothing until a cause has changed.
#
# The two ways to install the package share .venv, and the last one made holds:
#   .venv/.installed  `pip install .`: as a user gets it; made again when a source file changes.
#   .venv/.develop    `pip install -e .` and the development tools: never stale, as it is this tree.
# A checkout that has .develop keeps it: `make demo` then runs this tree and installs nothing.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

# The interpreter that .venv is made with. Each candidate is run, as a shim on the path may not start.
CANDIDATES := python3.12 python3 python3.13
PYTHON ?=

# For `make test`: processes at once (0: none but pytest's own), and further arguments of pytest.
WORKERS ?= 2
ARGS ?=
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

# Folders are among the sources, as removing or renaming a file changes only its folder.
SOURCES := pyproject.toml $(shell find ecosim scenarios -name __pycache__ -prune -o -print 2>/dev/null)

ifneq ($(wildcard $(VENV)/.develop),)
INSTALLED := $(VENV)/.develop
else
INSTALLED := $(VENV)/.installed
endif

.PHONY: help
help: ## List the targets.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z][a-z-]*:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(INSTALLED) ## Install ecosim in .venv and run the scenario adaptive-radiation.
	$(BIN)/ecosim run adaptive-radiation

.PHONY: develop
develop: $(VENV)/.develop ## Install ecosim in place (editable) with the development tools.
	@echo "ecosim is installed in place: $(BIN)/ecosim"

.PHONY: test
test: $(VENV)/.develop ## Run every test, slow ones too (ARGS='-m "not slow"' for a part).
	$(PYTEST) $(ARGS)

.PHONY: notebooks
notebooks: $(VENV)/.develop ## Execute the notebooks, each from top to bottom in a fresh kernel.
	$(PYTEST) -m notebook $(ARGS)

.PHONY: lint
lint: $(VENV)/.develop ## Check the style of the code.
	$(BIN)/ruff check .

.PHONY: types
types: $(VENV)/.develop ## Check the types.
	$(BIN)/mypy

.PHONY: docs
docs: $(VENV)/.develop ## Write docs/scenarios.md and docs/metrics.md from the code.
	$(BIN)/python docs/generate.py

.PHONY: claims
claims: $(VENV)/.develop ## Try all claims (under 10 minutes on 2 cores; kept runs are kept) and write docs/claims.md.
	$(BIN)/ecosim study claims --out runs/claims
	$(BIN)/python docs/claims.py runs/claims

.PHONY: verification
verification: $(VENV)/.develop ## Simulate all cases and write docs/verification/ (ARGS=--full: 1 h).
	$(BIN)/python docs/verification.py $(ARGS)

.PHONY: bench
bench: $(VENV)/.benchmarks ## Measure everything beside its peers and write docs/speed.md (ARGS=peers: a part).
	$(BIN)/python benchmarks/all.py $(ARGS)

.PHONY: wheel
wheel: $(VENV)/.develop ## Build the source distribution and, from it, the wheel in dist/.
	$(BIN)/python -m build --no-isolation --outdir dist .

# `make lock` keeps the versions that the files hold already wherever pyproject.toml and run.in
# allow them; LOCK_ARGS=--upgrade takes the newest of everything that run.in does not pin.
LOCK_ARGS ?=
LOCK := $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.12 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' \
	$(LOCK_ARGS)

.PHONY: lock
lock: $(VENV)-lock/.installed ## Compile the hashed files in requirements/ again.
	$(LOCK) --output-file requirements/run.txt pyproject.toml requirements/run.in
	$(LOCK) --output-file requirements/dev.txt --constraints requirements/run.txt \
		--group pyproject.toml:dev pyproject.toml requirements/run.in
	$(LOCK) --output-file requirements/benchmarks.txt --constraints requirements/dev.txt \
		pyproject.toml requirements/run.in requirements/benchmarks.in
	$(LOCK) --output-file requirements/lock.txt requirements/lock.in

.PHONY: clean
clean: ## Remove the environments, caches and built files; results in runs/ stay.
	rm -rf $(VENV) $(VENV)-lock build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# One line: the interpreter, or on failure what was found instead.
define find_python
	found=; tried=; \
	for name in $(or $(PYTHON),$(CANDIDATES)); do \
		version=$$("$$name" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3]); sys.exit(sys.version_info < (3, 12))' 2>/dev/null </dev/null) \
			&& { found=$$name; break; } \
			|| tried="$$tried; $$name: $${version:-does not run}"; \
	done; \
	if [ -z "$$found" ]; then \
		echo "ecosim needs Python 3.12 or newer. Found: $${tried#; }." >&2; \
		echo "Install one, or name it: make demo PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi
endef

$(VENV)/.made $(VENV)-lock/.made:
	@$(find_python); \
	echo "Making $(@D) with $$found ($$version)" && \
	rm -rf $(@D) && \
	"$$found" -m venv $(@D) && \
	touch $@

$(VENV)/.installed: $(VENV)/.made requirements/run.txt $(SOURCES)
	@echo "Installing ecosim and what it needs in $(VENV)"
	@$(PIP) install --quiet --require-hashes -r requirements/run.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --force-reinstall .
	@touch $@

$(VENV)/.develop: $(VENV)/.made requirements/dev.txt pyproject.toml
	@echo "Installing ecosim in place, with the development tools, in $(VENV)"
	@rm -f $(VENV)/.installed
	@$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --force-reinstall -e .
	@touch $@

$(VENV)/.benchmarks: $(VENV)/.develop requirements/benchmarks.txt
	@echo "Installing what ecosim is compared with in $(VENV)"
	@$(PIP) install --quiet --require-hashes -r requirements/benchmarks.txt
	@touch $@

$(VENV)-lock/.installed: $(VENV)-lock/.made requirements/lock.txt
	@$(PIP:$(VENV)/%=$(VENV)-lock/%) install --quiet --require-hashes -r requirements/lock.txt
	@touch $@
