# The first target prints what there is. Every target makes the virtual environment itself; all that has to be on the
# machine is Python 3.11 or later, make and git.

.DEFAULT_GOAL := help
.PHONY: help demo test run stop bench lint
.SUFFIXES:

# The first of these that is Python 3.11 or later makes the virtual environment.
PYTHONS ?= python3 python3.14 python3.13 python3.12 python3.11 python
# Test processes; `auto` is one for each core.
JOBS ?= auto
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements-dev.lock
INSTALLED := $(VENV)/installed

help: ## print this
	@echo "make demo    load the sample usage, bill it, post the invoices, and say where to look"
	@echo "make run     web, worker and scheduler until Ctrl-C or make stop (PORT=8000)"
	@echo "make stop    end what make run started, and the own PostgreSQL and Valkey"
	@echo "make test    the whole test suite (JOBS=auto, ARGS='-k name')"
	@echo "make lint    ruff, mypy, import contracts, migrations"
	@echo "make bench   usage records per second, against hand-written SQL (ARGS=...)"
	@echo
	@echo "DATABASE_URL and REDIS_URL, where set, are used instead of the own PostgreSQL and Valkey in .local/."

demo: $(INSTALLED)
	@$(BIN)/python manage.py demo $(ARGS)

run: $(INSTALLED)
	@$(BIN)/python manage.py run $(if $(PORT),--port "$(PORT)") $(ARGS)

stop:
	@if test -f $(INSTALLED); then $(BIN)/python manage.py services stop; else echo "Nothing ran."; fi

test: $(INSTALLED)
	@$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

bench: $(INSTALLED)
	@$(BIN)/python -m bench $(ARGS)

# The database is not asked about the migrations, for none need be there: hence the warning that is left out.
lint: $(INSTALLED)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

# pip, which comes with Python, installs uv as the lock pins it; uv installs the rest. Both check the hashes.
$(INSTALLED): $(LOCK)
	@set -e; \
	for name in $(PYTHONS); do \
	  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; \
	done; \
	if test -z "$$python"; then echo "Tollbook needs Python 3.11 or later; none of these is: $(PYTHONS)." >&2; exit 1; fi; \
	if ! "$$python" -c 'import venv, ensurepip' 2>/dev/null; then \
	  echo "This Python lacks its venv module: install it (on Debian and Ubuntu the package python3-venv)." >&2; exit 1; \
	fi; \
	echo "Installing the packages of $(LOCK) into $(VENV)/ ..."; \
	$(BIN)/python -c '' 2>/dev/null || "$$python" -m venv --clear $(VENV); \
	awk '/^[^ ]/ { wanted = /^uv==/ } wanted' $(LOCK) > $(VENV)/uv.txt; \
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r $(VENV)/uv.txt; \
	VIRTUAL_ENV="$$PWD/$(VENV)" $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes $(LOCK); \
	touch $@
