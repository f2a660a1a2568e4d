PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Type checking loads the settings but needs no database, so it is given an address that nobody connects to.
NOBODY := postgres://nobody@127.0.0.1/none
NO_DATABASE := DATABASE_URL=$(NOBODY) DATABASE_PLATFORM_URL=$(NOBODY) DATABASE_OWNER_URL=$(NOBODY)

.DEFAULT_GOAL := help
.PHONY: help install demo test faults matrix check fmt lock stop

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed ## Make the environment (the other targets do it by themselves)

$(VENV)/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Colloquy needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "This Python cannot make environments. On Debian: apt install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing what Colloquy is made of ..."
	@if command -v uv >/dev/null; then \
		uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock; \
	else \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; \
	fi
	@touch $@

demo: install ## Serve the site with two universities, their people and a course
	@$(BIN)/python -m lms.demo

test: install ## Run the whole suite (browser tests need Debian's chromium)
	@$(BIN)/python -m pytest -q -n auto

# Without a seed a new one is drawn, and named in the report.
ROUNDS ?= 3
DELTAS ?= 1000000

faults: install ## Hurt the running site in every way: ROUNDS=3 SEED=7 ONLY=redis
	@FAULT_ROUNDS=$(ROUNDS) FAULT_SEED=$(SEED) FAULT_ROUND=$(ROUND) FAULT_DELTAS=$(DELTAS) \
		$(BIN)/python -m pytest -q -p no:randomly tests/faults $(if $(ONLY),-k "$(ONLY)")

matrix: install ## Every way by person by object, with both walls and without each: WRITE=1 makes the table anew
	@MATRIX=$(if $(WRITE),write,print) $(BIN)/python -m pytest -q -s -p no:randomly -p no:logging tests/security/matrix 2>/dev/null

check: install ## Style, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(NO_DATABASE) $(BIN)/mypy lms tutoring prompts tenants
	@$(NO_DATABASE) $(BIN)/lint-imports

fmt: install ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

stop: ## Stop the embedded databases of this checkout
	@$(BIN)/python -m lms.embedded_postgres .data/postgres .data/postgres-test

lock: ## Renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate --no-emit-index-url --upgrade -o requirements.lock
