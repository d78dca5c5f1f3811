# The only door: make run, make test, make bench, make lint, make format, make requirements,
# make screenshots, make clean.
# Settings are given as in `make run PORT=5001`, in the environment, or in a file named .env.

VENV := .venv
PY := $(VENV)/bin/python
PIP_INSTALL := $(PY) -m pip install -qq --disable-pip-version-check --requirement
PIP_COMPILE := $(PY) -m piptools compile --quiet --no-header --no-annotate --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links
BENCHMARKS := $(sort $(wildcard benchmarks/bench_*.py))

# The environment is up to date when its stamps are newer than the requirements.
RUNTIME := $(VENV)/requirements.stamp
DEVELOPMENT := $(VENV)/requirements-dev.stamp

.DELETE_ON_ERROR:
.PHONY: run test bench lint format requirements screenshots browser clean $(BENCHMARKS)

run: $(RUNTIME)
	@$(PY) -m ops.launch

test: $(DEVELOPMENT) lint browser
	@$(PY) -m pytest --numprocesses=logical --maxprocesses=4 --no-loadscope-reorder --cov --cov-report=term

bench: $(DEVELOPMENT) $(BENCHMARKS)

$(BENCHMARKS): $(DEVELOPMENT)
	@PYTHONPATH=. $(PY) $@

lint: $(DEVELOPMENT)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m djlint --quiet --lint app/templates sandbox
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

format: $(DEVELOPMENT)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .
	$(PY) -m djlint --quiet --reformat app/templates sandbox

requirements: $(DEVELOPMENT)
	$(PIP_COMPILE) --output-file requirements.txt requirements.in
	$(PIP_COMPILE) --output-file requirements-dev.txt requirements-dev.in

# The pictures of README.md, from a start of its own.
screenshots: $(DEVELOPMENT) browser
	@PYTHONPATH=. $(PY) docs/make_screenshots.py

browser: $(RUNTIME)
	@$(PY) -m ops.browser

# The instance folder stays: it holds the books.
clean:
	rm -rf $(VENV) .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@ops/make_venv.sh $(VENV)

$(RUNTIME): requirements.txt | $(PY)
	@echo "Installing what Tieout needs; this takes about a minute, once"
	@$(PIP_INSTALL) requirements.txt
	@touch $@

$(DEVELOPMENT): requirements-dev.txt $(RUNTIME)
	@echo "Installing what the tests need, once"
	@$(PIP_INSTALL) requirements-dev.txt
	@touch $@
