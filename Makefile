# Everything runs from .venv, which never comes onto PATH: a dependency of the tests leaves broken programs named
# `test`, `lint` and `format` in it.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
WORKERS ?= 2
SDK_VERSIONS := 0.36.1 0.41.1 0.43.4 0.48.1 0.55.2
PIP := $(PY) -m pip --quiet --disable-pip-version-check --no-input

.DEFAULT_GOAL := help
.PHONY: help demo run test test-contract test-consumers fuzz simulate mutants chaos bench lint format check lock schemas clean

help: ## Show what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## Start all of it, tell the main job as a story, stop it again
	@$(PY) -m pipeloom demo

run: $(READY) ## Start all of it and keep it running until Ctrl-C
	@$(PY) -m pipeloom up

test: $(READY) ## Run all tests, WORKERS=2 processes with servers of their own (embedded ones unless others are configured)
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile

test-contract: $(READY) ## Run the contract of craft-ai-sdk with every version, each in an environment of its own
	@PIPELOOM_TEST_SDK_VERSIONS=all $(PY) -m pytest tests/acceptance/contract tests/acceptance/test_the_page.py

test-consumers: $(READY) ## Hold the example consumers to the API's list after COMMANDS=10000 commands; SEED=n repeats a run
	@PIPELOOM_TEST_CONSUMER_COMMANDS=$(or $(COMMANDS),10000) PIPELOOM_TEST_CONSUMER_SEED=$(SEED) \
		$(PY) -m pytest -s tests/acceptance/test_example_consumers.py

fuzz: $(READY) ## Hold the running stack to its OpenAPI document: EXAMPLES=100 of each operation; SEED=n repeats a run
	@PIPELOOM_TEST_FUZZ_EXAMPLES=$(or $(EXAMPLES),100) PIPELOOM_TEST_FUZZ_SEED=$(SEED) \
		$(PY) -m pytest -s tests/acceptance/test_openapi_fuzz.py

simulate: $(READY) ## Simulate composer and relay under faults: SEEDS=100000 of them, new ones each time; SEED=n shows one
	@$(PY) -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000))

mutants: $(READY) ## Break the code on purpose, one patch after the other, and see that each is caught; the table is in build/mutants.json
	@$(PY) -m tests.mutants

chaos: $(READY) ## Break the whole product in every way for SECONDS=120 and judge it; SEED=n repeats the faults of a run
	@$(PY) -m tests.chaos.harness --seconds $(or $(SECONDS),120) $(if $(SEED),--seed $(SEED))

bench: $(READY) ## Measure the product beside its baselines, all of it or ONLY=http; writes build/benchmarks/*.json
	@$(PY) -m benchmarks $(or $(ONLY),all)

lint: $(READY) ## Check style, formatting, types and the direction of imports
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@$(PY) -m mypy examples
	@$(VENV)/bin/lint-imports

format: $(READY) ## Format the code and mend what can be mended
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

check: lint test ## Do what must be green before a change is done: lint and test

lock: $(READY) ## Write the lock files in requirements/ anew from pyproject.toml
	@$(VENV)/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --extra dev \
		pyproject.toml -o requirements/dev.lock
	@$(VENV)/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --extra server \
		-c requirements/dev.lock pyproject.toml -o requirements/server.lock
	@echo 'hatchling>=1.27' | $(VENV)/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header \
		-c requirements/dev.lock -o requirements/build.lock -
	@for version in $(SDK_VERSIONS); do echo "craft-ai-sdk==$$version" | $(VENV)/bin/uv pip compile --universal \
		--generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
		-o requirements/contract/craft-ai-sdk-$$version.lock - || exit 1; done

schemas: $(READY) ## Write the JSON Schemas, the AsyncAPI and OpenAPI documents and the table of codes anew from the code
	@$(PY) -m events.schemas
	@$(PY) -m events.asyncapi
	@$(PY) -m events.errors_page
	@$(PY) -m services.gateway.openapi

clean: ## Remove the environment, caches and builds; the data in .pipeloom stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Pipeloom needs Python 3.11 or newer; '$(PYTHON)' is missing or older." >&2; \
		echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "environment  making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@echo "environment  installing dependencies (requirements/dev.lock); takes a minute or two the first time"
	@$(PIP) install --require-hashes -r requirements/dev.lock
	@echo "environment  installing pipeloom itself"
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
