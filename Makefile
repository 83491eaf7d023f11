# Every command sets itself up: see tools/setup.sh. ARGS=... is handed on, e.g. make test ARGS="-k outbox"
PYTHON := .venv/bin/python
ARGS ?=
# Each has peers of its own; ARGS="-n 0" runs all in one, for a debugger.
TWO_PROCESSES := -n 2 --dist worksteal
.DEFAULT_GOAL := help
.PHONY: help run test test-devices check lint unit faults fuzz mutants bench wheel lock setup fresh clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## the app with its simulated hospital (without a display: walks it and reports)
	@tools/setup.sh run
	@$(PYTHON) -m capture_app demo $(ARGS)

test: ## every test, against real peers
	@tools/setup.sh test
	@$(PYTHON) -m pytest $(TWO_PROCESSES) $(ARGS)

test-devices: ## attached cameras with the kernel's own drivers, in an emulated machine (12 minutes)
	@tools/setup.sh devices
	@$(PYTHON) -m tests.devices $(ARGS)

check: lint unit ## the quick part: linters, types, layers, licences, unit tests

lint:
	@tools/setup.sh check
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -m mypy --platform win32 capture_app
	.venv/bin/lint-imports --no-logo
	$(PYTHON) -m tools.licences

unit:
	@tools/setup.sh check
	@$(PYTHON) -m pytest $(TWO_PROCESSES) tests/unit $(ARGS)

faults: ## killed at every call, full disks, bad archives: all of what `make test` draws a share of
	@tools/setup.sh test
	@CAPTURE_TEST_DRAWS=whole $(PYTHON) -m pytest $(TWO_PROCESSES) tests/faults $(ARGS)

fuzz: ## 100,000 messages, 50,000 PDUs, 300 pictures and 100 streams that nobody should send
	@tools/setup.sh test
	@CAPTURE_TEST_DRAWS=whole $(PYTHON) -m pytest $(TWO_PROCESSES) tests/fuzz $(ARGS)

mutants: ## faults planted one by one in a copy of the tree: a test must catch each
	@tools/setup.sh test
	@$(PYTHON) -m tests.mutants $(ARGS)

bench: ## measures against DCMTK and hl7apy (docs/benchmarks.md)
	@tools/setup.sh test
	@$(PYTHON) -m tests.bench $(ARGS)

wheel: ## the application for stations without a checkout, in dist/
	@tools/setup.sh run
	@rm -rf build dist
	@$(PYTHON) -m pip wheel . --quiet --disable-pip-version-check --no-build-isolation --no-deps --wheel-dir dist
	@ls dist/*.whl

setup: ## everything that the other commands need
	@tools/setup.sh test

lock: ## pins the newest allowed dependencies again
	@tools/lock.sh

fresh: ## proves `make run` and `make test` on a bare Debian 12 (needs root, debootstrap, half an hour)
	@tools/fresh.sh

clean: ## removes what set-up and checks made
	rm -rf .venv build dist tests/node/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
