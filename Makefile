# Two commands matter: `make run` and `make test`. Each installs what it needs into .venv by itself.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check format bench bench-funnel reliability pictures crash soak lock clean
.DEFAULT_GOAL := run

# The stamp of an installation is a copy of what was installed: a changed lock file installs again.
.venv/runtime.lock: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what the bot needs (once)…"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@cp requirements.lock $@

.venv/dev.lock: requirements-dev.lock .venv/runtime.lock
	@echo "Installing what the tests need (once)…"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@cp requirements-dev.lock $@

run: .venv/runtime.lock
	@$(BIN)/python run_bot.py

test: .venv/dev.lock
	$(BIN)/pytest -n auto --chat-fail-under row=100

check: .venv/dev.lock
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev.lock
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/dev.lock
	$(BIN)/python -m bench.conversation

# A million journeys take some minutes to be made.
bench-funnel: .venv/dev.lock
	$(BIN)/python -m bench.funnel

# The table of invariants, from a run of everything.
reliability: .venv/dev.lock
	$(BIN)/pytest -n auto --reliability docs/operators/reliability.md

# The animated picture of the README, from the real chat page; needs Chromium.
pictures: .venv/dev.lock
	$(BIN)/python -m tests.pictures

# kill -9 at every point; a run of all tests tries a twelfth of them, another one each day.
crash: .venv/dev.lock
	CRASH_EVERY=1 $(BIN)/pytest -n auto tests/crash

# Many people and a nemesis, for as long as wanted: make soak MINUTES=10
MINUTES ?= 60
soak: .venv/dev.lock
	$(BIN)/python -m tests.crash.soak $(MINUTES)

lock:
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra postgres pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --extra postgres --group dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
