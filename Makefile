# The time bank. Needs Python 3.11 or newer and make; everything else is installed into .venv/ from the lock files.
#
#   make run     the bank on http://127.0.0.1:8000, until Ctrl-C
#   make test    the whole suite; PYTEST_ARGS='-x -k ledger' for a part of it
#   make thorough  the random walks, seeded bugs and killed jobs at full length; the suite has brief ones
#   make check   style, types, walls between the packages, sizes
#   make bench   the benchmarks, as a table and as var/bench.json; BENCH_ARGS='--only closing --small' for a part, --rows
#                for deep books of another size than 10,000,000 transfers
#   make month   a simulated month of 96 canteens and 5,000 diners, counted to the fen; MONTH_ARGS='--canteens 6 --diners 90 --days 3'
#   make year    a year of Fenghua through the bank's own actions, verified and settled; YEAR_ARGS='--months 1 --every 10 --visits 4200 --hours 8170'
#   make screens  a picture of every page, phone and desk, in var/screens/
#   make lock    bring the lock files in line with pyproject.toml (needs uv); LOCK_ARGS=--upgrade for newer versions

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test browser thorough check bench month year screens lock

PYTEST_ARGS ?= -n 2
PYTHON ?= python3.11 python3.12 python3.13 python3

# Programs in .venv carry its absolute path, so a checkout that was moved or copied makes its own anew.
HERE := $(shell pwd | cksum | cut -d ' ' -f 1)
VENV := .venv/made-$(HERE)
RUN := .venv/installed-run-$(HERE)
DEV := .venv/installed-dev-$(HERE)
# So does one whose Python has gone from the machine.
$(shell test -x .venv/bin/python || rm -f .venv/made-* .venv/installed-*)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input

help:
	@sed -n 's/^#   //p' Makefile

# exec, so that Ctrl-C reaches the bank itself, which stops the database and ends well.
run: $(RUN)
	@exec $(BIN)/timebank serve

test: $(DEV) browser
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# The pages are tested in the system's Chromium, with letters for Chinese; root installs both where they are missing.
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		if [ "$$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then \
			echo "installing Chromium and Chinese letters for the tests of the pages"; \
			export DEBIAN_FRONTEND=noninteractive; \
			apt-get update -q && apt-get install -q -y --no-install-recommends chromium fonts-noto-cjk; \
		else \
			echo "there is no Chromium: the tests of the pages in a browser are skipped (apt-get install chromium fonts-noto-cjk)"; \
		fi; }

thorough: $(DEV) browser
	TIMEBANK_TEST_THOROUGH=1 $(BIN)/python -m pytest $(PYTEST_ARGS) $(wildcard tests/bank/test_*machine*.py tests/bank/test_*seeded_bugs.py tests/story/test_*killed.py tests/browser/test_every_page.py tests/browser/test_other_ways_to_read.py)

check: $(DEV)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict timebank
	$(BIN)/mypy app clients scripts/bench scripts/month scripts/screens scripts/year scripts/replay_year.py scripts/write_scale.py
	$(BIN)/lint-imports
	$(BIN)/python scripts/write_openapi.py --check
	$(BIN)/python -m pytest tests/house -q

# With what is for development only: django-hordak is measured beside the bank.
bench: $(DEV)
	@$(BIN)/python -m scripts.bench $(BENCH_ARGS)

# A picture of every page, to be looked at one by one.
screens: $(DEV) browser
	@$(BIN)/python -m scripts.screens

month: $(RUN)
	@$(BIN)/python -m scripts.month $(MONTH_ARGS)

year: $(RUN)
	@$(BIN)/python -m scripts.replay_year $(YEAR_ARGS)

# The hashes come along; --no-emit-index-url keeps the name of whatever registry was asked out of the files.
lock:
	uv pip compile --quiet --no-header --universal --python-version 3.11 --generate-hashes --no-emit-index-url $(LOCK_ARGS) \
		--extra install -o requirements.txt pyproject.toml
	uv pip compile --quiet --no-header --universal --python-version 3.11 --generate-hashes --no-emit-index-url $(LOCK_ARGS) \
		--extra install --extra dev -c requirements.txt -o requirements-dev.txt pyproject.toml

$(VENV):
	@for python in $(PYTHON); do \
		if "$$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "setting up .venv with $$("$$python" --version)"; \
			"$$python" -m venv --clear .venv && touch $@; exit; \
		fi; \
	done; \
	echo "None of: $(PYTHON) is a Python 3.11 or newer with venv (on Debian and Ubuntu: apt-get install python3-venv)." >&2; \
	echo "需要 Python 3.11 或更新版本（含 venv），可用 make PYTHON=/路径/python3 指定。" >&2; \
	exit 1

$(RUN): requirements.txt pyproject.toml | $(VENV)
	@echo "installing what the bank needs"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $@

# The development lock holds all of the other and more.
$(DEV): requirements-dev.txt requirements.txt pyproject.toml | $(VENV)
	@echo "installing what the bank and its tests need"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@$(PIP) install --no-build-isolation --no-deps -e .
	@touch $(RUN) $@
