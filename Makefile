# Everything is set up in .venv by itself; Python 3.11 or newer, g++, make and perl must be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
EXPORT_READY := $(VENV)/.export-ready
JOBS ?= auto

.PHONY: help demo test check unit benchmarks export test-export lock clean system-tools

help:
	@echo "make demo        train, map, generate, co-simulate: build/demo"
	@echo "make test        everything that must pass: formatting, types, tests"
	@echo "make benchmarks  speed of mapper, golden model, generator and co-simulation"
	@echo "make export      renews the exported test networks (installs PyTorch)"
	@echo "make lock        renew requirements.lock"
	@echo "make clean       remove .venv and build"

system-tools:
	@missing=""; for tool in $(PYTHON) g++ perl; do \
		command -v $$tool >/dev/null 2>&1 || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then \
		echo "error: missing system tools:$$missing (Debian: apt-get install python3 python3-venv g++ make perl)" >&2; \
		exit 2; fi
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "error: Python 3.11 or newer is needed, $(PYTHON) is $$($(PYTHON) --version 2>&1)" >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "error: $(PYTHON) lacks venv (Debian: apt-get install python3-venv)" >&2; exit 2; }

$(READY): pyproject.toml requirements.lock | system-tools
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev]'
	@touch $@

demo: $(READY)
	@$(BIN)/sme demo

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

unit: $(READY)
	$(BIN)/pytest -n $(JOBS) --dist worksteal

test: check unit

benchmarks: $(READY)
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.execution

# Where pip finds no CPU build of PyTorch it would load several GB of CUDA: only if asked to.
$(EXPORT_READY): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --dry-run \
		--report $(VENV)/export.json -c requirements.lock '.[export]'
	@if [ -z "$(CUDA)" ] && grep -Eq '"name": "(cuda|nvidia)-' $(VENV)/export.json; then \
		echo "error: pip would install PyTorch with CUDA (several GB): offer it an index with the CPU build," \
			"or set CUDA=1" >&2; exit 2; fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[dev,export]'
	@touch $@

export: $(EXPORT_READY)
	$(BIN)/python -m tests.networks.export

# Imported first, because the tests are skipped where these are absent.
test-export: $(EXPORT_READY)
	$(BIN)/python -c 'import onnxscript, torch'
	$(BIN)/pytest tests/unit/test_network_fixtures.py

lock: $(READY)
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra fpga --extra export --universal --python-version 3.11 \
		--no-emit-index-url --no-header --quiet --upgrade -o requirements.lock

clean:
	rm -rf $(VENV) build
