# Every way into the project. Needs Python 3.11 or newer with venv, git and make; all else is installed into .venv.
.DEFAULT_GOAL := help
BIN := .venv/bin
TESTS ?= tests
# One process a core, at most what fits beside real editors.
WORKERS ?= 2
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --no-loadscope-reorder
# Tests start Python some thousand times: what is compiled once need not be compiled by each.
unexport PYTHONDONTWRITEBYTECODE
COMPILE := $(BIN)/python -m compileall -q server tests

.PHONY: demo test soak unit check fmt gen bench mutants lock clean help env-run env-test

demo: env-run ## requirements to verified code in a temporary folder, with a scripted model unless a key is set
	@$(BIN)/specloom demo $(ARGS)

test: env-test ## all tests, real editors included (at most 15 minutes)
	@$(COMPILE)
	@$(PYTEST) $(TESTS)

soak: env-test ## the same tests with long counts
	@$(COMPILE)
	@SPECLOOM_TEST_TIER=soak $(PYTEST) --timeout 3600 $(TESTS)

unit: env-test ## the fast tier alone
	@$(PYTEST) tests/unit tests/repo -m "not slow"

check: env-test ## format, lint, types, import contracts, generated files
	@scripts/check

fmt: env-test ## formats and mends what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

gen: env-test ## writes the generated files anew
	@$(BIN)/python scripts/gen.py

bench: env-test ## measures, one JSON line a benchmark
	@for file in benchmarks/*.py; do echo "# $$file" >&2; $(BIN)/python "$$file" || exit 1; done

mutants: env-test ## breaks each promise on purpose and expects red tests
	@$(BIN)/python -m pytest -p no:cacheprovider tests/mutants -m mutants

lock: ## resolves versions anew (needs uv)
	@scripts/lock

clean: ## removes what can be rebuilt; editors in .cache stay
	@rm -rf .venv build dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	@find server tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

env-run:
	@scripts/setup run

env-test:
	@scripts/setup test
