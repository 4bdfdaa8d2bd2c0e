# Everyday commands. `make run` needs only Python with venv; nothing is installed
# outside .venv.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.stamp
DEV_STAMP := .venv/.stamp-dev

.DEFAULT_GOAL := help
.PHONY: help run test check bench screenshots demo-data lock

help:
	@echo "make run          open the workstation on a simulated market"
	@echo "make test         run the tests"
	@echo "make check        style, types and import contracts"
	@echo "make bench        measure against the budgets"
	@echo "make screenshots  draw the pictures of the README again"
	@echo "make demo-data    make the recordings shipped in config/ again"
	@echo "make lock         write requirements.lock again (installs uv aside)"

# Python is looked at before anything is made, so that a wrong one leaves no .venv.
define check_python
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "make: needs Python 3.11 or newer as $(PYTHON);" \
	         "found $$($(PYTHON) --version 2>&1 || true)." \
	         "Another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "make: $(PYTHON) has no venv; on Debian and Ubuntu:" \
	         "apt install python3-venv" >&2; exit 1; }
endef

$(STAMP): pyproject.toml requirements.lock
	$(check_python)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

$(DEV_STAMP): $(STAMP)
	$(BIN)/pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

run: $(STAMP)
	$(BIN)/workstation

test: $(DEV_STAMP)
	$(BIN)/pytest

check: $(DEV_STAMP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict
	$(BIN)/lint-imports --no-logo

# One process: benchmarks that share the cores measure each other.
bench: $(DEV_STAMP)
	$(BIN)/python -m tests.benchmarks

screenshots: $(DEV_STAMP)
	$(BIN)/python -m docs.screenshots

demo-data: $(STAMP)
	$(BIN)/python -m tests.demo_data config

# uv.lock itself names hosts, so only this export is kept.
lock:
	$(check_python)
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	$(PYTHON) -m venv "$$scratch/venv" && \
	"$$scratch/venv/bin/pip" install -q --disable-pip-version-check uv && \
	mkdir "$$scratch/project" && cp pyproject.toml README.md LICENSE "$$scratch/project" && \
	"$$scratch/venv/bin/uv" export -q --project "$$scratch/project" --no-emit-project \
	    --no-dev --no-header --format requirements-txt -o "$$scratch/lock" >/dev/null && \
	{ echo "# What runs, exactly, with hashes. Written by: make lock"; \
	  cat "$$scratch/lock"; } > requirements.lock
