# Everything a contributor runs. The first run of a target installs what it needs into .venv; later runs need no network.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The base interpreter: the oldest that is supported, else whatever python3 is.
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$python; break; fi; done)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check install --constraint constraints.txt
INPUTS := pyproject.toml constraints.txt
MANIFEST := connections.yaml.example
PARALLEL := -n auto --dist worksteal
TESTS := $(BIN)/python -m pytest $(PARALLEL)

# Where it is set, each process of the tests would compile every module anew: half of the time of its start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

.PHONY: demo
demo: $(VENV)/.runtime ## apply the example manifest against the simulator, then use one of its connections; no network
	$(BIN)/connform apply --simulate -f $(MANIFEST)
	$(BIN)/connform request --simulate -f $(MANIFEST) sandbox-us POST /packages/list --json '{"take": 1, "skip": 0}'

.PHONY: install
install: $(VENV)/.dev ## what the other targets need, into .venv

.PHONY: test
test: $(VENV)/.dev ## every test; ARGS="-k name" chooses
	$(TESTS) $(ARGS)

.PHONY: long
long: $(VENV)/.dev ## one of the long runs, tests/long/; ARGS="kills" names it
	@test -n "$(ARGS)" || { echo 'name one, as in `make long ARGS=kills`:' >&2; for script in tests/long/*.py; do \
	echo "  $$(basename $$script .py): $$(sed -n '1s/"""//gp' $$script)" >&2; done; exit 64; }
	$(BIN)/python -m tests.long.$(ARGS)

.PHONY: check
check: lint schemadrift test ## all that must hold before a change is merged

.PHONY: lint
lint: $(VENV)/.dev ## layout, style, types, layers
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: schemadrift
schemadrift: $(VENV)/.dev
	@drift=$$(mktemp -d) && trap 'rm -rf "$$drift"' EXIT && \
	$(BIN)/connform schema --write "$$drift" > "$$drift.log" && rm -f "$$drift.log" && \
	diff -r schema "$$drift" || { echo 'schema/ is not what the code says: run `make schema`' >&2; exit 1; }

.PHONY: cover
cover: $(VENV)/.dev ## every test, with coverage
	$(BIN)/coverage erase
	$(MAKE) test TESTS='$(BIN)/coverage run -m pytest $(PARALLEL)'
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

.PHONY: schema
schema: $(VENV)/.dev ## write schema/ from the code
	$(BIN)/connform schema --write schema

.PHONY: docs
docs: $(VENV)/.docs ## build the documentation into build/site; a warning fails
	$(BIN)/python -m docs.site build/site

.PHONY: bench
bench: $(VENV)/.dev ## measure against the peers: connform as users install it, without what the tests need
	rm -rf $(VENV)/bench && $(PYTHON) -m venv $(VENV)/bench
	$(VENV)/bench/bin/python -m pip --quiet --disable-pip-version-check install --constraint constraints.txt '.[simulator,proxy]'
	PATH="$(CURDIR)/$(VENV)/bench/bin:$$PATH" $(BIN)/python -m benchmarks $(ARGS)

.PHONY: benchpage
benchpage: $(VENV)/.dev ## put what the last whole `make bench` printed into docs/explanation/benchmarks.md
	$(BIN)/python -m benchmarks.page

.PHONY: format
format: $(VENV)/.dev ## lay out and mend what a tool can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

.PHONY: constraints
constraints: ## renew constraints.txt with the newest versions of everything
	rm -rf $(VENV).new && $(PYTHON) -m venv $(VENV).new
	$(VENV).new/bin/python -m pip --quiet install --upgrade pip
	$(VENV).new/bin/python -m pip --quiet install --editable '.[simulator]' --group dev --group docs hatchling
	{ sed -n 1p constraints.txt; $(VENV).new/bin/python -m pip freeze --all --exclude-editable --exclude setuptools; } > constraints.new
	mv constraints.new constraints.txt && rm -rf $(VENV).new

.PHONY: dist
dist: $(VENV)/.dev ## build the wheel and the source distribution of the last commit into dist/; VERSION=1.2.3 is what they have to be
	@version=$$(sed -n 's/^__version__ = "\(.*\)"/\1/p' src/connform/__init__.py) && \
	if [ "$(or $(VERSION),$$version)" != "$$version" ]; then \
	echo "this is connform $$version, not $(VERSION): set __version__ in src/connform/__init__.py" >&2; exit 1; fi && \
	if [ -n "$(VERSION)" ] && ! grep -q "^## \[$$version\]" CHANGELOG.md; then \
	echo "CHANGELOG.md has no section [$$version]" >&2; exit 1; fi
	@test -z "$$(git status --porcelain)" || { echo 'commit first: what is built is dated by its commit' >&2; exit 1; }
	rm -rf dist
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m build --no-isolation --outdir dist .
	$(BIN)/twine check --strict dist/*

.PHONY: clean
clean: ## remove everything that was built here
	rm -rf $(VENV) $(VENV).new dist build .coverage .coverage.* htmlcov .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# Stamps: an install runs again only when what it reads has changed.
$(VENV)/.venv:
	@test -n "$(PYTHON)" || { echo 'no Python >= 3.11 found: name one, as in `make PYTHON=/path/to/python3.11`' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.venv $(INPUTS)
	$(PIP) pip
	$(PIP) --build-constraint constraints.txt --editable '.[simulator]'
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(PIP) --group dev
	@$(BIN)/python -m pytest --quiet --collect-only >/dev/null || true # compiles once what each worker would
	@touch $@

$(VENV)/.docs: $(VENV)/.dev
	$(PIP) --group docs
	@touch $@
