# make demo and make test set up what they need in .venv; nothing outside this directory is touched.

PYTHON ?= python3
BIN := .venv/bin
TESTS ?= tests
REF ?= HEAD~1
WORKERS ?= auto
WINDOWS ?= .programs/windows

# Compiled once, not at every start: half of what the tests take to be found.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help picture demo quick unit test coverage lowest newest windows e2e lint format types check bench bench-compare package packages pins clean

help:
	@echo 'make demo      the main job with a simulated account: server, refresh, the prompt in every surface'
	@echo 'make quick     lint, types and every test that starts no process: about a minute'
	@echo 'make test      the tests (TESTS=tests/quota for some of them)'
	@echo 'make coverage  the tests, with what they reach: branches, and processes that they start (more than twice as long)'
	@echo 'make lowest    the quick tests with the lowest packages that pyproject.toml allows; make newest: the newest'
	@echo 'make windows   in Windows own Python, under Wine: the tests that are not about POSIX, and the commands'
	@echo 'make e2e       the real Claude Code against the simulated account, in a network of its own (needs root)'
	@echo 'make check     lint, format, types and shell checks'
	@echo 'make bench     the figures of docs/figures.md, measured here'
	@echo 'make bench-compare REF=HEAD~1   what got slower since that commit, beyond the noise'
	@echo 'make format    ruff mends what it can'
	@echo 'make picture   the pictures of docs/gallery.md, made from the real programs'
	@echo 'make pins      the versions that the action and pre-commit install (UPGRADE=1 for new ones)'
	@echo 'make package   wheel and sdist in dist/'
	@echo 'make packages  the Debian packages that the tests use (by sudo, where you are not root)'

.venv/ready: pyproject.toml shell/ullage-prompt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'ullage needs Python 3.11 or newer. Name one: make PYTHON=python3.12 $(MAKECMDGOALS)' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	    { echo 'This Python has no venv. Run: sudo apt-get install python3-venv' >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

demo: .venv/ready
	$(BIN)/ullage demo

test: .venv/ready
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

# Side by side: the types of a fresh checkout keep one core busy for as long as half of the tests take.
quick: .venv/ready
	$(MAKE) --jobs=3 lint types unit

unit: .venv/ready
	$(BIN)/python -m pytest -n $(WORKERS) -m 'not process' --hypothesis-profile quick $(TESTS)

coverage: .venv/ready
	rm -f .coverage .coverage.*
	$(BIN)/coverage run -m pytest -n $(WORKERS) --dist worksteal $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lowest newest: .venv/ready
	WORKERS=$(WORKERS) sh .ci/resolution $@ $(TESTS)

# Nothing of Windows outside of this directory.
windows: .venv/ready
	$(BIN)/python .ci/windows.py $(WINDOWS)

e2e: .venv/ready
	bash tests/e2e/real_claude.sh

check: lint types

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	sh .ci/lint-shell
	$(BIN)/zizmor --offline --quiet --min-severity medium .

format: .venv/ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: .venv/ready
	$(BIN)/mypy

picture: .venv/ready
	$(BIN)/python -m gallery

bench: .venv/ready
	$(BIN)/python -m bench

bench-compare: .venv/ready
	$(BIN)/python -m bench.compare $(REF)

pins: .venv/ready
	$(BIN)/python .ci/pin.py $(if $(UPGRADE),--upgrade)

package: .venv/ready
	rm -rf dist
	$(BIN)/python -m build --outdir dist

packages:
	sh .ci/install-packages

clean:
	rm -rf .venv .venv-lowest .venv-newest dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
