# Two commands matter: `make run` and `make test`. Each installs what it needs into .venv by itself.
# With another Python: make PYTHON=python3.13; beside the first one: make VENV=.venv-3.13 PYTHON=python3.13.
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := sh tools/install.sh

.PHONY: run test test-all coverage check format bench bench-memory bench-funnel bench-faq mutants reliability pictures dashboard-picture crash soak lock clean FORCE
.DEFAULT_GOAL := run

# The script looks each time whether there is anything to do.
$(VENV)/runtime.lock: FORCE
	@$(INSTALL) $(VENV) runtime $(PYTHON)

$(VENV)/dev.lock: FORCE
	@$(INSTALL) $(VENV) dev $(PYTHON)

.venv-bench/bench.lock: FORCE
	@$(INSTALL) .venv-bench bench $(PYTHON)

bench/peers/node_modules/.package-lock.json: bench/peers/package-lock.json
	@! command -v npm >/dev/null || npm ci --silent --ignore-scripts --prefix bench/peers || echo "grammY does not install."

run: $(VENV)/runtime.lock
	@$(BIN)/python run_bot.py

# Without compiled files, each worker and each bot that a test starts would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

# Several workers at once, four on a machine with fewer cores: a test waits for a bot or a clock more than it computes. A
# worker that has no test left takes over half of what another has: none ends alone with many.
WORKERS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores > 4 ? cores : 4)))
PYTEST = pytest -n $(WORKERS) --dist worksteal

# Everything that a change can break, in a few minutes; the last line says what was left out.
test: $(VENV)/dev.lock
	$(BIN)/$(PYTEST) -m "not slow" --chat-fail-under row=100

# What `make test` leaves out: every crash point, all stories, every event in every state, long walks in a browser, other bots.
test-all: $(VENV)/dev.lock
	@$(INSTALL) .venv-bench bench $(PYTHON) || echo "aiogram and pyTelegramBotAPI do not install: no bots of theirs."
	$(BIN)/$(PYTEST) -m slow

# The tests of `make test`, and those that start programs, with branches measured, also in these programs. It fails when
# they reach less than 100 % of the core or the flow, or less than 95 % of another package.
REACHED = $(BIN)/coverage report --skip-covered --show-missing
coverage: $(VENV)/dev.lock
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m $(PYTEST) -m "not slow or measured" --chat-fail-under row=100 -q
	@$(BIN)/coverage combine --quiet
	@failed=0; \
	$(REACHED) --include="verification/*,bot/flow/*" --fail-under=100 || failed=1; \
	for package in bot storage web playground chatscript; do \
	  echo "$$package"; \
	  $(REACHED) --include="$$package/*" --omit="bot/flow/*" --fail-under=95 || failed=1; \
	done; \
	exit $$failed

check: $(VENV)/dev.lock
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/dev.lock
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Our bot beside others; it writes docs/performance.md, on a quiet machine in 20 minutes. In a minute: make bench BENCH=--quick
BENCH ?=
bench: $(VENV)/dev.lock .venv-bench/bench.lock bench/peers/node_modules/.package-lock.json
	$(BIN)/python -m bench $(BENCH)

# Whether memory stays flat, and what a verification leaves in the database: make bench-memory CONVERSATIONS=100000
CONVERSATIONS ?= 2000
bench-memory: $(VENV)/dev.lock
	$(BIN)/python -m bench.memory $(CONVERSATIONS)

# A million journeys take some minutes to be made.
bench-funnel: $(VENV)/dev.lock
	$(BIN)/python -m bench.funnel

# How well the FAQ answers what people type; every miss: make bench-faq FAQ=--misses
FAQ ?=
bench-faq: $(VENV)/runtime.lock
	$(BIN)/python -m bench.faq $(FAQ)

# Faults planted in our code, a hundred in each package: at least 95 % must fail a test. Others: make mutants SEED=2
SEED ?= 1
SAMPLE ?= 100
mutants: $(VENV)/dev.lock
	$(BIN)/python -m tests.mutants --seed $(SEED) --sample $(SAMPLE) $(PART)

# The table of invariants, from a run of everything.
reliability: $(VENV)/dev.lock
	$(BIN)/$(PYTEST) --reliability docs/operators/reliability.md

# The animated picture of the README, from the real chat page, and those of providers and testers; needs Chromium.
pictures: $(VENV)/dev.lock
	$(BIN)/python -m tests.pictures
	$(BIN)/python -m tests.provider_pictures
	$(BIN)/python -m tests.tester_pictures

# The picture of the Grafana dashboard in the operators' guide, from a run of two minutes.
dashboard-picture: $(VENV)/dev.lock
	$(BIN)/python -m tests.dashboard_picture

# kill -9 at every point: the part of `make test-all` to repeat after a change to storage, delivery or crash recovery.
crash: $(VENV)/dev.lock
	$(BIN)/$(PYTEST) -m slow tests/crash

# Many users and a fault injector, for as long as wanted: make soak MINUTES=10
MINUTES ?= 60
soak: $(VENV)/dev.lock
	$(BIN)/python -m tests.crash.soak $(MINUTES)

# The tool that makes the locks has a lock, and an environment, of its own: it must run when the others do not install.
# Versions stay as they are where they can; to renew them all: make lock UPGRADE=--upgrade.
UPGRADE ?=
COMPILE = .venv-locking/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(UPGRADE)
lock:
	@$(INSTALL) .venv-locking locking $(PYTHON)
	$(COMPILE) --extra postgres pyproject.toml -o requirements.lock
	$(COMPILE) --extra postgres --group dev pyproject.toml -o requirements-dev.lock
	$(COMPILE) --group bench -o requirements-bench.lock
	$(COMPILE) --group locking -o requirements-locking.lock
	.venv-locking/bin/python tools/traditional.py
	.venv-locking/bin/python tools/ideographs.py

clean:
	rm -rf .venv .venv-* bench/peers/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
